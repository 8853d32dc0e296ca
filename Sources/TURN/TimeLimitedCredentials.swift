import Base
import STUN

/// Credentials that expire by themselves: the user name says until when and whose they are, the password is its code.
///
/// `user name = seconds since 1970 ":" user`, `password = base64(HMAC-SHA-1(secret, user name))`
/// (draft-uberti-behave-turn-rest, which WebRTC services and coturn share). The relay needs no list of users, and what
/// leaks serves for hours only.
package struct TimeLimitedCredentials: Sendable {
    private let code: HMACSHA1

    /// - Parameter secret: 32 random bytes, known to the relay and to whoever hands out credentials.
    package init(secret: [UInt8]) {
        precondition(secret.count >= 16, "the secret has 32 bytes")
        code = HMACSHA1(key: secret)
    }

    /// Credentials for a user, good until `expiry` (seconds since 1970).
    package func issue(to user: [UInt8], until expiry: Int64) -> (username: [UInt8], password: [UInt8]) {
        var username: [UInt8] = []
        username.appendDecimal(Int(max(0, expiry)))
        username.append(ASCII.colon)
        username += user
        return (username, password(of: username))
    }

    /// The password that belongs to a user name, whoever made that name up.
    func password(of username: [UInt8]) -> [UInt8] {
        var code = code
        username.withUnsafeBytes { code.update($0) }
        let sum = code.finish()
        return [UInt8](base64: (0..<20).map { sum[$0] })
    }

    /// Whose credentials these are and until when; nil for a name of another form.
    static func read(_ username: [UInt8]) -> (expiry: Int64, user: [UInt8])? {
        guard let colon = username.firstIndex(of: ASCII.colon), let expiry = ASCII.decimal(username[..<colon]),
            colon + 1 < username.count
        else { return nil }
        return (Int64(expiry), Array(username[(colon + 1)...]))
    }
}

extension [UInt8] {
    /// The digits for these bytes, padded (RFC 4648 §4).
    init(base64 bytes: [UInt8]) {
        self = []
        reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<Swift.min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for index in 0..<4 {
                let digit = Base64.digit(UInt8(truncatingIfNeeded: bits >> UInt32(18 - index * 6)) & 63)
                append(index <= group.count ? digit : ASCII.equals)
            }
        }
    }
}
