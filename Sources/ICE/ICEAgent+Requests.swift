import Base
import STUN

/// One request, which way it came, and where its answer is written.
struct Request {
    let message: STUNMessage
    let path: Path
    let time: Instant
    private let reply: UnsafeMutableRawBufferPointer

    init(_ message: STUNMessage, _ path: Path, _ reply: UnsafeMutableRawBufferPointer, _ now: Instant) {
        (self.message, self.path, self.reply, time) = (message, path, reply, now)
    }

    /// RFC 8445 §7.3.1.2: the address the request came from.
    func succeed(_ key: IntegrityKey) -> Int {
        var writer = STUNWriter(.success, to: message, into: reply)
        writer.add(.xorMappedAddress, xor: path.remote)
        return finish(&writer, key)
    }

    /// Bytes of an error. Strangers get no phrase and no integrity, so theirs is shorter than any request that comes
    /// this far (RFC 8489 §9.1.3).
    func fail(_ code: STUNErrorCode, _ key: IntegrityKey? = nil) -> Int {
        var writer = STUNWriter(.error, to: message, into: reply)
        writer.add(code, hasPhrase: false)
        if code == .unknownAttribute {
            writer.addUnknownAttributes(
                of: message, besides: .ice, maximum: BindingResponder.maximumUnknownAttributes)
        }
        return finish(&writer, key)
    }

    private func finish(_ writer: inout STUNWriter, _ key: IntegrityKey?) -> Int {
        if let key { writer.add(key) }
        writer.addFingerprint()
        return writer.finish() ?? 0
    }
}

/// The peer's checks (RFC 8445 §7.3).
extension ICEAgent {
    mutating func answer(_ request: Request) -> Outcome {
        let message = request.message
        guard message.hasFingerprint else { return refuse(.malformed) }
        guard state != .failed else { return refuse(.ended) }
        guard let username = message.username, message.hasIntegrity else {
            return refuse(.incomplete, count: request.fail(.badRequest))
        }
        guard let parts = UsernameParts(username), let secret = secret(for: parts) else {
            return refuse(.unknownUser, count: request.fail(.unauthenticated))
        }
        guard secret.key.protects(message) else {
            return refuse(.wrongPassword, count: request.fail(.unauthenticated))
        }
        guard !message.hasUnknownAttributes(besides: .ice) else {
            return refuse(.unknownAttribute, count: request.fail(.unknownAttribute, secret.key))
        }
        guard let priority = message.priority else {
            return refuse(.incomplete, count: request.fail(.badRequest, secret.key))
        }
        guard secret.credentials == session.local.credentials else {
            noteLife(on: request.path, at: request.time)
            return .reply(count: request.succeed(secret.key))
        }
        guard !refusesRole(of: message) else {
            return refuse(.roleConflict, count: request.fail(.roleConflict, secret.key))
        }
        guard take(request, priority: priority, sender: parts.sender) else { return refuse(.tooManyPaths) }
        conclude(at: request.time)
        return .reply(count: request.succeed(secret.key))
    }

    /// Whom a user name means: the session, or the one before it. Both halves must fit what is known.
    private func secret(for parts: UsernameParts) -> LocalSecret? {
        if parts.receiver.elementsEqual(session.local.credentials.ufrag) {
            guard let remote = session.remote else { return session.local }
            return parts.sender.elementsEqual(remote.credentials.ufrag) ? session.local : nil
        }
        guard let retired, parts.receiver.elementsEqual(retired.credentials.ufrag) else { return nil }
        return retired
    }

    /// RFC 8445 §7.3.1.1: of two with one role, the greater tie-breaker controls.
    ///
    /// - Returns: true when the sender is to change; we may have changed ourselves.
    private mutating func refusesRole(of message: STUNMessage) -> Bool {
        if isControlling, let theirs = message.iceControlling {
            if tieBreaker >= theirs { return true }
            switchRole(isControlling: false)
        } else if !isControlling, let theirs = message.iceControlled {
            guard tieBreaker >= theirs else { return true }
            switchRole(isControlling: true)
        }
        return false
    }

    private mutating func noteLife(on path: Path, at now: Instant) {
        if consent?.path == path { consent?.heard(at: now) }
    }

    /// Learns from a request that is right; false when there is no room for it.
    private mutating func take(_ request: Request, priority: UInt32, sender: UnsafeRawBufferPointer) -> Bool {
        let priority = ICECandidate.clamped(priority)
        noteLife(on: request.path, at: request.time)
        guard session.remote != nil else {
            return hold(
                Session.EarlyCheck(
                    path: request.path, priority: priority, isNominating: request.message.isUsingCandidate,
                    ufrag: Array(sender)))
        }
        return trigger(
            request.path, priority: priority, isNominating: request.message.isUsingCandidate,
            by: request.message.transactionID, at: request.time)
    }

    // MARK: Triggered checks (RFC 8445 §7.3.1.4)

    private mutating func trigger(
        _ path: Path, priority: UInt32, isNominating: Bool, by transaction: TransactionID?, at now: Instant
    ) -> Bool {
        guard let index = session.checklist.index(of: path) ?? discover(path, priority: priority) else {
            // After the controlling side's choice nothing is checked any more, only answered.
            return isControlling && session.selected != nil
        }
        guard !session.checklist[index].isRevoked else { return true }
        let isCopy = transaction != nil && session.checklist[index].trigger == transaction
        session.checklist[index].trigger = transaction
        if isNominating, !isControlling { session.checklist[index].isNominated = true }
        switch session.checklist[index].state {
        case .succeeded: if session.checklist[index].isNominated { choose(index, at: now) }
        case .inProgress where isCopy: break
        case .waiting, .inProgress, .frozen, .failed:
            // Whoever copies a request of a check that failed since means it.
            session.checklist.trigger(index)
            outputs.append(.event(.heard(path)))
        }
        return true
    }

    /// A pair with an address that nobody told us (§7.3.1.3), or one that was pruned.
    private mutating func discover(_ path: Path, priority: UInt32) -> Int? {
        guard !isControlling || session.selected == nil else { return nil }
        var remote = session.remoteCandidates.first { $0.address == path.remote }
        if remote == nil {
            guard session.makeRoom() else { return nil }
            let new = Session.RemoteCandidate(
                address: path.remote, priority: priority, foundation: session.uniqueFoundation(),
                isPeerReflexive: true)
            session.remoteCandidates.append(new)
            remote = new
        }
        guard let remote, session.checklist.insert(makePair(path, remote), isPressing: true) else { return nil }
        return session.checklist.index(of: path)
    }

    // MARK: Requests before the peer's description

    /// The answer goes out at once; the triggered check waits for the credentials.
    private mutating func hold(_ check: Session.EarlyCheck) -> Bool {
        if let known = session.earlyChecks.firstIndex(where: { $0.path == check.path }) {
            session.earlyChecks[known] = check
            return true
        }
        guard session.earlyChecks.count < ICELimits.earlyChecks else { return false }
        session.earlyChecks.append(check)
        outputs.append(.event(.heard(check.path)))
        return true
    }

    mutating func replayEarlyChecks(of ufrag: [UInt8], at now: Instant) {
        let held = session.earlyChecks
        session.earlyChecks = []
        for check in held where check.ufrag == ufrag {
            _ = trigger(check.path, priority: check.priority, isNominating: check.isNominating, by: nil, at: now)
        }
    }
}
