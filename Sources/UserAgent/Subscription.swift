import Base
import SIP

/// One subscription of ours to somebody's state (RFC 6665 §4.1), renewed until it is unsubscribed or refused.
///
/// ```
/// SUBSCRIBE ──2xx──► waiting for NOTIFY ──NOTIFY──► active ──renewal due──► SUBSCRIBE in the dialog
///     ▲                                               │
///     └── due ── waiting ◄── failure that may pass, terminated by the notifier for a time
/// ```
final class Subscription: @unchecked Sendable {
    let id: UInt32
    private let target: SIPURI
    private let event: EventHeader
    private let accept: [UInt8]
    private var expires: Int
    private var callID: [UInt8] = []
    private var tag: [UInt8] = []
    private var cseq = UInt32(0)
    private var dialog: Dialog?
    private var isEnding = false
    private(set) var isOver = false
    private var failures = 0
    private var isSending = false
    /// When to renew or to begin again.
    private var renewAt: Instant?
    /// Timer N: by when the first NOTIFY must have come (RFC 6665 §4.1.2.4).
    private var notifiedBy: Instant?

    init(id: UInt32, target: SIPURI, event: EventHeader, accept: [UInt8], expires: Int) {
        (self.id, self.target, self.event) = (id, target, event)
        (self.accept, self.expires) = (accept, expires)
    }

    // MARK: Sending

    /// Begins, or begins again, with a dialog still to be made.
    func begin(_ stack: Stack, at now: Instant) {
        (callID, tag, cseq) = (stack.random.token(length: 20), stack.random.token(length: 10), 1)
        (dialog, notifiedBy) = (nil, nil)
        let request = stack.request(.subscribe, to: NameAddress(uri: target), tag: tag, callID: callID, cseq: cseq)
        send(request, stack, at: now)
    }

    private func renew(_ stack: Stack, at now: Instant) {
        guard dialog != nil else { return begin(stack, at: now) }
        let via = stack.via()
        guard let request = dialog?.request(.subscribe, via: via) else { return }
        cseq = dialog?.localCSeq ?? cseq
        send(request, stack, at: now)
    }

    private func send(_ builder: consuming MessageBuilder, _ stack: Stack, at now: Instant) {
        (renewAt, isSending) = (nil, true)
        var request = builder
        let isSecure = dialog?.isSecure ?? stack.identity.isSecure(target)
        request.add(.contact, stack.identity.contact(isSecure: isSecure))
        request.add(.event, event)
        if !accept.isEmpty { request.add(.accept, bytes: accept) }
        request.add(.expires, number: isEnding ? 0 : expires)
        request.add(.supported, bytes: Abilities.supported(stack.configuration, reliably: false))
        stack.begin(request.finish(), for: .subscription(id), at: now)
    }

    func unsubscribe(_ stack: Stack, at now: Instant) {
        isEnding = true
        // While a SUBSCRIBE is out its response comes first.
        if dialog == nil, !isSending { return end(status: 0, reason: [], stack) }
        if !isSending { renew(stack, at: now) }
    }

    /// After a reconnect: the server may have forgotten us.
    func reconnected(_ stack: Stack, at now: Instant) {
        if !isSending, !isEnding { renew(stack, at: now) }
    }

    // MARK: Responses

    func handle(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard result.isFinal, result.request.callID.elementsEqual(callID) else { return }
        if stack.answerChallenge(result, cseq: cseq &+ 1, at: now) != nil {
            cseq &+= 1
            dialog?.noteSent(number: cseq)
            return
        }
        isSending = false
        if result.isSuccess { return accepted(result, stack, at: now) }
        if isEnding { return end(status: 0, reason: [], stack) }
        switch result.status {
        case 423 where (result.seconds(of: .minExpires) ?? 0) > expires:
            expires = result.seconds(of: .minExpires) ?? expires
            renew(stack, at: now)
        case 481 where dialog != nil:
            begin(stack, at: now)
        case let status where Renewal.mayPass(status):
            waitAndRenew(atLeast: result.seconds(of: .retryAfter), stack, at: now)
        default:
            end(status: result.status, reason: result.reason, stack)
        }
    }

    private func accepted(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard let response = result.response else { return }
        failures = 0
        if dialog == nil {
            do throws(SIPParseError) { dialog = try Dialog(request: result.request, response: response) } catch {}
            notifiedBy = now + Timers.standard.transactionTimeout
        } else {
            do throws(SIPParseError) { try dialog?.refreshTarget(from: response) } catch {}
        }
        guard !isEnding else {
            // Unsubscribed while the first SUBSCRIBE was out, or this is the answer to the last one.
            return result.request.value(of: .expires)?.elementsEqual([0x30]) == true
                ? end(status: 0, reason: [], stack) : renew(stack, at: now)
        }
        let granted: Int?
        do throws(SIPParseError) { granted = try response.expires() } catch { granted = nil }
        renewAt = Renewal.time(granted: granted ?? expires, &stack.random, at: now)
    }

    private func waitAndRenew(atLeast seconds: Int?, _ stack: Stack, at now: Instant) {
        renewAt = now + .seconds(Renewal.wait(after: failures, atLeast: seconds, &stack.random))
        failures += 1
    }

    // MARK: NOTIFY

