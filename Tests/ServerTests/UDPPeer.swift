import Base
import Glibc
import NIOCore
import SocketIO

/// A phone's UDP socket on loopback.
final class UDPPeer {
    private let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var patience = timeval(tv_sec: 3, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let address = try TransportAddress(ip: .loopback, port: port).socketAddress
        _ = address.withSockAddr { connect(descriptor, $0, socklen_t($1)) }
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, 0) }

    func receive() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let received = recv(descriptor, &buffer, buffer.count, 0)
        return Array(buffer.prefix(max(0, received)))
    }
}
