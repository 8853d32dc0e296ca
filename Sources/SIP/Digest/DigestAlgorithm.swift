import Base

/// A hash of digest authentication, and whether HA1 is bound to the session (RFC 7616 §3.2, RFC 8760).
package enum DigestAlgorithm: UInt8, CaseIterable, Hashable, Sendable {
    case md5, md5Session, sha256, sha256Session

    package var isSession: Bool { self == .md5Session || self == .sha256Session }
    package var isSHA256: Bool { self == .sha256 || self == .sha256Session }

    package var token: [UInt8] { [UInt8](ascii: literal) }

    private var literal: StaticString {
        switch self {
        case .md5: "MD5"
        case .md5Session: "MD5-sess"
        case .sha256: "SHA-256"
        case .sha256Session: "SHA-256-sess"
        }
    }

    /// Nil for an algorithm we do not have, such as SHA-512-256.
    package init?(token: some Collection<UInt8>) {
        for algorithm in Self.allCases where ASCII.equalIgnoringCase(token, algorithm.literal) {
            self = algorithm
            return
        }
        return nil
    }

    /// The hash in lower-case hexadecimal digits: 32 or 64 of them.
    package func hash(_ message: [UInt8]) -> [UInt8] {
        isSHA256 ? MessageDigest.SHA256.hexadecimal(message) : MessageDigest.MD5.hexadecimal(message)
    }

    /// What a server keeps instead of the password: H(user:realm:password) (RFC 7616 §3.4.2, without -sess).
    package func ha1(user: [UInt8], realm: [UInt8], password: [UInt8]) -> [UInt8] {
        var text = user
        text.append(colonAnd: realm[...])
        text.append(colonAnd: password[...])
        return hash(text)
    }
}

extension [UInt8] {
    /// Appends one more of the parts that digest authentication joins by colons.
    @inline(never)
    mutating func append(colonAnd part: ArraySlice<UInt8>) {
        append(ASCII.colon)
        self += part
    }
}

/// The quality of protection: what the response covers (RFC 7616 §3.4.1).
package enum DigestQuality: Hashable, Sendable {
    /// Method and URI.
    case auth
    /// The body too.
    case authInt

    package var token: [UInt8] { [UInt8](ascii: literal) }

    var literal: StaticString { self == .auth ? "auth" : "auth-int" }

    init?(token: some Collection<UInt8>) {
        if ASCII.equalIgnoringCase(token, "auth") {
            self = .auth
        } else if ASCII.equalIgnoringCase(token, "auth-int") {
            self = .authInt
        } else {
            return nil
        }
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
