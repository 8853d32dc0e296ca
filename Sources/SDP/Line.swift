import Base

/// One line of a description: `letter=value`.
package struct Line: Equatable, Sendable {
    package var letter: UInt8
    package var value: [UInt8]

    package init(_ letter: UInt8, _ value: [UInt8]) { (self.letter, self.value) = (letter, value) }

    /// `a=name:value`, or the flag `a=name` when there is no value.
    package static func attribute(_ name: StaticString, _ value: [UInt8]? = nil) -> Line {
        var text = [UInt8](ascii: name)
        if let value {
            text.append(ASCII.colon)
            text += value
        }
        return Line(Letter.attribute, text)
    }

    /// The name of an attribute line; nil for other lines.
    package var attributeName: ArraySlice<UInt8>? {
        guard letter == Letter.attribute else { return nil }
        return value[..<(value.firstIndex(of: ASCII.colon) ?? value.endIndex)]
    }

    /// What follows the colon of an attribute line; nil for flags and other lines.
    package var attributeValue: ArraySlice<UInt8>? {
        guard letter == Letter.attribute, let colon = value.firstIndex(of: ASCII.colon) else { return nil }
        return value[(colon + 1)...]
    }

    func isAttribute(_ name: StaticString) -> Bool { attributeName?.equals(name) ?? false }

    func write(into out: inout [UInt8]) {
        out.append(letter)
        out.append(ASCII.equals)
        out += value
        out.append(ASCII.carriageReturn)
        out.append(ASCII.lineFeed)
    }
}

/// The letters of RFC 8866 §5.
package enum Letter {
    package static let version: UInt8 = 0x76  // v
    package static let origin: UInt8 = 0x6f  // o
    package static let sessionName: UInt8 = 0x73  // s
    package static let connection: UInt8 = 0x63  // c
    package static let bandwidth: UInt8 = 0x62  // b
    package static let time: UInt8 = 0x74  // t
    package static let attribute: UInt8 = 0x61  // a
    package static let media: UInt8 = 0x6d  // m

    /// "An SDP parser MUST completely ignore or reject any session description that contains a <type> letter that it
    /// does not understand" (§5): the alphabet is closed, extensions are attributes.
    static func isKnown(_ letter: UInt8) -> Bool {
        // A bit for each of v o s i u e p c b t r z k a m, counted from a.
        letter &- 0x61 < 26 && UInt32(0x23ed517) >> UInt32(letter &- 0x61) & 1 == 1
    }
}

/// The lines of one section, the session's or one media description's, in their order.
///
/// What is not understood stays where it was, so that a description passes through us unharmed.
package struct LineList: Equatable, Sendable {
    package var lines: [Line]

    package init(_ lines: [Line] = []) { self.lines = lines }

    /// The value of the first line with this letter.
    package func value(of letter: UInt8) -> ArraySlice<UInt8>? {
        for line in lines where line.letter == letter { return line.value[...] }
        return nil
    }

    /// The value of the first attribute with this name; nil when there is none or it is a flag.
    package func attribute(_ name: StaticString) -> ArraySlice<UInt8>? {
        for line in lines where line.isAttribute(name) { return line.attributeValue }
        return nil
    }

    /// The values of every attribute with this name, in order; flags are left out.
    package func attributes(_ name: StaticString) -> [ArraySlice<UInt8>] {
        var values: [ArraySlice<UInt8>] = []
        for line in lines where line.isAttribute(name) {
            if let value = line.attributeValue { values.append(value) }
        }
        return values
    }

    /// Whether an attribute with this name is there, with a value or as a flag.
    package func has(_ name: StaticString) -> Bool {
        for line in lines where line.isAttribute(name) { return true }
        return false
    }

    package mutating func append(_ name: StaticString, _ value: [UInt8]? = nil) {
        lines.append(.attribute(name, value))
    }

    package mutating func remove(_ name: StaticString) { lines.removeAll { $0.isAttribute(name) } }

    /// Puts the attribute where the first of its name stood and drops the others, or appends it.
    package mutating func replace(_ name: StaticString, _ value: [UInt8]? = nil) {
        let position = lines.firstIndex { $0.isAttribute(name) }
        remove(name)
        lines.insert(.attribute(name, value), at: position ?? lines.endIndex)
    }

    func write(into out: inout [UInt8]) {
        for line in lines { line.write(into: &out) }
    }
}

/// Takes a text apart into lines, ended by CRLF or, from lenient peers, LF alone (RFC 8866 §5).
struct LineReader {
    private let bytes: ArraySlice<UInt8>
    private let limits: SDPLimits
    private var position: Int
    /// How many lines were read: the number of the current one, counting from 1.
    private(set) var number = 0

    init(_ bytes: ArraySlice<UInt8>, limits: SDPLimits) throws(SDPError) {
        guard bytes.count <= limits.maximumBytes else { throw .overLimit }
        (self.bytes, self.limits, position) = (bytes, limits, bytes.startIndex)
    }

    /// The next line; nil at the end. Empty lines at the very end are forgiven.
    mutating func next() throws(SDPError) -> Line? {
        guard position < bytes.endIndex else { return nil }
        let start = position
        var end = start
        while end < bytes.endIndex, bytes[end] != ASCII.lineFeed { end += 1 }
        position = end < bytes.endIndex ? end + 1 : end
        number += 1
        guard number <= limits.maximumLines else { throw .overLimit }
        if end > start, bytes[end - 1] == ASCII.carriageReturn { end -= 1 }
        if end == start, isBlank() {
            position = bytes.endIndex
            return nil
        }
        guard end - start >= 2, Letter.isKnown(bytes[start]), bytes[start + 1] == ASCII.equals else {
            throw .malformedLine(line: number)
        }
        for index in (start + 2)..<end where bytes[index] == 0 || bytes[index] == ASCII.carriageReturn {
            throw .malformedLine(line: number)
        }
        return Line(bytes[start], Array(bytes[(start + 2)..<end]))
    }

    /// Whether nothing but line ends is left.
    private func isBlank() -> Bool {
        for index in position..<bytes.endIndex
        where bytes[index] != ASCII.carriageReturn && bytes[index] != ASCII.lineFeed {
            return false
        }
        return true
    }
}

extension Collection<UInt8> {
    /// Whether these bytes are the literal's, case and all.
    func equals(_ literal: StaticString) -> Bool {
        literal.withUTF8Buffer { expected in
            guard count == expected.count else { return false }
            var index = 0
            for byte in self {
                guard byte == expected[index] else { return false }
                index += 1
            }
            return true
        }
    }
}

extension ArraySlice<UInt8> {
    /// The runs of bytes between spaces.
    var words: [ArraySlice<UInt8>] { split(separator: ASCII.space) }

    /// A number of digits alone that fits `Number`; `Int` would not do, it has 32 bits in the browser.
    func number<Number: FixedWidthInteger>(as _: Number.Type = Number.self) -> Number? {
        guard !isEmpty else { return nil }
        var value = Number.zero
        for byte in self {
            guard ASCII.isDigit(byte) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Number(truncatingIfNeeded: byte &- 0x30))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }
}

extension [UInt8] {
    /// Appends a space and the bytes.
    mutating func appendWord(_ word: some Collection<UInt8>) {
        append(ASCII.space)
        append(contentsOf: word)
    }

    /// Appends a number's decimal digits.
    mutating func appendNumber(_ number: some UnsignedInteger & FixedWidthInteger) {
        if number >= 10 { appendNumber(number / 10) }
        append(0x30 + UInt8(truncatingIfNeeded: number % 10))
    }
}
