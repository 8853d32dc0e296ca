import Base
import STUN

/// Time: checks, one every Ta (RFC 8445 §6.1.4.2), consent, nomination and giving up.
extension ICEAgent {
    package var nextTimeout: Instant? {
        var next = consent?.nextTimeout
        func consider(_ due: Instant?) {
            guard let due else { return }
            next = next.map { min($0, due) } ?? due
        }
        guard state != .failed, session.remote != nil else { return next }
        if session.checklist.hasNext { consider(session.nextCheck) }
        for pair in session.checklist.pairs where pair.state == .inProgress { consider(pair.check?.due) }
        if state == .checking {
            if isControlling, session.nominated == nil, session.checklist.bestValid != nil {
                consider(session.nominationDue)
            }
            consider(checkingEnd)
        }
        return next
    }

    package mutating func handleTimeout(at now: Instant) {
        askForConsent(at: now)
        guard state != .failed, session.remote != nil else { return }
        repeatChecks(at: now)
        conclude(at: now)
        guard now >= session.nextCheck, let index = session.checklist.next() else { return }
        begin(index, at: now)
    }

    private mutating func askForConsent(at now: Instant) {
        guard let path = consent?.path, let step = consent?.handleTimeout(at: now, using: &random) else { return }
        switch step {
        case .wait: break
        case .lost: loseConsent()
        case .check(let id):
            outputs.append(.consent(request(id: id, on: path.local, isNominating: false), path))
        }
    }

    private mutating func repeatChecks(at now: Instant) {
        for index in session.checklist.pairs.indices where session.checklist[index].state == .inProgress {
            guard let step = session.checklist[index].check?.handleTimeout(at: now) else { continue }
            switch step {
            case .wait: break
            case .resend:
                guard let request = session.checklist[index].check?.request else { continue }
                outputs.append(.check(request, session.checklist[index].path))
            case .fail: fail(index)
            }
        }
    }

    private mutating func begin(_ index: Int, at now: Instant) {
        let path = session.checklist[index].path
        let rto = session.checklist.rto
        let isNominating = isControlling && session.nominated == path
        var request = request(id: random.next(), on: path.local, isNominating: isNominating)
        // A triggered check that says the same is a copy of the one under way. A browser asks every 50 ms: with a new
        // transaction for each of its requests, answers to all but the last would come in vain on a long way.
        if let running = session.checklist[index].check?.request, running.isControlling == request.isControlling,
            running.tieBreaker == request.tieBreaker, running.isNominating == request.isNominating
        {
            request = running
        }
        session.checklist[index].state = .inProgress
        session.checklist[index].check = Check(request, rto: rto, at: now)
        session.nextCheck = now + ICELimits.checkInterval
        outputs.append(.check(request, path))
    }

    // MARK: Nomination (RFC 8445 §8.1.1)

    /// Nominates when it is time to, and gives up when it is.
    mutating func conclude(at now: Instant) {
        guard state == .checking else { return }
        if isControlling { nominate(at: now) }
        guard let end = checkingEnd, now >= end else { return }
        state = .failed
        outputs.append(.event(.failed))
    }

    /// One pair, once: the best that works, when none before it may still come to work, or waiting was long enough.
    private mutating func nominate(at now: Instant) {
        guard session.nominated == nil, let best = session.checklist.bestValid else { return }
        let due = session.nominationDue ?? now + ICELimits.nominationDelay
        session.nominationDue = due
        guard now >= due || session.hasAllCandidates && !session.checklist.hasHope(before: best)
        else { return }
        session.nominated = session.checklist[best].path
        session.checklist.trigger(best)
    }

    /// When it has failed, unless a pair comes to work: not before patience ends (RFC 8863 §4), and the peer has said all
    /// it knows.
    private var checkingEnd: Instant? {
        guard let started = session.started, session.checklist.bestValid == nil else { return nil }
        let hasNothing = session.hasAllCandidates && session.checklist.isHopeless
        return started + (hasNothing ? ICELimits.patience : ICELimits.checkingTime)
    }

    /// The controlling peer nominated a pair that works.
    ///
    /// Of several the best counts, for a peer that nominates all it checks (RFC 5245 §8.1.1.2) means that one. But a
    /// peer that changes networks leaves a better pair for a worse, and the better has fallen silent.
    mutating func choose(_ index: Int, at now: Instant) {
        if let path = session.selected, let current = session.checklist.index(of: path), current != index,
            let consent, !consent.isSilent(at: now),
            let theirs = session.checklist[index].validPriority, let ours = session.checklist[current].validPriority,
            theirs <= ours
        {
            return
        }
        select(index, at: now)
    }

    mutating func select(_ index: Int, at now: Instant) {
        let path = session.checklist[index].path
        guard session.selected != path, let remote = session.remote else { return }
        session.selected = path
        consent = Consent(path, remote, at: now, using: &random)
        state = .connected
        session.checklist.conclude(with: path, isFinal: isControlling)
        outputs.append(.event(.selected(path)))
    }
}
