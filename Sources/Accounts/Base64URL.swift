/// Base64 with the URL and file name safe alphabet, without padding (RFC 4648 §5): how bytes travel in our JSON and links.
package enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count * 4 + 2) / 3)
        var bits = UInt32(0)
        var held = UInt32(0)
        for byte in bytes {
            bits = (bits & 0xff) << 8 | UInt32(byte)
            held += 8
            while held >= 6 {
                held -= 6
                out.append(alphabet[Int(bits >> held & 63)])
            }
        }
        if held > 0 { out.append(alphabet[Int(bits << (6 - held) & 63)]) }
        return String(decoding: out, as: UTF8.self)
    }

    /// The bytes, or nil for padding, white space, another alphabet, an impossible length, or bits left over that are
    /// not zero: every byte string has exactly one spelling.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let digits = text.utf8
        guard digits.count % 4 != 1 else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(digits.count * 3 / 4)
        var bits = UInt32(0)
        var held = UInt32(0)
        for digit in digits {
            guard let value = value(of: digit) else { return nil }
            bits = (bits & 0xff) << 6 | UInt32(value)
            held += 6
            guard held >= 8 else { continue }
            held -= 8
            out.append(UInt8(truncatingIfNeeded: bits >> held))
        }
        guard bits & ((1 << held) - 1) == 0 else { return nil }
        return out
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case 0x41...0x5a: digit - 0x41
        case 0x61...0x7a: digit - 0x61 + 26
        case 0x30...0x39: digit - 0x30 + 52
        case 0x2d: 62
        case 0x5f: 63
        default: nil
        }
    }
}
