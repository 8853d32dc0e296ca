import Base
import SIP

/// What every part of the phone works with: who we are, the transactions, and the way out.
final class Stack: @unchecked Sendable {
    let configuration: Configuration
    let identity: Identity
    var random: RandomSource
    private(set) var isConnected = false
    /// nil without a password: then a challenge is a refusal.
    private var digest: DigestClient?
    private var transactions = TransactionTable()
    private var outputs = OutputQueue<UserAgent.Output>()
    private var results = OutputQueue<ClientResult>()

    init(_ configuration: Configuration, random: RandomSource) throws(CommandError) {
        (self.configuration, self.random) = (configuration, random)
        identity = try Identity(configuration)
        if let password = configuration.password {
            digest = DigestClient(userName: identity.authUser, password: password)
        }
    }

    // MARK: Out

    func emit(_ event: Event) { outputs.append(.event(event)) }

    func pollOutput() -> UserAgent.Output? { outputs.popFirst() }

    /// The next response, or end without one, for the owner of its request.
    func pollResult() -> ClientResult? { results.popFirst() }

    /// Sends one message now, without a transaction: ACK of a 2xx and copies of responses. Lost while there is no flow.
    func transmit(_ message: SIPMessage) { transmit(message.bytes) }

    private func transmit(_ bytes: [UInt8]) {
        if isConnected { outputs.append(.send(bytes)) }
    }

    // MARK: The flow

    /// What waits for a response is sent again over the new flow, in its old transaction: whether the old flow lost the
    /// request or the response, the answer comes now.
    func connected() {
        let isNew = !isConnected
        isConnected = true
        guard isNew else { return }
        for client in transactions.clients where client.isPending { transmit(client.request) }
    }

    func disconnected() { isConnected = false }

    // MARK: Our requests

    func via() -> Via {
        let branch = Via.magicCookie + random.token(length: 16)
        var via = Via(
            transport: configuration.transport, host: identity.sentBy.host, port: identity.sentBy.port, branch: branch)
        // RFC 3581 §3: over UDP the answer shall find its way back through a NAT.
        if configuration.transport == .udp { via.parameters.append("rport") }
        return via
    }

    /// The beginning of a request outside of a dialog (RFC 3261 §8.1.1).
    ///
    /// - Parameters:
    ///   - uri: the Request-URI, when it is not the address in To.
    ///   - routed: by Service-Route; REGISTER is not (RFC 3608 §5).
    func request(
        _ method: SIPMethod, to: NameAddress, uri: SIPURI? = nil, tag: [UInt8], callID: [UInt8], cseq: UInt32,
        routed: Bool = true
    ) -> MessageBuilder {
        var request = MessageBuilder.request(method, uri ?? to.uri)
        request.add(.via, via())
        if routed { for route in identity.routes { request.add(.route, bytes: route) } }
        request.add(.maxForwards, number: SIPMessage.initialMaxForwards)
        request.add(.from, NameAddress(displayName: configuration.displayName, uri: identity.aor, tag: tag))
        request.add(.to, to)
        request.add(.callID, bytes: callID)
        request.add(.cseq, CSeq(number: cseq, method: method))
        addUserAgent(&request)
        return request
    }

    func addUserAgent(_ request: inout MessageBuilder) {
        if !configuration.userAgentHeader.isEmpty { request.add(.userAgent, bytes: configuration.userAgentHeader) }
    }

    /// Sends a request in a transaction of its own. Its result comes by `pollResult`, also when it cannot begin.
    ///
    /// - Returns: the request as it was sent, with credentials where the server has asked for some before.
    @discardableResult
    func begin(
        _ request: SIPMessage, for owner: Owner, attempts: Int = 0, at now: Instant
    ) -> SIPMessage {
        // CANCEL cannot be challenged (RFC 3261 §22.1).
        let request = request.method == .cancel ? request : digest?.authorize(request) ?? request
        guard !transactions.isFull,
            let transaction = ClientTransaction(
                request, owner: owner, attempts: attempts, reliable: configuration.transport.isReliable, at: now)
        else {
            results.append(
                ClientResult(owner: owner, request: request, response: nil, status: 503, attempts: attempts))
            return request
        }
        transactions.add(transaction)
        transmit(request)
        return request
    }

    /// Sends a refused request again, with changes and a new number (RFC 3261 §8.1.3.5, §22.2).
    ///
    /// - Returns: the request as it was sent, or nil when it was sent too often already.
    func retry(
        _ result: ClientResult, cseq: UInt32, at now: Instant, changing change: (inout MessageEdit) -> Void
    ) -> SIPMessage? {
        guard result.attempts < Limits.attempts, let method = result.request.method else { return nil }
        var edit = MessageEdit(result.request)
        edit.replaceFirst(.via, with: via())
        edit.set(.cseq, CSeq(number: cseq, method: method))
        change(&edit)
        return begin(edit.finish(), for: result.owner, attempts: result.attempts + 1, at: now)
    }

    /// Answers a 401 or 407 (RFC 3261 §22.2).
    ///
    /// - Returns: the request with credentials, now under way; nil when the result is no challenge or cannot be answered.
    func answerChallenge(_ result: ClientResult, cseq: UInt32, at now: Instant) -> SIPMessage? {
        guard result.status == 401 || result.status == 407, let response = result.response else { return nil }
        var refused = result.request
        if result.attempts == 0 {
            // Credentials that were sent before anybody asked may belong to a nonce the server has forgotten.
            var edit = MessageEdit(refused)
            edit.remove(.authorization)
            edit.remove(.proxyAuthorization)
            refused = edit.finish()
        }
        guard digest?.accept(response, for: refused, random: &random) == .retry else { return nil }
        return retry(result, cseq: cseq, at: now) { _ in }
    }

