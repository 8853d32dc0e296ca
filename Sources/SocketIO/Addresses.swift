import Base
import NIOCore

extension TransportAddress {
    /// The address of a NIO socket; nil for a Unix domain socket. IPv4-mapped IPv6 becomes IPv4.
    package init?(_ address: SocketAddress) {
        let read = address.withSockAddr { name, _ in Self(system: name) }
        guard let read else { return nil }
        self = read
    }

    /// The address as NIO wants it.
    package var socketAddress: SocketAddress {
        get throws { try SocketAddress(ipAddress: String(decoding: ip.text, as: UTF8.self), port: Int(port)) }
    }
}
