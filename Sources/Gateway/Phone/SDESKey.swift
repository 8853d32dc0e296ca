import Base

/// How SRTP protects a stream whose keys are in the description (RFC 4568 §6.2, RFC 7714 §14.2).
///
/// Plain values: whoever carries the media makes a session of them, and says by the keys it gives us what it can do.
package enum SDESSuite: CaseIterable, Hashable, Sendable {
    case aes128SHA1Tag80, aes128SHA1Tag32, aes128GCM

    package var name: StaticString {
        switch self {
        case .aes128SHA1Tag80: "AES_CM_128_HMAC_SHA1_80"
        case .aes128SHA1Tag32: "AES_CM_128_HMAC_SHA1_32"
        case .aes128GCM: "AEAD_AES_128_GCM"
        }
    }

    /// Bytes of the master key and the salt behind it.
    package var keyLength: Int { self == .aes128GCM ? 28 : 30 }
}

/// The master key and salt of one direction of one stream.
package struct SDESKey: Hashable, Sendable {
    package let suite: SDESSuite
    /// The key, then the salt: `suite.keyLength` bytes.
    package let keyAndSalt: [UInt8]

    package init(_ suite: SDESSuite, random: inout RandomSource) {
        (self.suite, keyAndSalt) = (suite, random.bytes(count: suite.keyLength))
    }

    init?(_ suite: SDESSuite, keyAndSalt: [UInt8]) {
        guard keyAndSalt.count == suite.keyLength else { return nil }
        (self.suite, self.keyAndSalt) = (suite, keyAndSalt)
    }
}

/// `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:…` as far as it is usable (RFC 4568 §4).
struct CryptoAttribute: Equatable, Sendable {
    /// More offered keys than this are not looked at.
    static let maximumCount = 16

    /// 1 to 9 digits: which of the offered lines an answer means.
    let tag: [UInt8]
    let key: SDESKey

    init(tag: [UInt8], key: SDESKey) { (self.tag, self.key) = (tag, key) }

    /// - Returns: nil for suites we do not know, for more than one key, for a key identifier (MKI) in each packet, and for
    ///   session parameters that change how packets look; such a line is to be overlooked (RFC 4568 §5.1.2). A lifetime is
    ///   not enforced: whoever sends under the key has to bring another in time (§6.1).
    init?(parsing value: ArraySlice<UInt8>) {
        let words = value.words
        guard words.count >= 3, (1...9).contains(words[0].count), words[0].allSatisfy(ASCII.isDigit),
            let suite = SDESSuite.allCases.first(where: { ASCII.equalIgnoringCase(words[1], $0.name) })
        else { return nil }
        // The hint at the size of the window, and what a hyphen says may be ignored (§6.3.6, §6.3.7).
        for parameter in words[3...] where parameter.first != 0x2d {
            guard ASCII.equalIgnoringCase(parameter.prefix(4), "WSH=") else { return nil }
        }
        let prefix = [UInt8](ascii: "inline:")
        guard words[2].count > prefix.count,
            ASCII.equalIgnoringCase(words[2].prefix(prefix.count), prefix)
        else { return nil }
        let parts = words[2].dropFirst(prefix.count).split(separator: 0x7c, omittingEmptySubsequences: false)
        // A part with a colon is an MKI, a semicolon begins another key.
        guard parts.count <= 2, !words[2].contains(ASCII.semicolon),
            parts.dropFirst().allSatisfy({ !$0.contains(ASCII.colon) }),
            let bytes = Base64.standard.decode(parts[0]), let key = SDESKey(suite, keyAndSalt: bytes)
        else { return nil }
        (tag, self.key) = (Array(words[0]), key)
    }

    var bytes: [UInt8] {
        var out = tag
        out.append(ASCII.space)
        out += [UInt8](ascii: key.suite.name)
        out += [UInt8](ascii: " inline:")
        return out + Base64.standard.encode(key.keyAndSalt)
    }
}

extension Base64 {
    /// The bytes, with or without padding; nil when there is another character.
    fileprivate func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        var (bits, held) = (UInt32(0), UInt32(0))
        var digits = text
        while digits.last == ASCII.equals { digits.removeLast() }
        for digit in digits {
            guard let value = value(of: digit) else { return nil }
            bits = (bits & 0xff) << 6 | UInt32(value)
            held += 6
            guard held >= 8 else { continue }
            held -= 8
            out.append(UInt8(truncatingIfNeeded: bits >> held))
        }
        return out
    }
}
