import Base
import SIP

/// All calls: which one a message or command is about, and what one call means for another (transfer, replacement).
final class Calls: @unchecked Sendable {
    private var calls: [Call] = []
    private var nextIncoming = CallID.firstIncoming

    var count: Int { calls.count }

    private var active: Int { calls.count { !$0.isOver } }

    private func index(of id: CallID) -> Int? { calls.firstIndex { $0.id == id && !$0.isOver } }

    // MARK: Commands

    func call(
        _ id: CallID, to target: SIPURI, offer: [UInt8], replaces: Replaces?, referrer: CallID? = nil,
        referredBy: [UInt8]? = nil, _ stack: Stack, at now: Instant
    ) throws(CommandError) {
        guard !id.isIncoming, !calls.contains(where: { $0.id == id }) else { throw .badID }
        guard active < Limits.calls else { throw .tooMany }
        guard stack.isConnected else { throw .notConnected }
        guard target.scheme == .sip || target.scheme == .sips else { throw .badURI }
        try Negotiation.check(offer)
        let to = NameAddress(uri: target.asRequestURI)
        var invite = stack.request(
            .invite, to: to, tag: stack.random.token(length: 10), callID: stack.random.token(length: 20), cseq: 1)
        stack.addSessionHeaders(
            &invite, isSecure: stack.identity.isSecure(to.uri), isRequest: true, reliably: true)
        SessionTimer().addOffer(to: &invite, wanting: stack.configuration.sessionExpires)
        if let replaces {
            invite.add(.replaces, replaces)
            invite.add(.require, "replaces")
        }
        if let referredBy { invite.add(.referredBy, bytes: referredBy) }
        calls.append(
            Call(
                id, invite: invite.finish(contentType: Abilities.sdp, body: offer), offer: offer, referrer: referrer,
                stack, at: now))
    }

    /// Names the dialog of an established call, as its peer knows it (RFC 3891 §4).
    func replacement(of id: CallID) throws(CommandError) -> Replaces {
        let leg = try established(id)
        let dialog = leg.dialog.id
        return Replaces(callID: dialog.callID, toTag: dialog.remoteTag, fromTag: dialog.localTag)
    }

    private func established(_ id: CallID) throws(CommandError) -> CallLeg {
        guard let index = index(of: id) else { throw .unknownCall }
        return calls[index].legs[try calls[index].commandLeg()]
    }

    /// A command about one call.
    func perform(
        _ command: CallCommand, _ id: CallID, _ stack: Stack, at now: Instant
    ) throws(CommandError) {
        guard let index = index(of: id) else { throw .unknownCall }
        switch command {
        case .answer(let sdp): try calls[index].answer(sdp, stack, at: now)
        case .reject(let status): try calls[index].reject(status: status, stack, at: now)
        case .hangUp: calls[index].hangUp(Ending(cause: .hungUp), stack, at: now)
        case .offer(let sdp): try calls[index].offer(sdp, stack, at: now)
        case .answerOffer(let sdp):
            let leg = try calls[index].offeredLeg()
            try calls[index].legs[leg].answerOffer(sdp, stack, at: now)
        case .rejectOffer(let status):
            let leg = try calls[index].offeredLeg()
            try calls[index].legs[leg].rejectOffer(status: status, stack, at: now)
        case .candidates(let fragment): calls[index].trickle(fragment, stack, at: now)
        case .dtmf(let signal, let milliseconds):
            let leg = try calls[index].commandLeg()
            try calls[index].legs[leg].dtmf(signal: signal, milliseconds: milliseconds, stack, at: now)
        case .info(let contentType, let body):
            let leg = try calls[index].commandLeg()
            try calls[index].legs[leg].info(contentType: contentType, body: body, stack, at: now)
        case .message(let message, let contentType, let body):
            let leg = try calls[index].commandLeg()
            try calls[index].legs[leg].message(message, contentType: contentType, body: body, stack, at: now)
        case .transfer(let target):
            let leg = try calls[index].commandLeg()
            try calls[index].legs[leg].refer(to: target, stack, at: now)
        case .rejectTransfer(let status):
            let leg = try calls[index].commandLeg()
            try calls[index].legs[leg].rejectTransfer(status: status, stack, at: now)
        }
        settle(index, stack, at: now)
    }

