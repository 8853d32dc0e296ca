import Base
import STUN

/// What a relay serves, and to whom.
package struct TURNConfiguration: Sendable {
    /// Where relay sockets are bound, and by which address peers know them: two where a router stands before us.
    package struct RelayHost: Sendable {
        package var bound: IPAddress
        package var announced: IPAddress

        package init(bound: IPAddress, announced: IPAddress) { (self.bound, self.announced) = (bound, announced) }
    }

    /// Of long-term credentials: at most 128 bytes, quotable as it stands.
    package var realm: [UInt8]
    /// What user names are signed with. Whoever hands out credentials has it, too.
    package var credentials: TimeLimitedCredentials
    /// 32 random bytes for nonces. They may be new at every start: clients then hear 438 once.
    package var nonceSecret: [UInt8]
    package var relayV4: RelayHost?
    package var relayV6: RelayHost?
    /// Where relayed addresses have their ports.
    package var relayPorts: ClosedRange<UInt16> = 49_152...65_535
    /// Whether relays get sockets of their own. Without, allocations reach each other, inside, and nobody else.
    package var opensSockets = true
    /// All addresses of this machine and of the router before it. What lives there besides our relays is refused.
    package var ownAddresses: [IPAddress] = []
    /// Whether peers in private networks (RFC 1918, RFC 4193 and their like) may be reached.
    package var allowsPrivatePeers = false
    /// Peers that may be reached whatever their address is: tests on one machine have but loopback.
    package var peersOfTests: [IPAddress] = []
    package var limits = TURNLimits.standard

    package init(realm: [UInt8], credentials: TimeLimitedCredentials, nonceSecret: [UInt8]) {
        precondition(realm.count <= 128 && !realm.isEmpty, "a realm has 1 to 128 bytes")
        precondition(nonceSecret.count >= 16, "the secret has 32 bytes")
        (self.realm, self.credentials, self.nonceSecret) = (realm, credentials, nonceSecret)
    }

    func host(_ family: AddressFamily) -> RelayHost? {
        switch family {
        case .v4: relayV4
        case .v6: relayV6
        }
    }
}

/// What a client can make grow, and how far.
package struct TURNLimits: Sendable {
    /// Allocations of everybody. Each has 3 KB and up to two sockets.
    package var maximumAllocations = 4_000
    /// Of one person (486). A browser takes one per network, transport and server it knows, for every call.
    package var allocationsPerUser = 40
    /// Payload a person's allocations relay in a second, each way counted (further packets are dropped): 32 Mbit/s,
    /// several video calls at once.
    package var bytesPerSecond = 4_000_000
    /// Ports kept for the second half of a pair (RFC 8656 §7.2). Browsers never ask for one.
    package var maximumReservations = 64
    /// Seconds an allocation lasts unless asked for more (RFC 8656 §3.2).
    package var defaultLifetime = UInt32(600)
    /// Seconds it lasts at most without being refreshed: what the RFC recommends.
    package var maximumLifetime = UInt32(3_600)
    /// Errors told to one address that showed no credentials: so many at once, and that many more in each second.
    /// A stranger cannot make the server send more to somebody else.
    package var strangerBurst = 40
    package var strangerRate = 10

    package static let standard = TURNLimits()
    package init() {}

    /// Addresses an allocation may let in (508). ICE has a peer's addresses; a phone with every interface has ten.
    static let permissions = 32
    /// Channels of an allocation (508), for the same reason.
    static let channels = 32
    /// How long a permission lasts (RFC 8656 §9).
    static let permissionLifetime = Duration.seconds(300)
    /// How long a channel lasts (RFC 8656 §12).
    static let channelLifetime = Duration.seconds(600)
    /// How long the second port of a pair is kept (RFC 8656 §7.2).
    static let reservationLifetime = Duration.seconds(30)
    /// How long a nonce serves (RFC 8656 §5: at most an hour).
    static let nonceLifetime = Int64(3_600)
    /// Ports tried for one relay before it is given up.
    static let portTries = 8
}