    /// Answers a 422: asks again with the interval it wants (RFC 4028 §7.3).
    func retryWithLongerInterval(_ result: ClientResult, cseq: UInt32, at now: Instant) -> SIPMessage? {
        guard result.status == 422, let minimum = result.seconds(of: .minSE), minimum <= SessionTimer.maximum else {
            return nil
        }
        return retry(result, cseq: cseq, at: now) { edit in
            edit.set(.sessionExpires, SessionExpires(seconds: minimum))
            edit.set(.minSE, number: minimum)
        }
    }

    func abandon(_ owner: Owner) { transactions.abandon(owner) }

    func isUnderWay(_ owner: Owner) -> Bool { transactions.has(owner) }

    /// Withdraws an INVITE, now or as soon as its first provisional response is here (RFC 3261 §9.1).
    func cancel(_ owner: Owner, at now: Instant) {
        if let cancel = transactions.cancel(owner, at: now) { begin(cancel, for: .nobody, at: now) }
    }

    /// A response came. One that belongs to no transaction is dropped (RFC 3261 §18.1.2).
    func receive(response: SIPMessage, at now: Instant) {
        // §8.1.3.3: more Vias than ours mean that it went astray.
        guard let status = response.status, response.values(of: .via).count == 1,
            let (transaction, action) = transactions.receive(response, at: now)
        else {
            return
        }
        act(on: action, of: transaction, status: status, response, at: now)
    }

    private func act(
        on action: ClientTransaction.Action, of transaction: ClientTransaction, status: Int, _ response: SIPMessage?,
        at now: Instant
    ) {
        switch action {
        case .none: return
        case .send(let bytes): return transmit(bytes)
        case .deliver, .timedOut: break
        case .deliverAndAcknowledge(let ack): transmit(ack)
        case .deliverAndCancel:
            if let cancel = transaction.makeCancel() { begin(cancel, for: .nobody, at: now) }
        }
        results.append(
            ClientResult(
                owner: transaction.owner, request: transaction.request, response: response, status: status,
                attempts: transaction.attempts))
    }

    // MARK: The peers' requests

    /// What is left to do about a request once the transactions have seen it.
    enum Arrival {
        /// A copy, an ACK of a refusal, or one too many.
        case handled
        case request(ServerRequest)
        case merged(ServerRequest)
        case acknowledgement
        /// CANCEL, and the INVITE it is about, if that is still known.
        case cancel(ServerRequest, invite: UInt32?)
    }

    func receive(request: SIPMessage, at now: Instant) -> Arrival {
        guard let key = TransactionKey(request: request) else { return .handled }
        if request.method == .ack {
            guard let action = transactions.acknowledge(key, at: now) else { return .acknowledgement }
            if case .deliver = action { return .acknowledgement }
            return .handled
        }
        if let known = transactions.server(key) {
            if case .send(let bytes) = known.receiveRetransmission() { transmit(bytes) }
            return .handled
        }
        guard !transactions.isFull else {
            transmit(MessageBuilder.response(503, to: request, tag: random.token(length: 10)).finish())
            return .handled
        }
        let isMerged = request.method != .cancel && transactions.isMerged(request)
        // Answers to requests other than INVITE are kept even where the transport loses nothing: a server whose flow to us
        // broke asks again over the next one.
        let reliable = request.method == .invite && configuration.transport.isReliable
        let number = transactions.add(request, key: key, reliable: reliable)
        let arrived = ServerRequest(transaction: number, message: request)
        if request.method == .cancel {
            return .cancel(arrived, invite: transactions.server(key.cancelled)?.number)
        }
        return isMerged ? .merged(arrived) : .request(arrived)
    }

    /// The beginning of a response. The To tag is `tag`, or one nobody will hear of again.
    func response(
        _ status: Int, _ reason: [UInt8]? = nil, to request: ServerRequest, tag: [UInt8]? = nil
    ) -> MessageBuilder {
        MessageBuilder.response(status, reason, to: request.message, tag: tag ?? random.token(length: 10))
    }

    func send(_ response: SIPMessage, to request: ServerRequest, at now: Instant) {
        if case .send(let bytes) = transactions.respond(response, in: request.transaction, at: now) { transmit(bytes) }
    }

    /// A response without anything special.
    func reply(_ status: Int, to request: ServerRequest, tag: [UInt8]? = nil, at now: Instant) {
        send(response(status, to: request, tag: tag).finish(), to: request, at: now)
    }

    // MARK: Time

    var nextTimeout: Instant? { transactions.nextTimeout }

    var transactionCount: Int { transactions.clients.count + transactions.servers.count }

    func handleTimeout(at now: Instant) {
        while let (transaction, action) = transactions.nextDueClient(at: now) {
            act(on: action, of: transaction, status: 408, nil, at: now)
        }
        while let action = transactions.nextDueServer(at: now) {
            if case .send(let bytes) = action { transmit(bytes) }
        }
    }
}

extension ClientResult {
    /// Seconds of Min-Expires, Retry-After or Min-SE in the response.
    func seconds(of name: HeaderName) -> Int? {
        guard let text = response?.value(of: name) else { return nil }
        return DeltaSeconds.parse(text.prefix(while: ASCII.isDigit))
    }
}
