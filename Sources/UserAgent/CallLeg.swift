import Base
import SIP

/// One dialog of a call (RFC 3261 §12): what both sides may do in it, whoever called.
///
/// A call that forks has several early ones, of which one is confirmed. A leg is over when `ending` is set; it stays until
/// its BYE is answered and its own 2xx is acknowledged.
final class CallLeg: @unchecked Sendable {
    /// Our 2xx to an INVITE, repeated until its ACK.
    struct Accepted: Sendable {
        var repetition: Repetition
        let cseq: UInt32
        /// The 2xx carried our offer: the ACK carries the answer (RFC 3261 §13.2.1).
        let expectsAnswer: Bool
        /// The INVITE that began the call.
        let isFirst: Bool
    }

    let number: UInt32
    let call: CallID
    /// We sent the INVITE that began the call, and own its Call-ID.
    let isCaller: Bool
    var dialog: Dialog
    var negotiation = Negotiation()
    var timer = SessionTimer()
    var peer = PeerAbilities()
    var trickle = TrickleOutbox()
    var transfer: Transfer?
    var referral: Referral?
    var accepted: Accepted?
    /// A re-INVITE of ours has no final response yet.
    var isInviting = false
    /// When it is withdrawn: a server that was restarted has forgotten what it answered with 100, and no timer of the
    /// transaction runs then.
    var inviteUntil: Instant?
    var isInviteWithdrawn = false
    /// The latest reliable provisional response, in their order (RFC 3262 §4).
    var lastRSeq: UInt32?
    private(set) var ending: Ending?
    private var acknowledgement: (cseq: UInt32, message: SIPMessage)?
    private var owesBye = false
    private var isSayingBye = false

    init(number: UInt32, call: CallID, isCaller: Bool, dialog: Dialog) {
        (self.number, self.call, self.isCaller, self.dialog) = (number, call, isCaller, dialog)
    }

    var isConfirmed: Bool { dialog.state == .confirmed }

    /// Nothing is left to wait for.
    var isFinished: Bool {
        ending != nil && accepted == nil && !isSayingBye && !isInviting && referral == nil
    }

    func owner(_ purpose: LegRequest) -> Owner { .leg(call, leg: number, purpose) }

    // MARK: Requests

    /// The beginning of a request in this dialog.
    func request(_ method: SIPMethod, _ stack: Stack) -> MessageBuilder {
        var request = dialog.request(method, via: stack.via())
        stack.addUserAgent(&request)
        return request
    }

    /// Answers a challenge to a request of this dialog.
    func answerChallenge(_ result: ClientResult, _ stack: Stack, at now: Instant) -> Bool {
        let next = (dialog.localCSeq ?? 0) &+ 1
        guard stack.answerChallenge(result, cseq: next, at: now) != nil else { return false }
        dialog.noteSent(number: next)
        return true
    }

    /// A Contact that cannot be read leaves the peer where it was.
    func refreshTarget(from message: SIPMessage) {
        do throws(SIPParseError) { try dialog.refreshTarget(from: message) } catch {}
    }

    /// ACK of a 2xx to an INVITE of ours; a copy of the 2xx gets a copy of the ACK (RFC 3261 §13.2.2.4).
    ///
    /// - Returns: false when the 2xx was such a copy.
    func acknowledge(_ result: ClientResult, _ stack: Stack) -> Bool {
        let cseq = result.cseq
        if let acknowledgement, acknowledgement.cseq == cseq {
            stack.transmit(acknowledgement.message)
            return false
        }
        var ack = dialog.acknowledgement(ofINVITE: cseq, via: stack.via())
        // RFC 3261 §22.1: the credentials of the INVITE, since an ACK cannot be challenged.
        ack.copy(.authorization, from: result.request)
        ack.copy(.proxyAuthorization, from: result.request)
        let message = ack.finish()
        acknowledgement = (cseq, message)
        stack.transmit(message)
        return true
    }

    /// A reliable provisional response to our INVITE (RFC 3262 §4).
    ///
    /// - Returns: false when it is a copy, or came out of order and will come again.
    func acknowledgeReliably(
        _ response: SIPMessage, _ cseq: UInt32, _ stack: Stack, at now: Instant
    ) -> Bool {
        let rseq: UInt32?
        do throws(SIPParseError) { rseq = try response.rseq() } catch { return false }
        guard let rseq, lastRSeq == nil || rseq == lastRSeq.map({ $0 &+ 1 }) else { return false }
        lastRSeq = rseq
        var prack = request(.prack, stack)
        prack.add(.rack, RAck(responseNumber: rseq, cseq: CSeq(number: cseq, method: .invite)))
        stack.begin(prack.finish(), for: owner(.prack), at: now)
        return true
    }

