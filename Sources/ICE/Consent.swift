import Base

/// Whether the peer still wants our packets on the selected path (RFC 7675 §5.1).
///
/// A check every 5 s, never repeated; an answer to any of them holds for 30 s. Each is a new transaction, and all keep
/// the router's binding alive as well.
struct Consent: Sendable {
    let path: Path
    /// A restart gives new credentials; those of the path stay as long as it is used.
    let remote: RemoteSecret
    private(set) var expires: Instant
    private var due: Instant
    private(set) var lastHeard: Instant
    /// The requests whose answers still count: all that 30 s can hold.
    private var recent = [8 of UInt64](repeating: 0)
    private var sent = 0

    init(_ path: Path, _ remote: RemoteSecret, at now: Instant, using random: inout RandomSource) {
        (self.path, self.remote) = (path, remote)
        (expires, lastHeard) = (now + ICELimits.consentLifetime, now)
        due = now + Self.interval(using: &random)
    }

    var nextTimeout: Instant { min(due, expires) }

    enum Step { case wait, lost, check(UInt64) }

    mutating func handleTimeout(at now: Instant, using random: inout RandomSource) -> Step {
        guard now < expires else { return .lost }
        guard now >= due else { return .wait }
        due = now + Self.interval(using: &random)
        let id = random.next()
        recent[sent % recent.count] = id
        sent += 1
        return .check(id)
    }

    func asked(_ id: UInt64) -> Bool {
        for index in 0..<min(sent, recent.count) where recent[index] == id { return true }
        return false
    }

    mutating func renew(at now: Instant) { (expires, lastHeard) = (now + ICELimits.consentLifetime, now) }

    /// A request came on the path: not consent, but a sign of life.
    mutating func heard(at now: Instant) { lastHeard = now }

    func isSilent(at now: Instant) -> Bool { now - lastHeard > ICELimits.silence }

    /// 4 to 6 s, so that a server's checks do not fall together.
    private static func interval(using random: inout RandomSource) -> Duration {
        let base = ICELimits.consentInterval.wholeNanoseconds
        return .nanoseconds(Int64.random(in: base / 5 * 4...base / 5 * 6, using: &random))
    }
}
