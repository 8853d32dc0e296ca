import Base
import SIP

/// What is checked about every request before anybody acts on it (RFC 3261 §8.2).
enum RequestScreen {
    /// Answers a request that cannot be taken.
    ///
    /// - Returns: whether it may go on.
    static func admit(_ request: ServerRequest, _ stack: Stack, at now: Instant) -> Bool {
        let message = request.message
        do throws(SIPParseError) { try message.validate() } catch {
            let response = stack.response(error.status, error.reason, to: request)
            stack.send(response.finish(), to: request, at: now)
            return false
        }
        guard let method = message.method else { return false }
        guard Abilities.allows(method) else {
            refuse(method, request, stack, at: now)
            return false
        }
        // §8.2.2.1: any address that led here is ours; only the scheme can be wrong.
        guard !message.requestURIText.starts(with: [UInt8](ascii: "tel:")), isSIP(message) else {
            stack.reply(416, to: request, at: now)
            return false
        }
        guard message.body.count <= Limits.body else {
            stack.reply(413, to: request, at: now)
            return false
        }
        return admitExtensions(request, method, stack, at: now)
    }

    private static func isSIP(_ message: SIPMessage) -> Bool {
        do throws(SIPParseError) {
            let scheme = try message.requestURI.scheme
            return scheme == .sip || scheme == .sips
        } catch { return false }
    }

    /// §8.2.1: 405 with Allow, or 501 for a method of no RFC; events have words of their own (RFC 6665 §4.2.1).
    private static func refuse(
        _ method: SIPMethod, _ request: ServerRequest, _ stack: Stack, at now: Instant
    ) {
        let status: Int =
            switch method {
            case .other: 501
            case .subscribe, .publish: 489
            default: 405
            }
        var response = stack.response(status, to: request)
        response.add(.allow, bytes: Abilities.allow)
        if status == 489 { response.add(.allowEvents, "refer") }
        stack.send(response.finish(), to: request, at: now)
    }

    /// §8.2.2.3 and §8.2.3.
    private static func admitExtensions(
        _ request: ServerRequest, _ method: SIPMethod, _ stack: Stack, at now: Instant
    ) -> Bool {
        let message = request.message
        let unknown = method == .cancel ? [] : message.require.subtracting(Abilities.understood)
        if !unknown.isEmpty {
            var response = stack.response(420, to: request)
            response.add(.unsupported, list: unknown)
            stack.send(response.finish(), to: request, at: now)
            return false
        }
        if let encoding = message.value(of: .contentEncoding),
            !ASCII.equalIgnoringCase(encoding, [UInt8](ascii: "identity")), !message.body.isEmpty
        {
            var response = stack.response(415, to: request)
            response.add(.acceptEncoding, "identity")
            stack.send(response.finish(), to: request, at: now)
            return false
        }
        return true
    }
}
