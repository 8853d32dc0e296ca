import Base
import SIP

/// One request of the peer's that we answer, or answered a moment ago.
final class ServerTransaction: @unchecked Sendable {
    enum Action {
        case none
        case send([UInt8])
        /// An ACK of a 2xx that came with the INVITE's own branch.
        case deliver
    }

    let number: UInt32
    let key: TransactionKey
    /// From tag, Call-ID and CSeq, by which a request that came on two ways is known (RFC 3261 §8.2.2.2);
    /// nil inside of a dialog.
    let merging: [UInt8]?
    private var invite: InviteServerTransaction?
    private var other: NonInviteServerTransaction?

    init(number: UInt32, key: TransactionKey, request: SIPMessage, reliable: Bool) {
        (self.number, self.key) = (number, key.stored())
        merging = Self.mergingIdentity(of: request)
        if request.method == .invite {
            invite = InviteServerTransaction(reliable: reliable)
        } else {
            other = NonInviteServerTransaction(reliable: reliable)
        }
    }

    static func mergingIdentity(of request: SIPMessage) -> [UInt8]? {
        guard request.toTag == nil, let tag = request.fromTag, let cseq = request.value(of: .cseq) else { return nil }
        // No header value has a zero byte.
        return tag + [0] + request.callID + [0] + cseq
    }

    var isTerminated: Bool { invite?.isTerminated ?? other?.isTerminated ?? true }
    var nextTimeout: Instant? { if let invite { invite.nextTimeout } else { other?.nextTimeout } }

    func respond(_ response: SIPMessage, at now: Instant) -> Action {
        if invite != nil { return Action(invite?.respond(response, at: now) ?? .none) }
        return Action(other?.respond(response, at: now) ?? .none)
    }

    func receiveRetransmission() -> Action {
        if let invite { return Action(invite.receiveRetransmission()) }
        return Action(other?.receiveRetransmission() ?? .none)
    }

    func receiveAcknowledgement(at now: Instant) -> Action {
        Action(invite?.receiveAcknowledgement(at: now) ?? .none)
    }

    func handleTimeout(at now: Instant) -> Action {
        if invite != nil { return Action(invite?.handleTimeout(at: now) ?? .none) }
        return Action(other?.handleTimeout(at: now) ?? .none)
    }
}

extension ServerTransaction.Action {
    fileprivate init(_ action: InviteServerTransaction.Action) {
        switch action {
        case .send(let bytes): self = .send(bytes)
        case .deliver: self = .deliver
        // A caller that does not acknowledge a refusal is of no further interest.
        case .none, .timedOut, .unreachable: self = .none
        }
    }

    fileprivate init(_ action: NonInviteServerTransaction.Action) {
        if case .send(let bytes) = action { self = .send(bytes) } else { self = .none }
    }
}
