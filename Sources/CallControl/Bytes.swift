import Base

extension ArraySlice<UInt8> {
    /// Equality by one comparison of memory.
    func equals(_ other: ArraySlice<UInt8>) -> Bool {
        guard count == other.count else { return false }
        return withUnsafeBufferPointer { left in
            other.withUnsafeBufferPointer { right in
                for index in 0..<left.count where left[index] != right[index] { return false }
                return true
            }
        }
    }

    /// Equality of ASCII text without case.
    func equalsIgnoringCase(_ other: ArraySlice<UInt8>) -> Bool {
        guard count == other.count else { return false }
        return withUnsafeBufferPointer { left in
            other.withUnsafeBufferPointer { right in
                for index in 0..<left.count where ASCII.lowercased(left[index]) != ASCII.lowercased(right[index]) {
                    return false
                }
                return true
            }
        }
    }

    /// Whether these are exactly the bytes of a literal.
    func equals(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        return withUnsafeBufferPointer { bytes in
            for index in 0..<bytes.count where bytes[index] != literal.utf8Start[index] { return false }
            return true
        }
    }
}

extension [UInt8] {
    func equals(_ other: ArraySlice<UInt8>) -> Bool { self[...].equals(other) }

    /// Appends 64 bits as sixteen hexadecimal digits.
    mutating func appendHex(_ number: UInt64) { appendHex(number, digits: 16) }

    /// Appends the lowest bits of a number as hexadecimal digits.
    mutating func appendHex(_ number: UInt64, digits: Int) {
        for position in stride(from: digits - 1, through: 0, by: -1) {
            let nibble = UInt8(truncatingIfNeeded: number >> UInt64(position * 4)) & 0xf
            append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
        }
    }
}

extension UInt64 {
    /// Reads hexadecimal digits in lower case, as `appendHex` writes them; nil for anything else or more than 16.
    init?(hex text: ArraySlice<UInt8>) {
        guard (1...16).contains(text.count) else { return nil }
        var value: UInt64 = 0
        for byte in text {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt64(byte &- 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(byte &- 0x57)
            default: return nil
            }
        }
        self = value
    }
}

extension IPAddress {
    /// Appends the address as text, IPv4 without making an array for it.
    func appendText(to out: inout [UInt8]) {
        guard case .v4(let bits) = self else { return out += text }
        for octet in 0..<4 {
            if octet > 0 { out.append(0x2e) }
            out.appendDecimal(Int(bits >> UInt32(24 - octet * 8) & 0xff))
        }
    }
}
