import Base
import SIP

/// New offers in a dialog, ours and the peer's: re-INVITE (RFC 3261 §14), UPDATE (RFC 3311), and the session timer's
/// refreshes, which look the same (RFC 4028 §7.4).
extension CallLeg {
    /// How long a re-INVITE may take: longer than a page or a phone decides about one.
    private static var patience: Duration { .seconds(40) }

    // MARK: Ours

    func offer(_ sdp: [UInt8], _ stack: Stack, at now: Instant) throws(CommandError) {
        guard ending == nil, negotiation.outgoing == nil, negotiation.owed == nil, isConfirmed || canUpdate else {
            throw .wrongState
        }
        try Negotiation.check(sdp)
        negotiation.outgoing = Negotiation.Outgoing(sdp: sdp)
        sendWaitingOffer(stack, at: now)
    }

    /// RFC 3311 §5.1: an early dialog takes UPDATE once its first offer has been answered reliably.
    private var canUpdate: Bool { peer.allowsUpdate && negotiation.isStable }

    /// RFC 3261 §14.1: no INVITE while another is in progress in either direction.
    private var isFree: Bool { ending == nil && negotiation.isStable && !isInviting && accepted == nil }

    func sendWaitingOffer(_ stack: Stack, at now: Instant) {
        guard let outgoing = negotiation.outgoing, !outgoing.isSent, outgoing.notBefore == nil, isFree else { return }
        do throws(CommandError) { try negotiation.sendOffer(outgoing.sdp) } catch {
            negotiation.outgoing = nil
            return stack.emit(.offerFailed(call, status: 488, reason: ReasonPhrase.text(for: 488)))
        }
        negotiation.outgoing?.isSent = true
        negotiation.outgoing?.attempts += 1
        sendOffer(isConfirmed ? .invite : .update, sdp: outgoing.sdp, for: .offer, stack, at: now)
    }

    private func sendOffer(
        _ method: SIPMethod, sdp: [UInt8], for purpose: LegRequest, _ stack: Stack, at now: Instant
    ) {
        var request = self.request(method, stack)
        stack.addSessionHeaders(&request, isSecure: dialog.isSecure, isRequest: true)
        timer.addOffer(to: &request, wanting: stack.configuration.sessionExpires)
        if method == .invite {
            (isInviting, isInviteWithdrawn) = (true, false)
            inviteUntil = now + Self.patience
        }
        stack.begin(
            request.finish(contentType: sdp.isEmpty ? nil : Abilities.sdp, body: sdp), for: owner(purpose), at: now)
    }

    /// The session timer asks for a sign of life: UPDATE without offer, or re-INVITE with what was agreed on.
    func refresh(_ stack: Stack, at now: Instant) {
        if peer.allowsUpdate { return sendOffer(.update, sdp: [], for: .refresh, stack, at: now) }
        guard isFree, negotiation.outgoing == nil else { return }
        let sdp = negotiation.local
        do throws(CommandError) { try negotiation.sendOffer(sdp) } catch { return }
        sendOffer(.invite, sdp: sdp, for: .refresh, stack, at: now)
    }

    /// A response to an offer or refresh of ours.
    func handleOffer(
        _ result: ClientResult, isRefresh: Bool, _ stack: Stack, at now: Instant
    ) {
        let isInvite = result.request.method == .invite
        if result.isSuccess, let response = result.response {
            if isInvite, !acknowledge(result, stack) { return }
            if isInvite { inviteEnded() }
            return offerAccepted(result, response, isRefresh: isRefresh, stack, at: now)
        }
        if ending == nil, answerChallenge(result, stack, at: now) || asksLongerInterval(result, stack, at: now) {
            return
        }
        let wasWithdrawn = isInvite && isInviteWithdrawn
        if isInvite { inviteEnded() }
        if !result.request.body.isEmpty { negotiation.offerRefused() }
        guard ending == nil else { return }
        if wasWithdrawn {
            if !isRefresh { failOffer(result, stack) }
        } else {
            offerRefused(result, isRefresh: isRefresh, stack, at: now)
        }
        pump(stack, at: now)
    }

    private func inviteEnded() { (isInviting, inviteUntil) = (false, nil) }

    /// CANCEL; 64*T1 later the transaction ends by itself (RFC 3261 §9.1).
    func withdrawInvite(_ stack: Stack, at now: Instant) {
        guard isInviting, !isInviteWithdrawn else { return }
        (isInviteWithdrawn, inviteUntil) = (true, nil)
        stack.cancel(owner(.offer), at: now)
        stack.cancel(owner(.refresh), at: now)
    }

    private func offerAccepted(
        _ result: ClientResult, _ response: SIPMessage, isRefresh: Bool, _ stack: Stack, at now: Instant
    ) {
        guard ending == nil else { return }
        refreshTarget(from: response)
        peer.learn(from: response)
        timer.agree(with: response, wanting: stack.configuration.sessionExpires, at: now)
        if !result.request.body.isEmpty {
            if !isRefresh { negotiation.outgoing = nil }
            guard negotiation.receiveAnswer(response.body) else {
                return hangUp(Ending(cause: .notAcceptable), stack, at: now)
            }
            if !isRefresh { stack.emit(.offerAnswered(call, sdp: Array(response.body))) }
        }
        pump(stack, at: now)
    }

    private func offerRefused(
        _ result: ClientResult, isRefresh: Bool, _ stack: Stack, at now: Instant
    ) {
        let isLocal = result.response == nil
        switch result.status {
        case 481,
            408 where !isLocal || stack.isConnected:
            // RFC 3261 §12.2.1.2. Without a flow of our own we know nothing about the peer, and the media may be well.
            if !isRefresh { failOffer(result, stack) }
            lost(status: result.status, reason: result.reason, stack, at: now)
        case 491 where !isRefresh:
            retryOffer(result, after: glareWait(stack), stack, at: now)
        case 500 where !isRefresh && result.seconds(of: .retryAfter) != nil:
            let seconds = min(result.seconds(of: .retryAfter) ?? 0, 10)
            retryOffer(result, after: .seconds(seconds), stack, at: now)
        default:
            if !isRefresh { failOffer(result, stack) }
        }
    }

    private func retryOffer(
        _ result: ClientResult, after wait: Duration, _ stack: Stack, at now: Instant
    ) {
        guard let outgoing = negotiation.outgoing, outgoing.attempts < Limits.attempts else {
            return failOffer(result, stack)
        }
        negotiation.outgoing?.isSent = false
        negotiation.outgoing?.notBefore = now + wait
    }

    private func failOffer(_ result: ClientResult, _ stack: Stack) {
        negotiation.outgoing = nil
        stack.emit(.offerFailed(call, status: result.status, reason: result.reason))
    }

    /// RFC 3261 §14.1: 2.1 to 4 s for who made the Call-ID, up to 2 s for the other, in steps of 10 ms.
    private func glareWait(_ stack: Stack) -> Duration {
        let steps = stack.random.next()
        return .milliseconds(isCaller ? 2_100 + Int(steps % 191) * 10 : Int(steps % 201) * 10)
    }

    /// 422 to a refresh or re-INVITE (RFC 4028 §7.3).
    private func asksLongerInterval(
        _ result: ClientResult, _ stack: Stack, at now: Instant
    ) -> Bool {
        let next = (dialog.localCSeq ?? 0) &+ 1
        guard stack.retryWithLongerInterval(result, cseq: next, at: now) != nil else { return false }
        dialog.noteSent(number: next)
        return true
    }
}
