import Base
import SIP

/// INFO: trickled candidates (RFC 8840), keys of the keypad (application/dtmf-relay), and what the page wants.
extension CallLeg {
    // MARK: Ours

    func candidates(_ fragment: [UInt8], _ stack: Stack, at now: Instant) {
        trickle.put(fragment)
        sendCandidates(stack, at: now)
    }

    /// RFC 8840 §4.3.1: only when the peer surely has the dialog: it sent a response of it, or the ACK of our 2xx.
    func sendCandidates(_ stack: Stack, at now: Instant) {
        guard ending == nil, peer.takesCandidates, accepted == nil, isCaller || isConfirmed,
            stack.configuration.trickle != .off, let fragment = trickle.take()
        else { return }
        var request = self.request(.info, stack)
        request.add(.infoPackage, bytes: Abilities.infoPackage)
        request.add(.contentDisposition, "Info-Package")
        stack.begin(
            request.finish(contentType: Abilities.candidates, body: fragment), for: owner(.trickle), at: now)
    }

    func handleCandidates(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard ending != nil || !answerChallenge(result, stack, at: now) else { return }
        trickle.finished(success: result.isSuccess)
        handleInfo(result, stack, at: now)
        sendCandidates(stack, at: now)
    }

    func info(
        contentType: [UInt8], body: [UInt8], _ stack: Stack, at now: Instant
    ) throws(CommandError) {
        guard ending == nil, isConfirmed else { throw .wrongState }
        let request = self.request(.info, stack)
        stack.begin(request.finish(contentType: contentType, body: body), for: owner(.info), at: now)
    }

    func dtmf(
        signal: UInt8, milliseconds: Int, _ stack: Stack, at now: Instant
    ) throws(CommandError) {
        guard DTMFRelay.isSignal(signal), milliseconds > 0, milliseconds <= DTMFRelay.longest else { throw .badValue }
        let body = DTMFRelay(signal: signal, milliseconds: milliseconds).bytes
        try info(contentType: DTMFRelay.contentType, body: body, stack, at: now)
    }

    /// A response to INFO or MESSAGE. Only "no such dialog" says something about the call (RFC 6086 §4.2.2).
    func handleInfo(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard result.status == 481, isConfirmed else { return }
        lost(status: 481, reason: result.reason, stack, at: now)
    }

    // MARK: The peer's

    func receiveInfo(_ request: ServerRequest, _ stack: Stack, at now: Instant) {
        let message = request.message
        if let package = message.value(of: .infoPackage) {
            guard ASCII.equalIgnoringCase(package, Abilities.infoPackage), stack.configuration.trickle != .off else {
                // RFC 6086 §4.2.2.
                var response = stack.response(469, to: request)
                if stack.configuration.trickle != .off { response.add(.recvInfo, bytes: Abilities.infoPackage) }
                return stack.send(response.finish(), to: request, at: now)
            }
            guard message.contentType == Abilities.candidates else { return stack.refuseContent(of: request, at: now) }
            stack.reply(200, to: request, at: now)
            return stack.emit(.candidates(call, fragment: Array(message.body)))
        }
        stack.reply(200, to: request, at: now)
        guard let type = message.contentType else { return }
        if let key = DTMFRelay(contentType: type, body: message.body) {
            stack.emit(.dtmf(call, signal: key.signal, milliseconds: key.milliseconds))
        } else {
            stack.emit(.info(call, contentType: type, body: Array(message.body)))
        }
    }
}
