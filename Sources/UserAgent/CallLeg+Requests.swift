import Base
import SIP

/// What the peer asks inside of a dialog.
extension CallLeg {
    /// - Parameter isEarlyCallee: the call rings here; its INVITE waits for our final response.
    func receive(
        _ request: ServerRequest, isEarlyCallee: Bool, _ stack: Stack, at now: Instant
    ) {
        guard dialog.receive(request.message) == .inOrder else { return stack.reply(500, to: request, at: now) }
        guard ending == nil || request.message.method == .notify else {
            return stack.reply(request.message.method == .bye ? 200 : 481, to: request, at: now)
        }
        peer.learn(from: request.message)
        switch request.message.method {
        case .bye: receiveBye(request, stack, at: now)
        case .invite, .update: receiveOffer(request, isEarlyCallee: isEarlyCallee, stack, at: now)
        case .info: receiveInfo(request, stack, at: now)
        case .refer: receiveRefer(request, stack, at: now)
        case .notify: receiveNotify(request, stack, at: now)
        case .message: receiveMessage(request, stack, at: now)
        case .options: stack.describeAbilities(to: request, at: now)
        // A PRACK that matches no reliable response of ours (RFC 3262 §3).
        default: stack.reply(481, to: request, at: now)
        }
    }

    private func receiveMessage(_ request: ServerRequest, _ stack: Stack, at now: Instant) {
        stack.reply(200, to: request, at: now)
        stack.emit(PageMessages.event(of: request.message, call: call))
    }

    // MARK: Offers

    private func receiveOffer(
        _ request: ServerRequest, isEarlyCallee: Bool, _ stack: Stack, at now: Instant
    ) {
        let message = request.message
        let isInvite = message.method == .invite
        if negotiation.owed != nil || (isInvite && isEarlyCallee) || (isInvite && !isConfirmed) {
            return refuseForNow(request, stack, at: now)
        }
        // RFC 3261 §14.2; our offer in a 2xx also waits for its answer, in the ACK.
        let wantsOffer = isInvite || !message.body.isEmpty
        if isInvite && isInviting || wantsOffer && accepted?.expectsAnswer == true {
            return stack.reply(491, to: request, at: now)
        }
        if SessionTimer.isTooShort(message) { return stack.refuseInterval(of: request, at: now) }
        if message.body.isEmpty {
            if !isInvite { return accept(request, sdp: [], stack, at: now) }
        } else {
            guard message.contentType == Abilities.sdp else { return stack.refuseContent(of: request, at: now) }
            if negotiation.isStable, negotiation.isUnchanged(message.body) {
                return acceptRefresh(request, stack, at: now)
            }
            if let status = negotiation.receiveOffer(message.body) {
                return status == 500
                    ? refuseForNow(request, stack, at: now) : stack.reply(status, to: request, at: now)
            }
        }
        giveWay(stack)
        if isInvite { stack.reply(100, to: request, at: now) }
        negotiation.owe(request, at: now)
        stack.emit(.offered(call, sdp: Array(message.body)))
    }

    /// The peer repeats what was agreed on: so do we, and the page is not asked.
    private func acceptRefresh(_ request: ServerRequest, _ stack: Stack, at now: Instant) {
        let sdp = negotiation.local
        if let status = negotiation.receiveOffer(request.message.body) {
            return stack.reply(status, to: request, at: now)
        }
        do throws(CommandError) { try negotiation.sendAnswer(sdp) } catch {
            negotiation.refuseOffer()
            return stack.reply(488, to: request, at: now)
        }
        accept(request, sdp: sdp, stack, at: now)
    }

    /// An offer of ours that waits after a glare loses against the peer's.
    private func giveWay(_ stack: Stack) {
        guard negotiation.outgoing != nil else { return }
        negotiation.outgoing = nil
        stack.emit(.offerFailed(call, status: 491, reason: ReasonPhrase.text(for: 491)))
    }

    /// RFC 3261 §14.2: another INVITE has not been answered yet.
    private func refuseForNow(_ request: ServerRequest, _ stack: Stack, at now: Instant) {
        var response = stack.response(500, to: request)
        response.add(.retryAfter, number: Int(stack.random.next() % 11))
        stack.send(response.finish(), to: request, at: now)
    }

    // MARK: Answers of the page

    /// Answers the INVITE that began the call, the page's first word in it.
    func answerFirst(
        _ request: ServerRequest, sdp: [UInt8], _ stack: Stack, at now: Instant
    ) throws(CommandError) {
        if request.message.body.isEmpty { try negotiation.sendOffer(sdp) } else { try negotiation.sendAnswer(sdp) }
        dialog.confirm()
        accept(request, sdp: sdp, isFirst: true, stack, at: now)
    }

    func answerOffer(_ sdp: [UInt8], _ stack: Stack, at now: Instant) throws(CommandError) {
        guard let owed = negotiation.owed else { throw .wrongState }
        if owed.message.body.isEmpty { try negotiation.sendOffer(sdp) } else { try negotiation.sendAnswer(sdp) }
        _ = negotiation.settleOwed()
        accept(owed, sdp: sdp, stack, at: now)
    }

    func rejectOffer(status: Int, _ stack: Stack, at now: Instant) throws(CommandError) {
        guard (400...699).contains(status) else { throw .badValue }
        guard let owed = negotiation.settleOwed() else { throw .wrongState }
        negotiation.refuseOffer()
        stack.reply(status, to: owed, at: now)
        pump(stack, at: now)
    }

    /// The page did not decide in time, or the peer withdrew its re-INVITE.
    func giveUpOwed(status: Int = 504, _ stack: Stack, at now: Instant) {
        guard let owed = negotiation.settleOwed() else { return }
        negotiation.refuseOffer()
        stack.reply(status, to: owed, at: now)
        stack.emit(.offerFailed(call, status: status, reason: ReasonPhrase.text(for: status)))
        pump(stack, at: now)
    }

    /// 200 to INVITE or UPDATE.
    private func accept(
        _ request: ServerRequest, sdp: [UInt8], isFirst: Bool = false, _ stack: Stack, at now: Instant
    ) {
        refreshTarget(from: request.message)
        var response = stack.response(200, to: request, tag: dialog.id.localTag)
        stack.addSessionHeaders(&response, isSecure: dialog.isSecure, isRequest: false)
        response.copy(.recordRoute, from: request.message)
        timer.answer(request.message, in: &response, wanting: stack.configuration.sessionExpires, at: now)
        let message = response.finish(contentType: sdp.isEmpty ? nil : Abilities.sdp, body: sdp)
        stack.send(message, to: request, at: now)
        guard request.message.method == .invite else { return pump(stack, at: now) }
        accepted = Accepted(
            repetition: Repetition(message, longest: Timers.standard.t2, at: now),
            cseq: request.message.sequenceNumber ?? 0, expectsAnswer: request.message.body.isEmpty, isFirst: isFirst)
    }
}
