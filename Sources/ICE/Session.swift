import Base

/// One ICE session (RFC 8445 §4): from its credentials to a selected pair. A restart begins another.
struct Session: Sendable {
    /// An address of theirs. Signalled ones may first have been discovered, and are then told apart no more.
    struct RemoteCandidate: Sendable {
        let address: TransportAddress
        var priority: UInt32
        let foundation: UInt16
        var isPeerReflexive: Bool
    }

    /// A request that came before the peer's credentials did (RFC 8445 §7.3.1.4 is then for later).
    struct EarlyCheck: Sendable {
        let path: Path
        let priority: UInt32
        let isNominating: Bool
        let ufrag: [UInt8]
    }

    let local: LocalSecret
    var remote: RemoteSecret?
    /// Candidates that came before the credentials, with the user fragment that stood beside them.
    var heldCandidates: [(candidate: ICECandidate, ufrag: [UInt8]?)] = []
    var earlyChecks: [EarlyCheck] = []
    var remoteCandidates: [RemoteCandidate] = []
    var hasAllCandidates = false
    var checklist = Checklist()
    /// When checking began: patience counts from there.
    var started: Instant?
    /// Ta: no check begins before.
    var nextCheck = Instant.zero
    /// When the controlling side nominates the best pair there is.
    var nominationDue: Instant?
    /// What the controlling side is nominating.
    var nominated: Path?
    /// The pair of this session that is in use.
    var selected: Path?
    private var foundations: [[UInt8]] = []
    private var nextFoundation = UInt16(0)

    init(_ credentials: ShortTermCredentials) { local = LocalSecret(credentials) }

    /// A small number for a foundation of theirs.
    mutating func number(of foundation: [UInt8]) -> UInt16 {
        if let known = foundations.firstIndex(of: foundation) { return UInt16(known) }
        // As many as candidates; discovered ones count on from there.
        guard foundations.count < ICELimits.remoteCandidates else { return uniqueFoundation() }
        foundations.append(foundation)
        return UInt16(foundations.count - 1)
    }

    /// Of a discovered candidate: like no other (RFC 8445 §7.3.1.3).
    mutating func uniqueFoundation() -> UInt16 {
        nextFoundation = nextFoundation &+ 1
        return nextFoundation | 0x8000
    }

    /// Makes room for a discovered candidate by forgetting the oldest of its kind that carries nothing.
    mutating func makeRoom() -> Bool {
        guard remoteCandidates.count >= ICELimits.remoteCandidates else { return true }
        let unused = remoteCandidates.firstIndex { $0.isPeerReflexive && $0.address != selected?.remote }
        guard let unused else { return false }
        let address = remoteCandidates.remove(at: unused).address
        checklist.remove { $0.path.remote == address }
        return true
    }
}
