import Base
import STUN

/// What descriptions say: credentials and candidates, all at once or one by one (RFC 8838).
extension ICEAgent {
    /// The peer's credentials are known, so checking begins.
    ///
    /// - Parameter isLite: the peer only answers; we control then (RFC 8445 §6.1.1).
    /// - Throws: `.restartNeeded` when the session has others already.
    package mutating func setRemote(
        _ credentials: ShortTermCredentials, isLite: Bool = false, at now: Instant
    ) throws(ICEError) {
        if let remote = session.remote {
            guard remote.credentials == credentials else { throw .restartNeeded }
            return
        }
        session.remote = RemoteSecret(credentials, for: session.local.credentials)
        if isLite, !isControlling { switchRole(isControlling: true) }
        (session.started, session.nextCheck, state) = (now, now, .checking)
        let held = session.heldCandidates
        session.heldCandidates = []
        for (candidate, ufrag) in held { _ = add(candidate, ufrag: ufrag, at: now) }
        session.checklist.start()
        replayEarlyChecks(of: credentials.ufrag, at: now)
        conclude(at: now)
    }

    /// Adds one of the peer's candidates, of the description or trickled.
    ///
    /// - Parameter ufrag: what stood beside it. Candidates of another session are not taken (RFC 8838 §11).
    /// - Returns: why not; nil when it was taken.
    @discardableResult
    package mutating func add(_ candidate: ICECandidate, ufrag: [UInt8]? = nil, at now: Instant) -> Refusal? {
        let refusal = take(candidate, ufrag: ufrag)
        if let refusal { refusals.count(refusal) }
        return refusal
    }

    /// Counts a candidate whose text could not be read.
    package mutating func note(_ refusal: Refusal) { refusals.count(refusal) }

    /// The peer has no more candidates (RFC 8838 §13).
    package mutating func endRemoteCandidates(at now: Instant) {
        session.hasAllCandidates = true
        conclude(at: now)
    }

    /// Begins another session; the selected pair stays in use until it has one (RFC 8445 §9).
    ///
    /// - Parameter isControlling: nil keeps the role.
    /// - Returns: the new credentials, for our description.
    @discardableResult
    package mutating func restart(isControlling role: Bool? = nil) -> ShortTermCredentials {
        if session.selected != nil { retired = session.local } else if consent == nil { retired = nil }
        session = Session(ShortTermCredentials(using: &random))
        state = .new
        if let role { isControlling = role }
        tieBreaker = random.next()
        return session.local.credentials
    }

    private mutating func take(_ candidate: ICECandidate, ufrag: [UInt8]?) -> Refusal? {
        guard candidate.address.ip.isUnicast, candidate.address.port != 0 else { return .unusableAddress }
        guard let remote = session.remote else {
            guard session.heldCandidates.count < ICELimits.remoteCandidates else { return .tooManyCandidates }
            session.heldCandidates.append((candidate, ufrag))
            return nil
        }
        guard ufrag == nil || ufrag == remote.credentials.ufrag else { return .otherSession }
        guard state != .failed else { return .ended }
        if let known = session.remoteCandidates.firstIndex(where: { $0.address == candidate.address }) {
            return upgrade(known, candidate)
        }
        guard session.remoteCandidates.count < ICELimits.remoteCandidates else { return .tooManyCandidates }
        let foundation = session.number(of: candidate.foundation)
        let remoteCandidate = Session.RemoteCandidate(
            address: candidate.address, priority: candidate.priority, foundation: foundation, isPeerReflexive: false)
        session.remoteCandidates.append(remoteCandidate)
        // Once a pair is selected, what else is checked is the controlling side's business.
        guard session.selected == nil else { return nil }
        for local in addresses.hosts.indices { pair(remoteCandidate, UInt8(local)) }
        return nil
    }

    /// A candidate that was discovered before it was signalled, or one that comes twice (RFC 8838 §11).
    private mutating func upgrade(_ index: Int, _ candidate: ICECandidate) -> Refusal? {
        guard session.remoteCandidates[index].isPeerReflexive else { return .duplicate }
        session.remoteCandidates[index].isPeerReflexive = false
        session.remoteCandidates[index].priority = candidate.priority
        for place in session.checklist.pairs.indices
        where session.checklist[place].path.remote == candidate.address {
            session.checklist[place].remotePriority = candidate.priority
        }
        session.checklist.reorder(isControlling: isControlling)
        guard session.selected == nil else { return nil }
        for local in addresses.hosts.indices { pair(session.remoteCandidates[index], UInt8(local)) }
        return nil
    }

    private mutating func pair(_ remote: Session.RemoteCandidate, _ local: UInt8) {
        let path = Path(local: local, remote: remote.address)
        guard addresses.hosts[Int(local)].ip.unmapped.canReach(path.remote.ip),
            session.checklist.index(of: path) == nil
        else { return }
        _ = session.checklist.insert(makePair(path, remote), isPressing: false)
    }

    func makePair(_ path: Path, _ remote: Session.RemoteCandidate) -> CandidatePair {
        CandidatePair(
            path, .init(local: path.local, remote: remote.foundation),
            localPriority: addresses.candidates[Int(path.local)].priority, remotePriority: remote.priority,
            isControlling: isControlling)
    }

    // MARK: Roles

    /// RFC 8445 §7.3.1.1: priorities depend on the role.
    mutating func switchRole(isControlling role: Bool) {
        isControlling = role
        (session.nominated, session.nominationDue) = (nil, nil)
        session.checklist.reorder(isControlling: role)
        outputs.append(.event(.roleChanged(isControlling: role)))
    }
}
