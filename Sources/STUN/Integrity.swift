import Base

/// The key both ends share, ready for one of the two integrity attributes.
///
/// Hashing the key's own blocks happens once, here, and not per message.
package enum IntegrityKey: Sendable {
    /// For MESSAGE-INTEGRITY (RFC 8489 §14.5).
    case sha1(HMACSHA1)
    /// For MESSAGE-INTEGRITY-SHA256 (§14.6), never truncated: no usage we have allows that.
    case sha256(HMACSHA256)

    /// - Parameter key: the password itself with short-term credentials (§9.1), `LongTermKey` else.
    package init(sha1 key: [UInt8]) { self = .sha1(HMACSHA1(key: key)) }
    package init(sha256 key: [UInt8]) { self = .sha256(HMACSHA256(key: key)) }

    /// Whether `message` has the attribute this key is for, made with this key.
    package func protects(_ message: STUNMessage) -> Bool {
        switch self {
        case .sha1(var code):
            guard message.integrityOffset > 0, let given = message.bytes.slice(message.integrityOffset + 4, 20) else {
                return false
            }
            message.feed(upTo: message.integrityOffset, attribute: 24) { code.update($0) }
            let expected = code.finish()
            return withUnsafeBytes(of: expected) { $0.equalsInConstantTime(given) }
        case .sha256(var code):
            guard message.integritySHA256Offset > 0,
                message.bytes.uint16(at: message.integritySHA256Offset + 2) == 32,
                let given = message.bytes.slice(message.integritySHA256Offset + 4, 32)
            else { return false }
            message.feed(upTo: message.integritySHA256Offset, attribute: 36) { code.update($0) }
            let expected = code.finish()
            return withUnsafeBytes(of: expected) { $0.equalsInConstantTime(given) }
        }
    }
}

extension STUNMessage {
    /// What protects this message.
    package var hasIntegrity: Bool { integrityOffset > 0 }
    package var hasIntegritySHA256: Bool { integritySHA256Offset > 0 }

    /// Gives the bytes an integrity attribute covers: all before it, with the length the message had when it was the
    /// last attribute (§14.5).
    fileprivate func feed(upTo offset: Int, attribute size: Int, to update: (UnsafeRawBufferPointer) -> Void) {
        guard let start = bytes.slice(0, 2), let rest = bytes.slice(4, offset - 4) else { return }
        update(start)
        let length = UInt16(truncatingIfNeeded: offset - Self.headerSize + size).bigEndian
        withUnsafeBytes(of: length) { update($0) }
        update(rest)
    }
}

/// Keys of long-term credentials (RFC 8489 §9.2.2, §18.5.1). Texts are UTF-8, prepared already (RFC 8265).
package enum LongTermKey {
    /// MD5 of `user:realm:password`: 16 bytes.
    package static func md5(user: [UInt8], realm: [UInt8], password: [UInt8]) -> [UInt8] {
        MessageDigest.MD5.hash(joined(user, realm, password))
    }

    /// SHA-256 of the same: 32 bytes.
    package static func sha256(user: [UInt8], realm: [UInt8], password: [UInt8]) -> [UInt8] {
        MessageDigest.SHA256.hash(joined(user, realm, password))
    }

    /// What stands for the user name in USERHASH (§14.4): 32 bytes.
    package static func userhash(user: [UInt8], realm: [UInt8]) -> [UInt8] {
        MessageDigest.SHA256.hash(user + [ASCII.colon] + realm)
    }

    private static func joined(_ user: [UInt8], _ realm: [UInt8], _ password: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(user.count + realm.count + password.count + 2)
        text += user
        text.append(ASCII.colon)
        text += realm
        text.append(ASCII.colon)
        text += password
        return text
    }
}
