import Base
import Testing

@testable import ICE

/// Scripts of the fuzzer's kind, by chance: `fuzzICE` checks what must hold after each of their steps.
struct PropertyTests {
    @Test(arguments: 0..<8)
    func `any order of inputs keeps the bounds, and only what answered is selected`(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var total = FuzzedICE()
        for _ in 0..<40 {
            var script: [UInt8] = [10, 0]
            for _ in 0..<Int.random(in: 1..<60, using: &random) {
                // Now and then a nomination that is checked and answered as it should be.
                if Int.random(in: 0..<8, using: &random) == 0 { script += [2, 2, 3, 0x10, 14, 0, 6, 2, 0, 0x0f] }
                let kind = UInt8.random(in: 0..<16, using: &random)
                // Restarts are rarer, or nothing would ever be connected.
                if kind == 11, Int.random(in: 0..<4, using: &random) > 0 { continue }
                let data = random.bytes(count: Int.random(in: 0..<12, using: &random))
                script += [kind, UInt8(data.count)] + data
                if kind == 11 { script += [10, 0] }
            }
            let result = fuzzICE(script)
            total.selections += result.selections
            total.restarts += result.restarts
            total.refusals += result.refusals
        }
        #expect(total.selections > 0 && total.restarts > 0 && total.refusals > 0, "the scripts come past the door")
    }

    @Test func `any bytes give an outcome`() throws {
        var random = RandomSource(seed: 9)
        let bench = try Bench.connected(on: path("203.0.113.7", 40_000))
        let request = bench.request()
        for round in 0..<3_000 {
            var bytes = round % 2 == 0 ? random.bytes(count: Int.random(in: 0..<120, using: &random)) : request
            if !bytes.isEmpty, round % 2 == 1 {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                if round % 3 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            }
            let (outcome, reply) = bench.give(bytes, along: path("203.0.113.66", 66))
            if case .refused = outcome { #expect(reply.count <= max(bytes.count, 0)) } else { #expect(reply.isEmpty) }
        }
        #expect(bench.selected == path("203.0.113.7", 40_000))
        #expect(bench.agent.session.remoteCandidates.count == 1)
    }
}
