import Base

/// A Digest challenge: one WWW-Authenticate or Proxy-Authenticate (RFC 7616 §3.3, RFC 3261 §22).
package struct DigestChallenge: HeaderValue, Equatable {
    package var realm: [UInt8]
    package var nonce: [UInt8]
    /// The algorithm as written, MD5 when absent.
    package var algorithmToken: [UInt8]
    /// In the order offered; empty for a challenge by RFC 2069, without `qop`.
    package var qualities: [DigestQuality]
    package var opaque: [UInt8]?
    /// The password was right, but the nonce too old: try again without asking the user.
    package var isStale: Bool

    /// Nil for an algorithm we do not have.
    package var algorithm: DigestAlgorithm? { DigestAlgorithm(token: algorithmToken) }

    package init(
        realm: [UInt8], nonce: [UInt8], algorithm: DigestAlgorithm, qualities: [DigestQuality] = [.auth],
        opaque: [UInt8]? = nil, isStale: Bool = false
    ) {
        (self.realm, self.nonce, algorithmToken) = (realm, nonce, algorithm.token)
        (self.qualities, self.opaque, self.isStale) = (qualities, opaque, isStale)
    }

    /// - Returns: nil for another scheme than Digest.
    /// - Throws: `.malformed` when a parameter is missing, repeated or broken.
    package init?(parsing text: ArraySlice<UInt8>, header: HeaderName = .wwwAuthenticate) throws(SIPParseError) {
        guard let parameters = AuthParameters(parsing: text) else { throw .malformed(header) }
        guard parameters.isDigest else { return nil }
        guard let realm = parameters[.realm], let nonce = parameters[.nonce], !parameters.hasRepetition else {
            throw .malformed(header)
        }
        (self.realm, self.nonce) = (realm, nonce)
        algorithmToken = parameters[.algorithm] ?? DigestAlgorithm.md5.token
        qualities = []
        if let list = parameters[.quality] {
            for item in list.split(separator: ASCII.comma) {
                // Unknown qualities are ignored (RFC 7616 §3.3).
                if let quality = DigestQuality(token: Grammar.trimmed(item)) { qualities.append(quality) }
            }
            // Only qualities we do not know: as good as an unknown algorithm.
            if qualities.isEmpty { algorithmToken = [] }
        }
        opaque = parameters[.opaque]
        isStale = parameters[.stale].map { ASCII.equalIgnoringCase($0, "true") } ?? false
    }

    package func serialize(into out: inout [UInt8]) {
        var writer = AuthParameterWriter(out)
        writer.quoted("realm", realm)
        writer.quoted("nonce", nonce)
        if isStale { writer.plain("stale", "true") }
        writer.plain("algorithm", algorithmToken)
        writer.quoted("qop", qualities)
        writer.quoted("opaque", opaque)
        out = writer.out
    }
}
