import Base

/// The answer to a challenge: one Authorization or Proxy-Authorization (RFC 7616 §3.4).
package struct DigestCredentials: HeaderValue, Equatable {
    package var userName: [UInt8]
    package var realm: [UInt8]
    package var nonce: [UInt8]
    /// The Request-URI as the sender wrote it.
    package var uri: [UInt8]
    /// 32 or 64 hexadecimal digits.
    package var response: [UInt8]
    /// Nil when absent, which means MD5.
    package var algorithmToken: [UInt8]?
    package var cnonce: [UInt8]?
    package var opaque: [UInt8]?
    /// Nil for a response by RFC 2069.
    package var quality: DigestQuality?
    /// How often this nonce has been used, this time included; eight hexadecimal digits on the wire.
    package var nonceCount: UInt32?

    /// Nil for an algorithm we do not have.
    package var algorithm: DigestAlgorithm? {
        guard let algorithmToken else { return .md5 }
        return DigestAlgorithm(token: algorithmToken)
    }

    package init(
        userName: [UInt8], realm: [UInt8], nonce: [UInt8], uri: [UInt8], response: [UInt8] = [],
        algorithm: DigestAlgorithm
    ) {
        (self.userName, self.realm, self.nonce, self.uri) = (userName, realm, nonce, uri)
        (self.response, algorithmToken) = (response, algorithm.token)
    }

    /// - Returns: nil for another scheme than Digest.
    /// - Throws: `.malformed` when a parameter is missing, repeated or broken.
    package init?(parsing text: ArraySlice<UInt8>, header: HeaderName = .authorization) throws(SIPParseError) {
        guard let parameters = AuthParameters(parsing: text) else { throw .malformed(header) }
        guard parameters.isDigest else { return nil }
        guard let userName = parameters[.userName], let realm = parameters[.realm], let nonce = parameters[.nonce],
            let uri = parameters[.uri], let response = parameters[.response], !parameters.hasRepetition
        else { throw .malformed(header) }
        (self.userName, self.realm, self.nonce, self.uri) = (userName, realm, nonce, uri)
        self.response = [UInt8](lowercasing: response[...])
        (algorithmToken, cnonce, opaque) = (parameters[.algorithm], parameters[.cnonce], parameters[.opaque])
        guard let token = parameters[.quality] else { return }
        guard let quality = DigestQuality(token: token), cnonce != nil, let digits = parameters[.nonceCount],
            let count = Self.count(digits)
        else { throw .malformed(header) }
        (self.quality, nonceCount) = (quality, count)
    }

    private static func count(_ digits: [UInt8]) -> UInt32? {
        guard digits.count == 8 else { return nil }
        var count = UInt32(0)
        for digit in digits {
            guard let nibble = ASCII.hexValue(digit) else { return nil }
            count = count << 4 | UInt32(nibble)
        }
        return count
    }

    package func serialize(into out: inout [UInt8]) {
        var writer = AuthParameterWriter(out)
        writer.quoted("username", userName)
        writer.quoted("realm", realm)
        writer.quoted("nonce", nonce)
        writer.quoted("uri", uri)
        writer.quoted("response", response)
        writer.plain("algorithm", algorithmToken)
        writer.quoted("cnonce", cnonce)
        writer.quoted("opaque", opaque)
        if let quality {
            writer.plain("qop", quality.literal)
            writer.hexadecimal("nc", nonceCount ?? 1)
        }
        out = writer.out
    }

    /// The response these credentials should carry (RFC 7616 §3.4.1).
    ///
    /// - Parameter ha1: H(user:realm:password) in hexadecimal; bound to the session here where the algorithm asks.
    package func expectedResponse(
        ha1: [UInt8], algorithm: DigestAlgorithm, method: SIPMethod, body: ArraySlice<UInt8>
    ) -> [UInt8] {
        Self.expectedResponse(
            ha1: ha1, algorithm: algorithm, method: method, uri: uri[...], nonce: nonce[...],
            cnonce: (cnonce ?? [])[...], quality: quality, nonceCount: nonceCount, body: body)
    }

    static func expectedResponse(
        ha1: [UInt8], algorithm: DigestAlgorithm, method: SIPMethod, uri: ArraySlice<UInt8>, nonce: ArraySlice<UInt8>,
        cnonce: ArraySlice<UInt8>, quality: DigestQuality?, nonceCount: UInt32?, body: ArraySlice<UInt8>
    ) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(256)
        method.serialize(into: &text)
        text.append(colonAnd: uri)
        if quality == .authInt { text.append(colonAnd: algorithm.hash(Array(body))[...]) }
        let second = algorithm.hash(text)
        text.removeAll(keepingCapacity: true)
        text += ha1
        text.append(colonAnd: nonce)
        if algorithm.isSession {
            text.append(colonAnd: cnonce)
            text = algorithm.hash(text)
            text.append(colonAnd: nonce)
        }
        if let quality {
            text.append(ASCII.colon)
            text.appendHexadecimal(UInt64(nonceCount ?? 1), digits: 8)
            text.append(colonAnd: cnonce)
            text.append(":")
            text.append(quality.literal)
        }
        text.append(colonAnd: second[...])
        return algorithm.hash(text)
    }
}

/// Digest headers, parsed when asked; other schemes are left out.
extension SIPMessage {
    /// The Digest credentials of Authorization, or of Proxy-Authorization.
    package func authorizations(_ name: HeaderName = .authorization) throws(SIPParseError) -> [DigestCredentials] {
        var out: [DigestCredentials] = []
        for line in lines where line.code == name {
            let text = text(of: line)
            if let credentials = try DigestCredentials(parsing: text, header: name) { out.append(credentials) }
        }
        return out
    }

    /// The Digest challenges of WWW-Authenticate, or of Proxy-Authenticate.
    package func challenges(_ name: HeaderName = .wwwAuthenticate) throws(SIPParseError) -> [DigestChallenge] {
        var out: [DigestChallenge] = []
        for line in lines where line.code == name {
            let text = text(of: line)
            if let challenge = try DigestChallenge(parsing: text, header: name) { out.append(challenge) }
        }
        return out
    }
}
