import Base
import STUN

/// The pairs of a session in the order of their priority, and which is checked next (RFC 8445 §6.1.2, §6.1.4.2).
///
/// There is one data stream with one component, so there is one checklist.
struct Checklist: Sendable {
    /// Best first.
    private(set) var pairs: [CandidatePair] = []
    /// Paths to be checked before all others, in the order they came (§6.1.4.1).
    private var triggered: [Path] = []
    /// Pairs are checked: both sides' credentials are known.
    private(set) var isRunning = false

    subscript(index: Int) -> CandidatePair {
        _read { yield pairs[index] }
        _modify { yield &pairs[index] }
    }

    func index(of path: Path) -> Int? { pairs.firstIndex { $0.path == path } }
    func index(ofRequest id: UInt64) -> Int? { pairs.firstIndex { $0.check?.request.id == id } }

    // MARK: Forming it

    /// Adds a pair, making room by the worst one that nothing speaks for (§6.1.2.5).
    ///
    /// - Parameter isPressing: a request came on it, so it goes before any that is only hoped for.
    /// - Returns: false when there is no room for it.
    mutating func insert(_ pair: CandidatePair, isPressing: Bool) -> Bool {
        if pairs.count >= ICELimits.pairs {
            guard let worst = pairs.lastIndex(where: { isDispensable($0) }),
                isPressing || pairs[worst].priority < pair.priority
            else { return false }
            pairs.remove(at: worst)
        }
        var pair = pair
        if isRunning { pair.state = firstState(of: pair.foundation) }
        pairs.insert(pair, at: pairs.firstIndex { $0.priority < pair.priority } ?? pairs.count)
        return true
    }

    private func isDispensable(_ pair: CandidatePair) -> Bool {
        !pair.isValid && !pair.isNominated && pair.state != .inProgress && !triggered.contains(pair.path)
    }

    /// What a pair begins with that comes later than others (RFC 8838 §12).
    private func firstState(of foundation: CandidatePair.Foundation) -> CandidatePair.State {
        let others = pairs.filter { $0.foundation == foundation }
        return others.isEmpty || others.contains { $0.state == .succeeded } ? .waiting : .frozen
    }

    /// The best pair of each foundation waits, the others are frozen (§6.1.2.6).
    mutating func start() {
        guard !isRunning else { return }
        isRunning = true
        for index in pairs.indices where !pairs[..<index].contains(where: { $0.foundation == pairs[index].foundation })
        {
            pairs[index].state = .waiting
        }
    }

    /// Roles were switched, or a candidate's priority became known.
    mutating func reorder(isControlling: Bool) {
        for index in pairs.indices { pairs[index].computePriority(isControlling: isControlling) }
        pairs.sort { $0.priority > $1.priority }
    }

    mutating func remove(where isUnwanted: (CandidatePair) -> Bool) {
        for pair in pairs where isUnwanted(pair) { untrigger(pair.path) }
        pairs.removeAll(where: isUnwanted)
    }

    // MARK: Checking

    /// Puts a pair at the end of the queue of triggered checks. A check under way starts again from there.
    mutating func trigger(_ index: Int) {
        pairs[index].state = .waiting
        if !triggered.contains(pairs[index].path) { triggered.append(pairs[index].path) }
    }

    private mutating func untrigger(_ path: Path) { triggered.removeAll { $0 == path } }

    /// Whether a check could begin.
    var hasNext: Bool {
        guard isRunning else { return false }
        return !triggered.isEmpty || pairs.contains { $0.state == .waiting } || firstThawing != nil
    }

    /// Takes the pair to be checked now: triggered ones first, then the best that waits (§6.1.4.2).
    mutating func next() -> Int? {
        guard isRunning else { return nil }
        while !triggered.isEmpty {
            let path = triggered.removeFirst()
            if let index = index(of: path), pairs[index].state == .waiting { return index }
        }
        if let waiting = pairs.firstIndex(where: { $0.state == .waiting }) { return waiting }
        return firstThawing
    }

    /// The best frozen pair none of whose foundation is being checked.
    private var firstThawing: Int? {
        pairs.firstIndex { pair in
            pair.state == .frozen
                && !pairs.contains {
                    $0.foundation == pair.foundation && ($0.state == .waiting || $0.state == .inProgress)
                }
        }
    }

    /// §14.3: a long list makes each check patient.
    var rto: Duration {
        let active = pairs.count { $0.state == .waiting || $0.state == .inProgress }
        return max(ICELimits.minimumRTO, ICELimits.checkInterval * active)
    }

    /// A pair works, so others of its foundation probably do (§7.2.5.3.3).
    mutating func thaw(_ foundation: CandidatePair.Foundation) {
        for index in pairs.indices where pairs[index].state == .frozen && pairs[index].foundation == foundation {
            pairs[index].state = .waiting
        }
    }

    // MARK: Ending

    /// The best pair that works.
    var bestValid: Int? {
        var best: Int?
        for index in pairs.indices {
            guard let priority = pairs[index].validPriority else { continue }
            if let found = best, let leader = pairs[found].validPriority, leader >= priority { continue }
            best = index
        }
        return best
    }

    /// Whether a pair before `index` may still prove to work.
    func hasHope(before index: Int) -> Bool {
        pairs[..<index].contains { $0.state != .failed && !$0.isValid }
    }

    /// Whether nothing works, and nothing is being tried.
    var isHopeless: Bool { pairs.allSatisfy { $0.state == .failed } }

    /// A pair was selected: what is not worth checking any more is not (§8.1.2).
    ///
    /// - Parameter isFinal: it stays, as we nominated it. Else a better pair may be nominated that the peer checks, and
    ///   what it checks is triggered.
    mutating func conclude(with path: Path, isFinal: Bool) {
        guard let selected = index(of: path) else { return }
        let priority = pairs[selected].priority
        remove { pair in
            guard pair.path != path else { return false }
            if isFinal { return true }
            guard !pair.isNominated, !pair.isValid else { return false }
            return pair.state == .waiting || pair.state == .frozen || pair.priority < priority
        }
    }
}
