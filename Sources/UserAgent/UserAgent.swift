import Base
import SIP

/// A complete SIP phone without sockets (RFC 3261 user agent): messages, commands and time in; messages and events out.
///
/// The coordinator: it finds out whom an input is for and passes it on. Rules live in `Registration`, `Calls`,
/// `Subscriptions`, `Publications` and `PageMessages`; `Stack` has the transactions and the way out.
///
/// A handle: its parts, and each call, leg, subscription and transaction, are objects, because copying such large values
/// from place to place made a fifth of the browser's code. A copy is the same phone, which belongs to one owner and is used
/// from one thread at a time, as any core is (hence `@unchecked` where its parts say Sendable).
package struct UserAgent: Sendable {
    package enum Output: Equatable, Sendable {
        /// One whole message for the server.
        case send([UInt8])
        case event(Event)
    }

    private let stack: Stack
    private let registration: Registration
    private let calls = Calls()
    private let subscriptions = Subscriptions()
    private let publications = Publications()

    /// - Throws: `.badURI` or `.badValue` for a configuration that cannot work.
    package init(configuration: Configuration, random: RandomSource, at now: Instant) throws(CommandError) {
        stack = try Stack(configuration, random: random)
        registration = Registration(expires: configuration.expires, random: &stack.random)
    }

    // MARK: The flow

    /// The flow to the server is up: registers; after a reconnect also sends again what waits for an answer.
    package mutating func connected(at now: Instant) {
        let isNew = !stack.isConnected
        registration.disconnected(stack)
        stack.connected()
        registration.connected(stack, at: now)
        if isNew {
            subscriptions.reconnected(stack, at: now)
            publications.reconnected(stack, at: now)
        }
        settle(at: now)
    }

    /// The flow is gone. Calls, subscriptions and publications stay; what they send waits for the next flow.
    package mutating func disconnected(at now: Instant) {
        stack.disconnected()
        registration.disconnected(stack)
    }

    // MARK: Messages

    /// One whole message from the server.
    package mutating func receive(_ bytes: [UInt8], at now: Instant) {
        do throws(SIPParseError) {
            let message = try SIPMessage(parsing: bytes)
            if message.isRequest {
                receive(request: message, at: now)
            } else {
                stack.receive(response: message, at: now)
            }
        } catch {
            stack.emit(.log(.debug, text: [UInt8](ascii: "unreadable message: ") + error.reason))
            if let refusal = SIPMessage.refusal(of: bytes, because: error) { stack.transmit(refusal) }
        }
        settle(at: now)
    }

    private mutating func receive(request message: SIPMessage, at now: Instant) {
        switch stack.receive(request: message, at: now) {
        case .handled: return
        case .acknowledgement: calls.acknowledge(message, stack, at: now)
        case .cancel(let request, let invite):
            let tag = invite.flatMap { calls.cancelled(transaction: $0, by: message, stack, at: now) }
            stack.reply(invite == nil ? 481 : 200, to: request, tag: tag, at: now)
        case .merged(let request): stack.reply(482, to: request, at: now)
        case .request(let request):
            guard RequestScreen.admit(request, stack, at: now) else { return }
            deliver(request, at: now)
        }
    }

    private mutating func deliver(_ request: ServerRequest, at now: Instant) {
        if let dialog = Dialog.ID(received: request.message) {
            if request.message.method == .notify, subscriptions.receive(request, in: dialog, stack, at: now) { return }
            if !calls.receive(request, in: dialog, stack, at: now) { stack.reply(481, to: request, at: now) }
            return
        }
        switch request.message.method {
        case .invite: calls.invited(request, stack, at: now)
        case .options: stack.describeAbilities(to: request, at: now)
        case .message:
            stack.reply(200, to: request, at: now)
            stack.emit(PageMessages.event(of: request.message, call: nil))
        // Transfers are taken from people we are talking to.
        case .refer: stack.reply(403, to: request, at: now)
        default: stack.reply(481, to: request, at: now)
        }
    }

    // MARK: Commands

    /// - Throws: why nothing was done.
    package mutating func perform(_ command: Command, at now: Instant) throws(CommandError) {
        defer { settle(at: now) }
        switch command {
        case .register: registration.register(stack, at: now)
        case .unregister: registration.unregister(stack, at: now)
        case .call(let id, let to, let offer, let replaces):
            var replacement: Replaces?
            if let replaces { replacement = try calls.replacement(of: replaces) }
            try calls.call(id, to: try uri(to), offer: offer, replaces: replacement, stack, at: now)
        case .answer(let id, let sdp): try calls.perform(.answer(sdp), id, stack, at: now)
        case .reject(let id, let status): try calls.perform(.reject(status), id, stack, at: now)
        case .hangUp(let id): try calls.perform(.hangUp, id, stack, at: now)
        case .offer(let id, let sdp): try calls.perform(.offer(sdp), id, stack, at: now)
        case .answerOffer(let id, let sdp): try calls.perform(.answerOffer(sdp), id, stack, at: now)
        case .rejectOffer(let id, let status): try calls.perform(.rejectOffer(status), id, stack, at: now)
        case .candidates(let id, let fragment):
            try calls.perform(.candidates(try bounded(fragment)), id, stack, at: now)
        case .transfer(let id, let to):
            try calls.perform(.transfer(NameAddress(uri: try uri(to))), id, stack, at: now)
        case .transferTo(let id, let other): try calls.transfer(id, toPeerOf: other, stack, at: now)
        case .acceptTransfer(let id, let new, let offer):
            try calls.acceptTransfer(id, new: new, offer: offer, stack, at: now)
        case .rejectTransfer(let id, let status): try calls.perform(.rejectTransfer(status), id, stack, at: now)
        case .dtmf(let id, let signal, let milliseconds):
            try calls.perform(.dtmf(signal, milliseconds), id, stack, at: now)
        case .info(let id, let type, let body):
            try calls.perform(.info(contentType: try media(type), body: try bounded(body)), id, stack, at: now)
        case .callMessage(let message, let id, let type, let body):
            try calls.perform(
                .message(message, contentType: try media(type), body: try bounded(body)), id, stack, at: now)
        case .message(let id, let to, let type, let body):
            PageMessages.send(
                id, to: try uri(to), contentType: try media(type), body: try bounded(body), stack, at: now)
        case .options(let id, let to): PageMessages.ask(id, to: try uri(to), stack, at: now)
        case .subscribe(let id, let to, let event, let accept, let expires):
            try subscriptions.subscribe(
                id, to: try uri(to), event: event, accept: accept, expires: expires, stack, at: now)
        case .unsubscribe(let id): try subscriptions.unsubscribe(id, stack, at: now)
        case .publish(let id, let event, let type, let body, let expires):
            let type = expires > 0 ? try media(type) : []
            try publications.publish(
                id, event: event, contentType: type, body: try bounded(body), expires: expires, stack, at: now)
        }
    }

    private func uri(_ text: [UInt8]) throws(CommandError) -> SIPURI {
        do throws(SIPParseError) { return try SIPURI(parsing: text) } catch { throw .badURI }
    }

    private func bounded(_ body: [UInt8]) throws(CommandError) -> [UInt8] {
        guard body.count <= Limits.body else { throw .tooLarge }
        return body
    }

    private func media(_ type: [UInt8]) throws(CommandError) -> [UInt8] {
        guard MediaType(parsing: type[...]) != nil else { throw .badValue }
        return type
    }

    // MARK: What is held

    /// Calls with their legs, those too that are over but may still have to answer something.
    package var callCount: Int { calls.count }
    package var transactionCount: Int { stack.transactionCount }
    package var subscriptionCount: Int { subscriptions.count }

    // MARK: Time and outputs

    package var nextTimeout: Instant? {
        stack.nextTimeout.orSooner(registration.nextTimeout).orSooner(calls.nextTimeout)
            .orSooner(subscriptions.nextTimeout).orSooner(publications.nextTimeout)
    }

    package mutating func handleTimeout(at now: Instant) {
        stack.handleTimeout(at: now)
        settle(at: now)
        registration.handleTimeout(stack, at: now)
        calls.handleTimeout(stack, at: now)
        subscriptions.handleTimeout(stack, at: now)
        publications.handleTimeout(stack, at: now)
        settle(at: now)
    }

    package mutating func pollOutput() -> Output? { stack.pollOutput() }

    /// Hands responses to whose requests they answer.
    private mutating func settle(at now: Instant) {
        while let result = stack.pollResult() {
            switch result.owner {
            case .registration: registration.handle(result, stack, at: now)
            case .invite(let id): calls.handleInvite(result, id, stack, at: now)
            case .leg(let id, let leg, let purpose):
                calls.handle(result, id, leg: leg, purpose, stack, at: now)
            case .subscription(let id): subscriptions.handle(result, id, stack, at: now)
            case .publication(let number): publications.handle(result, number, stack, at: now)
            case .message, .options: PageMessages.handle(result, stack, at: now)
            case .nobody: break
            }
        }
        calls.sweep(stack)
    }
}
