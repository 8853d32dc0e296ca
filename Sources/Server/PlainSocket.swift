import Base
import Glibc
import NIOCore
import SocketIO

/// A blocking TCP socket for the command line's few questions.
final class PlainSocket {
    /// The server answers at once or not at all.
    private static let patience = Duration.seconds(2)

    private let descriptor: Int32

    /// Connects; nil when nobody listens.
    init?(to address: TransportAddress) {
        descriptor = socket(address.ip.isV4 ? AF_INET : AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        setPatience(Self.patience)
        let connected = try? address.socketAddress.withSockAddr { name, length in
            Glibc.connect(descriptor, name, socklen_t(length))
        }
        guard connected == 0 else { return nil }
    }

    deinit { close(descriptor) }

    func write(_ bytes: inout [UInt8]) -> Bool {
        send(descriptor, &bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// What arrives within the patience, at most `count` bytes; empty at the connection's end, nil when nothing came.
    func read(upTo count: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: count)
        let received = recv(descriptor, &buffer, count, 0)
        if received < 0, errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR { return nil }
        return Array(buffer.prefix(max(0, received)))
    }

    /// How long reading and writing wait.
    func setPatience(_ time: Duration) {
        let microseconds = time.wholeNanoseconds / 1_000
        var patience = timeval(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
    }

    /// Why a TCP port cannot be listened at; nil when it can.
    static func bindingError(_ address: TransportAddress) -> SocketError? {
        let descriptor = socket(address.ip.isV4 ? AF_INET : AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return SocketError(errno: errno, binding: address) }
        defer { close(descriptor) }
        var on = Int32(1)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let bound = try? address.socketAddress.withSockAddr { name, length in
            Glibc.bind(descriptor, name, socklen_t(length))
        }
        guard bound != 0 else { return nil }
        return SocketError(errno: errno, binding: address)
    }
}
