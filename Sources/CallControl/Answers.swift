import Base
import SIP

/// Answers the server makes itself, without keeping a transaction for them: the same request gets the same answer again
/// (RFC 3261 §8.2.7). Their To tag is a hash of the request's identity for that reason.
extension CallController {
    mutating func answer(
        _ incoming: Incoming, _ status: Int, _ words: StaticString? = nil, because reason: RefusalReason? = nil,
        adding add: (inout MessageBuilder) -> Void = { _ in }
    ) {
        var builder = response(status, words, to: incoming)
        add(&builder)
        send(builder, to: incoming, because: reason, status: status)
    }

    /// §8.2.6.2, with the parts that `Incoming` has parsed already.
    func response(
        _ status: Int, _ words: StaticString? = nil, to incoming: Incoming, isIndexed: Bool = false
    ) -> MessageBuilder {
        let message = incoming.message
        var builder = MessageBuilder.response(status, words.map { [UInt8](ascii: $0) }, isIndexed: isIndexed)
        if let noted = incoming.notedVia {
            builder.add(.via, RawValue(noted))
            builder.copyRest(of: .via, from: message)
        } else {
            builder.copy(.via, from: message)
        }
        builder.copy(.from, from: message)
        if !incoming.hasToTag, status > 100, let to = message.value(of: .to) {
            builder.add(.to, TaggedValue(value: to, tag: answerHash(message)))
        } else {
            builder.copy(.to, from: message)
        }
        builder.copy(.callID, from: message)
        builder.copy(.cseq, from: message)
        if status == 100, message.contains(.timestamp) { builder.copy(.timestamp, from: message) }
        return builder
    }

    private mutating func send(
        _ builder: consuming MessageBuilder, to incoming: Incoming, because reason: RefusalReason?, status: Int
    ) {
        if !configuration.serverHeader.isEmpty { builder.add(.server, RawValue(configuration.serverHeader)) }
        if let reason {
            statistics.refusals &+= 1
            outputs.append(.event(.refused(status: status, reason: reason, flow: incoming.flow)))
        }
        latency.noteAnsweredAtOnce(incoming.method)
        outputs.append(.send(builder.finishBytes(), incoming.answerFlow))
    }

    /// 401 or 407 with a fresh challenge; the one answer strangers get, whatever they ask for.
    mutating func challenge(_ incoming: Incoming, isProxy: Bool, stale: Bool, at now: Instant) {
        statistics.challenges &+= 1
        var builder = response(isProxy ? 407 : 401, to: incoming)
        let header = isProxy ? HeaderName.proxyAuthenticate : .wwwAuthenticate
        authenticator.addChallenges(header, stale: stale, at: now, to: &builder)
        send(builder, to: incoming, because: nil, status: 0)
    }

    /// Refuses for now.
    mutating func refuse(
        _ incoming: Incoming, _ status: Int, _ words: StaticString, because reason: RefusalReason, retryAfter: Int
    ) {
        answer(incoming, status, words, because: reason) { $0.add(.retryAfter, number: retryAfter) }
    }

    /// A final response in place of the branches' own.
    func localAnswer(_ local: LocalResponse, to request: SIPMessage, on flow: Flow) -> SIPMessage {
        let words = local.reason.bytes
        var builder = MessageBuilder.response(
            local.status, words, to: request, tag: answerTag(request), source: flow.remote)
        if local.warning > 0 {
            builder.add(.warning, Warning(code: local.warning, agent: configuration.domain, message: words))
        }
        if !configuration.serverHeader.isEmpty { builder.add(.server, RawValue(configuration.serverHeader)) }
        return builder.finish()
    }

    func answerTag(_ request: SIPMessage) -> [UInt8] {
        var tag: [UInt8] = []
        tag.reserveCapacity(16)
        tag.appendHexadecimal(answerHash(request))
        return tag
    }

    private func answerHash(_ request: SIPMessage) -> UInt64 {
        var state = hash.begin(.tag)
        state.add(request.callID)
        state.add(request.value(of: .via) ?? [])
        return state.finish()
    }

    // MARK: Who is it

    /// Finds out who sent a request, or answers it.
    ///
    /// - Returns: the person and the label of her phone (empty for a page); nil when the request was answered.
    mutating func authenticate(
        _ incoming: Incoming, isProxy: Bool, at now: Instant
    ) -> (person: Int, phone: [UInt8])? {
        guard let found = identify(incoming, isProxy: isProxy, at: now) else { return nil }
        // Whoever proved who she is may not speak as somebody else.
        guard incoming.isFrom(location.people.elements[found.person].user),
            own.includes(incoming.fromHost, arrivedBy: incoming.flow)
        else {
            answer(incoming, 403, "From Is Not You", because: .wrongFrom)
            return nil
        }
        return found
    }

    private mutating func identify(
        _ incoming: Incoming, isProxy: Bool, at now: Instant
    ) -> (person: Int, phone: [UInt8])? {
        let pageUser = flows.user(of: incoming.flow)
        if !pageUser.isEmpty, let person = location.find(pageUser[...]) { return (person, []) }
        let verdict = authenticator.verify(
            incoming.message, incoming.method, header: isProxy ? .proxyAuthorization : .authorization,
            on: incoming.flow, location: location, at: now)
        switch verdict {
        case .person(let person, let phone):
            return (person, phone)
        case .challenge(let stale):
            challenge(incoming, isProxy: isProxy, stale: stale, at: now)
        case .failed(let user):
            statistics.authenticationFailures &+= 1
            outputs.append(.event(.authenticationFailed(user: user, flow: incoming.flow)))
            challenge(incoming, isProxy: isProxy, stale: false, at: now)
        case .wait(let seconds):
            refuse(incoming, 503, "Too Many Failures", because: .slowedDown, retryAfter: seconds)
        case .malformed:
            answer(incoming, 400, "Malformed Credentials", because: .malformed)
        }
        return nil
    }
}

/// A To with the tag of our answer.
private struct TaggedValue: HeaderValue {
    let value: ArraySlice<UInt8>
    /// Written as sixteen hexadecimal digits.
    let tag: UInt64

    func serialize(into out: inout [UInt8]) {
        out += value
        out.append(";tag=")
        out.appendHexadecimal(tag)
    }
}
