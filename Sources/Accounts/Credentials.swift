import Base
import Crypto

/// What a person proves her password with, and her private keys in the wrapping only she can open (docs/protocol.md).
package struct Credentials: Hashable, Sendable {
    package var password: Proof
    /// Private keys under the password's `wrap` key.
    package var wrapped: SealedKeys
    package var recovery: Recovery

    package init(password: Proof, wrapped: SealedKeys, recovery: Recovery) {
        (self.password, self.wrapped, self.recovery) = (password, wrapped, recovery)
    }

    /// The printed code's half: opens the keys when the password is forgotten.
    package struct Recovery: Hashable, Sendable {
        package var proof: Proof
        /// Private keys under the recovery code's `wrap` key.
        package var sealed: SealedKeys

        package init(proof: Proof, sealed: SealedKeys) { (self.proof, self.sealed) = (proof, sealed) }
    }

    /// A salt for the browser's PBKDF2, and the verifier of what it derived.
    package struct Proof: Hashable, Sendable {
        package var salt: ClientSalt
        package var verifier: Verifier

        package init(salt: ClientSalt, verifier: Verifier) { (self.salt, self.verifier) = (salt, verifier) }
    }
}

/// The salt of the PBKDF2 that runs in the browser: 16 bytes the browser chose. Public: sign-in asks for it first.
package struct ClientSalt: Hashable, Sendable {
    package static let length = 16

    /// PBKDF2 rounds, as OWASP's Password Storage Cheat Sheet advises for HMAC-SHA-256.
    package static let iterations = 600_000

    package let bytes: [UInt8]

    package init(parsing bytes: [UInt8]) throws(AccountError) {
        guard bytes.count == Self.length else { throw .badSecret("a salt has \(Self.length) bytes") }
        self.bytes = bytes
    }

    /// The salt told for a name nobody has: the same at every asking and nothing like a constant, so that asking does not
    /// tell who lives here.
    ///
    /// - Parameter purpose: the password's salt and the recovery code's differ, as real ones do.
    package init(believableFor name: UserName, purpose: Purpose, secret: [UInt8]) {
        var keyed = HMAC<SHA256>(key: SymmetricKey(data: secret))
        keyed.update(data: Array("hearth salt \(purpose.rawValue) \(name)".utf8))
        bytes = Array(Array(keyed.finalize()).prefix(Self.length))
    }

    package enum Purpose: String, Sendable {
        case password
        case recovery
    }
}

/// The 32 bytes a browser derived from a password or a recovery code, and proves to know it with.
package struct Auth: Sendable {
    package static let length = 32

    fileprivate let bytes: [UInt8]

    package init(parsing bytes: [UInt8]) throws(AccountError) {
        guard bytes.count == Self.length else { throw .badSecret("auth has \(Self.length) bytes") }
        self.bytes = bytes
    }
}

/// A salted hash of an `Auth`. One HKDF is enough: 600 000 rounds of PBKDF2 lie before it, in the browser.
package struct Verifier: Hashable, Sendable {
    package let salt: [UInt8]
    package let hash: [UInt8]

    package init(salt: [UInt8], hash: [UInt8]) { (self.salt, self.hash) = (salt, hash) }

    package init(of auth: Auth, random: inout RandomSource) {
        salt = random.bytes(count: 16)
        hash = Self.derive(auth, salt: salt)
    }

    /// Compares in constant time.
    package func accepts(_ auth: Auth) -> Bool {
        let derived = Self.derive(auth, salt: salt)
        guard derived.count == hash.count else { return false }
        var difference = UInt8(0)
        for (left, right) in zip(derived, hash) { difference |= left ^ right }
        return difference == 0
    }

    /// Does the work of `accepts` for a name nobody has, so that the answer takes as long. Always false.
    package static func refuse(_ auth: Auth) -> Bool {
        Verifier(salt: [UInt8](repeating: 0, count: 16), hash: [UInt8](repeating: 0, count: 32)).accepts(auth) && false
    }

    private static func derive(_ auth: Auth, salt: [UInt8]) -> [UInt8] {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: auth.bytes), salt: salt, info: Array("hearth verifier".utf8),
            outputByteCount: 32)
        return key.withUnsafeBytes { Array($0) }
    }
}

/// Private keys sealed in the browser with AES-256-GCM. The server keeps them and cannot open them.
package struct SealedKeys: Hashable, Sendable {
    /// The nonce AES-GCM wants (NIST SP 800-38D §5.2.1.1).
    package static let ivLength = 12

    /// Two PKCS #8 keys in JSON take about 450 bytes; this leaves room for more keys and bounds what one person stores.
    package static let maximumLength = 4096

    package let iv: [UInt8]
    package let data: [UInt8]

    package init(iv: [UInt8], data: [UInt8]) throws(AccountError) {
        guard iv.count == Self.ivLength else { throw .badKeys("an iv has \(Self.ivLength) bytes") }
        guard data.count > 16, data.count <= Self.maximumLength else {
            throw .badKeys("wrapped keys have 17 to \(Self.maximumLength) bytes")
        }
        (self.iv, self.data) = (iv, data)
    }
}
