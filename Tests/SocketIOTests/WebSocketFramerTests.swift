import Base
import Testing

@testable import SocketIO

/// A client's frame: masked, with the bits and lengths a test wants.
private func frame(_ first: UInt8, _ payload: [UInt8], mask: [UInt8]? = [0x37, 0xfa, 0x21, 0x3d]) -> [UInt8] {
    let bit: UInt8 = mask == nil ? 0 : 0x80
    var bytes = [first]
    if payload.count < 126 {
        bytes.append(bit | UInt8(payload.count))
    } else {
        bytes += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
    }
    guard let mask else { return bytes + payload }
    return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
}

private func events(_ bytes: [UInt8], limit: Int = 1_000, step: Int? = nil) throws -> [WebSocketFramer.Event] {
    var framer = WebSocketFramer(limit: limit)
    var found: [WebSocketFramer.Event] = []
    for start in stride(from: 0, to: bytes.count, by: step ?? max(1, bytes.count)) {
        bytes[start..<min(bytes.count, start + (step ?? bytes.count))].withUnsafeBytes { framer.receive($0) }
        while let event = try framer.next() { found.append(event) }
    }
    #expect(framer.isInsideMessage == false)
    return found
}

@Suite struct WebSocketFramerTests {
    @Test func `reads the masked text of RFC 6455 section 5.7`() throws {
        let bytes: [UInt8] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]
        #expect(try events(bytes) == [.message(Array("Hello".utf8))])
    }

    @Test(arguments: [1, 2, 3, 7]) func `reads frames that come in pieces`(step: Int) throws {
        let long = [UInt8](repeating: 0x41, count: 300)
        let bytes = frame(0x82, long) + frame(0x89, [1, 2]) + frame(0x81, Array("x".utf8))
        #expect(try events(bytes, step: step) == [.message(long), .ping([1, 2]), .message([0x78])])
    }

    @Test func `joins fragments, with a ping between them`() throws {
        let bytes = frame(0x01, Array("Hel".utf8)) + frame(0x89, []) + frame(0x00, []) + frame(0x80, Array("lo".utf8))
        #expect(try events(bytes) == [.ping([]), .message(Array("Hello".utf8))])
    }

    @Test func `keeps no memory of messages that are whole`() throws {
        var framer = WebSocketFramer(limit: 1_000)
        for _ in 0..<3 {
            // Always one and a half frames, so that the buffer never empties by itself.
            let bytes = frame(0x82, [1, 2, 3]) + frame(0x82, [4, 5, 6])
            bytes.dropLast(2).withUnsafeBytes { framer.receive($0) }
            #expect(try framer.next() == .message([1, 2, 3]))
            #expect(try framer.next() == nil)
            #expect(framer.isInsideMessage)
            bytes.suffix(2).withUnsafeBytes { framer.receive($0) }
            #expect(try framer.next() == .message([4, 5, 6]))
            #expect(!framer.isInsideMessage)
        }
    }

    @Test(arguments: [
        (frame(0x81, [0x61], mask: nil), WebSocketError.protocolViolation(.unmasked)),
        (frame(0xc1, [0x61]), .protocolViolation(.reservedBits)),
        (frame(0x83, [0x61]), .protocolViolation(.unknownOpcode)),
        (frame(0x09, []), .protocolViolation(.controlFrame)),
        (frame(0x89, [UInt8](repeating: 0, count: 126)), .protocolViolation(.controlFrame)),
        (frame(0x80, [0x61]), .protocolViolation(.continuation)),
        (frame(0x01, [0x61]) + frame(0x81, [0x61]), .protocolViolation(.interrupted)),
        ([0x82, 0xfe, 0x00, 0x05, 0, 0, 0, 0], .protocolViolation(.length)),
        (frame(0x88, [0x03]), .protocolViolation(.closeCode)),
        (frame(0x88, [0x03, 0xed]), .protocolViolation(.closeCode)),
        (frame(0x81, [0xc3, 0x28]), .notText),
        ([0x82, 0xfe, 0x03, 0xe9, 0, 0, 0, 0], .tooBig),
        ([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], .tooBig),
    ]) func `refuses what RFC 6455 forbids`(bytes: [UInt8], error: WebSocketError) {
        #expect(throws: error) { try events(bytes) }
    }

    @Test func `counts fragments together against the limit`() {
        let half = [UInt8](repeating: 0x61, count: 501)
        #expect(throws: WebSocketError.tooBig) { try events(frame(0x01, half) + frame(0x80, half)) }
    }

    @Test func `reads closing codes`() throws {
        #expect(try events(frame(0x88, [])) == [.close(nil)])
        #expect(try events(frame(0x88, [0x03, 0xe9] + Array("bye".utf8))) == [.close(1001)])
    }

    @Test func `any bytes give events or an error`() {
        var random = RandomSource(seed: 7)
        for _ in 0..<5_000 {
            let bytes = random.bytes(count: Int.random(in: 1...60, using: &random))
            var framer = WebSocketFramer(limit: 100)
            bytes.withUnsafeBytes { framer.receive($0) }
            do { while try framer.next() != nil {} } catch {}
        }
    }

    @Test func `cuts a closing reason at a character`() {
        let payload = WebSocketFramer.closePayload(code: 1008, reason: String(repeating: "ä", count: 100))
        #expect(payload.count == 2 + 122)
        #expect(String(validating: payload.dropFirst(2), as: UTF8.self) != nil)
    }

    @Test(arguments: [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)])
    func `writes lengths in their shortest form`(length: Int, header: Int) {
        #expect(WebSocketFramer.header(.binary, length: length).count == header)
    }
}
