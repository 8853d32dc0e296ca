import Base
import SIP

/// One call: the INVITE that begins it, the dialogs it makes, and how it ends.
///
/// ```
/// ours:    INVITE ──► legs, one per fork, early ──first 2xx──► chosen ──► over
/// peer's:  INVITE ──► one leg, early, ringing ────answer─────► chosen ──► over
/// ```
/// A call that is over stays while late responses or its BYE may need an answer.
final class Call: @unchecked Sendable {
    let id: CallID
    var legs: [CallLeg] = []
    /// The leg that counts: of our calls the first that was answered, of the peer's its only one.
    private(set) var chosen: UInt32?
    private(set) var isOver = false
    /// A call of ours that this one takes the place of when it is answered (RFC 3891).
    let replaces: CallID?
    /// The call whose peer asked for this one (RFC 3515).
    let referrer: CallID?
    /// What the referrer is to be told.
    var report: Int?
    /// It was answered a moment ago, and its consequences are due.
    var wasJustAnswered = false
    private var client: ClientInvite?
    private var server: ServerInvite?
    /// The reliable 180 that was not acknowledged when we answered: its PRACK may still come (RFC 3262 §3).
    private var latePRACK: RAck?
    /// Our candidates so far, for legs that are still to come.
    private var candidates: [UInt8] = []
    private var lastLeg = UInt32(0)

    private init(_ id: CallID, replaces: CallID?, referrer: CallID?) {
        (self.id, self.replaces, self.referrer) = (id, replaces, referrer)
    }

    // MARK: Beginning

    /// Calls somebody.
    convenience init(
        _ id: CallID, invite: SIPMessage, offer: [UInt8], referrer: CallID?, _ stack: Stack, at now: Instant
    ) {
        self.init(id, replaces: nil, referrer: referrer)
        client = ClientInvite(stack.begin(invite, for: .invite(id), at: now), offer: offer, at: now)
    }

    /// Somebody calls.
    convenience init(
        _ id: CallID, request: ServerRequest, replaces: CallID?, _ stack: Stack, at now: Instant
    ) throws(SIPParseError) {
        self.init(id, replaces: replaces, referrer: nil)
        let tag = stack.random.token(length: 10)
        let leg = CallLeg(
            number: 0, call: id, isCaller: false, dialog: try Dialog(received: request.message, localTag: tag))
        leg.peer.learn(from: request.message)
        if !request.message.body.isEmpty, leg.negotiation.receiveOffer(request.message.body) != nil {
            throw .malformed(.contentType)
        }
        legs = [leg]
        chosen = 0
        let from = try request.message.from()
        var invite = ServerInvite(request, tag: tag, isSecure: leg.dialog.isSecure, stack, at: now)
        invite.ring(stack, at: now)
        server = invite
        stack.emit(
            .incoming(
                id, fromName: from.displayName, fromURI: from.uri.text, sdp: Array(request.message.body),
                replaces: replaces))
    }

    /// The leg that commands are about.
    private var current: Int? { chosen.flatMap(index(ofLeg:)) }

    func index(ofLeg number: UInt32) -> Int? { legs.firstIndex { $0.number == number } }

    func leg(of dialog: Dialog.ID) -> Int? { legs.firstIndex { $0.dialog.id == dialog } }

    // MARK: The end

    /// Says so once; later endings of the same call change nothing.
    private func finish(_ ending: Ending, _ stack: Stack) {
        guard !isOver else { return }
        isOver = true
        client?.stopWaiting()
        server = nil
        if referrer != nil { report = ending.status >= 300 ? ending.status : 487 }
        stack.emit(.ended(id, cause: ending.cause, status: ending.status, reason: ending.reason))
    }

    /// Passes on how the chosen leg ended, and forgets legs that are done with.
    func settle(_ stack: Stack) {
        if let current, let ending = legs[current].ending { finish(ending, stack) }
        if isOver { legs.removeAll { $0.isFinished } }
    }

    /// Nothing can come any more that this call would have to answer.
    func isFinished(_ stack: Stack) -> Bool {
        isOver && legs.allSatisfy { $0.isFinished || !$0.isConfirmed } && !stack.isUnderWay(.invite(id))
    }

    func hangUp(_ ending: Ending, _ stack: Stack, at now: Instant) {
        if server != nil { return refuse(603, cause: .declined, stack, at: now) }
        guard chosen == nil else {
            if let current { legs[current].hangUp(ending, stack, at: now) }
            return settle(stack)
        }
        stack.cancel(.invite(id), at: now)
        finish(ending.cause == .hungUp ? Ending(cause: .cancelled) : ending, stack)
    }

