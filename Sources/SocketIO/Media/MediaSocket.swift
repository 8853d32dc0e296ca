import Base
import CSockets
import Glibc
import TURN

/// One UDP socket of the media worker, and what waits to leave by it.
struct MediaSocket {
    /// -1: closed, and its place is free.
    var descriptor = Int32(-1)
    /// Where it is bound.
    var address = TransportAddress(ip: .v4(0), port: 0)
    /// The relay it belongs to; nil for the media port.
    var relay: RelayID?
    var waiting = PacketChain()

    init() {}

    init(binding address: TransportAddress, relay: RelayID?) throws(SocketError) {
        var wanted = address.cAddress
        let size = relay == nil ? MediaLimits.portBuffer : MediaLimits.relayBuffer
        let opened = hearth_media_open(&wanted, size)
        guard opened >= 0 else { throw SocketError(errno: -opened, binding: address) }
        var bound = hearth_address()
        guard hearth_socket_address(opened, &bound) == 0 else {
            Glibc.close(opened)
            throw .system(errno)
        }
        (descriptor, self.relay, self.address) = (opened, relay, TransportAddress(bound))
    }

    mutating func close() {
        Glibc.close(descriptor)
        self = MediaSocket()
    }

    /// The address a client asked, which its answers come from; a socket that is bound to one has no other.
    func local(asked: hearth_address) -> TransportAddress {
        asked.family == 0 ? address : TransportAddress(ip: IPAddress(asked), port: address.port)
    }

    /// What the system is told about the address a packet leaves from: nothing, where there is no choice.
    func source(_ local: TransportAddress) -> hearth_address {
        address.ip.isUnspecified ? local.cAddress : hearth_address()
    }
}
