import Base

/// A way for packets: one of our addresses and one of theirs. The protocol is UDP, always.
package struct Path: Hashable, Sendable {
    /// Which of our addresses, as numbered in `LocalAddresses.hosts`.
    package let local: UInt8
    /// IPv4 also where a socket for both families shows it inside an IPv6 address.
    package let remote: TransportAddress

    package init(local: UInt8, remote: TransportAddress) {
        self.local = local
        self.remote = TransportAddress(ip: remote.ip.unmapped, port: remote.port)
    }

    /// Every media packet is looked up by its path: two words for IPv4, and no more than three.
    package func hash(into hasher: inout Hasher) {
        let rest = UInt64(remote.port) << 8 | UInt64(local)
        switch remote.ip {
        case .v4(let bits): hasher.combine(UInt64(bits) << 24 | rest)
        case .v6(let high, let low):
            hasher.combine(high)
            hasher.combine(low)
            hasher.combine(rest)
        }
    }
}

extension IPAddress {
    /// Whether packets can go between both: one family, and link-local only among themselves (RFC 8445 §6.1.2.2), as
    /// is loopback, so that nobody makes us knock at our own services.
    func canReach(_ other: IPAddress) -> Bool {
        switch (self, other) {
        case (.v4, .v4), (.v6, .v6): isLoopback == other.isLoopback && isLinkLocal == other.isLinkLocal
        default: false
        }
    }

    private var isLinkLocal: Bool {
        switch self {
        case .v4(let bits): bits >> 16 == 0xa9fe
        case .v6(let high, _): high >> 54 == 0xfe80 >> 6
        }
    }

    /// Whether this can be one peer's address: neither unspecified nor for many at once.
    var isUnicast: Bool {
        switch unmapped {
        case .v4(let bits): bits >> 24 != 0 && bits >> 28 < 0xe
        case .v6(let high, let low): high >> 56 != 0xff && (high != 0 || low != 0)
        }
    }
}
