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
        return Base64.standard.encode((0..<20).map { sum[$0] })
    }

    /// Whose credentials these are and until when; nil for a name of another form.
    static func read(_ username: [UInt8]) -> (expiry: Int64, user: [UInt8])? {
        guard let colon = username.firstIndex(of: ASCII.colon), let expiry = ASCII.decimal(username[..<colon]),
            colon + 1 < username.count
        else { return nil }
        return (Int64(expiry), Array(username[(colon + 1)...]))
    }
}
