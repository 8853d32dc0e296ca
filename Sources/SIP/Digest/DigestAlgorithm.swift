import Base

/// A hash of digest authentication, and whether HA1 is bound to the session (RFC 7616 §3.2, RFC 8760).
package enum DigestAlgorithm: UInt8, CaseIterable, Hashable, Sendable {
    case md5, md5Session, sha256, sha256Session

    package var isSession: Bool { self == .md5Session || self == .sha256Session }
    package var isSHA256: Bool { self == .sha256 || self == .sha256Session }

    package var token: [UInt8] {
        switch self {
        case .md5: [UInt8](ascii: "MD5")
        case .md5Session: [UInt8](ascii: "MD5-sess")
        case .sha256: [UInt8](ascii: "SHA-256")
        case .sha256Session: [UInt8](ascii: "SHA-256-sess")
        }
    }

    /// Nil for an algorithm we do not have, such as SHA-512-256.
    package init?(token: some Collection<UInt8>) {
        for algorithm in Self.allCases where ASCII.equalIgnoringCase(algorithm.token, token) {
            self = algorithm
            return
        }
        return nil
    }

    /// The hash in lower-case hexadecimal digits: 32 or 64 of them.
    package func hash(_ message: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(64)
        out.appendHexadecimal(isSHA256 ? SHA256.hash(message) : MD5.hash(message))
        return out
    }

    /// What a server keeps instead of the password: H(user:realm:password) (RFC 7616 §3.4.2, without -sess).
    package func ha1(user: [UInt8], realm: [UInt8], password: [UInt8]) -> [UInt8] {
        hash(Self.joined([user, realm, password]))
    }

    /// The parts with colons between them.
    static func joined(_ parts: [[UInt8]]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(parts.reduce(0) { $0 + $1.count + 1 })
        for (position, part) in parts.enumerated() {
            if position > 0 { out.append(ASCII.colon) }
            out += part
        }
        return out
    }
}

/// The quality of protection: what the response covers (RFC 7616 §3.4.1).
package enum DigestQuality: Hashable, Sendable {
    /// Method and URI.
    case auth
    /// The body too.
    case authInt

    package var token: [UInt8] { self == .auth ? [UInt8](ascii: "auth") : [UInt8](ascii: "auth-int") }

    init?(token: some Collection<UInt8>) {
        for quality in [DigestQuality.auth, .authInt] where ASCII.equalIgnoringCase(quality.token, token) {
            self = quality
            return
        }
        return nil
    }
}

/// The hashes of one password under one user name and realm, as a server stores them.
package struct DigestHA1: Hashable, Sendable {
    /// 32 lower-case hexadecimal digits; nil when this password is not to be used with MD5.
    package var md5: [UInt8]?
    /// 64 lower-case hexadecimal digits.
    package var sha256: [UInt8]?

    package init(md5: [UInt8]?, sha256: [UInt8]?) { (self.md5, self.sha256) = (md5, sha256) }

    package init(user: [UInt8], realm: [UInt8], password: [UInt8]) {
        md5 = DigestAlgorithm.md5.ha1(user: user, realm: realm, password: password)
        sha256 = DigestAlgorithm.sha256.ha1(user: user, realm: realm, password: password)
    }

    func value(for algorithm: DigestAlgorithm) -> [UInt8]? { algorithm.isSHA256 ? sha256 : md5 }
}
