import Base

/// Why a WebSocket is closed, with the code for the closing frame (RFC 6455 §7.4.1).
package enum WebSocketError: Error, Equatable {
    /// 1002: a rule of RFC 6455 was broken.
    case protocolViolation(StaticReason)
    /// 1007: a text message, or a closing reason, that is not UTF-8.
    case notText
    /// 1009: a message above the limit.
    case tooBig

    package enum StaticReason: String, Equatable, Sendable {
        case unmasked = "frames of a client must be masked"
        case reservedBits = "reserved bits must be zero"
        case unknownOpcode = "unknown kind of frame"
        case controlFrame = "a control frame must be whole and at most 125 bytes"
        case continuation = "a continuation without a beginning"
        case interrupted = "a message began before the last one ended"
        case length = "a length not written in its shortest form"
        case closeCode = "a closing code that must not be sent"
    }

    package var code: UInt16 {
        switch self {
        case .protocolViolation: 1002
        case .notText: 1007
        case .tooBig: 1009
        }
    }

    package var reason: String {
        switch self {
        case .protocolViolation(let reason): reason.rawValue
        case .notText: "text must be UTF-8"
        case .tooBig: "message above the limit"
        }
    }
}

/// The server's half of the WebSocket protocol on one connection (RFC 6455 §5): bytes in, whole messages out.
///
/// Text and binary messages are the same to SIP (RFC 7118 §4.2). Fragments are joined within the limit. Keeps no memory
/// between messages.
package struct WebSocketFramer: Sendable {
    package enum Event: Equatable, Sendable {
        case message([UInt8])
        case ping([UInt8])
        case pong
        /// The peer closes, with its code if it gave one.
        case close(UInt16?)
    }

    private enum Opcode: UInt8 {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        var isControl: Bool { rawValue >= 8 }
    }

    private struct Header {
        var opcode: Opcode
        var isFinal: Bool
        var mask: UInt32
        var payload: Range<Int>
    }

    private let limit: Int
    private var input: [UInt8] = []
    private var start = 0
    /// The fragments so far of a message that is not whole; nil between messages.
    private var fragments: (bytes: [UInt8], isText: Bool)?

    package init(limit: Int) { self.limit = limit }

    /// Whether a message has begun and is not whole: then the peer must hurry.
    package var isInsideMessage: Bool { start < input.count || fragments != nil }

    package mutating func receive(_ bytes: UnsafeRawBufferPointer) {
        if start > 0 {
            input.removeFirst(start)
            start = 0
        }
        input.append(contentsOf: bytes)
    }

    /// The next event of what was received, or nil when more bytes are needed.
    package mutating func next() throws(WebSocketError) -> Event? {
        while let header = try parseHeader() {
            guard header.payload.upperBound <= input.count else { return nil }
            var payload = Array(input[header.payload])
            Self.unmask(&payload, with: header.mask)
            consume(upTo: header.payload.upperBound)
            if let event = try take(payload, header) { return event }
        }
        return nil
    }

    private mutating func consume(upTo end: Int) {
        start = end
        guard start == input.count else { return }
        // Ten thousand idle connections keep nothing.
        (input, start) = ([], 0)
    }

    private func parseHeader() throws(WebSocketError) -> Header? {
        guard input.count - start >= 2 else { return nil }
        let (first, second) = (input[start], input[start + 1])
        guard first & 0x70 == 0 else { throw .protocolViolation(.reservedBits) }
        guard let opcode = Opcode(rawValue: first & 0x0f) else { throw .protocolViolation(.unknownOpcode) }
        guard second & 0x80 != 0 else { throw .protocolViolation(.unmasked) }
        let isFinal = first & 0x80 != 0
        let short = Int(second & 0x7f)
        if opcode.isControl, !isFinal || short > 125 { throw .protocolViolation(.controlFrame) }
        let lengthBytes = short == 126 ? 2 : short == 127 ? 8 : 0
        guard input.count - start >= 2 + lengthBytes + 4 else { return nil }
        let length = try length(short: short, at: start + 2, bytes: lengthBytes)
        let joined = opcode == .continuation ? (fragments?.bytes.count ?? 0) : 0
        guard length <= limit - joined else { throw .tooBig }
        var mask = UInt32(0)
        for byte in input[start + 2 + lengthBytes..<start + 6 + lengthBytes].reversed() {
            mask = mask << 8 | UInt32(byte)
        }
        let begin = start + 6 + lengthBytes
        return Header(opcode: opcode, isFinal: isFinal, mask: mask, payload: begin..<begin + length)
    }

    private func length(short: Int, at position: Int, bytes: Int) throws(WebSocketError) -> Int {
        guard bytes > 0 else { return short }
        var value = UInt64(0)
        for byte in input[position..<position + bytes] { value = value << 8 | UInt64(byte) }
        guard value > (bytes == 2 ? 125 : 65_535) else { throw .protocolViolation(.length) }
        return Int(clamping: value)
    }

    private static func unmask(_ payload: inout [UInt8], with mask: UInt32) {
        payload.withUnsafeMutableBytes { bytes in
            var index = 0
            while index + 4 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)
                bytes.storeBytes(of: word ^ mask.littleEndian, toByteOffset: index, as: UInt32.self)
                index += 4
            }
            var rest = mask
            while index < bytes.count {
                bytes[index] ^= UInt8(truncatingIfNeeded: rest)
                rest >>= 8
                index += 1
            }
        }
    }

    private mutating func take(_ payload: [UInt8], _ header: Header) throws(WebSocketError) -> Event? {
        switch header.opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong
        case .close: return .close(try Self.closeCode(payload))
        case .text, .binary:
            guard fragments == nil else { throw .protocolViolation(.interrupted) }
            guard header.isFinal else {
                fragments = (payload, header.opcode == .text)
                return nil
            }
            return .message(try Self.checked(payload, isText: header.opcode == .text))
        case .continuation:
            guard fragments != nil else { throw .protocolViolation(.continuation) }
            fragments?.bytes += payload
            guard header.isFinal, let whole = fragments.take() else { return nil }
            return .message(try Self.checked(whole.bytes, isText: whole.isText))
        }
    }

    private static func checked(_ bytes: [UInt8], isText: Bool) throws(WebSocketError) -> [UInt8] {
        guard !isText || isUTF8(bytes) else { throw .notText }
        return bytes
    }

    private static func isUTF8(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
    }

    private static func closeCode(_ payload: [UInt8]) throws(WebSocketError) -> UInt16? {
        guard !payload.isEmpty else { return nil }
        guard payload.count >= 2 else { throw .protocolViolation(.closeCode) }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: break
        default: throw .protocolViolation(.closeCode)
        }
        guard isUTF8(payload.dropFirst(2)) else { throw .notText }
        return code
    }
}

// MARK: - Frames to the client

extension WebSocketFramer {
    /// Which frame a server sends (RFC 6455 §11.8).
    package enum Kind: UInt8, Sendable {
        case text = 0x81
        case binary = 0x82
        case close = 0x88
        case ping = 0x89
        case pong = 0x8a
    }

    /// The header of an unfragmented, unmasked frame: 2 to 10 bytes.
    package static func header(_ kind: Kind, length: Int) -> [UInt8] {
        var bytes = [kind.rawValue]
        if length < 126 {
            bytes.append(UInt8(length))
        } else if length <= 65_535 {
            bytes += [126, UInt8(length >> 8), UInt8(length & 0xff)]
        } else {
            bytes.append(127)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(length >> shift & 0xff)) }
        }
        return bytes
    }

    /// A closing frame's payload; the reason is cut to what a control frame holds.
    package static func closePayload(code: UInt16, reason: String) -> [UInt8] {
        var text = Array(reason.utf8.prefix(123))
        // A cut character goes whole.
        while !isUTF8(text) { text.removeLast() }
        return [UInt8(code >> 8), UInt8(code & 0xff)] + text
    }
}
