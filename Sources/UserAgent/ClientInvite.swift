import Base
import SIP

/// The INVITE that begins a call of ours, until every response to it has come (RFC 3261 §13.2, §9.1).
struct ClientInvite: Sendable {
    /// How long we ring before we give up ourselves; a proxy usually does before (timer C, or Hearth's 45 s).
    static let patience = Duration.seconds(60)

    /// As last sent: challenges, redirections and 422 make it anew.
    private(set) var request: SIPMessage
    let offer: [UInt8]
    private(set) var giveUpAt: Instant?

    init(_ request: SIPMessage, offer: [UInt8], at now: Instant) {
        (self.request, self.offer) = (request, offer)
        giveUpAt = now + Self.patience
    }

    /// It has its final response, or is withdrawn.
    mutating func stopWaiting() { giveUpAt = nil }

    /// A refusal that names a remedy.
    ///
    /// - Returns: false when it does not, or the remedy was tried too often.
    mutating func remedy(_ result: ClientResult, _ stack: Stack, at now: Instant) -> Bool {
        let next = result.cseq &+ 1
        let again: SIPMessage? =
            switch result.status {
            case 401, 407: stack.answerChallenge(result, cseq: next, at: now)
            case 422: stack.retryWithLongerInterval(result, cseq: next, at: now)
            case 301, 302: redirect(result, cseq: next, stack, at: now)
            default: nil
            }
        guard let again else { return false }
        request = again
        return true
    }

    /// RFC 3261 §8.1.3.4: the first SIP address the callee names is tried in its place.
    private func redirect(
        _ result: ClientResult, cseq: UInt32, _ stack: Stack, at now: Instant
    ) -> SIPMessage? {
        let contacts: [NameAddress]
        do throws(SIPParseError) { contacts = try result.response?.contacts() ?? [] } catch { return nil }
        guard let target = contacts.first(where: { $0.uri.scheme == .sip || $0.uri.scheme == .sips }) else {
            return nil
        }
        let uri = target.uri.asRequestURI
        return stack.retry(result, cseq: cseq, at: now) { $0.setRequestURI(uri) }
    }

    /// Headers that the URI of a Refer-To wants in the request: Replaces alone is taken (RFC 3261 §19.1.5, RFC 3891 §4).
    static func replaces(in uri: SIPURI) -> Replaces? {
        var rest = uri.headers[...]
        while !rest.isEmpty {
            let header = rest.prefix { $0 != 0x26 }
            rest = rest.dropFirst(header.count + 1)
            let name = header.prefix { $0 != ASCII.equals }
            guard ASCII.equalIgnoringCase(name, [UInt8](ascii: "replaces")) else { continue }
            let value = Percent.decoded(header.dropFirst(name.count + 1))
            do throws(SIPParseError) { return try Replaces(parsing: value[...]) } catch { return nil }
        }
        return nil
    }
}