    // MARK: Our INVITE

    func handleInvite(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard let response = result.response else { return refused(result, stack, at: now) }
        switch result.status {
        case 101..<200: progressed(result, response, stack, at: now)
        case 200..<300: accepted(result, response, stack, at: now)
        case 300...: refused(result, stack, at: now)
        default: break
        }
    }

    private func refused(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard !isOver, chosen == nil, result.cseq == client?.request.sequenceNumber,
            client?.remedy(result, stack, at: now) != true
        else { return }
        let cause = result.response == nil ? EndCause.unreachable : EndCause(finalStatus: result.status)
        finish(Ending(cause: cause, status: result.status, reason: result.reason), stack)
    }

    private func progressed(
        _ result: ClientResult, _ response: SIPMessage, _ stack: Stack, at now: Instant
    ) {
        guard !isOver, chosen == nil else { return }
        var sdp: [UInt8] = []
        if response.contentType == Abilities.sdp { sdp = Array(response.body) }
        if let index = leg(of: response, to: result.request) {
            legs[index].peer.learn(from: response)
            if response.require.contains("100rel") {
                guard legs[index].acknowledgeReliably(response, result.cseq, stack, at: now) else { return }
                if !sdp.isEmpty, legs[index].negotiation.hasLocalOffer, !legs[index].negotiation.receiveAnswer(sdp[...])
                {
                    sdp = []
                }
            }
            legs[index].sendCandidates(stack, at: now)
        }
        if referrer != nil { report = result.status }
        stack.emit(.progress(id, status: result.status, reason: result.reason, sdp: sdp))
    }

    private func accepted(
        _ result: ClientResult, _ response: SIPMessage, _ stack: Stack, at now: Instant
    ) {
        guard let index = leg(of: response, to: result.request) else { return }
        do throws(SIPParseError) { try legs[index].dialog.confirm(by: response) } catch {}
        guard legs[index].acknowledge(result, stack) else { return }
        guard !isOver, chosen == nil else {
            // Too late, or the second of two that answered at once (RFC 3261 §13.2.2.4).
            return legs[index].hangUp(Ending(cause: .cancelled), stack, at: now)
        }
        chosen = legs[index].number
        client?.stopWaiting()
        legs.removeAll { $0.number != chosen && !$0.isConfirmed }
        if let current { establish(current, response, stack, at: now) }
        settle(stack)
    }

    private func establish(
        _ index: Int, _ response: SIPMessage, _ stack: Stack, at now: Instant
    ) {
        legs[index].peer.learn(from: response)
        legs[index].timer.agree(with: response, wanting: stack.configuration.sessionExpires, at: now)
        if legs[index].negotiation.hasLocalOffer, !legs[index].negotiation.receiveAnswer(response.body) {
            return legs[index].hangUp(Ending(cause: .notAcceptable), stack, at: now)
        }
        if referrer != nil { report = 200 }
        stack.emit(.answered(id, sdp: legs[index].negotiation.remote))
        legs[index].pump(stack, at: now)
    }

    /// The dialog a response belongs to, made when it is the first of a fork.
    private func leg(of response: SIPMessage, to request: SIPMessage) -> Int? {
        guard let id = Dialog.ID(received: response), !id.remoteTag.isEmpty || response.status ?? 0 >= 200 else {
            return nil
        }
        if let known = leg(of: id) { return known }
        let isFinal = (response.status ?? 0) >= 200
        guard legs.count < Limits.legsPerCall || isFinal, let offer = client?.offer else { return nil }
        do throws(SIPParseError) {
            lastLeg &+= 1
            let leg = CallLeg(
                number: lastLeg, call: self.id, isCaller: true, dialog: try Dialog(request: request, response: response)
            )
            if !candidates.isEmpty { leg.trickle.put(candidates) }
            do throws(CommandError) { try leg.negotiation.sendOffer(offer) } catch { return nil }
            legs.append(leg)
            return legs.count - 1
        } catch { return nil }
    }

    // MARK: The peer's INVITE

    func answer(_ sdp: [UInt8], _ stack: Stack, at now: Instant) throws(CommandError) {
        guard let invite = server, let current else { throw .wrongState }
        try legs[current].answerFirst(invite.request, sdp: sdp, stack, at: now)
        latePRACK = invite.outstanding
        server = nil
        wasJustAnswered = true
        if !invite.request.message.body.isEmpty { stack.emit(.answered(id, sdp: [])) }
    }

    func reject(status: Int, _ stack: Stack, at now: Instant) throws(CommandError) {
        guard (400...699).contains(status) else { throw .badValue }
        guard server != nil else { throw .wrongState }
        refuse(status, cause: EndCause(finalStatus: status), stack, at: now)
    }

