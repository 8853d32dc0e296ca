import Base
import SIP

/// Our state of one event package at its server (RFC 3903 §4), renewed by entity tag while it lasts.
final class Publication: @unchecked Sendable {
    let event: EventHeader
    /// Its place in `Owner`.
    let number: UInt32
    private var id: UInt32
    private var contentType: [UInt8]
    private var body: [UInt8]
    private var expires: Int
    private var callID: [UInt8]
    private var tag: [UInt8]
    private var cseq = UInt32(0)
    /// SIP-ETag of what the server holds.
    private var entityTag: [UInt8]?
    /// The server does not have `body` yet.
    private var isChanged = true
    private var isSending = false
    private var failures = 0
    private(set) var nextTimeout: Instant?
    private(set) var isOver = false

    init(number: UInt32, event: EventHeader, _ stack: Stack) {
        (self.number, self.event) = (number, event)
        (id, contentType, body, expires) = (0, [], [], 0)
        (callID, tag) = (stack.random.token(length: 20), stack.random.token(length: 10))
    }

    /// Publishes this instead; one PUBLISH at a time is out (RFC 3903 §4).
    func publish(
        _ id: UInt32, contentType: [UInt8], body: [UInt8], expires: Int, _ stack: Stack, at now: Instant
    ) {
        (self.id, self.contentType, self.body, self.expires, isChanged) = (id, contentType, body, expires, true)
        if !isSending { send(stack, at: now) }
    }

    func reconnected(_ stack: Stack, at now: Instant) {
        if !isSending { send(stack, at: now) }
    }

    private func send(_ stack: Stack, at now: Instant) {
        (isSending, nextTimeout) = (true, nil)
        cseq &+= 1
        let to = NameAddress(uri: stack.identity.aor)
        var request = stack.request(.publish, to: to, tag: tag, callID: callID, cseq: cseq)
        request.add(.event, event)
        request.add(.expires, number: expires)
        if let entityTag { request.add(.sipIfMatch, bytes: entityTag) }
        // A refresh or removal has no body (RFC 3903 §4.1, table 1).
        let carries = (isChanged || entityTag == nil) && expires > 0
        isChanged = false
        let message = carries ? request.finish(contentType: contentType, body: body) : request.finish()
        stack.begin(message, for: .publication(number), at: now)
    }

    func handle(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard result.isFinal else { return }
        if stack.answerChallenge(result, cseq: cseq &+ 1, at: now) != nil {
            cseq &+= 1
            return
        }
        isSending = false
        if result.isSuccess { return accepted(result, stack, at: now) }
        switch result.status {
        case 412 where entityTag != nil:
            // The server lost or replaced it: publish anew (RFC 3903 §4.1).
            entityTag = nil
            send(stack, at: now)
        case 423 where (result.seconds(of: .minExpires) ?? 0) > expires && expires > 0:
            expires = result.seconds(of: .minExpires) ?? expires
            isChanged = true
            send(stack, at: now)
        default:
            failed(result, stack, at: now)
        }
    }

    private func accepted(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        guard let response = result.response else { return }
        failures = 0
        entityTag = response.entityTag.map(Array.init)
        if isChanged { return send(stack, at: now) }
        let header: Int?
        do throws(SIPParseError) { header = try response.expires() } catch { header = nil }
        let granted = expires == 0 ? 0 : header ?? expires
        stack.emit(.published(id: id, expires: granted))
        isOver = granted == 0
        if !isOver { nextTimeout = Renewal.time(granted: granted, &stack.random, at: now) }
    }

    private func failed(_ result: ClientResult, _ stack: Stack, at now: Instant) {
        stack.emit(.publishFailed(id: id, status: result.status, reason: result.reason))
        guard expires > 0, Renewal.mayPass(result.status) else {
            isOver = true
            return
        }
        isChanged = true
        let wait = Renewal.wait(after: failures, atLeast: result.seconds(of: .retryAfter), &stack.random)
        nextTimeout = now + .seconds(wait)
        failures += 1
    }

    func handleTimeout(_ stack: Stack, at now: Instant) {
        if nextTimeout.isDue(at: now) { send(stack, at: now) }
    }
}

/// What we publish, by event package.
final class Publications: @unchecked Sendable {
    private var all: [Publication] = []
    private var lastNumber = UInt32(0)

    func publish(
        _ id: UInt32, event: [UInt8], contentType: [UInt8], body: [UInt8], expires: Int, _ stack: Stack,
        at now: Instant
    ) throws(CommandError) {
        let package: EventHeader
        do throws(SIPParseError) { package = try EventHeader(parsing: event[...]) } catch { throw .badValue }
        guard expires >= 0 else { throw .badValue }
        var index = all.firstIndex { $0.event == package }
        if index == nil {
            guard expires > 0 else { throw .wrongState }
            guard all.count < Limits.publications else { throw .tooMany }
            lastNumber &+= 1
            all.append(Publication(number: lastNumber, event: package, stack))
            index = all.count - 1
        }
        guard let index else { return }
        all[index].publish(id, contentType: contentType, body: body, expires: expires, stack, at: now)
    }

    func reconnected(_ stack: Stack, at now: Instant) {
        for index in all.indices { all[index].reconnected(stack, at: now) }
    }

    func handle(_ result: ClientResult, _ number: UInt32, _ stack: Stack, at now: Instant) {
        guard let index = all.firstIndex(where: { $0.number == number }) else { return }
        all[index].handle(result, stack, at: now)
        all.removeAll { $0.isOver }
    }

    var nextTimeout: Instant? {
        var soonest: Instant?
        for publication in all { soonest = soonest.orSooner(publication.nextTimeout) }
        return soonest
    }

    func handleTimeout(_ stack: Stack, at now: Instant) {
        for index in all.indices { all[index].handleTimeout(stack, at: now) }
    }
}
