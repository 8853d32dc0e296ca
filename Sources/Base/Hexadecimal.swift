extension [UInt8] {
    /// Appends the bytes as lower-case hexadecimal digits.
    package mutating func appendHexadecimal(_ bytes: [UInt8]) {
        var index = 0
        while index + 4 <= bytes.count {
            let word = (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[index + $1]) }
            append(copying: Self.eightDigits(word), 0..<8)
            index += 4
        }
        for byte in bytes[index...] {
            append(ASCII.hexDigit(byte >> 4))
            append(ASCII.hexDigit(byte & 0xf))
        }
    }

    /// Appends the lowest digits of a number, the most significant of them first.
    ///
    /// - Parameter digits: 1 to 16.
    package mutating func appendHexadecimal(_ number: UInt64, digits: Int = 16) {
        let upper = Self.eightDigits(UInt32(truncatingIfNeeded: number >> 32))
        let lower = Self.eightDigits(UInt32(truncatingIfNeeded: number))
        append(copying: (upper, lower), (16 - digits)..<16)
    }

    /// The digits as they lie in memory, all eight made at once in the eight bytes of a word.
    static func eightDigits(_ number: UInt32) -> UInt64 {
        var nibbles = UInt64(number)
        nibbles = (nibbles << 16 | nibbles) & 0x0000_ffff_0000_ffff
        nibbles = (nibbles << 8 | nibbles) & 0x00ff_00ff_00ff_00ff
        nibbles = (nibbles << 4 | nibbles) & 0x0f0f_0f0f_0f0f_0f0f
        let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return (nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 0x27).bigEndian
    }
}

extension UInt64 {
    /// Reads hexadecimal digits in lower case, as `appendHexadecimal` writes them; nil for anything else or more than 16.
    package init?(hexadecimal text: ArraySlice<UInt8>) {
        guard (1...16).contains(text.count) else { return nil }
        // Digits are random, and a branch on each would be guessed wrong half of the time: all eight of a word are read
        // at once, and what they should have been is compared at the end.
        var (upper, lower) = (UInt64(0x3030_3030_3030_3030), UInt64(0x3030_3030_3030_3030))
        text.withUnsafeBufferPointer { digits in
            for digit in digits { (upper, lower) = (upper << 8 | lower >> 56, lower << 8 | UInt64(digit)) }
        }
        guard let first = UInt32(eightDigits: upper), let second = UInt32(eightDigits: lower) else { return nil }
        self = UInt64(first) << 32 | UInt64(second)
    }
}

extension UInt32 {
    /// - Parameter digits: as text, the first in the most significant byte.
    fileprivate init?(eightDigits digits: UInt64) {
        var nibbles = digits & 0x0f0f_0f0f_0f0f_0f0f &+ (digits >> 6 & 0x0101_0101_0101_0101) &* 9
        nibbles = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff
        nibbles = (nibbles | nibbles >> 8) & 0x0000_ffff_0000_ffff
        self.init(truncatingIfNeeded: nibbles | nibbles >> 16)
        guard [UInt8].eightDigits(self) == digits.bigEndian else { return nil }
    }
}
