import Base
import Foundation
import NetSimulation
import Testing

/// Runs a scenario once per seed and tells which seed broke it.
///
/// `HEARTH_SEED=17 swift test --filter VirtualTimeTests` plays that seed alone and prints everything that was sent.
/// `HEARTH_FIRST_SEED=5000` plays others than the first thousand, for nights.
enum Seeds {
    private static let only = number("HEARTH_SEED")
    private static let first = number("HEARTH_FIRST_SEED") ?? 1

    private static func number(_ variable: String) -> UInt64? {
        ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
    }

    /// - Parameters:
    ///   - count: how many seeds; all scenarios together have a thousand.
    ///   - link: the network of every phone and page.
    ///   - keepingPayloads: whether the world keeps what is sent.
    ///   - scenario: what happens; it checks what must hold for every seed.
    /// - Returns: how many seeds the scenario called a success, for those things that a bad network may spoil now and
    ///   then; nil when one seed is played alone.
    @discardableResult
    static func play(
        _ count: Int, link: Link = World.badLink, keepingPayloads: Bool = false,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ scenario: (World) -> Bool
    ) -> Int? {
        if let only {
            let world = World(seed: only, link: link, isTraced: true, keepsPayloads: keepingPayloads)
            let succeeded = scenario(world)
            print(world.trace.joined(separator: "\n"))
            report(world, traced: world, at: sourceLocation)
            print("seed \(only): \(succeeded ? "succeeded" : "did not succeed"), \(world.failures.count) failures")
            return nil
        }
        var successes = 0
        for seed in first..<first + UInt64(count) {
            let world = World(seed: seed, link: link, keepsPayloads: keepingPayloads)
            defer { world.end() }
            if scenario(world) { successes += 1 }
            guard !world.failures.isEmpty else { continue }
            let again = World(seed: seed, link: link, isTraced: true, keepsPayloads: keepingPayloads)
            _ = scenario(again)
            report(world, traced: again, at: sourceLocation)
        }
        return successes
    }

    private static func report(_ world: World, traced: World, at sourceLocation: SourceLocation) {
        guard !world.failures.isEmpty else { return }
        let tail = traced.trace.suffix(40).joined(separator: "\n")
        Issue.record(
            "HEARTH_SEED=\(world.seed): \(world.failures.joined(separator: "; "))\n\(tail)",
            sourceLocation: sourceLocation)
    }
}
