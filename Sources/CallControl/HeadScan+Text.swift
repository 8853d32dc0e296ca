import Base

/// The character classes and small parts of which headers are made.
extension HeadScan {
    /// The classes these readers know, as bits of `classes`.
    enum Class {
        /// Letters in lower case, digits, hyphen and dot.
        static var host: UInt8 { 1 }
        /// Alphanumerics and - . _ : names of users, hosts and most tokens.
        static var plain: UInt8 { 2 }
        /// As `plain`, and + * ! ~ ' which tokens may contain as well.
        static var token: UInt8 { 4 }
        /// Visible ASCII and space, but " and \.
        static var quotable: UInt8 { 8 }
    }

    /// One character for each of the 256 bytes, whose lowest four bits say which classes the byte is in. A look at it is
    /// half the work of comparing with the ends of every range, and no branch is guessed wrong.
    static var classes: StaticString {
        """
        0000000000000000\
        0000000000000000\
        8<08888<88<<8??8\
        ??????????888888\
        8>>>>>>>>>>>>>>>\
        >>>>>>>>>>>8088>\
        8???????????????\
        ???????????888<0\
        0000000000000000\
        0000000000000000\
        0000000000000000\
        0000000000000000\
        0000000000000000\
        0000000000000000\
        0000000000000000\
        0000000000000000
        """
    }

    @inline(__always)
    static func isIn(_ set: UInt8, _ byte: UInt8) -> Bool { classes.utf8Start[Int(byte)] & set != 0 }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// Goes on to the first byte that is not in the class.
    @inline(__always)
    static func skip(
        _ text: UnsafeBufferPointer<UInt8>, _ index: inout Int, _ set: UInt8
    ) -> Range<Int> {
        skip(text, &index) { isIn(set, $0) }
    }

    @inline(__always)
    static func skip(
        _ text: UnsafeBufferPointer<UInt8>, _ index: inout Int, while condition: (UInt8) -> Bool
    ) -> Range<Int> {
        let start = index
        while index < text.count, condition(text[index]) { index += 1 }
        return start..<index
    }

    static func matches(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ lowercase: StaticString
    ) -> Bool {
        guard range.count == lowercase.utf8CodeUnitCount, let start = text.baseAddress else { return false }
        let (name, expected) = (UnsafeRawPointer(start + range.lowerBound), UnsafeRawPointer(lowercase.utf8Start))
        guard range.count >= 4 else {
            for index in 0..<range.count where text[range.lowerBound + index] | 0x20 != lowercase.utf8Start[index] {
                return false
            }
            return true
        }
        func differs(at index: Int) -> Bool {
            name.loadUnaligned(fromByteOffset: index, as: UInt32.self) | 0x2020_2020
                != expected.loadUnaligned(fromByteOffset: index, as: UInt32.self)
        }
        var index = 0
        while index < range.count - 4 {
            if differs(at: index) { return false }
            index += 4
        }
        // The last four, some of which may have been seen.
        return !differs(at: range.count - 4)
    }

    static func port(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> UInt16? {
        guard (1...5).contains(range.count) else { return nil }
        var number = UInt32(0)
        for index in range { number = number * 10 + UInt32(text[index] &- 0x30) }
        return UInt16(exactly: number)
    }

    /// A host that is certainly one, and no number that could be meant as an address but is none.
    static func isHost(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        guard let first = range.first, let last = range.last, range.count < 254, text[first] != 0x2e, text[last] != 0x2e
        else { return false }
        var index = range.lowerBound
        while index + 1 < range.upperBound {
            if text[index] == 0x2e, text[index + 1] == 0x2e { return false }
            index += 1
        }
        return true
    }
}
