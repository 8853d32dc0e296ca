import Base

/// Finds the parts of a message in one pass over its bytes.
enum MessageReader {
    /// Where everything is.
    struct Layout {
        /// Line ends before the start line.
        var skipped = 0
        var startLine: StartLine
        var lines: [HeaderLine]
        var headersEnd: Int
        /// Past the body.
        var end: Int
    }

    static func read(
        _ buffer: UnsafeBufferPointer<UInt8>, limits: SIPLimits
    ) throws(SIPParseError) -> Layout {
        let bytes = CheckedBytes(buffer)
        let start = bytes.endOfLineEnds()
        guard start < bytes.count else { throw .notSIP }
        guard start == 0 else {
            return Layout(
                skipped: start, startLine: .response(status: 0, reason: 0..<0), lines: [], headersEnd: 0, end: 0)
        }
        guard bytes.count <= limits.maximumMessage else { throw .messageTooLong }
        let firstEnd = bytes.nextControl(from: 0)
        let startLine = try StartLineReader.read(bytes, end: firstEnd)
        guard bytes[firstEnd] == ASCII.carriageReturn, bytes[firstEnd + 1] == ASCII.lineFeed else {
            throw .badStartLine
        }
        var layout = Layout(startLine: startLine, lines: [], headersEnd: 0, end: bytes.count)
        layout.lines.reserveCapacity(16)
        let length = try readHeaders(bytes, from: firstEnd + 2, limits: limits, into: &layout)
        if let length {
            guard length <= bytes.count - layout.headersEnd - 2 else { throw .incompleteBody }
            layout.end = layout.headersEnd + 2 + length
        }
        return layout
    }

    /// Content-Length of a head that ends with the empty line, for whoever must know where the body ends before it came.
    static func contentLength(
        _ buffer: UnsafeBufferPointer<UInt8>, limits: SIPLimits
    ) throws(SIPParseError) -> Int? {
        let bytes = CheckedBytes(buffer)
        var layout = Layout(startLine: .response(status: 0, reason: 0..<0), lines: [], headersEnd: 0, end: 0)
        let firstEnd = bytes.nextControl(from: 0)
        layout.startLine = try StartLineReader.read(bytes, end: firstEnd)
        return try readHeaders(bytes, from: firstEnd + 2, limits: limits, into: &layout)
    }

    /// - Returns: Content-Length, if there is one.
    private static func readHeaders(
        _ bytes: CheckedBytes, from start: Int, limits: SIPLimits, into layout: inout Layout
    ) throws(SIPParseError) -> Int? {
        var length: Int?
        var index = start
        while bytes[index] != ASCII.carriageReturn {
            guard index < bytes.count else { throw .unfinishedHeaders }
            let line = try readLine(bytes, from: index)
            index = Int(line.end)
            guard layout.lines.count < limits.maximumHeaderCount, index <= limits.maximumHeaderBytes else {
                throw .headersTooLong
            }
            layout.lines.append(line)
            if line.code == .contentLength {
                guard let value = bytes.decimal(line.value) else { throw .malformed(.contentLength) }
                guard length == nil || length == value else { throw .repeated(.contentLength) }
                length = value
            }
        }
        guard bytes[index + 1] == ASCII.lineFeed else { throw .badHeaderLine(offset: index) }
        layout.headersEnd = index
        return length
    }

    /// One header field, with the lines that continue it.
    static func readLine(_ bytes: CheckedBytes, from start: Int) throws(SIPParseError) -> HeaderLine {
        let colon = bytes.nextColon(from: start)
        let name = bytes.part(bytes.trimmed(start..<colon, atStart: false))
        // A name that is known needs no look at its characters.
        let code = HeaderName.code(of: name)
        guard bytes[colon] == ASCII.colon, !name.isEmpty, code != .unknown || name.allSatisfy(Grammar.isToken) else {
            throw .badHeaderLine(offset: start)
        }
        var isFolded = false
        var index = bytes.nextControl(from: colon + 1)
        while true {
            guard index < bytes.count else { throw .unfinishedHeaders }
            let byte = bytes[index]
            if byte == ASCII.carriageReturn, bytes[index + 1] == ASCII.lineFeed {
                let next = bytes[index + 2]
                guard next == ASCII.space || next == ASCII.tab else { break }
                isFolded = true
                index += 2
            } else if byte != ASCII.tab {
                // quoted-pair alone may carry a control character, and never CR or LF (§25.1).
                let isLineEnd = byte == ASCII.carriageReturn || byte == ASCII.lineFeed
                guard !isLineEnd, bytes[index - 1] == ASCII.backslash else { throw .badHeaderLine(offset: index) }
            }
            index = bytes.nextControl(from: index + 1)
        }
        let value = bytes.trimmed((colon + 1)..<index)
        return HeaderLine(
            code: code, isFolded: isFolded,
            start: UInt32(truncatingIfNeeded: start), nameLength: UInt32(truncatingIfNeeded: name.count),
            valueStart: UInt32(truncatingIfNeeded: value.lowerBound),
            valueEnd: UInt32(truncatingIfNeeded: value.upperBound),
            end: UInt32(truncatingIfNeeded: index + 2))
    }
}

/// Reads the first line (RFC 3261 §7.1, §7.2): single spaces, version 2.0.
enum StartLineReader {
    static func read(_ bytes: CheckedBytes, end: Int) throws(SIPParseError) -> StartLine {
        let isResponse = bytes[0] | 0x20 == UInt8(ascii: "s") && bytes.startsIgnoringCase(with: "SIP/", at: 0)
        guard isResponse else { return try readRequest(bytes, end: end) }
        guard bytes.startsIgnoringCase(with: "SIP/2.0", at: 0) else { throw .unsupportedVersion }
        guard bytes[7] == ASCII.space, let status = bytes.decimal(8..<min(11, end)), (100...699).contains(status),
            end == 11 || bytes[11] == ASCII.space
        else { throw .badStartLine }
        // §7.2 wants the space even before an empty phrase; a few stacks leave it out.
        return .response(status: status, reason: min(12, end)..<end)
    }

