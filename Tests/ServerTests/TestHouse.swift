import Base
import Foundation
import Glibc
import HTTPAPI
import Logging
import NIOCore
import SocketIO
import Synchronization

@testable import Server

/// A whole server on free loopback ports in a folder of its own.
struct TestHouse {
    let settings: Settings
    let server: RunningServer
    let announced: [String]
    let folder: String
    /// What was logged at debug and above, one line each: the level and the message.
    let log: Lines

    /// - Parameter short: the limits a test waits for. All others are as they are for people, so that no loaded machine
    ///   runs into them, and that it is sure which one was reached.
    static func open(
        _ change: (inout Settings) -> Void = { _ in }, short: [WritableKeyPath<SocketLimits, Duration>] = []
    ) async throws -> TestHouse {
        let folder = NSTemporaryDirectory() + "hearth-house-\(UUID().uuidString)"
        var settings = try Settings(
            try await WrittenSettings(flags: [.data: folder, .listen: "127.0.0.1"], environment: [:]))
        settings.httpPort = freePort()
        settings.httpsPort = freePort()
        settings.sipPort = freePort()
        settings.sipsPort = freePort()
        change(&settings)
        var limits = SocketLimits()
        limits.closeTime = .milliseconds(300)
        for limit in short { limits[keyPath: limit] = .milliseconds(800) }
        let (announced, log) = (Lines(), Lines())
        let server = try await RunningServer.start(
            settings, limits: limits,
            files: StaticFiles([StaticFile(path: "/index.html", bytes: Array("<p>page".utf8), contentType: "text/html")]
            ),
            logger: Logger(label: "test") { _ in LinesHandler(lines: log) }, registry: PrometheusRegistry()
        ) { announced.add($0) }
        return TestHouse(settings: settings, server: server, announced: announced.all, folder: folder, log: log)
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

    final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    private struct LinesHandler: LogHandler {
        let lines: Lines
        var logLevel = Logger.Level.debug
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { lines.add("\(event.level) \(event.message)") }
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
    /// Connects, sends the pieces with pauses between them, and reads until the server closes, until `expected` has
    /// come, or until patience ends: with neither something is wrong, so a loaded machine is given plenty of it.
    static func talk(
        _ port: UInt16?, _ pieces: [[UInt8]], pause: Duration = .zero, until expected: String? = nil,
        patience: Duration = .seconds(15)
    ) async -> Conversation {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    returning: run(port ?? 0, pieces, pause: pause, until: expected, patience: patience))
            }
        }
    }

    private static func run(
        _ port: UInt16, _ pieces: [[UInt8]], pause: Duration, until expected: String?, patience: Duration
    ) -> Conversation {
        let began = MonotonicClock.now
        guard let socket = PlainSocket(to: TransportAddress(ip: .loopback, port: port)) else {
            return Conversation(received: [], closedAfter: .zero)
        }
        var conversation = Conversation(received: [], closedAfter: nil)
        var (rest, nextPiece) = (pieces[...], began)
        while MonotonicClock.now - began < patience {
            if MonotonicClock.now >= nextPiece, var piece = rest.popFirst() {
                _ = socket.write(&piece)
                nextPiece = MonotonicClock.now + pause
            }
            switch socket.poll(rest.isEmpty ? longestWait : min(longestWait, pause)) {
            case .bytes(let bytes): conversation.received += bytes
            case .nothing: break
            case .closed:
                conversation.closedAfter = MonotonicClock.now - began
                return conversation
            }
            if let expected, rest.isEmpty, conversation.text.contains(expected) { break }
        }
        return conversation
    }

    private static let longestWait = Duration.milliseconds(50)

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

    /// What came within a time of at least a millisecond.
    func poll(_ time: Duration) -> Read {
        setPatience(max(time, .milliseconds(1)))
        defer { setPatience(.seconds(5)) }
        let bytes = read(upTo: 65_536)
        guard let bytes else { return .nothing }
        return bytes.isEmpty ? .closed : .bytes(bytes)
    }
}
