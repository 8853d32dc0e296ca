import Base
import SIP

/// Our binding at the registrar (RFC 3261 §10.2, RFC 5626 §4.2, RFC 5627 §4.2), kept alive while the flow is up.
///
/// ```
/// idle ──connected, register──► registering ──2xx──► registered ──refresh due──► registering
///   ▲                             │   ▲                   │
///   │ disconnected                │   └──due── waiting ◄──┴─ failure that may pass
///   └── unregistering ◄─unregister┴──► idle (failure that will not pass by itself)
/// ```
final class Registration: @unchecked Sendable {
    private enum State: Equatable {
        case idle, registering, registered, waiting, unregistering
    }

    /// The one flow of this device (RFC 5626 §4.2).
    private static let regID = 1

    private let callID: [UInt8]
    private let tag: [UInt8]
    private var cseq = UInt32(0)
    private var state = State.idle
    /// Whether the page wants to be registered at all: from the first `connected` until `unregister`.
    private var isWanted = true
    private var expires: Int
    private var usesOutbound = true
    private var failures = 0
    /// When to refresh or to try again.
    private(set) var nextTimeout: Instant?

    init(expires: Int, random: inout RandomSource) {
        (callID, tag) = (random.token(length: 20), random.token(length: 10))
        self.expires = max(0, expires)
    }

    // MARK: Inputs

    func connected(_ stack: Stack, at now: Instant) {
        failures = 0
        if isWanted { register(stack, at: now) }
    }

    func disconnected(_ stack: Stack) {
        stack.abandon(.registration)
        (state, nextTimeout) = (.idle, nil)
    }

    func register(_ stack: Stack, at now: Instant) {
        isWanted = true
        guard stack.isConnected, state != .registering else { return }
        send(expires: expires, .registering, stack, at: now)
    }

    func unregister(_ stack: Stack, at now: Instant) {
        isWanted = false
        guard stack.isConnected, state != .idle else { return stack.emit(.unregistered) }
        send(expires: 0, .unregistering, stack, at: now)
    }

    func handleTimeout(_ stack: Stack, at now: Instant) {
        guard let due = nextTimeout, now >= due else { return }
        send(expires: expires, .registering, stack, at: now)
    }

    func handle(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard result.isFinal else { return }
        if stack.answerChallenge(result, cseq: cseq + 1, at: now) != nil {
            cseq += 1
        } else if state == .unregistering {
            (state, nextTimeout) = (.idle, nil)
            stack.emit(.unregistered)
        } else if result.isSuccess {
            succeeded(result, stack, at: now)
        } else if !remedied(result, stack, at: now) {
            failed(result, stack, at: now)
        }
    }

    // MARK: Sending

    private func send(expires: Int, _ next: State, _ stack: Stack, at now: Instant) {
        stack.abandon(.registration)
        (state, nextTimeout) = (next, nil)
        cseq += 1
        let identity = stack.identity
        let end = NameAddress(uri: identity.aor)
        var request = stack.request(
            .register, to: end, uri: identity.registrar, tag: tag, callID: callID, cseq: cseq, routed: false)
        var contact = NameAddress(uri: identity.contactURI)
        var options = [UInt8](ascii: "path")
        if !stack.configuration.instanceID.isEmpty {
            contact.setInstanceID(stack.configuration.instanceID)
            if usesOutbound { contact.parameters.append("reg-id", number: Self.regID) }
            options += [UInt8](ascii: usesOutbound ? ", outbound, gruu" : ", gruu")
        }
        contact.parameters.append("expires", number: expires)
        request.add(.contact, contact)
        request.add(.expires, number: expires)
        request.add(.supported, bytes: options)
        request.add(.allow, bytes: Abilities.allow)
        stack.begin(request.finish(), for: .registration, at: now)
    }

    // MARK: Responses

    private func succeeded(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard let response = result.response else { return }
        let contact = binding(in: response, stack)
        let granted = contact?.expires ?? headerExpires(response) ?? expires
        stack.identity.learn(
            gruu: contact?.publicGRUU,
            serviceRoute: response.values(of: .serviceRoute).prefix(Limits.routes).map(Array.init))
        (state, failures) = (.registered, 0)
        nextTimeout = Renewal.time(granted: granted, &stack.random, at: now)
        stack.emit(.registered(expires: granted))
    }

    /// Our own line among all bindings of the address of record: by instance, or by address.
    private func binding(in response: SIPMessage, _ stack: Stack) -> NameAddress? {
        let contacts: [NameAddress]
        do throws(SIPParseError) { contacts = try response.contacts() } catch { return nil }
        let instance = stack.configuration.instanceID
        // The registrar repeats what we sent: equal text is enough, and spares the rules of URI equality.
        let uri = stack.identity.contactURI.text
        var byAddress: NameAddress?
        for contact in contacts {
            if !instance.isEmpty, let other = contact.instanceID, ASCII.equalIgnoringCase(other, instance) {
                return contact
            }
            if contact.uri.text == uri { byAddress = contact }
        }
        return byAddress
    }

    private func headerExpires(_ response: SIPMessage) -> Int? {
        do throws(SIPParseError) { return try response.expires() } catch { return nil }
    }

    /// Refusals that say what to do instead.
    private func remedied(_ result: ClientResult, _ stack: Stack, at now: Instant) -> Bool {
        switch result.status {
        case 423:
            // RFC 3261 §10.2.8.
            guard let minimum = result.seconds(of: .minExpires), minimum > expires else { return false }
            expires = minimum
        case 420, 439:
            // RFC 5626 §6: the edge cannot keep flows; an ordinary binding is better than none.
            guard usesOutbound else { return false }
            usesOutbound = false
        default:
            return false
        }
        send(expires: expires, .registering, stack, at: now)
        return true
    }

    private func failed(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        let mayPass = Renewal.mayPass(result.status)
        var wait = 0
        if mayPass {
            wait = Renewal.wait(after: failures, atLeast: result.seconds(of: .retryAfter), &stack.random)
            failures += 1
        }
        (state, nextTimeout) = mayPass ? (.waiting, now + .seconds(wait)) : (.idle, nil)
        stack.emit(.registrationFailed(status: result.status, reason: result.reason, retryAfter: wait))
    }
}