    /// A response to a request of this dialog.
    func handle(
        _ result: ClientResult, _ purpose: LegRequest, _ stack: Stack, at now: Instant
    ) {
        guard result.isFinal else { return }
        switch purpose {
        case .bye: handleBye(result, stack, at: now)
        case .offer: handleOffer(result, isRefresh: false, stack, at: now)
        case .refresh: handleOffer(result, isRefresh: true, stack, at: now)
        case .trickle: handleCandidates(result, stack, at: now)
        case .refer: handleRefer(result, stack, at: now)
        case .notify: handleReport(result, stack, at: now)
        case .prack:
            // Once the call is answered nothing depends on it (RFC 3262 §3).
            if ending == nil { _ = answerChallenge(result, stack, at: now) }
        case .info, .message:
            guard ending != nil || !answerChallenge(result, stack, at: now) else { return }
            if case .message(let id) = purpose {
                stack.emit(.messageResult(id: id, status: result.status, reason: result.reason))
            }
            handleInfo(result, stack, at: now)
        }
    }

    // MARK: The end

    /// Ends the call at this side. The BYE waits for the ACK of a 2xx of ours (RFC 3261 §15).
    func hangUp(_ ending: Ending, _ stack: Stack, at now: Instant) {
        guard self.ending == nil else { return }
        end(ending, stack, at: now)
        if accepted != nil { owesBye = true } else { sendBye(stack, at: now) }
    }

    private func sendBye(_ stack: Stack, at now: Instant) {
        (owesBye, isSayingBye) = (false, true)
        let bye = request(.bye, stack)
        stack.begin(bye.finish(), for: owner(.bye), at: now)
    }

    /// The peer ended the call, or it cannot go on; nothing more is sent about it.
    func end(_ ending: Ending, _ stack: Stack, at now: Instant) {
        guard self.ending == nil else { return }
        self.ending = ending
        timer.stop()
        negotiation.outgoing = nil
        withdrawInvite(stack, at: now)
        if let owed = negotiation.settleOwed() { stack.reply(487, to: owed, at: now) }
    }

    func receiveBye(_ request: ServerRequest, _ stack: Stack, at now: Instant) {
        stack.reply(200, to: request, at: now)
        accepted = nil
        end(Ending(cause: .remoteHungUp), stack, at: now)
        // RFC 5057 §4: a subscription in the dialog would outlive it, but nobody listens to how the transfer went.
        referral = nil
    }

    func handleBye(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard !answerChallenge(result, stack, at: now) else { return }
        isSayingBye = false
    }

    // MARK: Our 2xx and its ACK

    func receiveAcknowledgement(_ ack: SIPMessage, _ stack: Stack, at now: Instant) {
        guard let accepted, ack.sequenceNumber == accepted.cseq else { return }
        self.accepted = nil
        if owesBye { return sendBye(stack, at: now) }
        if accepted.expectsAnswer {
            guard negotiation.receiveAnswer(ack.body) else {
                return hangUp(Ending(cause: .notAcceptable), stack, at: now)
            }
            let sdp = Array(ack.body)
            stack.emit(accepted.isFirst ? .answered(call, sdp: sdp) : .offerAnswered(call, sdp: sdp))
        }
        pump(stack, at: now)
    }

    // MARK: Time

    var nextTimeout: Instant? {
        var soonest = timer.nextTimeout.orSooner(accepted?.repetition.nextTimeout)
        soonest = soonest.orSooner(inviteUntil).orSooner(negotiation.owedUntil).orSooner(referral?.nextTimeout)
        if let outgoing = negotiation.outgoing, !outgoing.isSent { soonest = soonest.orSooner(outgoing.notBefore) }
        return soonest
    }

    func handleTimeout(_ stack: Stack, at now: Instant) {
        switch accepted?.repetition.handleTimeout(at: now) {
        case .send: if let accepted { stack.transmit(accepted.repetition.message) }
        case .giveUp:
            // RFC 3261 §13.3.1.4: a 2xx that nobody acknowledged ends the session.
            accepted = nil
            if owesBye { sendBye(stack, at: now) } else { lost(stack, at: now) }
        case nil: break
        }
        switch timer.handleTimeout(at: now) {
        case .refresh: refresh(stack, at: now)
        case .expire: lost(stack, at: now)
        case nil: break
        }
        if inviteUntil.isDue(at: now) { withdrawInvite(stack, at: now) }
        if negotiation.owedUntil.isDue(at: now) { giveUpOwed(stack, at: now) }
        handleReferralTimeout(stack, at: now)
        if let outgoing = negotiation.outgoing, !outgoing.isSent, outgoing.notBefore.isDue(at: now) {
            negotiation.outgoing?.notBefore = nil
            pump(stack, at: now)
        }
    }

    /// The peer does not answer any more.
    func lost(status: Int = 0, reason: [UInt8] = [], _ stack: Stack, at now: Instant) {
        hangUp(Ending(cause: .networkLost, status: status, reason: reason), stack, at: now)
    }

    /// What waits for the dialog to be free may go now.
    func pump(_ stack: Stack, at now: Instant) {
        sendWaitingOffer(stack, at: now)
        sendCandidates(stack, at: now)
    }
}

extension ClientResult {
    /// The number of the request; 0 for none of ours.
    var cseq: UInt32 { request.sequenceNumber ?? 0 }
}

extension SIPMessage {
    var sequenceNumber: UInt32? {
        do throws(SIPParseError) { return try cseq().number } catch { return nil }
    }
}
