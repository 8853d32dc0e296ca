import Base

/// One line `a=crypto`: a suite and the key its sender will use (RFC 4568 §4, §6, §9.2).
///
///     1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20
///     tag suite                        key and salt in base64                  lifetime
package struct SDESCrypto: Equatable, Sendable {
    /// The number by which an answer says which line it takes, 1 to 9 digits.
    package var tag: Int
    package var key: SRTPMasterKey
    /// After how many packets the peer will bring another key; nil: never before it must.
    package var lifetime: UInt64?

    package init(tag: Int, key: SRTPMasterKey) { (self.tag, self.key) = (tag, key) }

    /// Reads the value, without `a=crypto:`.
    package init(parsing value: ArraySlice<UInt8>) throws(SDESError) {
        let words = value.split(separator: ASCII.space)
        guard words.count >= 3, words[0].count <= 9, let tag = ASCII.decimal(words[0]) else { throw .malformed }
        guard let suite = SRTPSuite.allCases.first(where: { ASCII.equalIgnoringCase(words[1], $0.name) }) else {
            throw .unknownSuite(String(decoding: words[1], as: UTF8.self))
        }
        for parameter in words[3...] { try Self.check(parameter) }
        (key, lifetime) = try Self.key(words[2], suite: suite)
        self.tag = tag
    }

    /// `inline:` key and salt, then perhaps a lifetime; what has a colon after a bar is a key identifier.
    private static func key(
        _ text: ArraySlice<UInt8>, suite: SRTPSuite
    ) throws(SDESError) -> (SRTPMasterKey, lifetime: UInt64?) {
        guard !text.contains(ASCII.semicolon) else { throw .severalKeys }
        let prefix = text.prefix(7)
        guard ASCII.equalIgnoringCase(prefix, "inline:") else { throw .badKey }
        let parts = text.dropFirst(7).split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
        guard let encoded = parts.first, var bytes = Base64.standard.decode(encoded) else { throw .badKey }
        defer { for index in bytes.indices { bytes[index] = 0 } }
        guard let key = try? SRTPMasterKey(suite: suite, keyAndSalt: bytes.span.bytes) else { throw .badKey }
        var lifetime: UInt64?
        for part in parts.dropFirst() {
            guard !part.contains(ASCII.colon) else { throw .keyIdentifier }
            guard lifetime == nil, let count = Self.lifetime(part) else { throw .malformed }
            lifetime = count
        }
        return (key, lifetime)
    }

    /// A number of packets, plain or as a power of two, at most the 2^48 of RFC 3711 §9.2.
    private static func lifetime(_ text: ArraySlice<UInt8>) -> UInt64? {
        let most: UInt64 = 1 << 48
        if text.starts(with: [UInt8(ascii: "2"), UInt8(ascii: "^")]) {
            guard let exponent = ASCII.decimal(text.dropFirst(2)), (1...48).contains(exponent) else { return nil }
            return 1 << UInt64(exponent)
        }
        guard let count = ASCII.decimal(text), count > 0, UInt64(count) <= most else { return nil }
        return UInt64(count)
    }

    /// Session parameters: a hint at the window's size asks nothing of us, and those that begin with a hyphen may be
    /// ignored (RFC 4568 §6.3.6, §6.3.7); every other one would change the packets.
    private static func check(_ parameter: ArraySlice<UInt8>) throws(SDESError) {
        guard parameter.first != UInt8(ascii: "-") else { return }
        if ASCII.equalIgnoringCase(parameter.prefix(4), "WSH=") {
            guard let hint = ASCII.decimal(parameter.dropFirst(4)), hint >= 64 else { throw .malformed }
            return
        }
        throw .unsupportedParameter(String(decoding: parameter, as: UTF8.self))
    }

    /// The value as it stands behind `a=crypto:`.
    package var bytes: [UInt8] {
        var out: [UInt8] = []
        out.appendDecimal(tag)
        out.append(ASCII.space)
        key.suite.name.withUTF8Buffer { out.append(contentsOf: $0) }
        out.append(contentsOf: [UInt8](ascii: " inline:"))
        key.withUnsafeBytes { out += Base64.standard.encode($0) }
        if let lifetime {
            out.append(UInt8(ascii: "|"))
            out.appendDecimal(Int(lifetime))
        }
        return out
    }
}
