import Base

/// The server side of an INVITE (RFC 3261 §17.2.1 with RFC 6026 §7.1).
///
///                 INVITE received
///                       │
///        INVITE: ┌─[proceeding]─┐ 1xx from the user: send
///     send again └─┘  │     │ └─┘
///                     │     └── 2xx from the user: send ──> [accepted]──┐ timer L
///          300-699    v                     ACK: deliver, 2xx: send └─┘ │
///           ┌──[completed]── ACK ──> [confirmed] ── timer I ────────────┤
///           └─┘    └── timer H ──────────────────────────────────> [terminated]
///      timer G, INVITE: send again
///
/// The owner is told of the INVITE by its arrival. It makes the machine and answers at once, in the same call, with
/// 100 or better: the machine therefore has no 200 ms timer for a 100 of its own.
/// Copies of a 2xx are the owner's business (§13.3.1.4); each goes through `respond`.
package struct InviteServerTransaction: Sendable {
    package enum State: UInt8, Sendable { case proceeding, completed, confirmed, accepted, terminated }

    /// What the owner has to do after one input.
    package enum Action: Equatable, Sendable {
        case none
        case send([UInt8])
        /// The ACK that was just received belongs to the 2xx: it is news for the transaction user.
        case deliver
        /// No ACK came for the final response: the caller may be gone (timer H).
        case timedOut
        /// The transport could not send the response.
        case unreachable
    }

    package private(set) var state = State.proceeding
    private let reliable: Bool
    private let timers: Timers
    /// Timer G.
    private var retransmission: Retransmission?
    /// Timer H, I or L.
    private var deadline: Instant?
    /// The latest provisional, or the final response below 200 or above 299.
    private var response: [UInt8] = []

    package init(reliable: Bool, timers: Timers = .standard) {
        (self.reliable, self.timers) = (reliable, timers)
    }

    package var isTerminated: Bool { state == .terminated }

    package var nextTimeout: Instant? {
        guard let retransmission else { return deadline }
        return min(retransmission.due, deadline ?? retransmission.due)
    }

    /// A response of the transaction user. One that comes too late for the state gives `.none`.
    package mutating func respond(_ response: SIPMessage, at now: Instant) -> Action {
        guard let status = response.status else { return .none }
        switch (state, status) {
        case (.proceeding, 100...199):
            self.response = response.bytes
        case (.proceeding, 200...299):
            enter(.accepted, until: now + timers.l)
        case (.accepted, 200...299):
            break
        case (.proceeding, 300...699):
            enter(.completed, until: now + timers.h)
            self.response = response.bytes
            if !reliable { retransmission = Retransmission(every: min(timers.t1, timers.t2), at: now) }
        default:
            return .none
        }
        return .send(response.bytes)
    }

    /// Another copy of the INVITE.
    package func receiveRetransmission() -> Action {
        switch state {
        case .proceeding where !response.isEmpty, .completed: .send(response)
        case .proceeding, .confirmed, .accepted, .terminated: .none
        }
    }

    /// An ACK with this transaction's key.
    package mutating func receiveAcknowledgement(at now: Instant) -> Action {
        switch state {
        case .completed:
            if reliable {
                enter(.terminated, until: nil)
            } else {
                enter(.confirmed, until: now + timers.i(reliable: false))
            }
            return .none
        case .accepted:
            return .deliver
        case .proceeding, .confirmed, .terminated:
            return .none
        }
    }

    package mutating func handleTimeout(at now: Instant) -> Action {
        if let deadline, now >= deadline {
            let waited = state == .completed
            enter(.terminated, until: nil)
            return waited ? .timedOut : .none
        }
        guard let copy = retransmission, now >= copy.due else { return .none }
        retransmission?.advance(limit: timers.t2, at: now)
        return .send(response)
    }

    /// The transport could not send. The state stays (RFC 6026 §8.8): the peer may come by another way.
    package mutating func transportFailed() -> Action { isTerminated ? .none : .unreachable }

    private mutating func enter(_ next: State, until end: Instant?) {
        state = next
        retransmission = nil
        deadline = end
        response = []
    }
}
