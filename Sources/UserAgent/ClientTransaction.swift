import Base
import SIP

/// One request of ours under way: the machine of its kind, and whose it is.
final class ClientTransaction: @unchecked Sendable {
    /// What to do after one input; the machines' actions in common terms.
    enum Action {
        case none
        case send([UInt8])
        case deliver
        /// Delivers and sends the ACK of a refused INVITE.
        case deliverAndAcknowledge([UInt8])
        case deliverAndCancel
        case timedOut
    }

    let key: TransactionKey
    let owner: Owner
    let request: SIPMessage
    let attempts: Int
    /// One of the two, by the method.
    private var invite: InviteClientTransaction?
    private var other: NonInviteClientTransaction?
    /// Waits for a final response.
    private(set) var isPending = true

    init?(_ request: SIPMessage, owner: Owner, attempts: Int, reliable: Bool, at now: Instant) {
        guard let key = TransactionKey(sent: request) else { return nil }
        (self.key, self.owner, self.request, self.attempts) = (key.stored(), owner, request, attempts)
        if request.method == .invite {
            invite = InviteClientTransaction(request: request, reliable: reliable, at: now)
        } else {
            other = NonInviteClientTransaction(request: request, reliable: reliable, at: now)
        }
    }

    var isTerminated: Bool { invite?.isTerminated ?? other?.isTerminated ?? true }
    var nextTimeout: Instant? { if let invite { invite.nextTimeout } else { other?.nextTimeout } }

    func receive(_ response: SIPMessage, at now: Instant) -> Action {
        if let status = response.status, status >= 200 { isPending = false }
        if invite != nil { return Action(invite?.receive(response, at: now) ?? .none) }
        return Action(other?.receive(response, at: now) ?? .none)
    }

    func handleTimeout(at now: Instant) -> Action {
        if invite != nil { return Action(invite?.handleTimeout(at: now) ?? .none) }
        return Action(other?.handleTimeout(at: now) ?? .none)
    }

    /// - Returns: the CANCEL, when it may be sent now.
    func cancel(at now: Instant) -> SIPMessage? {
        guard invite?.cancel(at: now) == true else { return nil }
        return makeCancel()
    }

    func makeCancel() -> SIPMessage? { invite?.makeCancel() }
}

extension ClientTransaction.Action {
    fileprivate init(_ action: InviteClientTransaction.Action) {
        switch action {
        case .none: self = .none
        case .send(let bytes): self = .send(bytes)
        case .deliver: self = .deliver
        case .deliverAndAcknowledge(let ack): self = .deliverAndAcknowledge(ack)
        case .deliverAndCancel: self = .deliverAndCancel
        case .timedOut, .unreachable: self = .timedOut
        }
    }

    fileprivate init(_ action: NonInviteClientTransaction.Action) {
        switch action {
        case .none: self = .none
        case .send(let bytes): self = .send(bytes)
        case .deliver: self = .deliver
        case .timedOut, .unreachable: self = .timedOut
        }
    }
}
