import Base

/// Notices that a leg's peer is gone: no RTP and no RTCP for too long ends the call.
package struct MediaTimeout: Sendable {
    /// Without a packet for this long a call is dead. RTCP comes every few seconds even from a muted phone; a minute
    /// outlasts a router's restart.
    package static let dead = Duration.seconds(60)
    /// The same on hold, where many phones send nothing at all: session timers (RFC 4028) watch then.
    package static let deadOnHold = Duration.seconds(3600)

    private var lastHeard: Instant
    private var isOnHold = false
    private var hasEnded = false

    package init(at now: Instant) { lastHeard = now }

    /// A packet of the peer arrived.
    package mutating func receive(at now: Instant) { lastHeard = now }

    /// The session description says whether the peer is to send. Either way it gets its whole time from now.
    package mutating func setOnHold(_ onHold: Bool, at now: Instant) { (isOnHold, lastHeard) = (onHold, now) }

    package var nextTimeout: Instant? { hasEnded ? nil : lastHeard + (isOnHold ? Self.deadOnHold : Self.dead) }

    /// - Returns: true once, when the call is dead.
    package mutating func handleTimeout(at now: Instant) -> Bool {
        guard let nextTimeout, now >= nextTimeout else { return false }
        hasEnded = true
        return true
    }
}
