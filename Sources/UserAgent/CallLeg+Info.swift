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
        request.add(.infoPackage, Abilities.infoPackage)
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
        guard DTMFRelay.isSignal(signal), (1...6000).contains(milliseconds) else { throw .badValue }
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
                if stack.configuration.trickle != .off { response.add(.recvInfo, Abilities.infoPackage) }
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

/// One key as `Signal=5` and `Duration=160`: the body that nearly all phones and gateways understand, though no RFC has it.
struct DTMFRelay: Equatable, Sendable {
    static var contentType: [UInt8] { [UInt8](ascii: "application/dtmf-relay") }

    let signal: UInt8
    let milliseconds: Int

    init(signal: UInt8, milliseconds: Int) { (self.signal, self.milliseconds) = (signal, milliseconds) }

    /// - Returns: nil when the type is another, or no known key is named. `application/dtmf` is the key alone.
    init?(contentType: [UInt8], body: ArraySlice<UInt8>) {
        var signal: UInt8?
        var milliseconds = 250
        if contentType == [UInt8](ascii: "application/dtmf") {
            signal = body.first { $0 > ASCII.space }
        } else {
            guard contentType == Self.contentType else { return nil }
            for line in body.split(whereSeparator: { $0 == ASCII.carriageReturn || $0 == ASCII.lineFeed }) {
                let parts = line.split(separator: ASCII.equals, maxSplits: 1)
                guard parts.count == 2 else { continue }
                let (name, value) = (parts[0].filter { $0 > ASCII.space }, parts[1].filter { $0 > ASCII.space })
                if ASCII.equalIgnoringCase(name, [UInt8](ascii: "signal")) { signal = value.first }
                if ASCII.equalIgnoringCase(name, [UInt8](ascii: "duration")) {
                    milliseconds = min(ASCII.decimal(value) ?? milliseconds, 6000)
                }
            }
        }
        guard let signal, Self.isSignal(signal) else { return nil }
        self.init(signal: ASCII.isLetter(signal) ? signal & 0xdf : signal, milliseconds: milliseconds)
    }

    static func isSignal(_ byte: UInt8) -> Bool {
        ASCII.isDigit(byte) || byte == 0x2a || byte == 0x23 || (byte & 0xdf) &- 0x41 < 4
    }

    var bytes: [UInt8] {
        var out = [UInt8](ascii: "Signal=")
        out.append(signal)
        out.append("\r\nDuration=")
        out.appendDecimal(max(0, milliseconds))
        out.append("\r\n")
        return out
    }
}
