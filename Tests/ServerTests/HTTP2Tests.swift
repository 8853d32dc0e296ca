import Base
import Foundation
import SocketIO
import Testing

@testable import Server

/// What slow peers do over HTTP/2, on a real server over TLS. Frames are made by hand (RFC 9113 §4.1): no library of a
/// client's would send such.
@Suite(.serialized) struct HTTP2Tests {
    /// Enough for a machine with much else to do, and less than any limit that is not short.
    private static let patience = Duration.seconds(9)

    @Test func `a body that drips is cut off, and the connection's other requests are not`() async throws {
        let house = try await TestHouse.open(short: [\.messageTime])
        let port = try #require(house.settings.httpsPort)
        let peer = try await HTTP2Peer.connect(to: port)
        try await peer.sendHead(
            stream: 1, method: "POST", path: "/api/session",
            extra: [
                ("origin", "https://localhost"), ("x-hearth", "1"), ("content-type", "application/json"),
                ("content-length", "1000"),
            ])
        let reset = try await peer.wait(Self.patience, doing: { try await peer.send(.data, stream: 1, [0x20]) }) {
            $0.first { $0.kind == .reset && $0.stream == 1 }
        }
        #expect(reset?.payload == [0, 0, 0, 8])  // CANCEL
        #expect(!peer.isClosed)
        try await peer.sendHead(stream: 3, flags: [.endHeaders, .endStream], method: "GET", path: "/healthz")
        let answer = try await peer.wait(Self.patience) { $0.first { $0.kind == .data && $0.stream == 3 } }
        #expect(answer.map { String(decoding: $0.payload, as: UTF8.self) } == "ok\n")
        await peer.close()
        await house.close()
        // No error: strangers can do this as often as they like.
        #expect(house.log.all.contains("debug closed, because it took too long"))
        #expect(house.log.all.allSatisfy { $0.hasPrefix("debug ") || $0.hasPrefix("info ") }, "\(house.log.all)")
    }

    @Test(arguments: [false, true])
    func `a connection without a request is closed, whether or not it leaves a PING unanswered`(
        hasHalfHead: Bool
    ) async throws {
        let house = try await TestHouse.open(short: [\.httpIdleTime])
        let peer = try await HTTP2Peer.connect(to: try #require(house.settings.httpsPort))
        if hasHalfHead { try await peer.sendHead(stream: 1, flags: [.endStream], method: "GET", path: "/healthz") }
        _ = try await peer.wait(Self.patience) { _ in peer.isClosed ? true : nil }
        #expect(peer.isClosed)
        #expect(peer.frames.contains { $0.kind == .ping } || hasHalfHead)
        await house.close()
    }
}

/// A client of HTTP/2 that sends what it is told and answers nothing by itself.
private struct HTTP2Peer {
    enum Kind: UInt8 {
        case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    struct Flags: OptionSet {
        let rawValue: UInt8
        static let endStream = Flags(rawValue: 1)
        static let endHeaders = Flags(rawValue: 4)
    }

    struct Frame {
        var kind: Kind?
        var stream: UInt8
        var payload: [UInt8]
    }

    private let peer: TLSPeer

    static func connect(to port: UInt16) async throws -> HTTP2Peer {
        let peer = HTTP2Peer(peer: try await TLSPeer.connect(to: port, applicationProtocol: "h2"))
        try await peer.peer.send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8))
        try await peer.send(.settings, stream: 0, [])
        return peer
    }

    var isClosed: Bool { peer.isClosed }

    /// Whole frames of the server's.
    var frames: [Frame] {
        var (rest, frames) = (peer.received[...], [Frame]())
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            guard rest.count >= 9 + length else { break }
            let payload = Array(rest.dropFirst(9).prefix(length))
            frames.append(Frame(kind: Kind(rawValue: head[3]), stream: head[8], payload: payload))
            rest = rest.dropFirst(9 + length)
        }
        return frames
    }

    func send(_ kind: Kind, flags: Flags = [], stream: UInt8, _ payload: [UInt8]) async throws {
        let length = [UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 0xff), UInt8(payload.count & 0xff)]
        try await peer.send(length + [kind.rawValue, flags.rawValue, 0, 0, 0, stream] + payload)
    }

    /// A request's head; fields as literals without index (RFC 7541 §6.2.2).
    func sendHead(
        stream: UInt8, flags: Flags = .endHeaders, method: String, path: String, extra: [(String, String)] = []
    ) async throws {
        let pseudo = [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path)]
        var block: [UInt8] = []
        for (name, value) in pseudo + extra {
            block += [0, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
        }
        try await send(.headers, flags: flags, stream: stream, block)
    }

    /// Waits until the frames have what is looked for, ten times a second doing something meanwhile.
    func wait<Found>(
        _ patience: Duration, doing something: () async throws -> Void = {}, for found: ([Frame]) -> Found?
    ) async throws -> Found? {
        let began = MonotonicClock.now
        while MonotonicClock.now - began < patience {
            if let found = found(frames) { return found }
            try await something()
            try await Task.sleep(for: .milliseconds(100))
        }
        return nil
    }

    func close() async { await peer.close() }
}
