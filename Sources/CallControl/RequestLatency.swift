import Base
import SIP

/// How long requests took from their receipt to the final response, ours or a forwarded one, as histograms.
///
/// A controller is told one time for a whole batch of messages, so what it answers within the same call took no time
/// that it could see. Its driver knows better, and says so once per batch: `endBatch(after:)`.
package struct RequestLatency: Sendable, Equatable {
    /// What takes similar times: a registration may wait for the disk, a message for a peer's answer, a call for a person.
    package enum Kind: Int, CaseIterable, Sendable {
        case register, invite, message, other

        init(_ method: SIPMethod) {
            switch method {
            case .register: self = .register
            case .invite: self = .invite
            case .message: self = .message
            default: self = .other
            }
        }
    }

    /// Upper ends of the buckets in µs; one more bucket holds what took longer than a phone may ring.
    package static let bounds: [Int64] = [
        100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
        5_000_000, 10_000_000, 30_000_000, 60_000_000,
    ]
    private static let width = bounds.count + 1

    /// A row of buckets per kind.
    private var counts = [UInt64](repeating: 0, count: Kind.allCases.count * width)
    private var sums = [Int64](repeating: 0, count: Kind.allCases.count)
    private var answeredAtOnce = [UInt64](repeating: 0, count: Kind.allCases.count)
    private var hasAnsweredAtOnce = false

    /// How many there are in each bucket, the one beyond the last bound included.
    package func buckets(_ kind: Kind) -> ArraySlice<UInt64> {
        counts[(kind.rawValue * Self.width)..<((kind.rawValue + 1) * Self.width)]
    }

    /// All of a kind together, in µs.
    package func sum(_ kind: Kind) -> Int64 { sums[kind.rawValue] }

    /// A request was answered in the call that brought it.
    mutating func noteAnsweredAtOnce(_ method: SIPMethod) {
        answeredAtOnce[Kind(method).rawValue] &+= 1
        hasAnsweredAtOnce = true
    }

    /// A request that came at `begun` was answered.
    mutating func noteAnswered(_ method: SIPMethod, since begun: Instant, at now: Instant) {
        guard begun < now else { return noteAnsweredAtOnce(method) }
        add(1, to: Kind(method), microseconds: (now - begun).wholeNanoseconds / 1_000)
    }

    /// The answers of the batch are out, so long after its messages were read.
    mutating func endBatch(after duration: Duration) {
        guard hasAnsweredAtOnce else { return }
        hasAnsweredAtOnce = false
        let microseconds = duration.wholeNanoseconds / 1_000
        for kind in Kind.allCases where answeredAtOnce[kind.rawValue] > 0 {
            add(answeredAtOnce[kind.rawValue], to: kind, microseconds: microseconds)
            answeredAtOnce[kind.rawValue] = 0
        }
    }

    private mutating func add(_ count: UInt64, to kind: Kind, microseconds: Int64) {
        let bucket = Self.bounds.firstIndex { microseconds <= $0 } ?? Self.bounds.count
        counts[kind.rawValue * Self.width + bucket] &+= count
        sums[kind.rawValue] &+= microseconds &* Int64(truncatingIfNeeded: count)
    }
}

extension CallController {
    /// The driver has sent what came of one batch, so long after it read the batch.
    package mutating func endBatch(after duration: Duration) { latency.endBatch(after: duration) }
}