    /// Whether a NOTIFY could be for this subscription: the dialog of the first one that came counts (RFC 6665 §4.1.4).
    func matches(_ dialog: Dialog.ID, _ message: SIPMessage) -> Bool {
        guard dialog.callID == callID, dialog.localTag == tag, message.parsedEvent?.package == event.package else {
            return false
        }
        return self.dialog.map { $0.id == dialog } ?? true
    }

    func receive(_ request: ServerRequest, _ stack: Stack, at now: Instant) {
        let message = request.message
        guard let state = message.parsedSubscriptionState else { return stack.reply(400, to: request, at: now) }
        if dialog == nil {
            do throws(SIPParseError) {
                dialog = try Dialog(received: message, localTag: tag, localCSeq: cseq)
            } catch { return stack.reply(400, to: request, at: now) }
        } else if dialog?.receive(message) != .inOrder {
            return stack.reply(500, to: request, at: now)
        }
        do throws(SIPParseError) { try dialog?.refreshTarget(from: message) } catch {}
        stack.reply(200, to: request, at: now)
        notifiedBy = nil
        let phase: SubscriptionPhase =
            switch state.state {
            case .terminated: .terminated
            case .pending: .pending
            case .active, .other: .active
            }
        let type = message.value(of: .contentType).map(Array.init) ?? []
        if !message.body.isEmpty || phase != .terminated {
            stack.emit(.notified(id: id, state: phase, contentType: type, body: Array(message.body)))
        }
        guard phase == .terminated else {
            if let seconds = state.expires, renewAt != nil, !isEnding {
                renewAt = Renewal.time(granted: seconds, &stack.random, at: now)
            }
            return
        }
        terminated(state, stack, at: now)
    }

    /// RFC 6665 §4.1.3: the reasons that ask to begin again, at once or later, and those that do not.
    private func terminated(_ state: SubscriptionState, _ stack: Stack, at now: Instant) {
        dialog = nil
        let reason = state.reason ?? []
        if isEnding || reason == [UInt8](ascii: "rejected") || reason == [UInt8](ascii: "noresource")
            || reason == [UInt8](ascii: "invariant")
        {
            return end(status: 0, reason: reason, stack)
        }
        guard !isSending else { return }
        if reason == [UInt8](ascii: "deactivated") || reason == [UInt8](ascii: "timeout"), failures == 0 {
            failures = 1
            return begin(stack, at: now)
        }
        waitAndRenew(atLeast: state.retryAfter, stack, at: now)
    }

    private func end(status: Int, reason: [UInt8], _ stack: Stack) {
        (isOver, renewAt, notifiedBy) = (true, nil, nil)
        stack.emit(.subscriptionEnded(id: id, status: status, reason: reason))
    }

    // MARK: Time

    var nextTimeout: Instant? { renewAt.orSooner(notifiedBy) }

    func handleTimeout(_ stack: Stack, at now: Instant) {
        if notifiedBy.isDue(at: now) {
            notifiedBy = nil
            dialog = nil
            return waitAndRenew(atLeast: nil, stack, at: now)
        }
        if renewAt.isDue(at: now) { renew(stack, at: now) }
    }
}

/// All subscriptions of ours.
final class Subscriptions: @unchecked Sendable {
    private var all: [Subscription] = []

    var count: Int { all.count }

    func subscribe(
        _ id: UInt32, to target: SIPURI, event: [UInt8], accept: [UInt8], expires: Int, _ stack: Stack,
        at now: Instant
    ) throws(CommandError) {
        guard !all.contains(where: { $0.id == id }) else { throw .badID }
        guard all.count < Limits.subscriptions else { throw .tooMany }
        guard expires > 0 else { throw .badValue }
        let package: EventHeader
        do throws(SIPParseError) { package = try EventHeader(parsing: event[...]) } catch { throw .badValue }
        let subscription = Subscription(
            id: id, target: target.asRequestURI, event: package, accept: accept, expires: expires)
        subscription.begin(stack, at: now)
        all.append(subscription)
    }

    func unsubscribe(_ id: UInt32, _ stack: Stack, at now: Instant) throws(CommandError) {
        guard let index = all.firstIndex(where: { $0.id == id }) else { throw .wrongState }
        all[index].unsubscribe(stack, at: now)
        sweep()
    }

    func reconnected(_ stack: Stack, at now: Instant) {
        for index in all.indices { all[index].reconnected(stack, at: now) }
    }

    func handle(_ result: ClientResult, _ id: UInt32, _ stack: Stack, at now: Instant) {
        guard let index = all.firstIndex(where: { $0.id == id }) else { return }
        all[index].handle(result, stack, at: now)
        sweep()
    }

    /// - Returns: false when the NOTIFY belongs to no subscription.
    func receive(_ request: ServerRequest, in dialog: Dialog.ID, _ stack: Stack, at now: Instant) -> Bool {
        guard let index = all.firstIndex(where: { $0.matches(dialog, request.message) }) else { return false }
        all[index].receive(request, stack, at: now)
        sweep()
        return true
    }

    var nextTimeout: Instant? {
        var soonest: Instant?
        for subscription in all { soonest = soonest.orSooner(subscription.nextTimeout) }
        return soonest
    }

    func handleTimeout(_ stack: Stack, at now: Instant) {
        for index in all.indices { all[index].handleTimeout(stack, at: now) }
        sweep()
    }

    private func sweep() { all.removeAll { $0.isOver } }
}
