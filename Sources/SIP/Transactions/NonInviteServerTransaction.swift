import Base

/// The server side of every request but INVITE and ACK (RFC 3261 §17.2.2).
///
///      request received ──> [trying] ── 1xx ──> [proceeding] ─┐ request: send again
///                               │                    │   └────┘
///                               └── 200-699 ──┬──────┘
///                                             v
///                 request: send again ┌─[completed]── timer J ──> [terminated]
///                                     └─┘
package struct NonInviteServerTransaction: Sendable {
    package enum State: UInt8, Sendable { case trying, proceeding, completed, terminated }

    /// What the owner has to do after one input.
    package enum Action: Equatable, Sendable {
        case none
        case send([UInt8])
        /// The transport could not send the response.
        case unreachable
    }

    package private(set) var state = State.trying
    private let reliable: Bool
    private let timers: Timers
    /// Timer J.
    private var deadline: Instant?
    /// The latest response.
    private var response: [UInt8] = []

    package init(reliable: Bool, timers: Timers = .standard) {
        (self.reliable, self.timers) = (reliable, timers)
    }

    package var isTerminated: Bool { state == .terminated }
    package var nextTimeout: Instant? { deadline }

    /// A response of the transaction user. One that comes after the final response gives `.none`.
    package mutating func respond(_ response: SIPMessage, at now: Instant) -> Action {
        guard let status = response.status, state == .trying || state == .proceeding else { return .none }
        if status < 200 {
            state = .proceeding
            self.response = response.bytes
        } else if reliable {
            state = .terminated
            self.response = []
        } else {
            state = .completed
            self.response = response.bytes
            deadline = now + timers.j(reliable: false)
        }
        return .send(response.bytes)
    }

    /// Another copy of the request.
    package func receiveRetransmission() -> Action { response.isEmpty ? .none : .send(response) }

    package mutating func handleTimeout(at now: Instant) -> Action {
        guard let deadline, now >= deadline else { return .none }
        state = .terminated
        response = []
        self.deadline = nil
        return .none
    }

    /// The transport could not send. The state stays (RFC 6026 §8.8): the peer may come by another way.
    package mutating func transportFailed() -> Action { isTerminated ? .none : .unreachable }
}
