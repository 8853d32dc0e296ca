import Base

/// The client side of every request but INVITE and ACK (RFC 3261 §17.1.2).
///
///                     request sent
///                          │
///       timer E: send ┌─[trying]── timer F, transport error ──┐
///                     └─┘ │   └─── 200-699 ────────────┐      │
///                     1xx v                            v      │
///       timer E: send ┌─[proceeding]── 200-699 ─>[completed]──┤ timer K
///                     └─┘ └─────────── timer F, error ────────┤
///                                                       [terminated]
///
/// The owner sends the request once when it makes the machine.
package struct NonInviteClientTransaction: Sendable {
    package enum State: UInt8, Sendable { case trying, proceeding, completed, terminated }

    /// What the owner has to do after one input.
    package enum Action: Equatable, Sendable {
        case none
        /// Another copy of the request.
        case send([UInt8])
        /// The response that was just received is news for the transaction user.
        case deliver
        /// Nobody answered: to be treated as 408.
        case timedOut
        /// The transport failed: to be treated as 503.
        case unreachable
    }

    package private(set) var state = State.trying
    private let reliable: Bool
    private let timers: Timers
    /// Timer E.
    private var retransmission: Retransmission?
    /// Timer F or K.
    private var deadline: Instant?
    /// Empty over a reliable transport and after a final response: nothing is sent again then.
    private var request: [UInt8]

    package init(request: SIPMessage, reliable: Bool, timers: Timers = .standard, at now: Instant) {
        self.request = reliable ? [] : request.bytes
        self.reliable = reliable
        self.timers = timers
        retransmission = reliable ? nil : Retransmission(every: timers.t1, at: now)
        deadline = now + timers.f
    }

    package var isTerminated: Bool { state == .terminated }

    package var nextTimeout: Instant? {
        guard let retransmission else { return deadline }
        return min(retransmission.due, deadline ?? retransmission.due)
    }

    /// A response whose key is this transaction's.
    package mutating func receive(_ response: SIPMessage, at now: Instant) -> Action {
        guard let status = response.status, state == .trying || state == .proceeding else { return .none }
        if status < 200 {
            state = .proceeding
        } else if reliable {
            enter(.terminated, until: nil)
        } else {
            enter(.completed, until: now + timers.k(reliable: false))
        }
        return .deliver
    }

    package mutating func handleTimeout(at now: Instant) -> Action {
        if let deadline, now >= deadline {
            let waited = state != .completed
            enter(.terminated, until: nil)
            return waited ? .timedOut : .none
        }
        guard let copy = retransmission, now >= copy.due else { return .none }
        // §17.1.2.2: doubled up to T2 while nobody answers, T2 once somebody did.
        retransmission?.advance(limit: timers.t2, at: now, jumpingToLimit: state == .proceeding)
        return .send(request)
    }

    /// The transport could not send, or the connection is gone.
    package mutating func transportFailed() -> Action {
        guard state == .trying || state == .proceeding else { return .none }
        enter(.terminated, until: nil)
        return .unreachable
    }

    private mutating func enter(_ next: State, until end: Instant?) {
        state = next
        retransmission = nil
        deadline = end
        request = []
    }
}
