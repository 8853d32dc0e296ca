import Base
import SIP

/// MESSAGE (RFC 3428) and OPTIONS outside of dialogs: one request, one result.
enum PageMessages {
    /// Hands a MESSAGE to the page.
    static func event(of message: SIPMessage, call: CallID?) -> Event {
        var from: [UInt8] = []
        do throws(SIPParseError) { from = try message.from().uri.text } catch {}
        let type = message.value(of: .contentType).map(Array.init) ?? []
        return .message(
            fromURI: from, contentType: type, body: Array(message.body), sipCallID: Array(message.callID), call: call)
    }

    static func send(
        _ id: UInt32, to target: SIPURI, contentType: [UInt8], body: [UInt8], _ stack: Stack, at now: Instant
    ) {
        let request = begin(.message, to: target, stack)
        stack.begin(request.finish(contentType: contentType, body: body), for: .message(id), at: now)
    }

    static func ask(_ id: UInt32, to target: SIPURI, _ stack: Stack, at now: Instant) {
        var request = begin(.options, to: target, stack)
        request.add(.accept, bytes: Abilities.accept)
        stack.begin(request.finish(), for: .options(id), at: now)
    }

    private static func begin(_ method: SIPMethod, to target: SIPURI, _ stack: Stack) -> MessageBuilder {
        stack.request(
            method, to: NameAddress(uri: target.asRequestURI), tag: stack.random.token(length: 10),
            callID: stack.random.token(length: 20), cseq: 1)
    }

    /// A result of either.
    static func handle(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard result.isFinal, stack.answerChallenge(result, cseq: result.cseq &+ 1, at: now) == nil else { return }
        switch result.owner {
        case .message(let id): stack.emit(.messageResult(id: id, status: result.status, reason: result.reason))
        case .options(let id): stack.emit(.optionsResult(id: id, status: result.status, reason: result.reason))
        default: return
        }
    }
}

extension CallLeg {
    /// A MESSAGE inside of the call (RFC 3428 §4).
    func message(
        _ id: UInt32, contentType: [UInt8], body: [UInt8], _ stack: Stack, at now: Instant
    ) throws(CommandError) {
        guard ending == nil, isConfirmed else { throw .wrongState }
        let request = self.request(.message, stack)
        stack.begin(request.finish(contentType: contentType, body: body), for: owner(.message(id)), at: now)
    }
}