    private func refuse(_ status: Int, cause: EndCause, _ stack: Stack, at now: Instant) {
        guard let server, let current else { return }
        stack.reply(status, to: server.request, tag: legs[current].dialog.id.localTag, at: now)
        let ending = Ending(cause: cause, status: status, reason: ReasonPhrase.text(for: status))
        finish(ending, stack)
        legs = []
    }

    /// CANCEL of the INVITE with this transaction (RFC 3261 §9.2).
    ///
    /// - Returns: our tag for the answer, when the INVITE is one of this call's.
    func cancelled(
        transaction: UInt32, by cancel: SIPMessage, _ stack: Stack, at now: Instant
    ) -> [UInt8]? {
        guard let current else { return nil }
        let tag = legs[current].dialog.id.localTag
        if let server, server.request.transaction == transaction {
            let elsewhere = cancel.reasons().contains { $0.isAnsweredElsewhere }
            refuse(487, cause: elsewhere ? .answeredElsewhere : .cancelled, stack, at: now)
            return tag
        }
        guard legs[current].negotiation.owed?.transaction == transaction else { return nil }
        legs[current].giveUpOwed(status: 487, stack, at: now)
        return tag
    }

    // MARK: In the call

    /// A request inside of one of the call's dialogs.
    func receive(_ request: ServerRequest, leg index: Int, _ stack: Stack, at now: Instant) {
        if request.message.method == .prack,
            server?.acknowledge(request.message) == true
                || (latePRACK != nil && request.message.parsedRAck == latePRACK)
        {
            return stack.reply(200, to: request, at: now)
        }
        let ringing = server
        legs[index].receive(request, isEarlyCallee: ringing != nil, stack, at: now)
        if let ringing, legs[index].ending != nil {
            // The caller said BYE instead of CANCEL (RFC 3261 §15.1.2).
            stack.reply(487, to: ringing.request, tag: legs[index].dialog.id.localTag, at: now)
            finish(Ending(cause: .cancelled), stack)
        }
        settle(stack)
    }

    func handle(
        _ result: ClientResult, leg number: UInt32, _ purpose: LegRequest, _ stack: Stack, at now: Instant
    ) {
        guard let index = index(ofLeg: number) else { return }
        legs[index].handle(result, purpose, stack, at: now)
        settle(stack)
    }

    /// The leg a command is about, in a call that is not over.
    func commandLeg() throws(CommandError) -> Int {
        guard !isOver else { throw .unknownCall }
        guard let current, server == nil else { throw .wrongState }
        return current
    }

    func offer(_ sdp: [UInt8], _ stack: Stack, at now: Instant) throws(CommandError) {
        guard !isOver else { throw .unknownCall }
        // Before the call is answered an offer needs one early dialog whose first exchange is complete.
        guard let index = chosen == nil && legs.count == 1 ? 0 : current else { throw .wrongState }
        try legs[index].offer(sdp, stack, at: now)
    }

    /// The leg whose peer waits for an answer of the page.
    func offeredLeg() throws(CommandError) -> Int {
        guard let index = legs.firstIndex(where: { $0.negotiation.owed != nil }) else { throw .wrongState }
        return index
    }

    func trickle(_ fragment: [UInt8], _ stack: Stack, at now: Instant) {
        candidates = fragment
        for index in legs.indices { legs[index].candidates(fragment, stack, at: now) }
    }

    // MARK: Time

    var nextTimeout: Instant? {
        var soonest = client?.giveUpAt.orSooner(server?.nextTimeout) ?? server?.nextTimeout
        for leg in legs { soonest = soonest.orSooner(leg.nextTimeout) }
        return soonest
    }

    func handleTimeout(_ stack: Stack, at now: Instant) {
        if let due = client?.giveUpAt, now >= due {
            client?.stopWaiting()
            hangUp(Ending(cause: .noAnswer, status: 408, reason: ReasonPhrase.text(for: 408)), stack, at: now)
        }
        if let status = server?.handleTimeout(stack, at: now) { refuse(status, cause: .noAnswer, stack, at: now) }
        for index in legs.indices { legs[index].handleTimeout(stack, at: now) }
        settle(stack)
    }
}

extension ParameterizedToken {
    /// `SIP;cause=200`: another device of ours took the call, or refused it for all (RFC 3326 §2).
    fileprivate var isAnsweredElsewhere: Bool {
        guard ASCII.equalIgnoringCase(token, [UInt8](ascii: "SIP")), let cause = parameters.number("cause") else {
            return false
        }
        return (200...299).contains(cause) || (600...699).contains(cause)
    }
}
