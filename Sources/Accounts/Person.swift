import Crypto

/// Somebody of the household, as everybody in it may see her.
package struct Person: Hashable, Sendable {
    package var userName: UserName
    package var fullName: FullName
    package var role: Role
    /// Nil until she has joined in a browser: so far she has telephones alone.
    package var keys: PublicKeys?
    package var created: WallTime

    package init(userName: UserName, fullName: FullName, role: Role, keys: PublicKeys?, created: WallTime) {
        (self.userName, self.fullName, self.role) = (userName, fullName, role)
        (self.keys, self.created) = (keys, created)
    }

    /// What a person may do. There is always at least one owner once the first has joined.
    package enum Role: String, Sendable, CaseIterable {
        /// Invites and removes people.
        case owner
        case member
    }
}

/// The public halves of a person's two P-256 key pairs, as uncompressed points (SEC 1 §2.3.3).
package struct PublicKeys: Hashable, Sendable {
    package static let pointLength = 65

    package let signing: [UInt8]
    package let agreement: [UInt8]

    /// Refuses what is not a point of the curve: everybody else's browser would stumble over it.
    package init(signing: [UInt8], agreement: [UInt8]) throws(AccountError) {
        guard signing.count == Self.pointLength, (try? P256.Signing.PublicKey(x963Representation: signing)) != nil
        else {
            throw .badKeys("signingPublic is not an uncompressed P-256 point")
        }
        guard agreement.count == Self.pointLength,
            (try? P256.KeyAgreement.PublicKey(x963Representation: agreement)) != nil
        else { throw .badKeys("agreementPublic is not an uncompressed P-256 point") }
        (self.signing, self.agreement) = (signing, agreement)
    }

    /// What people pin and compare: SHA-256 over the signing key's point, then the agreement key's point.
    package var fingerprint: KeyFingerprint {
        var hash = SHA256()
        hash.update(data: signing)
        hash.update(data: agreement)
        return KeyFingerprint(bytes: Array(hash.finalize()))
    }
}

/// The SHA-256 of a person's public keys; in links after `#`, which browsers do not send to servers.
package struct KeyFingerprint: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// 43 characters of base64url.
    package var description: String { Base64URL.encode(bytes) }
}
