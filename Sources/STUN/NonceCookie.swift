import Base

/// What a server's nonce says of its abilities, so that nobody on the way can strip them (RFC 8489 §9.2).
///
/// The nonce begins with `obMatJos2` and the 24 bits in base64; bit 0 is the least significant, as erratum 6290 and the
/// vector of appendix B.1 have it, and not the text of §18.1.
package struct SecurityFeatures: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The server sends PASSWORD-ALGORITHMS; whoever does not see it is being lied to.
    package static let passwordAlgorithms = SecurityFeatures(rawValue: 1)
    /// The server takes USERHASH.
    package static let usernameAnonymity = SecurityFeatures(rawValue: 2)

    private static let cookie: StaticString = "obMatJos2"
    /// Bytes of cookie and features at a nonce's start.
    package static let prefixSize = 13

    /// Reads a nonce's start; nil when it has no cookie, as those of RFC 5389.
    package init?(nonce: UnsafeRawBufferPointer) {
        guard nonce.count >= Self.prefixSize, let start = nonce.slice(0, 9), let digits = nonce.slice(9, 4) else {
            return nil
        }
        let cookie = UnsafeRawBufferPointer(start: Self.cookie.utf8Start, count: Self.cookie.utf8CodeUnitCount)
        guard start.elementsEqual(cookie) else { return nil }
        var bits = UInt32(0)
        for digit in digits {
            guard let value = Base64.standard.value(of: digit) else { return nil }
            bits = bits << 6 | UInt32(value)
        }
        rawValue = bits
    }

    /// The start of a nonce with these features.
    package var prefix: [UInt8] {
        var out = [UInt8](ascii: Self.cookie)
        for shift in [18, 12, 6, 0] as [UInt32] { out.append(Base64.standard.digit(UInt8(rawValue >> shift & 63))) }
        return out
    }
}
