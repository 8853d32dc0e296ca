import Base
import CSockets
import TURN

/// What the loop counts beside the core.
struct MediaTraffic {
    /// Datagrams and messages read, and sent.
    var received = 0
    var sent = 0
    private var full = 0
    private var refused = 0
    private var lastError = Int32(0)
    /// What the log was told, and when.
    private var told = (full: 0, refused: 0)
    private var toldAt = Instant(nanoseconds: .min)

    mutating func count(_ result: hearth_sent) {
        sent += Int(result.sent)
        full += Int(result.full)
        refused += Int(result.refused)
        if result.refused > 0 { lastError = result.error }
    }

    /// Losses the log has not heard of, not too often.
    mutating func losses(at now: Instant) -> MediaEvent? {
        guard full != told.full || refused != told.refused, now - toldAt >= MediaLimits.lossReportInterval else {
            return nil
        }
        defer { (told, toldAt) = ((full, refused), now) }
        return .lost(full: full - told.full, refused: refused - told.refused, errno: lastError)
    }

    func publish(to counters: MediaCounters, _ server: borrowing TURNServer) {
        let core = server.counters
        counters.set(.toPeers, to: core.toPeers)
        counters.set(.toClients, to: core.toClients)
        counters.set(.inside, to: core.inside)
        counters.set(.malformed, to: core.malformed)
        counters.set(.notPermitted, to: core.notPermitted)
        counters.set(.overBandwidth, to: core.overBandwidth)
        counters.set(.unanswered, to: core.unanswered)
        counters.set(.received, to: received)
        counters.set(.sent, to: sent)
        counters.set(.full, to: full)
        counters.set(.refused, to: refused)
        counters.set(.allocations, to: server.allocationCount)
        counters.set(.users, to: server.userCount)
    }
}
