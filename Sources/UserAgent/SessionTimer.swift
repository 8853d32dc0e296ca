import Base
import SIP

/// How long a call may live without a sign of life, and who gives it (RFC 4028).
///
/// The refresher sends UPDATE or re-INVITE at half of the interval; the other side, and a refresher whose refreshes fail,
/// end the call when the interval is over.
struct SessionTimer: Sendable {
    enum Action: Equatable, Sendable {
        case refresh, expire
    }

    /// Min-SE: shorter intervals are refused with 422 (RFC 4028 §4, §9).
    static let minimum = 90
    /// Longer intervals count as a day: a vanished peer is to be noticed some time.
    static let maximum = 86_400
    /// A refresh that could not be sent or was refused for the moment is tried again after this.
    private static let retry = Duration.seconds(10)

    /// Seconds; 0 while no timer runs.
    private(set) var interval = 0
    private(set) var weRefresh = false
    private var refreshDue: Instant?
    private var expiry: Instant?

    /// A 2xx to INVITE or UPDATE agreed on `interval` seconds: everything counts from here.
    mutating func agree(interval: Int, weRefresh: Bool, at now: Instant) {
        let interval = min(max(interval, Self.minimum), Self.maximum)
        (self.interval, self.weRefresh) = (interval, weRefresh)
        // RFC 4028 §10: the other side ends the call a little early, min(32 s, a third), so that both do not do it at once.
        let margin = weRefresh ? 0 : min(32, interval / 3)
        expiry = now + .seconds(interval - margin)
        refreshDue = weRefresh ? now + .seconds(interval / 2) : nil
    }

    mutating func stop() { (interval, refreshDue, expiry) = (0, nil, nil) }

    var nextTimeout: Instant? {
        guard let refreshDue, let expiry else { return expiry }
        return min(refreshDue, expiry)
    }

    /// At most one action per call. A refresh that brings no new `agree` comes again after a while.
    mutating func handleTimeout(at now: Instant) -> Action? {
        if let expiry, now >= expiry {
            stop()
            return .expire
        }
        if let refreshDue, now >= refreshDue {
            self.refreshDue = now + Self.retry
            return .refresh
        }
        return nil
    }
}

// MARK: - Headers

extension SessionTimer {
    /// Asks for a timer in an INVITE or UPDATE; a running one keeps its interval and refresher (RFC 4028 §7.1, §7.4).
    func addOffer(to request: inout MessageBuilder, wanting seconds: Int) {
        let asked = interval > 0 ? interval : seconds
        guard asked > 0 else { return }
        let refresher: SessionExpires.Refresher? = interval > 0 ? (weRefresh ? .uac : .uas) : nil
        request.add(.sessionExpires, SessionExpires(seconds: max(asked, Self.minimum), refresher: refresher))
        request.add(.minSE, number: Self.minimum)
    }

    /// A 2xx to our INVITE or UPDATE. One without Session-Expires comes from a peer that knows no timer: then we refresh
    /// alone, to learn when it has vanished (RFC 4028 §7.2).
    mutating func agree(with response: SIPMessage, wanting seconds: Int, at now: Instant) {
        if let granted = Self.expires(of: response) {
            agree(interval: granted.seconds, weRefresh: granted.refresher != .uas, at: now)
        } else if seconds > 0 {
            agree(interval: seconds, weRefresh: true, at: now)
        } else {
            stop()
        }
    }

    /// Our 2xx to the peer's INVITE or UPDATE (RFC 4028 §9, table 2). Without a wish of the peer's we refresh ourselves.
    mutating func answer(
        _ request: SIPMessage, in response: inout MessageBuilder, wanting seconds: Int, at now: Instant
    ) {
        let asked = Self.expires(of: request)
        guard asked != nil || seconds > 0 else { return stop() }
        let peerRefreshes = request.supported.contains("timer") && asked != nil && asked?.refresher != .uas
        agree(interval: asked?.seconds ?? seconds, weRefresh: !peerRefreshes, at: now)
        response.add(.sessionExpires, SessionExpires(seconds: interval, refresher: peerRefreshes ? .uac : .uas))
        if peerRefreshes { response.add(.require, "timer") }
    }

    /// The interval is below what we bear: 422 (RFC 4028 §9).
    static func isTooShort(_ request: SIPMessage) -> Bool {
        guard let asked = expires(of: request) else { return false }
        return asked.seconds < minimum
    }

    private static func expires(of message: SIPMessage) -> SessionExpires? {
        do throws(SIPParseError) { return try message.sessionExpires() } catch { return nil }
    }
}