    /// REFER to the peer of one call with Replaces of another (RFC 5589 §7.1).
    func transfer(
        _ id: CallID, toPeerOf other: CallID, _ stack: Stack, at now: Instant
    ) throws(CommandError) {
        guard id != other else { throw .badID }
        let replaces = try replacement(of: other)
        var target = try established(other).dialog.remoteTarget.asRequestURI
        target.headers = replaces.asURIHeader
        try perform(.transfer(NameAddress(uri: target)), id, stack, at: now)
    }

    /// Calls where a REFER pointed to.
    func acceptTransfer(
        _ id: CallID, new: CallID, offer: [UInt8], _ stack: Stack, at now: Instant
    ) throws(CommandError) {
        guard let index = index(of: id) else { throw .unknownCall }
        let leg = try calls[index].commandLeg()
        guard let referral = calls[index].legs[leg].referral, !referral.isAccepted else { throw .wrongState }
        let uri = referral.target.uri
        try call(
            new, to: uri, offer: offer, replaces: ClientInvite.replaces(in: uri), referrer: id,
            referredBy: referral.referredBy, stack, at: now)
        calls[index].legs[leg].referral?.accept()
    }

    // MARK: Responses

    func handleInvite(_ result: ClientResult, _ id: CallID, _ stack: Stack, at now: Instant) {
        guard let index = calls.firstIndex(where: { $0.id == id }) else { return }
        calls[index].handleInvite(result, stack, at: now)
        settle(index, stack, at: now)
    }

    func handle(
        _ result: ClientResult, _ id: CallID, leg: UInt32, _ purpose: LegRequest, _ stack: Stack, at now: Instant
    ) {
        guard let index = calls.firstIndex(where: { $0.id == id }) else { return }
        calls[index].handle(result, leg: leg, purpose, stack, at: now)
        settle(index, stack, at: now)
    }

    // MARK: Requests

    /// A request with a To tag.
    ///
    /// - Returns: false when it belongs to no call.
    func receive(_ request: ServerRequest, in dialog: Dialog.ID, _ stack: Stack, at now: Instant) -> Bool {
        guard let (index, leg) = find(dialog) else { return false }
        calls[index].receive(request, leg: leg, stack, at: now)
        settle(index, stack, at: now)
        return true
    }

    func acknowledge(_ ack: SIPMessage, _ stack: Stack, at now: Instant) {
        guard let dialog = Dialog.ID(received: ack), let (index, leg) = find(dialog) else { return }
        calls[index].legs[leg].receiveAcknowledgement(ack, stack, at: now)
        settle(index, stack, at: now)
    }

    private func find(_ dialog: Dialog.ID) -> (call: Int, leg: Int)? {
        for index in calls.indices {
            if let leg = calls[index].leg(of: dialog) { return (index, leg) }
        }
        return nil
    }

    /// An INVITE outside of all dialogs.
    func invited(_ request: ServerRequest, _ stack: Stack, at now: Instant) {
        let message = request.message
        guard message.body.isEmpty || message.contentType == Abilities.sdp else {
            return stack.refuseContent(of: request, at: now)
        }
        guard !SessionTimer.isTooShort(message) else { return stack.refuseInterval(of: request, at: now) }
        guard active < Limits.calls else { return stack.reply(486, to: request, at: now) }
        var replaced: CallID?
        if message.contains(.replaces) {
            switch replacement(wantedBy: message) {
            case .refuse(let status): return stack.reply(status, to: request, at: now)
            case .call(let id): replaced = id
            }
        }
        let id = CallID(nextIncoming)
        nextIncoming = nextIncoming == .max ? CallID.firstIncoming : nextIncoming + 1
        do throws(SIPParseError) {
            calls.append(try Call(id, request: request, replaces: replaced, stack, at: now))
        } catch { stack.reply(400, to: request, at: now) }
    }

