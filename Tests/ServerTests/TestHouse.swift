import Base
import Foundation
import Glibc
import HTTPAPI
import Logging
import NIOCore
import SocketIO
import Synchronization

@testable import Server

/// A whole server on free loopback ports in a folder of its own, with limits short enough to wait for.
struct TestHouse {
    let settings: Settings
    let server: RunningServer
    let announced: [String]
    let folder: String

    static func open(_ change: (inout Settings) -> Void = { _ in }) async throws -> TestHouse {
        let folder = NSTemporaryDirectory() + "hearth-house-\(UUID().uuidString)"
        var settings = try Settings(
            try await WrittenSettings(flags: [.data: folder, .listen: "127.0.0.1"], environment: [:]))
        settings.httpPort = freePort()
        settings.httpsPort = freePort()
        settings.sipPort = freePort()
        settings.sipsPort = freePort()
        change(&settings)
        var limits = SocketLimits()
        limits.handshakeTime = .milliseconds(600)
        limits.headerTime = .milliseconds(600)
        limits.httpIdleTime = .milliseconds(900)
        limits.introductionTime = .milliseconds(1_500)
        limits.messageTime = .milliseconds(800)
        limits.closeTime = .milliseconds(300)
        let announced = Lines()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = try await RunningServer.start(
            settings, limits: limits,
            files: StaticFiles([StaticFile(path: "/index.html", bytes: Array("<p>page".utf8), contentType: "text/html")]
            ),
            logger: logger, registry: PrometheusRegistry()
        ) { announced.add($0) }
        return TestHouse(settings: settings, server: server, announced: announced.all, folder: folder)
    }

    func close() async {
        await server.stop(farewell: .milliseconds(100))
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// A port nobody has. Below those the kernel gives to sockets that ask for any: one of these, closed again, may be
    /// another test's the next moment.
    static func freePort() -> UInt16 {
        while true {
            let port = UInt16(ports.add(1, ordering: .relaxed).oldValue % 20_000 + 12_000)
            let address = TransportAddress(ip: .loopback, port: port)
            if PlainSocket.canBind(address, SOCK_STREAM), PlainSocket.canBind(address, SOCK_DGRAM) { return port }
        }
    }

    /// Two runs side by side begin far apart.
    private static let ports = Atomic(Int(getpid()) * 64)

    private final class Lines: @unchecked Sendable {
        private let lock = NSLock()
        private var lines: [String] = []
        func add(_ line: String) { lock.withLock { lines.append(line) } }
        var all: [String] { lock.withLock { lines } }
    }
}

/// What a peer of ours saw.
struct Conversation: Sendable {
    var received: [UInt8]
    /// When the server ended the connection, from its start; nil when it was still open at the end of our patience.
    var closedAfter: Duration?

    var text: String { String(decoding: received, as: UTF8.self) }
}

/// A peer with a blocking socket, on a thread of its own so that the server's tasks have theirs.
enum Peer {
    /// Connects, sends the pieces with pauses between them, and reads until the server closes or patience ends.
    static func talk(
        _ port: UInt16?, _ pieces: [[UInt8]], pause: Duration = .zero, patience: Duration = .seconds(5)
    ) async -> Conversation {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(returning: run(port ?? 0, pieces, pause: pause, patience: patience))
            }
        }
    }

    private static func run(
        _ port: UInt16, _ pieces: [[UInt8]], pause: Duration, patience: Duration
    ) -> Conversation {
        let began = MonotonicClock.now
        guard let socket = PlainSocket(to: TransportAddress(ip: .loopback, port: port)) else {
            return Conversation(received: [], closedAfter: .zero)
        }
        socket.setPatience(.milliseconds(50))
        var received: [UInt8] = []
        for (index, piece) in pieces.enumerated() {
            if index > 0 { usleep(UInt32(pause.wholeNanoseconds / 1_000)) }
            var piece = piece
            _ = socket.write(&piece)
        }
        while MonotonicClock.now - began < patience {
            switch socket.poll() {
            case .bytes(let bytes): received += bytes
            case .nothing: break
            case .closed: return Conversation(received: received, closedAfter: MonotonicClock.now - began)
            }
        }
        return Conversation(received: received, closedAfter: nil)
    }

    /// A client's WebSocket frame with a mask of zeros.
    static func frame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let length: [UInt8] =
            payload.count < 126
            ? [0x80 | UInt8(payload.count)]
            : payload.count <= 65_535
                ? [0xfe, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
                : [0xff] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: payload.count >> ($0 * 8)) }
        return [first] + length + [0, 0, 0, 0] + payload
    }

    static func handshake(port: UInt16?, extra: String = "", path: String = "/sip") -> [UInt8] {
        Array(
            """
            GET \(path) HTTP/1.1\r
            Host: localhost:\(port ?? 0)\r
            Connection: keep-alive, Upgrade\r
            Upgrade: websocket\r
            Sec-WebSocket-Version: 13\r
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
            Sec-WebSocket-Protocol: sip\r
            \(extra)\r

            """.utf8)
    }

    static func register(_ user: String, via: String, extra: String = "") -> [UInt8] {
        Array(
            """
            REGISTER sip:localhost SIP/2.0\r
            Via: SIP/2.0/\(via) 127.0.0.1:5999;branch=z9hG4bKtest;rport\r
            From: <sip:\(user)@localhost>;tag=1\r
            To: <sip:\(user)@localhost>\r
            Call-ID: test-call\r
            CSeq: 1 REGISTER\r
            Max-Forwards: 70\r
            Contact: <sip:\(user)@127.0.0.1:5999>\r
            \(extra)Content-Length: 0\r
            \r

            """.utf8)
    }
}

extension PlainSocket {
    static func canBind(_ address: TransportAddress, _ kind: __socket_type) -> Bool {
        let descriptor = socket(AF_INET, Int32(kind.rawValue), 0)
        defer { Glibc.close(descriptor) }
        return (try? address.socketAddress.withSockAddr { bind(descriptor, $0, socklen_t($1)) }) == 0
    }

    enum Read {
        case bytes([UInt8])
        case nothing
        case closed
    }

    func poll() -> Read {
        let bytes = read(upTo: 65_536)
        guard let bytes else { return .nothing }
        return bytes.isEmpty ? .closed : .bytes(bytes)
    }
}
