import Base
import STUN

/// User fragment and password of one side for one ICE session (RFC 8445 §5.3), as `a=ice-ufrag` and `a=ice-pwd`.
package struct ShortTermCredentials: Hashable, Sendable {
    package let ufrag: [UInt8]
    package let password: [UInt8]

    package init(ufrag: [UInt8], password: [UInt8]) throws(ICEError) {
        guard ICELimits.ufrag.contains(ufrag.count), ICELimits.password.contains(password.count),
            ufrag.allSatisfy(Self.isICECharacter), password.allSatisfy(Self.isICECharacter)
        else { throw .badCredentials }
        (self.ufrag, self.password) = (ufrag, password)
    }

    /// Bytes of a user fragment of ours, 40 random bits: it is what tells our sessions from each other.
    package static let ufragSize = 8

    /// Fresh ones: 130 random bits in the password, where 128 are asked for.
    package init(using random: inout RandomSource) {
        ufrag = random.token(length: Self.ufragSize)
        password = random.token(length: 26)
    }

    /// RFC 8839 §5.1: `ice-char`.
    static func isICECharacter(_ byte: UInt8) -> Bool { ASCII.isAlphanumeric(byte) || byte == 0x2b || byte == 0x2f }
}

/// What our side of a session knows in order to answer: requests name it as `ours:theirs`.
struct LocalSecret: Sendable {
    let credentials: ShortTermCredentials
    let key: IntegrityKey

    init(_ credentials: ShortTermCredentials) {
        (self.credentials, key) = (credentials, IntegrityKey(sha1: credentials.password))
    }
}

/// What we need in order to ask: the user name `theirs:ours` and their password (RFC 8445 §7.2.2).
struct RemoteSecret: Sendable {
    let credentials: ShortTermCredentials
    let username: [UInt8]
    let key: IntegrityKey

    init(_ credentials: ShortTermCredentials, for local: ShortTermCredentials) {
        self.credentials = credentials
        username = credentials.ufrag + [ASCII.colon] + local.ufrag
        key = IntegrityKey(sha1: credentials.password)
    }
}

/// The two halves of a USERNAME. The first is the receiver's user fragment, the second the sender's.
struct UsernameParts {
    let receiver: UnsafeRawBufferPointer
    let sender: UnsafeRawBufferPointer

    init?(_ username: UnsafeRawBufferPointer) {
        guard let colon = username.firstIndex(of: ASCII.colon), let receiver = username.slice(0, colon),
            let sender = username.slice(colon + 1, username.count - colon - 1)
        else { return nil }
        (self.receiver, self.sender) = (receiver, sender)
    }
}
