import Base

/// The client side of an INVITE (RFC 3261 §17.1.1 with RFC 6026 §7.2).
///
///                      INVITE sent
///                           │
///       timer A: send ┌──[calling]──── timer B, transport error ───┐
///                     └─┘ │  │  │                                  │
///                     1xx │  │  └── 300-699: ACK ────┐             │
///                         v  └───── 2xx ──────────┐  │             │
///                  [proceeding]── 300-699: ACK ───│─>┤             │
///                         │                       │  v             │
///                         └── 2xx ─────────────┐  │ [completed]────┤ timer D
///                                              v  v    └─┘ 300-699: ACK again
///                                            [accepted]            │
///                                              └─┘ 2xx: deliver ───┤ timer M
///                                                           [terminated]
///
/// The owner sends `request` once when it makes the machine, obeys the `Action` each method returns, and forgets the
/// machine when `isTerminated`. ACK for 2xx is the owner's (§13.2.2.4); ACK for everything else is made here.
package struct InviteClientTransaction: Sendable {
    package enum State: UInt8, Sendable { case calling, proceeding, completed, accepted, terminated }

    /// What the owner has to do after one input.
    package enum Action: Equatable, Sendable {
        case none
        /// Another copy of the INVITE, or of the ACK.
        case send([UInt8])
        /// The response that was just received is news for the transaction user.
        case deliver
        /// News, and this ACK goes out.
        case deliverAndAcknowledge([UInt8])
        /// News, and the CANCEL that waited for a provisional response can be made now (`makeCancel()`, §9.1).
        case deliverAndCancel
        /// Nobody answered: to be treated as 408 (§8.1.3.1).
        case timedOut
        /// The transport failed: to be treated as 503 (§8.1.3.1).
        case unreachable
    }

    /// Whether the owner wants the INVITE withdrawn.
    private enum Cancellation { case unwanted, wanted, sent }

    package private(set) var state = State.calling
    private var cancellation = Cancellation.unwanted
    private let reliable: Bool
    private let timers: Timers
    /// Timer A.
    private var retransmission: Retransmission?
    /// Timer B, D or M, whichever the state has; nil while the callee rings.
    private var deadline: Instant?
    /// Needed to make the ACK and the CANCEL; nil after a final response.
    private var request: SIPMessage?
    private var ack: [UInt8] = []

    /// - Parameter request: the INVITE with its Via on top; the owner sends it now.
    package init(request: SIPMessage, reliable: Bool, timers: Timers = .standard, at now: Instant) {
        self.request = request
        self.reliable = reliable
        self.timers = timers
        retransmission = reliable ? nil : Retransmission(every: timers.t1, at: now)
        deadline = now + timers.b
    }

    package var isTerminated: Bool { state == .terminated }

    package var nextTimeout: Instant? {
        guard let retransmission else { return deadline }
        return min(retransmission.due, deadline ?? retransmission.due)
    }

    /// A response whose key is this transaction's.
    package mutating func receive(_ response: SIPMessage, at now: Instant) -> Action {
        guard let status = response.status else { return .none }
        switch (state, status) {
        case (.calling, 100...199), (.proceeding, 100...199):
            return receiveProvisional(at: now)
        case (.calling, 200...299), (.proceeding, 200...299):
            enter(.accepted, until: now + timers.m)
            return .deliver
        case (.accepted, 200...299):
            return .deliver
        case (.calling, 300...699), (.proceeding, 300...699):
            guard let ack = request?.acknowledgement(of: response) else { return .none }
            self.ack = ack.bytes
            if reliable {
                enter(.terminated, until: nil)
            } else {
                enter(.completed, until: now + timers.d(reliable: false))
            }
            return .deliverAndAcknowledge(ack.bytes)
        case (.completed, 300...699):
            return .send(ack)
        default:
            return .none
        }
    }

    private mutating func receiveProvisional(at now: Instant) -> Action {
        if state == .calling {
            state = .proceeding
            retransmission = nil
            deadline = nil
        }
        guard cancellation == .wanted else { return .deliver }
        noteCancelSent(at: now)
        return .deliverAndCancel
    }

    /// Withdraws the INVITE (§9.1).
    ///
    /// - Returns: true when the CANCEL may be made and sent now. False when it is too late, or when it has to wait for
    ///   the first provisional response, which then gives `.deliverAndCancel`.
    package mutating func cancel(at now: Instant) -> Bool {
        guard cancellation == .unwanted, request != nil else { return false }
        cancellation = .wanted
        guard state == .proceeding else { return false }
        noteCancelSent(at: now)
        return true
    }

    /// §9.1: a callee of RFC 2543 may never send the 487; 64*T1 after the CANCEL the INVITE counts as cancelled.
    private mutating func noteCancelSent(at now: Instant) {
        cancellation = .sent
        deadline = now + timers.transactionTimeout
    }

    /// The CANCEL for this INVITE, nil after a final response. It is sent in a transaction of its own.
    package func makeCancel() -> SIPMessage? { request?.cancellation() }

    package mutating func handleTimeout(at now: Instant) -> Action {
        if let deadline, now >= deadline {
            let waited = state == .calling || state == .proceeding
            enter(.terminated, until: nil)
            return waited ? .timedOut : .none
        }
        guard let copy = retransmission, now >= copy.due, let request else { return .none }
        retransmission?.advance(limit: nil, at: now)
        return .send(request.bytes)
    }

    /// The transport could not send, or the connection is gone.
    package mutating func transportFailed() -> Action {
        let waited = state == .calling || state == .proceeding
        let deliversFailure = waited || state == .completed
        // §17.1.1.2: an ACK that cannot be sent ends the transaction; RFC 6026 lets [accepted] run its course.
        if deliversFailure { enter(.terminated, until: nil) }
        return waited ? .unreachable : .none
    }

    private mutating func enter(_ next: State, until end: Instant?) {
        state = next
        retransmission = nil
        deadline = end
        request = nil
        if next == .terminated { ack = [] }
    }
}
