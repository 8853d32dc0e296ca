import Base

/// Whom a relay may talk to: a relay inside a network must not be a way into that network (RFC 8656 §21.1.5).
struct PeerPolicy: Sendable {
    enum Verdict: Equatable, Sendable {
        case allowed
        /// Here: other relays of ours are reached inside, everything else that lives here is not.
        case own
        /// 403.
        case refused
    }

    private let own: [IPAddress]
    private let allowsPrivate: Bool
    private let reachesOthers: Bool
    private let exceptions: [IPAddress]

    init(_ configuration: TURNConfiguration) {
        let hosts = [configuration.relayV4, configuration.relayV6].compactMap { $0 }
        own = configuration.ownAddresses + hosts.map(\.bound) + hosts.map(\.announced)
        (allowsPrivate, reachesOthers) = (configuration.allowsPrivatePeers, configuration.opensSockets)
        exceptions = configuration.peersOfTests
    }

    func isOwn(_ address: IPAddress) -> Bool {
        for candidate in own where candidate == address { return true }
        return false
    }

    func verdict(_ address: IPAddress) -> Verdict {
        if isOwn(address) { return .own }
        guard reachesOthers else { return .refused }
        guard exceptions.isEmpty || !exceptions.contains(address) else { return .allowed }
        switch Self.kind(of: address) {
        case .global: return .allowed
        case .privateNetwork: return allowsPrivate ? .allowed : .refused
        case .special: return .refused
        }
    }

    private enum Kind { case global, privateNetwork, special }

    private static func kind(of address: IPAddress) -> Kind {
        switch address {
        case .v4(let bits): kind(ofV4: bits)
        case .v6(let high, let low): kind(ofV6: high, low)
        }
    }

    private static func kind(ofV4 bits: UInt32) -> Kind {
        for (network, length) in specialV4 where bits >> (32 - length) == network >> (32 - length) { return .special }
        for (network, length) in privateV4 where bits >> (32 - length) == network >> (32 - length) {
            return .privateNetwork
        }
        return .global
    }

    private static func kind(ofV6 high: UInt64, _ low: UInt64) -> Kind {
        switch high {
        // IPv4 in other clothes: ::a.b.c.d, ::ffff:a.b.c.d and ::, ::1. A peer has the address of its own family.
        case 0: return .special
        // NAT64 (RFC 6052) and 6to4 (RFC 3056) lead to the IPv4 address inside.
        case 0x0064_ff9b_0000_0000: return kind(ofV4: UInt32(truncatingIfNeeded: low))
        case _ where high >> 48 == 0x2002: return kind(ofV4: UInt32(truncatingIfNeeded: high >> 16))
        // fc00::/7 (RFC 4193); 64:ff9b:1::/48 (RFC 8215).
        case _ where high >> 57 == 0x7e || high >> 16 == 0x0064_ff9b_0001: return .privateNetwork
        // 2000::/3 is what is assigned (RFC 4291 §2.4), without Teredo (RFC 4380).
        case _ where high >> 61 == 1 && high >> 32 != 0x2001_0000: return .global
        // fe80::/10, fec0::/10, ff00::/8 and what nobody has.
        default: return .special
        }
    }

    /// Of RFC 6890: this network, loopback, link-local, protocol assignments, benchmarking, multicast, reserved and
    /// broadcast.
    private static let specialV4: [(UInt32, UInt32)] = [
        (0x0000_0000, 8), (0x7f00_0000, 8), (0xa9fe_0000, 16), (0xc000_0000, 24), (0xc612_0000, 15),
        (0xe000_0000, 4), (0xf000_0000, 4),
    ]

    /// RFC 1918, and RFC 6598 between a provider and its customers.
    private static let privateV4: [(UInt32, UInt32)] = [
        (0x0a00_0000, 8), (0xac10_0000, 12), (0xc0a8_0000, 16), (0x6440_0000, 10),
    ]
}
