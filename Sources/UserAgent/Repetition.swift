import Base
import SIP

/// A response of ours that is sent again and again until the peer confirms it end to end: a 2xx to INVITE until its ACK
/// (RFC 3261 §13.3.1.4), a reliable provisional response until its PRACK (RFC 3262 §3). Both give up after 64*T1, whatever
/// the transport, since another hop may lose what ours does not.
struct Repetition: Sendable {
    enum Action: Equatable, Sendable {
        case send, giveUp
    }

    let message: SIPMessage
    private let longest: Duration?
    private let end: Instant
    private var interval: Duration
    private var due: Instant

    /// - Parameter longest: T2 for a 2xx; nil lets a provisional response's intervals double to the end.
    init(_ message: SIPMessage, longest: Duration?, at now: Instant) {
        let timers = Timers.standard
        (self.message, self.longest) = (message, longest)
        (end, interval, due) = (now + timers.transactionTimeout, timers.t1, now + timers.t1)
    }

    var nextTimeout: Instant { min(due, end) }

    mutating func handleTimeout(at now: Instant) -> Action? {
        if now >= end { return .giveUp }
        guard now >= due else { return nil }
        interval = longest.map { min(interval + interval, $0) } ?? interval + interval
        due = now + interval
        return .send
    }
}