    private static func readRequest(_ bytes: CheckedBytes, end: Int) throws(SIPParseError) -> StartLine {
        var index = 0
        while Grammar.isToken(bytes[index]) { index += 1 }
        let methodEnd = index
        // What does not begin like a request deserves no answer.
        guard methodEnd > 0, bytes[methodEnd] == ASCII.space else { throw .notSIP }
        let uriStart = methodEnd + 1
        index = uriStart
        while index < end, bytes[index] != ASCII.space { index += 1 }
        let uri = uriStart..<index
        if index + 8 == end, !uri.isEmpty, bytes.startsIgnoringCase(with: "SIP/2.0", at: index + 1) {
            return .request(SIPMethod.Code(bytes.part(0..<methodEnd)), uri: uri)
        }
        guard index < end, bytes.startsIgnoringCase(with: "SIP/", at: index + 1) || hasVersion(bytes, end: end) else {
            throw .notSIP
        }
        guard !uri.isEmpty, bytes.startsIgnoringCase(with: "SIP/", at: index + 1) else { throw .badStartLine }
        throw bytes.startsIgnoringCase(with: "SIP/2.0", at: index + 1) ? .badStartLine : .unsupportedVersion
    }

    /// Whether `SIP/` stands in the line after a space: a request, if a bad one.
    private static func hasVersion(_ bytes: CheckedBytes, end: Int) -> Bool {
        var index = 0
        while index + 4 < end {
            if bytes[index] == ASCII.space, bytes.startsIgnoringCase(with: "SIP/", at: index + 1) { return true }
            index += 1
        }
        return false
    }
}

/// Bytes that read as zero outside their bounds: neither a trap nor a look at foreign memory.
struct CheckedBytes {
    private let buffer: UnsafeBufferPointer<UInt8>
    let count: Int

    init(_ buffer: UnsafeBufferPointer<UInt8>) { (self.buffer, count) = (buffer, buffer.count) }

    @inline(__always)
    subscript(index: Int) -> UInt8 { UInt(bitPattern: index) < UInt(bitPattern: count) ? buffer[index] : 0 }

    /// A part of the bytes, cut to their bounds.
    @inline(__always)
    func part(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: buffer[range.clamped(to: 0..<count)])
    }

    /// The first control character at or after `start`, or `count`. Eight bytes at a time: a byte below 0x20 borrows into
    /// its top bit, and so can only bytes above a true find be false ones.
    func nextControl(from start: Int) -> Int {
        var index = max(0, start)
        if let base = UnsafeRawPointer(buffer.baseAddress) {
            while index + 8 <= count {
                let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let found = (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
                guard found == 0 else { return index + found.trailingZeroBitCount / 8 }
                index += 8
            }
        }
        while index < count, buffer[index] >= 0x20 { index += 1 }
        return min(index, count)
    }

    /// Whether `byte` is among them; eight at a time, a byte that is the same being zero in the difference.
    func contains(_ byte: UInt8) -> Bool {
        var index = 0
        if let base = UnsafeRawPointer(buffer.baseAddress) {
            let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
            while index + 8 <= count {
                let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ pattern
                if (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 { return true }
                index += 8
            }
        }
        while index < count {
            if buffer[index] == byte { return true }
            index += 1
        }
        return false
    }

    /// Where line ends at the beginning of the bytes stop.
    func endOfLineEnds() -> Int {
        var index = 0
        while self[index] == ASCII.carriageReturn, self[index + 1] == ASCII.lineFeed { index += 2 }
        return index
    }

    func startsIgnoringCase(with literal: StaticString, at start: Int) -> Bool {
        let (expected, length) = (literal.utf8Start, literal.utf8CodeUnitCount)
        guard start >= 0, start + length <= count else { return false }
        for offset in 0..<length
        where buffer[start + offset] != expected[offset]
            && ASCII.lowercased(buffer[start + offset]) != ASCII.lowercased(expected[offset])
        {
            return false
        }
        return true
    }

    func decimal(_ range: Range<Int>) -> Int? { ASCII.decimal(part(range)) }

    /// The first colon at or after `start`; or the control character before it, or `count`. Eight bytes at a time, as
    /// above.
    @inline(__always)
    func nextColon(from start: Int) -> Int {
        var index = start
        if let base = UnsafeRawPointer(buffer.baseAddress) {
            while index + 8 <= count {
                let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let colon = word ^ 0x3a3a_3a3a_3a3a_3a3a
                let found =
                    (colon &- 0x0101_0101_0101_0101 & ~colon | word &- 0x2020_2020_2020_2020 & ~word)
                    & 0x8080_8080_8080_8080
                index += found == 0 ? 8 : found.trailingZeroBitCount / 8
                guard found == 0 || buffer[index] == ASCII.tab else { return index }
                if found != 0 { index += 1 }
            }
        }
        while index < count, buffer[index] != ASCII.colon, buffer[index] >= ASCII.space || buffer[index] == ASCII.tab {
            index += 1
        }
        return index
    }

    /// The range without white space at either end, or at its end alone.
    @inline(__always)
    func trimmed(_ range: Range<Int>, atStart: Bool = true) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while atStart, start < end, Grammar.isSpace(self[start]) { start += 1 }
        while end > start, Grammar.isSpace(self[end - 1]) { end -= 1 }
        return start..<end
    }
}
