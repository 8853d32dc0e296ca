/// `Base.ASCII` as this module sees it: the same bytes and rules, but visible to the optimiser.
///
/// A constant or generic function of another module is a call, and the parser would make one for every byte of every
/// message (half of its time, measured). Inside the module they are immediate values and specialised loops.
enum ASCII {
    @inline(__always) static var tab: UInt8 { 0x09 }
    @inline(__always) static var lineFeed: UInt8 { 0x0a }
    @inline(__always) static var carriageReturn: UInt8 { 0x0d }
    @inline(__always) static var space: UInt8 { 0x20 }
    @inline(__always) static var quote: UInt8 { 0x22 }
    @inline(__always) static var percent: UInt8 { 0x25 }
    @inline(__always) static var comma: UInt8 { 0x2c }
    @inline(__always) static var colon: UInt8 { 0x3a }
    @inline(__always) static var semicolon: UInt8 { 0x3b }
    @inline(__always) static var lessThan: UInt8 { 0x3c }
    @inline(__always) static var equals: UInt8 { 0x3d }
    @inline(__always) static var greaterThan: UInt8 { 0x3e }
    @inline(__always) static var questionMark: UInt8 { 0x3f }
    @inline(__always) static var at: UInt8 { 0x40 }
    @inline(__always) static var backslash: UInt8 { 0x5c }

    @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    @inline(__always) static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
    @inline(__always) static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }

    /// The lower-case twin of an ASCII letter; any other byte unchanged.
    @inline(__always) static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// Whether two byte sequences are equal when ASCII letters are compared without case.
    static func equalIgnoringCase(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        var other = right.makeIterator()
        for byte in left {
            guard let twin = other.next(), lowercased(byte) == lowercased(twin) else { return false }
        }
        return true
    }

    /// The same, against a literal: no array is made of it.
    static func equalIgnoringCase(_ text: some Collection<UInt8>, _ literal: StaticString) -> Bool {
        literal.withUTF8Buffer { equalIgnoringCase(text, $0) }
    }

    /// The value of a hexadecimal digit, or nil.
    @inline(__always) static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- 0x30 }
        let letter = byte | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x61 &+ 10 : nil
    }

    /// An unsigned decimal number of digits alone, or nil when empty, too large for `Int` or not a number.
    static func decimal(_ digits: some Collection<UInt8>) -> Int? {
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
