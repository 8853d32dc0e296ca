import Base

/// Base64 with the URL and file name safe alphabet, without padding (RFC 4648 §5): how bytes travel in our JSON and links.
package enum Base64URL {
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: Base64.url.encode(bytes), as: UTF8.self)
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
            guard let value = Base64.url.value(of: digit) else { return nil }
            bits = (bits & 0xff) << 6 | UInt32(value)
            held += 6
            guard held >= 8 else { continue }
            held -= 8
            out.append(UInt8(truncatingIfNeeded: bits >> held))
        }
        guard bits & ((1 << held) - 1) == 0 else { return nil }
        return out
    }
}
