import Base

/// How SIP messages travel (RFC 3261 §18, RFC 7118).
package enum SIPTransport: UInt8, CaseIterable, Hashable, Sendable {
    case udp, tcp, tls, ws, wss

    /// Whether the transport itself repeats what is lost; if not, transactions retransmit (RFC 3261 §17).
    @inlinable package var isReliable: Bool { self != .udp }

    /// Whether the hop is encrypted, as a `sips` URI demands of every hop (RFC 3261 §26.2.2).
    @inlinable package var isSecure: Bool { self == .tls || self == .wss }

    /// The token in `SIP/2.0/<token>` of a Via header.
    package var viaToken: [UInt8] {
        switch self {
        case .udp: [UInt8](ascii: "UDP")
        case .tcp: [UInt8](ascii: "TCP")
        case .tls: [UInt8](ascii: "TLS")
        case .ws: [UInt8](ascii: "WS")
        case .wss: [UInt8](ascii: "WSS")
        }
    }

    /// The value of a URI's `transport` parameter (RFC 3261 §19.1.1, RFC 7118 §4.2: `ws` for both WebSockets).
    package var uriToken: [UInt8] {
        switch self {
        case .udp: [UInt8](ascii: "udp")
        case .tcp, .tls: [UInt8](ascii: "tcp")
        case .ws, .wss: [UInt8](ascii: "ws")
        }
    }

    /// The port used when none is written (RFC 3261 §18.1.1; RFC 7118 §4.2 gives WebSockets those of HTTP).
    package var defaultPort: UInt16 {
        switch self {
        case .udp, .tcp: 5060
        case .tls: 5061
        case .ws: 80
        case .wss: 443
        }
    }

    /// Reads a Via or URI token without regard to case; nil for a transport Hearth does not speak.
    package init?(token: some Collection<UInt8>) {
        switch token.count {
        case 2 where ASCII.equalIgnoringCase(token, "WS"): self = .ws
        case 3 where ASCII.equalIgnoringCase(token, "UDP"): self = .udp
        case 3 where ASCII.equalIgnoringCase(token, "TCP"): self = .tcp
        case 3 where ASCII.equalIgnoringCase(token, "TLS"): self = .tls
        case 3 where ASCII.equalIgnoringCase(token, "WSS"): self = .wss
        default: return nil
        }
    }
}

/// Where a message came from, and where an answer goes (RFC 5626 §2 calls it a flow).
///
/// Over UDP `id` is the listening socket's number and `remote` matters; a stream's `id` is unique for the life of the
/// process.
package struct Flow: Hashable, Sendable {
    package var transport: SIPTransport
    package var id: UInt64
    package var remote: TransportAddress
    package var local: TransportAddress

    package init(transport: SIPTransport, id: UInt64, remote: TransportAddress, local: TransportAddress) {
        (self.transport, self.id, self.remote, self.local) = (transport, id, remote, local)
    }
}
