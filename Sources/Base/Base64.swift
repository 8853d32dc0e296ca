/// The two alphabets of base64 (RFC 4648): six bits to a digit.
package enum Base64: Sendable {
    /// §4, padded: what protocols mean that say base64 and no more.
    case standard
    /// §5, without padding: for URLs and file names.
    case url

    package func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var bits = UInt32(0)
        var held = UInt32(0)
        for byte in bytes {
            bits = (bits & 0xff) << 8 | UInt32(byte)
            held += 8
            while held >= 6 {
                held -= 6
                out.append(digit(UInt8(truncatingIfNeeded: bits >> held & 63)))
            }
        }
        if held > 0 { out.append(digit(UInt8(truncatingIfNeeded: bits << (6 - held) & 63))) }
        while self == .standard, out.count & 3 != 0 { out.append(ASCII.equals) }
        return out
    }

    /// The digit of 0 to 63.
    package func digit(_ value: UInt8) -> UInt8 {
        switch value {
        case ..<26: 0x41 + value
        case ..<52: 0x61 + value - 26
        case ..<62: 0x30 + value - 52
        case 62: self == .standard ? 0x2b : 0x2d
        default: self == .standard ? 0x2f : 0x5f
        }
    }

    /// What a digit stands for, 0 to 63; nil for another character.
    package func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case 0x41...0x5a: digit - 0x41
        case 0x61...0x7a: digit - 0x61 + 26
        case 0x30...0x39: digit - 0x30 + 52
        case self.digit(62): 62
        case self.digit(63): 63
        default: nil
        }
    }
}