    private enum Replacement {
        case refuse(Int)
        case call(CallID)
    }

    /// Which call the INVITE takes the place of (RFC 3891 §3).
    private func replacement(wantedBy message: SIPMessage) -> Replacement {
        let wanted: Replaces
        do throws(SIPParseError) {
            guard let given = try message.replaces() else { return .refuse(400) }
            wanted = given
        } catch { return .refuse(400) }
        let id = Dialog.ID(callID: wanted.callID, localTag: wanted.toTag, remoteTag: wanted.fromTag)
        guard let (index, leg) = find(id) else { return .refuse(481) }
        let call = calls[index]
        guard !call.isOver, call.legs[leg].ending == nil else { return .refuse(603) }
        if call.legs[leg].isConfirmed { return wanted.earlyOnly ? .refuse(486) : .call(call.id) }
        // A call that rings here cannot be replaced; one of ours that rings elsewhere can.
        return call.legs[leg].isCaller ? .call(call.id) : .refuse(481)
    }

    /// CANCEL.
    ///
    /// - Returns: the To tag for its 200, when the INVITE is known to a call.
    func cancelled(
        transaction: UInt32, by cancel: SIPMessage, _ stack: Stack, at now: Instant
    ) -> [UInt8]? {
        for index in calls.indices {
            guard let tag = calls[index].cancelled(transaction: transaction, by: cancel, stack, at: now) else {
                continue
            }
            settle(index, stack, at: now)
            return tag
        }
        return nil
    }

    // MARK: Consequences and time

    /// What happened to one call is told to those it concerns; a call nobody waits for is forgotten.
    private func settle(_ index: Int, _ stack: Stack, at now: Instant) {
        calls[index].settle(stack)
        if let status = calls[index].report, let referrer = calls[index].referrer {
            calls[index].report = nil
            if let other = calls.firstIndex(where: { $0.id == referrer }) {
                for leg in calls[other].legs.indices { calls[other].legs[leg].report(status, stack, at: now) }
            }
        }
        if calls[index].wasJustAnswered {
            calls[index].wasJustAnswered = false
            if let replaced = calls[index].replaces, let other = self.index(of: replaced) {
                calls[other].hangUp(Ending(cause: .replaced), stack, at: now)
                settle(other, stack, at: now)
            }
        }
    }

    /// Forgets calls that are over and have nothing left to answer.
    func sweep(_ stack: Stack) {
        var kept: [Call] = []
        guard calls.contains(where: { $0.isFinished(stack) }) else { return }
        for call in calls where !call.isFinished(stack) { kept.append(call) }
        calls = kept
    }

    var nextTimeout: Instant? {
        var soonest: Instant?
        for call in calls { soonest = soonest.orSooner(call.nextTimeout) }
        return soonest
    }

    func handleTimeout(_ stack: Stack, at now: Instant) {
        for index in calls.indices {
            guard calls[index].nextTimeout.isDue(at: now) else { continue }
            calls[index].handleTimeout(stack, at: now)
            settle(index, stack, at: now)
        }
    }
}

/// The commands that are about one call.
enum CallCommand {
    case answer([UInt8])
    case reject(Int)
    case hangUp
    case offer([UInt8])
    case answerOffer([UInt8])
    case rejectOffer(Int)
    case candidates([UInt8])
    case dtmf(UInt8, Int)
    case info(contentType: [UInt8], body: [UInt8])
    case message(UInt32, contentType: [UInt8], body: [UInt8])
    case transfer(NameAddress)
    case rejectTransfer(Int)
}
