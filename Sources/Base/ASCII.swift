/// Byte values and case rules of US-ASCII, the alphabet of SIP, SDP and HTTP grammar.
///
/// Text stays bytes: Unicode-aware `String` operations would pull 40 KB of tables into the browser's agent.
///
/// Public, although all users are in this package: the compiler inlines and specialises across modules what is
/// `public` and `@inlinable` only. As `package` declarations these were calls, one or more for every byte of every
/// message, and half of the parser's time.
public enum ASCII {
    @inlinable public static var tab: UInt8 { 0x09 }
    @inlinable public static var lineFeed: UInt8 { 0x0a }
    @inlinable public static var carriageReturn: UInt8 { 0x0d }
    @inlinable public static var space: UInt8 { 0x20 }
    @inlinable public static var quote: UInt8 { 0x22 }
    @inlinable public static var percent: UInt8 { 0x25 }
    @inlinable public static var comma: UInt8 { 0x2c }
    @inlinable public static var colon: UInt8 { 0x3a }
    @inlinable public static var semicolon: UInt8 { 0x3b }
    @inlinable public static var lessThan: UInt8 { 0x3c }
    @inlinable public static var equals: UInt8 { 0x3d }
    @inlinable public static var greaterThan: UInt8 { 0x3e }
    @inlinable public static var questionMark: UInt8 { 0x3f }
    @inlinable public static var at: UInt8 { 0x40 }
    @inlinable public static var backslash: UInt8 { 0x5c }

    @inlinable public static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    @inlinable public static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
    @inlinable public static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }

    /// The lower-case twin of an ASCII letter; any other byte unchanged.
    @inlinable public static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    /// Whether two byte sequences are equal when ASCII letters are compared without case.
    @inlinable public static func equalIgnoringCase(
        _ left: some Collection<UInt8>, _ right: some Collection<UInt8>
    ) -> Bool {
        guard left.count == right.count else { return false }
        var other = right.makeIterator()
        for byte in left {
            guard let twin = other.next(), lowercased(byte) == lowercased(twin) else { return false }
        }
        return true
    }

    /// The same, against a literal: no array is made of it.
    @inlinable public static func equalIgnoringCase(_ text: some Collection<UInt8>, _ literal: StaticString) -> Bool {
        guard text.count == literal.utf8CodeUnitCount else { return false }
        var expected = literal.utf8Start
        for byte in text {
            guard lowercased(byte) == lowercased(expected.pointee) else { return false }
            expected += 1
        }
        return true
    }

    /// The value of a hexadecimal digit, or nil.
    @inlinable public static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- 0x30 }
        let letter = byte | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x61 &+ 10 : nil
    }

    /// The lower-case hexadecimal digit of 0 to 15.
    @inlinable public static func hexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? 0x30 &+ nibble : 0x57 &+ nibble
    }

    /// An unsigned decimal number of digits alone, or nil when empty, too large for `Int` or not a number.
    @inlinable public static func decimal(_ digits: some Collection<UInt8>) -> Int? {
        guard !digits.isEmpty else { return nil }
        var value = 0
        for byte in digits {
            guard isDigit(byte) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(byte &- 0x30))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }
}

extension [UInt8] {
    /// The bytes of a literal, written without making a `String` comparison possible.
    package init(ascii literal: StaticString) {
        self = literal.withUTF8Buffer { Array($0) }
    }

    /// A copy with ASCII letters in lower case.
    package init(lowercasing text: ArraySlice<UInt8>) {
        self = Array(text)
        for index in indices where self[index] &- 0x41 < 26 { self[index] |= 0x20 }
    }

    /// Appends the decimal digits of a number that is not negative.
    package mutating func appendDecimal(_ number: Int) {
        precondition(number >= 0, "negative numbers have no place in SIP grammar")
        // Eight digits at a time in a word, the last of them first.
        var rest = number
        var (digits, count) = (UInt64(0), 0)
        repeat {
            digits = digits << 8 | UInt64(0x30 + rest % 10)
            (rest, count) = (rest / 10, count + 1)
        } while rest > 0 && count < 8
        if rest > 0 { appendDecimal(rest) }
        append(copying: digits.littleEndian, 0..<count)
    }
    /// Appends some of the bytes a plain value has in memory, by one copy.
    mutating func append<Value: BitwiseCopyable>(copying value: Value, _ part: Range<Int>) {
        Swift.withUnsafeBytes(of: value) { bytes in
            bytes.withMemoryRebound(to: UInt8.self) { append(contentsOf: UnsafeBufferPointer(rebasing: $0[part])) }
        }
    }
}
