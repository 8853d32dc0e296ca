import Base
import SIP

/// Headers and refusals that several parts of the phone send alike.
extension Stack {
    /// Contact and abilities in a request or 2xx that begins or refreshes a session (RFC 3261 §13.2.1, §13.3.1.4).
    func addSessionHeaders(
        _ message: inout MessageBuilder, isSecure: Bool, isRequest: Bool, reliably: Bool = false
    ) {
        message.add(.contact, identity.contact(isSecure: isSecure))
        message.add(.allow, bytes: Abilities.allow)
        message.add(.supported, bytes: Abilities.supported(configuration, reliably: reliably))
        if configuration.trickle != .off { message.add(.recvInfo, bytes: Abilities.infoPackage) }
        if !isRequest { addUserAgent(&message) }
    }

    /// 200 to OPTIONS (RFC 3261 §11.2).
    func describeAbilities(to request: ServerRequest, at now: Instant) {
        var response = response(200, to: request)
        addSessionHeaders(&response, isSecure: false, isRequest: false, reliably: true)
        response.add(.accept, bytes: Abilities.accept)
        send(response.finish(), to: request, at: now)
    }

    func refuseContent(of request: ServerRequest, at now: Instant) {
        var response = response(415, to: request)
        response.add(.accept, bytes: Abilities.accept)
        send(response.finish(), to: request, at: now)
    }

    func refuseInterval(of request: ServerRequest, at now: Instant) {
        var response = response(422, to: request)
        response.add(.minSE, number: SessionTimer.minimum)
        send(response.finish(), to: request, at: now)
    }
}
