import Base
import STUN

/// One of our addresses and one of theirs, and how far checking it has come (RFC 8445 §6.1.2.6).
///
/// ```
///    frozen ──▶ waiting ──▶ inProgress ──▶ succeeded
///                  ▲             │
///                  └─ triggered ─┴─ failed
/// ```
struct CandidatePair: Sendable {
    enum State: Sendable {
        /// A pair of the same foundation goes first.
        case frozen
        case waiting
        case inProgress
        case succeeded
        case failed
    }

    /// Pairs with equal ones probably work or fail together.
    struct Foundation: Equatable, Sendable {
        let local: UInt8
        let remote: UInt16
    }

    let path: Path
    let foundation: Foundation
    let localPriority: UInt32
    var remotePriority: UInt32
    /// Both sides compute the same, and their checks meet.
    private(set) var priority: UInt64
    var state = State.frozen
    /// The transaction of `inProgress`; of `waiting` too when a triggered check is to repeat it.
    var check: Check?
    /// The peer's request that triggered a check last: its copies trigger none.
    var trigger: TransactionID?
    /// In the valid list, where our candidate is the address the peer really saw: its priority (RFC 8445 §7.2.5.3.2).
    private(set) var seenPriority: UInt32?
    /// That of the valid pair.
    private(set) var validPriority: UInt64?
    /// When an answer proved last that the peer is there.
    var proven = Instant.zero
    /// The controlling peer wants this one: it is taken as soon as it is valid (RFC 8445 §7.3.1.5).
    var isNominated = false
    /// Consent was lost here: it cannot be had again in this session (RFC 7675 §5.1).
    var isRevoked = false

    init(
        _ path: Path, _ foundation: Foundation, localPriority: UInt32, remotePriority: UInt32, isControlling: Bool
    ) {
        (self.path, self.foundation) = (path, foundation)
        (self.localPriority, self.remotePriority) = (localPriority, remotePriority)
        priority = Self.priority(local: localPriority, remote: remotePriority, isControlling: isControlling)
    }

    /// RFC 8445 §6.1.2.3: G is the controlling side's, D the other's. Both are below 2³¹.
    static func priority(local: UInt32, remote: UInt32, isControlling: Bool) -> UInt64 {
        let (g, d) = isControlling ? (UInt64(local), UInt64(remote)) : (UInt64(remote), UInt64(local))
        return min(g, d) << 32 + 2 * max(g, d) + (g > d ? 1 : 0)
    }

    mutating func computePriority(isControlling: Bool) {
        priority = Self.priority(local: localPriority, remote: remotePriority, isControlling: isControlling)
        validPriority = seenPriority.map {
            Self.priority(local: $0, remote: remotePriority, isControlling: isControlling)
        }
    }

    /// It works, with an answer that came now.
    mutating func succeed(seenPriority: UInt32, isControlling: Bool, at now: Instant) {
        (state, check, proven) = (.succeeded, nil, now)
        self.seenPriority = seenPriority
        computePriority(isControlling: isControlling)
    }

    var isValid: Bool { validPriority != nil }

    /// What failing and ending have in common.
    mutating func fail() {
        (state, check, isNominated) = (.failed, nil, false)
        (seenPriority, validPriority) = (nil, nil)
    }
}
