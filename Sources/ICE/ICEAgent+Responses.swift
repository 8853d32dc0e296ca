import Base
import STUN

/// Answers to our own checks (RFC 8445 §7.2.5) and to the questions for consent (RFC 7675 §5.1).
extension ICEAgent {
    mutating func take(_ message: STUNMessage, along path: Path, at now: Instant) -> Outcome {
        guard message.transactionID.high == tag else { return refuse(.unknownTransaction) }
        let id = message.transactionID.low
        if let asked = consent, asked.asked(id) {
            guard asked.remote.key.protects(message) else { return refuse(.wrongPassword) }
            guard asked.path == path else { return refuse(.otherPath) }
            takeConsent(message, at: now)
            return .consumed
        }
        guard let remote = session.remote, let index = session.checklist.index(ofRequest: id),
            let request = session.checklist[index].check?.request
        else { return refuse(.unknownTransaction) }
        guard remote.key.protects(message) else { return refuse(.wrongPassword) }
        // §7.2.5.2.1: not symmetric, so no success. The check goes on, and fails in its time: whoever sees packets could
        // otherwise stop a call by sending one copy of an answer from elsewhere.
        guard session.checklist[index].path == path else { return refuse(.otherPath) }
        if message.messageClass == .success {
            guard let mapped = message.xorAddress(.xorMappedAddress) else { return refuse(.malformed) }
            succeed(index, request, mapped: mapped, at: now)
        } else if message.errorCode == .roleConflict {
            session.checklist[index].check = nil
            session.checklist.trigger(index)
            changeRole(after: request)
        } else {
            fail(index)
        }
        conclude(at: now)
        return .consumed
    }

    // MARK: Checks

    private mutating func succeed(
        _ index: Int, _ request: CheckRequest, mapped: TransportAddress, at now: Instant
    ) {
        let pair = session.checklist[index]
        let seen = TransportAddress(ip: mapped.ip.unmapped, port: mapped.port)
        session.checklist[index].succeed(
            seenPriority: addresses.priority(mapped: seen, pair.path.local), isControlling: isControlling, at: now)
        session.checklist.thaw(pair.foundation)
        outputs.append(.event(.proven(pair.path)))
        if isControlling, request.isNominating { return select(index, at: now) }
        if !isControlling, pair.isNominated { choose(index, at: now) }
    }

    mutating func fail(_ index: Int) {
        if session.nominated == session.checklist[index].path { session.nominated = nil }
        session.checklist[index].fail()
    }

    /// §7.2.5.1: the other side keeps the role we had in that request.
    private mutating func changeRole(after request: CheckRequest) {
        guard request.isControlling == isControlling else { return }
        switchRole(isControlling: !isControlling)
        tieBreaker = random.next()
    }

    // MARK: Consent

    private mutating func takeConsent(_ message: STUNMessage, at now: Instant) {
        guard let path = consent?.path else { return }
        if message.messageClass == .success {
            consent?.renew(at: now)
            if let index = session.checklist.index(of: path) { session.checklist[index].proven = now }
            outputs.append(.event(.proven(path)))
        } else if message.errorCode == .forbidden {
            // RFC 7675 §5.2: taken back at once.
            loseConsent()
        } else if message.errorCode == .roleConflict, session.selected == path {
            switchRole(isControlling: !isControlling)
            tieBreaker = random.next()
        }
    }

    /// Nothing more is sent to this address under these credentials.
    mutating func loseConsent() {
        guard let path = consent?.path else { return }
        consent = nil
        if session.selected == path {
            session.selected = nil
            state = .disconnected
            if let index = session.checklist.index(of: path) {
                session.checklist[index].fail()
                session.checklist[index].isRevoked = true
            }
        }
        outputs.append(.event(.consentLost(path)))
    }
}
