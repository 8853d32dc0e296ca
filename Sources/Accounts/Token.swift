import Base
import Crypto

/// A secret that proves something by being known: 32 random bytes, base64url in links and cookies.
///
/// Only its `hash` is ever stored. 256 random bits need no salt and no slow hash: there is nothing to guess.
package struct Token: Sendable {
    package static let length = 32

    private let bytes: [UInt8]

    package init(random: inout RandomSource) { bytes = random.bytes(count: Self.length) }

    /// Reads a token from a link or a cookie; nil when it cannot be one.
    package init?(parsing text: some StringProtocol) {
        guard text.utf8.count == 43, let bytes = Base64URL.decode(text), bytes.count == Self.length else { return nil }
        self.bytes = bytes
    }

    /// 43 characters of base64url.
    package var text: String { Base64URL.encode(bytes) }

    package var hash: TokenHash { TokenHash(bytes: Array(SHA256.hash(data: bytes))) }
}

/// The SHA-256 of a `Token`: what the database has, and looks tokens up by.
package struct TokenHash: Hashable, Sendable {
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }
}
