import Base
import SIP

/// A transfer we asked the peer for (RFC 3515): REFER is under way, or its progress is being reported.
struct Transfer: Equatable, Sendable {
    /// The REFER's number, by which its NOTIFYs name it (RFC 3515 §2.4.6).
    var cseq: UInt32
}

/// A transfer the peer asked us for: what the page decides, and the reports about it, one NOTIFY at a time.
struct Referral: Sendable {
    /// How long the page may think, and then how long the new call may take until it is answered.
    private static let patience = Duration.seconds(180)

    let event: EventHeader
    let target: NameAddress
    let referredBy: [UInt8]?
    /// The page accepted: the call that follows the transfer.
    private(set) var isAccepted = false
    private var waiting: Int?
    private var isSending = false
    private var isOver = false
    private(set) var nextTimeout: Instant?

    init(event: EventHeader, target: NameAddress, referredBy: [UInt8]?, at now: Instant) {
        (self.event, self.target, self.referredBy) = (event, target, referredBy)
        nextTimeout = now + Self.patience
    }

    mutating func accept() { isAccepted = true }

    /// Something is to be reported; only the latest counts while a NOTIFY is out.
    mutating func report(_ status: Int) {
        guard !isOver else { return }
        waiting = status
        if status >= 200 { (isOver, nextTimeout) = (true, nil) }
    }

    /// The status of the next NOTIFY, when it may go.
    mutating func take() -> Int? {
        guard !isSending, let status = waiting else { return nil }
        (waiting, isSending) = (nil, true)
        return status
    }

    mutating func sent() { isSending = false }

    /// The last report was delivered.
    var isFinished: Bool { isOver && waiting == nil && !isSending }
}

extension CallLeg {
    // MARK: Transferor

    /// Asks the peer to call somebody else (RFC 3515 §2.4.1).
    func refer(
        to target: NameAddress, _ stack: Stack, at now: Instant
    ) throws(CommandError) {
        guard ending == nil, isConfirmed, transfer == nil else { throw .wrongState }
        var request = self.request(.refer, stack)
        request.add(.contact, stack.identity.contact(isSecure: dialog.isSecure))
        request.add(.referTo, target)
        request.add(.referredBy, NameAddress(uri: stack.identity.aor))
        transfer = Transfer(cseq: dialog.localCSeq ?? 0)
        stack.begin(request.finish(), for: owner(.refer), at: now)
    }

    func handleRefer(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard !result.isSuccess, ending == nil else { return }
        if answerChallenge(result, stack, at: now) {
            transfer?.cseq = dialog.localCSeq ?? 0
            return
        }
        transfer = nil
        stack.emit(.transferProgress(call, status: result.status))
        handleInfo(result, stack, at: now)
    }

    /// How far the transfer has come: a status line as body (RFC 3515 §2.4.5).
    func receiveNotify(_ request: ServerRequest, _ stack: Stack, at now: Instant) {
        guard let transfer, let event = request.message.parsedEvent, event.package == [UInt8](ascii: "refer"),
            ASCII.decimal(event.id ?? []).map({ $0 == Int(transfer.cseq) }) ?? true
        else { return stack.reply(481, to: request, at: now) }
        let status = Self.statusLine(request.message.body)
        stack.reply(200, to: request, at: now)
        if let status { stack.emit(.transferProgress(call, status: status)) }
        if request.message.parsedSubscriptionState?.state == .terminated { self.transfer = nil }
    }

    /// `SIP/2.0 200 OK` at the beginning of a message/sipfrag.
    static func statusLine(_ fragment: ArraySlice<UInt8>) -> Int? {
        guard fragment.starts(with: [UInt8](ascii: "SIP/2.0 ")),
            let status = ASCII.decimal(fragment.dropFirst(8).prefix(3)), (100...699).contains(status)
        else { return nil }
        return status
    }

    // MARK: Transferee

    func receiveRefer(_ request: ServerRequest, _ stack: Stack, at now: Instant) {
        guard isConfirmed, referral == nil else { return stack.reply(491, to: request, at: now) }
        let target: NameAddress
        do throws(SIPParseError) {
            guard let given = try request.message.referTo() else { return stack.reply(400, to: request, at: now) }
            target = given
        } catch { return stack.reply(400, to: request, at: now) }
        guard target.uri.scheme == .sip || target.uri.scheme == .sips else {
            return stack.reply(416, to: request, at: now)
        }
        if let method = target.uri.parameters["method"], SIPMethod(method) != .invite {
            return stack.reply(403, to: request, at: now)
        }
        var response = stack.response(202, to: request)
        response.add(.contact, stack.identity.contact(isSecure: dialog.isSecure))
        stack.send(response.finish(), to: request, at: now)
        var id: [UInt8] = []
        id.appendDecimal(Int(request.message.sequenceNumber ?? 0))
        referral = Referral(
            event: EventHeader([UInt8](ascii: "refer"), id: id), target: target,
            referredBy: request.message.value(of: .referredBy).map(Array.init), at: now)
        report(100, stack, at: now)
        stack.emit(.transferRequested(call, to: target.uri.text))
    }

    func rejectTransfer(status: Int, _ stack: Stack, at now: Instant) throws(CommandError) {
        guard (300...699).contains(status) else { throw .badValue }
        guard let referral, !referral.isAccepted else { throw .wrongState }
        report(status, stack, at: now)
    }

    /// Tells the transferor how the new call goes.
    func report(_ status: Int, _ stack: Stack, at now: Instant) {
        referral?.report(status)
        sendReport(stack, at: now)
    }

    private func sendReport(_ stack: Stack, at now: Instant) {
        guard let status = referral?.take(), let event = referral?.event else { return }
        var request = self.request(.notify, stack)
        request.add(.contact, stack.identity.contact(isSecure: dialog.isSecure))
        request.add(.event, event)
        request.add(
            .subscriptionState,
            status >= 200
                ? SubscriptionState(.terminated, reason: [UInt8](ascii: "noresource"))
                : SubscriptionState(.active, expires: 180))
        var body = [UInt8](ascii: "SIP/2.0 ")
        body.appendDecimal(status)
        body.append(ASCII.space)
        body += ReasonPhrase.text(for: status)
        body.append("\r\n")
        let message = request.finish(contentType: [UInt8](ascii: "message/sipfrag;version=2.0"), body: body)
        stack.begin(message, for: owner(.notify), at: now)
    }

    func handleReport(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard !answerChallenge(result, stack, at: now) else { return }
        referral?.sent()
        if !result.isSuccess || referral?.isFinished == true { referral = nil }
        sendReport(stack, at: now)
    }

    func handleReferralTimeout(_ stack: Stack, at now: Instant) {
        guard let referral, referral.nextTimeout.isDue(at: now) else { return }
        report(408, stack, at: now)
    }
}

extension SIPMessage {
    /// Event, when it is there and can be read.
    var parsedEvent: EventHeader? {
        do throws(SIPParseError) { return try event() } catch { return nil }
    }

    var parsedSubscriptionState: SubscriptionState? {
        do throws(SIPParseError) { return try subscriptionState() } catch { return nil }
    }
}
