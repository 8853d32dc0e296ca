import Base

/// How a client reaches the server.
package enum ClientTransport: UInt8, Sendable {
    case udp, tcp, tls

    /// Streams carry messages one behind the other, padded (RFC 8656 §12.5).
    package var isStream: Bool { self != .udp }
}

/// A client's 5-tuple, which is what an allocation belongs to (RFC 8656 §3.2).
package struct TURNClient: Hashable, Sendable {
    package let transport: ClientTransport
    package let remote: TransportAddress
    package let local: TransportAddress
    /// Unique for the life of the process; 0 for UDP. A port used again by another connection is another client.
    package let connection: UInt64

    package init(
        transport: ClientTransport, remote: TransportAddress, local: TransportAddress, connection: UInt64 = 0
    ) {
        (self.transport, self.remote, self.local, self.connection) = (transport, remote, local, connection)
    }
}

/// One relayed transport address and its socket.
package struct RelayID: Hashable, Sendable {
    /// Small numbers, used again: the driver may keep its sockets in a table.
    package let slot: UInt32
    /// Counts the slot's tenants, so that what comes late for an earlier one finds nobody.
    let generation: UInt32
}

/// What the driver does with a packet it gave to the core. Ranges are of the buffer it gave.
package enum Route: Equatable, Sendable {
    /// Nothing: it was not for us, not allowed, or told to the output queue.
    case nothing
    /// Send the first `count` bytes of the reply buffer back to whom the packet came from.
    case reply(count: Int)
    /// Send these bytes to a client.
    case client(TURNClient, Range<Int>)
    /// Send these bytes from a relay's socket to a peer.
    case peer(RelayID, TransportAddress, Range<Int>)
}
