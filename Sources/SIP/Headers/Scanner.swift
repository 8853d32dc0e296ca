import Base

/// Reads one header value from left to right by the rules of RFC 3261 §25.1. Folding is gone by then: white space is
/// spaces and tabs.
struct Scanner {
    let bytes: ArraySlice<UInt8>
    var index: Int

    @inline(__always)
    init(_ bytes: ArraySlice<UInt8>) { (self.bytes, index) = (bytes, bytes.startIndex) }

    @inline(__always) var isAtEnd: Bool { index >= bytes.endIndex }

    /// The next byte, or nil at the end.
    @inline(__always) var peek: UInt8? { index < bytes.endIndex ? bytes[index] : nil }

    /// What has not been read.
    var rest: ArraySlice<UInt8> { bytes[index...] }

    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        index += 1
        return true
    }

    @inline(__always)
    mutating func skipSpace() {
        while let byte = peek, byte == ASCII.space || byte == ASCII.tab { index += 1 }
    }

    /// A separator with white space around it: SEMI, COMMA, SLASH, EQUAL.
    mutating func takeSeparator(_ byte: UInt8) -> Bool {
        let start = index
        skipSpace()
        guard take(byte) else {
            index = start
            return false
        }
        skipSpace()
        return true
    }

    /// One or more bytes that satisfy `condition`; empty when there is none.
    @inline(__always)
    mutating func run(while condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = index
        while let byte = peek, condition(byte) { index += 1 }
        return bytes[start..<index]
    }

    mutating func token() -> ArraySlice<UInt8>? {
        let token = run(while: Grammar.isToken)
        return token.isEmpty ? nil : token
    }

    /// A quoted string with its quotes, or nil (and nothing read) when none stands here or it does not end.
    mutating func quotedString() -> ArraySlice<UInt8>? {
        guard peek == ASCII.quote else { return nil }
        var position = index + 1
        while position < bytes.endIndex {
            switch bytes[position] {
            case ASCII.backslash:
                position += 2
            case ASCII.quote:
                defer { index = position + 1 }
                return bytes[index...position]
            default:
                position += 1
            }
        }
        return nil
    }

    mutating func number() -> Int? { ASCII.decimal(run(while: ASCII.isDigit)) }
}

/// Character classes and small text forms of RFC 3261 §25.1.
enum Grammar {
    /// alphanum and - . ! % * _ + ` ' ~
    private static let tokenLow: UInt64 = 0x03ff_6ca2_0000_0000
    private static let tokenHigh: UInt64 = 0x47ff_ffff_87ff_fffe

    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        guard byte < 128 else { return false }
        return (byte < 64 ? tokenLow >> UInt64(byte) : tokenHigh >> UInt64(byte & 63)) & 1 == 1
    }

    /// `word` of Call-ID: token characters and ( ) < > : \ " / [ ] ? { }
    static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x28, 0x29, 0x3c, 0x3e, 0x3a, 0x5c, 0x22, 0x2f, 0x5b, 0x5d, 0x3f, 0x7b, 0x7d: true
        default: isToken(byte)
        }
    }

    static func isTokenText(_ text: some Collection<UInt8>) -> Bool { !text.isEmpty && text.allSatisfy(isToken) }

    /// The content of a quoted string with its escapes undone; other text unchanged.
    static func unquoted(_ text: ArraySlice<UInt8>) -> [UInt8] {
        guard text.count >= 2, text.first == ASCII.quote, text.last == ASCII.quote else { return Array(text) }
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        var escaped = false
        for byte in text.dropFirst().dropLast() {
            if !escaped, byte == ASCII.backslash {
                escaped = true
            } else {
                out.append(byte)
                escaped = false
            }
        }
        return out
    }

    /// Appends `text` as a quoted string, escaping what must be. Line ends cannot be written (RFC 3261 §25.1
    /// quoted-pair) and become spaces.
    static func quote(_ text: some Collection<UInt8>, into out: inout [UInt8]) {
        out.append(ASCII.quote)
        for byte in text {
            switch byte {
            case ASCII.carriageReturn, ASCII.lineFeed:
                out.append(ASCII.space)
            case ASCII.quote, ASCII.backslash, 0..<0x09, 0x0b..<0x20, 0x7f:
                out.append(ASCII.backslash)
                out.append(byte)
            default:
                out.append(byte)
            }
        }
        out.append(ASCII.quote)
    }

    /// Without white space at either end.
    static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text
        while let first = text.first, isSpace(first) { text.removeFirst() }
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }

    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == ASCII.space || byte == ASCII.tab || byte == ASCII.carriageReturn || byte == ASCII.lineFeed
    }

    /// Splits at commas that stand outside quoted strings and angle brackets, trimmed; empty elements are kept, for the
    /// element's own grammar to refuse.
    static func splitList(_ text: ArraySlice<UInt8>, into out: inout [ArraySlice<UInt8>]) {
        var start = text.startIndex
        while true {
            let end = endOfListElement(text[start...])
            out.append(trimmed(text[start..<end]))
            guard end < text.endIndex else { return }
            start = end + 1
        }
    }

    /// Where the first comma outside quotes and angle brackets stands, or the end.
    static func endOfListElement(_ text: ArraySlice<UInt8>) -> Int {
        var index = text.startIndex
        var quoted = false
        var bracketed = false
        while index < text.endIndex {
            let byte = text[index]
            if quoted {
                if byte == ASCII.backslash { index += 1 } else if byte == ASCII.quote { quoted = false }
            } else if byte == ASCII.quote {
                quoted = !bracketed
            } else if byte == ASCII.lessThan {
                bracketed = true
            } else if byte == ASCII.greaterThan {
                bracketed = false
            } else if byte == ASCII.comma, !bracketed {
                return index
            }
            index += 1
        }
        return text.endIndex
    }

    /// Header value with each fold (CRLF and white space) as one space (RFC 3261 §7.3.1).
    static func unfolded(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            guard text[index] == ASCII.carriageReturn else {
                out.append(text[index])
                index += 1
                continue
            }
            while index < text.endIndex, isSpace(text[index]) { index += 1 }
            while let last = out.last, last == ASCII.space || last == ASCII.tab { out.removeLast() }
            out.append(ASCII.space)
        }
        return out[...]
    }
}

/// A header's value as it is parsed and written.
package protocol HeaderValue: Sendable {
    /// Appends the value in wire form, without a line end.
    func serialize(into out: inout [UInt8])
}

extension HeaderValue {
    /// The value in wire form.
    package var text: [UInt8] {
        var out: [UInt8] = []
        serialize(into: &out)
        return out
    }
}
