/// Why something of a peer was not taken. Each is counted; none is an error of ours.
package enum Refusal: UInt8, Error, CaseIterable, Sendable {
    // MARK: Packets

    /// No STUN message, or without its fingerprint.
    case malformed
    /// A STUN method that is not ICE's.
    case otherMethod
    /// A request without user name or integrity, or without PRIORITY: 400.
    case incomplete
    /// A user name that is not ours to know: 401.
    case unknownUser
    /// Integrity made with another password: 401, and silence for responses.
    case wrongPassword
    /// A request that demands to be understood and is not: 420.
    case unknownAttribute
    /// Both sides had one role, and the sender is to change: 487.
    case roleConflict
    /// More paths than are kept.
    case tooManyPaths
    /// A response to nothing we asked, or asked too long ago.
    case unknownTransaction
    /// A response that took another way than its request (RFC 8445 §7.2.5.2.1).
    case otherPath
    /// ICE has failed, and only a restart helps.
    case ended
    /// Media or DTLS from an address nobody has proved to have.
    case unknownPath
    /// A first byte that no protocol on this port has.
    case unknownProtocol

    // MARK: Candidates

    case malformedCandidate
    /// A name instead of an address: browsers hide addresses in `….local`, which is for their own network.
    case hostName
    /// TCP, or something not known yet.
    case otherTransport
    /// RTCP's own component: our media always shares one.
    case otherComponent
    case unknownKind
    /// Port 0, or an address that no single peer has.
    case unusableAddress
    case duplicate
    /// Of another ICE session: before a restart, or after one that is not known yet.
    case otherSession
    case tooManyCandidates
}

/// How often what was refused.
package struct RefusalCounters: Equatable, Sendable {
    private var counts = [UInt64](repeating: 0, count: Refusal.allCases.count)

    package init() {}

    package subscript(refusal: Refusal) -> UInt64 { counts[Int(refusal.rawValue)] }
    mutating func count(_ refusal: Refusal) { counts[Int(refusal.rawValue)] &+= 1 }
    package var total: UInt64 { counts.reduce(0, &+) }
}

/// What our own side did wrong.
package enum ICEError: Error, Equatable, Sendable {
    /// A user fragment of 4 to 256 or a password of 22 to 256 letters, digits, `+` and `/` (RFC 8839 §5.4).
    case badCredentials
    /// The peer's credentials changed: `restart` comes first.
    case restartNeeded
}
