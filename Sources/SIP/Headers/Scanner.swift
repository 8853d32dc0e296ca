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

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        index += 1
        return true
    }

    mutating func skipSpace() {
        while let byte = peek, byte == ASCII.space || byte == ASCII.tab { index += 1 }
    }

    /// Goes on to the first byte that is not in `set`.
    mutating func skip(_ set: ByteSet) {
        let end = bytes.endIndex
        while index < end, set.contains(bytes[index]) { index += 1 }
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

    /// One or more bytes of `set`; empty when there is none.
    mutating func run(_ set: ByteSet) -> ArraySlice<UInt8> { bytes[range(set)] }

    /// Whether all of it is in `set`.
    func isOnly(_ set: ByteSet) -> Bool {
        var copy = self
        copy.skip(set)
        return copy.isAtEnd
    }

    mutating func token() -> ArraySlice<UInt8>? {
        let token = range(.token)
        return token.isEmpty ? nil : bytes[token]
    }

    /// The same as places, for whoever needs no slice: a slice counts a reference.
    mutating func range(_ set: ByteSet) -> Range<Int> {
        let start = index
        skip(set)
        return start..<index
    }

    /// A quoted string with its quotes, or nil (and nothing read) when none stands here or it does not end.
    mutating func quotedString() -> ArraySlice<UInt8>? {
        let start = index
        return skipQuotedString() ? bytes[start..<index] : nil
    }

    /// - Returns: false (and nothing read) when no quoted string stands here or it does not end.
    mutating func skipQuotedString() -> Bool {
        guard peek == ASCII.quote else { return false }
        var position = index + 1
        let end = bytes.endIndex
        while position < end {
            let byte = bytes[position]
            if byte == ASCII.quote {
                index = position + 1
                return true
            }
            position += byte == ASCII.backslash ? 2 : 1
        }
        return false
    }

    mutating func number() -> Int? { ASCII.decimal(run(.digit)) }
}

/// Character classes and small text forms of RFC 3261 §25.1.
enum Grammar {
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool { ByteSet.token.contains(byte) }

    /// The content of a quoted string with its escapes undone; other text unchanged.
    static func unquoted(_ text: ArraySlice<UInt8>) -> [UInt8] {
        guard text.count >= 2, text.first == ASCII.quote, text.last == ASCII.quote else { return Array(text) }
        let content = text[(text.startIndex + 1)..<(text.endIndex - 1)]
        guard content.contains(ASCII.backslash) else { return Array(content) }
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        var escaped = false
        for byte in content {
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
    static func quote(_ text: some Collection<UInt8>, into out: inout [UInt8]) { quote(Array(text), into: &out) }

    static func quote(_ text: [UInt8], into out: inout [UInt8]) {
        out.append(ASCII.quote)
        defer { out.append(ASCII.quote) }
        guard text.contains(where: { $0 < ASCII.space || $0 == ASCII.quote || $0 == ASCII.backslash || $0 == 0x7f })
        else {
            out += text
            return
        }
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
    }

    /// Without white space at either end.
    static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var (start, end) = (text.startIndex, text.endIndex)
        while start < end, isSpace(text[start]) { start += 1 }
        while end > start, isSpace(text[end - 1]) { end -= 1 }
        return text[start..<end]
    }

    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == ASCII.space || byte == ASCII.tab || byte == ASCII.carriageReturn || byte == ASCII.lineFeed
    }

    /// Splits at commas that stand outside quoted strings and angle brackets; elements are trimmed, empty ones left out.
    static func splitList(_ text: ArraySlice<UInt8>, into out: inout [ArraySlice<UInt8>]) {
        var start = text.startIndex
        while true {
            let end = endOfListElement(text[start...])
            let element = trimmed(text[start..<end])
            if !element.isEmpty { out.append(element) }
            guard end < text.endIndex else { return }
            start = end + 1
        }
    }

    /// Where the first comma outside quotes and angle brackets stands, or the end.
    static func endOfListElement(_ text: ArraySlice<UInt8>) -> Int {
        text.withUnsafeBufferPointer { bytes in
            var index = 0
            var quoted = false
            var bracketed = false
            // Most values have no comma at all.
            guard CheckedBytes(bytes).contains(ASCII.comma) else { return text.endIndex }
            while index < bytes.count {
                let byte = bytes[index]
                if quoted {
                    if byte == ASCII.backslash { index += 1 } else if byte == ASCII.quote { quoted = false }
                } else if byte == ASCII.quote {
                    quoted = !bracketed
                } else if byte == ASCII.lessThan {
                    bracketed = true
                } else if byte == ASCII.greaterThan {
                    bracketed = false
                } else if byte == ASCII.comma, !bracketed {
                    return text.startIndex + index
                }
                index += 1
            }
            return text.endIndex
        }
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
