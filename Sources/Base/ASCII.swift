/// Byte values and case rules of US-ASCII, the alphabet of SIP, SDP and HTTP grammar.
///
/// Text stays bytes: Unicode-aware `String` operations would pull 40 KB of tables into the browser's agent.
package enum ASCII {
    package static let tab = UInt8(0x09)
    package static let lineFeed = UInt8(0x0a)
    package static let carriageReturn = UInt8(0x0d)
    package static let space = UInt8(0x20)
    package static let quote = UInt8(0x22)
    package static let percent = UInt8(0x25)
    package static let comma = UInt8(0x2c)
    package static let colon = UInt8(0x3a)
    package static let semicolon = UInt8(0x3b)
    package static let lessThan = UInt8(0x3c)
    package static let equals = UInt8(0x3d)
    package static let greaterThan = UInt8(0x3e)
    package static let questionMark = UInt8(0x3f)
    package static let at = UInt8(0x40)
    package static let backslash = UInt8(0x5c)

    @inlinable package static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    @inlinable package static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
    @inlinable package static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }

    /// The lower-case twin of an ASCII letter; any other byte unchanged.
    @inlinable package static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    /// Whether two byte sequences are equal when ASCII letters are compared without case.
    @inlinable package static func equalIgnoringCase(
        _ left: some Collection<UInt8>, _ right: some Collection<UInt8>
    ) -> Bool {
        guard left.count == right.count else { return false }
        var other = right.makeIterator()
        for byte in left {
            guard let twin = other.next(), lowercased(byte) == lowercased(twin) else { return false }
        }
        return true
    }

    /// The value of a hexadecimal digit, or nil.
    @inlinable package static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte - 0x30 }
        let letter = byte | 0x20
        return letter &- 0x61 < 6 ? letter - 0x61 + 10 : nil
    }

    /// An unsigned decimal number of digits alone, or nil when empty, too large for `Int` or not a number.
    @inlinable package static func decimal(_ digits: some Collection<UInt8>) -> Int? {
        guard !digits.isEmpty else { return nil }
        var value = 0
        for byte in digits {
            guard isDigit(byte) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(byte - 0x30))
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

    /// Appends the decimal digits of a number that is not negative.
    package mutating func appendDecimal(_ number: Int) {
        precondition(number >= 0, "negative numbers have no place in SIP grammar")
        guard number >= 10 else { return append(0x30 + UInt8(number)) }
        appendDecimal(number / 10)
        append(0x30 + UInt8(number % 10))
    }
}
