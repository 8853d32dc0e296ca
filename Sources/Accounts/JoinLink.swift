import Base

/// An invitation: whoever opens the link first becomes (or becomes again) the person it is for.
///
///     open ──used──▶ used
///       └──7 days──▶ expired
package struct JoinLink: Hashable, Sendable {
    /// Long enough to reach an aunt who reads mail on Sundays, short enough that a forgotten link is no open door.
    package static let lifetime = Duration.seconds(7 * 86_400)

    /// Open links at one time: more than any family needs, and a bound on the table.
    package static let maximumOpen = 100

    package var id: Identifier<JoinLink>
    package var purpose: Purpose
    /// The inviter chose it; nil leaves it to the one who opens the link (the very first owner).
    package var userName: UserName?
    package var fullName: FullName?
    /// Nil: made on the server's command line before anybody had joined.
    package var inviter: UserName?
    package var created: WallTime
    package var expires: WallTime
    package var used: WallTime?

    package enum Purpose: String, Sendable, CaseIterable {
        /// A new person who will be an owner.
        case owner
        /// A new person.
        case member
        /// A person who lost password and recovery code starts again with new keys.
        case reset
    }

    package init(
        id: Identifier<JoinLink>, purpose: Purpose, userName: UserName?, fullName: FullName?, inviter: UserName?,
        created: WallTime, expires: WallTime, used: WallTime?
    ) {
        (self.id, self.purpose, self.userName, self.fullName) = (id, purpose, userName, fullName)
        (self.inviter, self.created, self.expires, self.used) = (inviter, created, expires, used)
    }

    /// A new link and the secret that opens it, which is told once.
    package static func make(
        _ purpose: Purpose, userName: UserName?, fullName: FullName?, inviter: UserName?,
        random: inout RandomSource, at now: WallTime
    ) -> (link: JoinLink, token: Token) {
        let link = JoinLink(
            id: Identifier(random: &random), purpose: purpose, userName: userName, fullName: fullName, inviter: inviter,
            created: now, expires: now + lifetime, used: nil)
        return (link, Token(random: &random))
    }

    /// Refuses a link that was used or is too old.
    package func check(at now: WallTime) throws(AccountError) {
        guard used == nil else { throw .linkUsed }
        guard now < expires else { throw .linkExpired }
    }

    /// The address to send: `https://home.example/join/TOKEN#FINGERPRINT`.
    ///
    /// - Parameters:
    ///   - publicURL: what links start with, without a path.
    ///   - fingerprint: of the inviter's keys, so that the newcomer's browser can tell a false server.
    package static func url(publicURL: String, token: Token, fingerprint: KeyFingerprint?) -> String {
        let base = publicURL.hasSuffix("/") ? String(publicURL.dropLast()) : publicURL
        return "\(base)/join/\(token.text)" + (fingerprint.map { "#\($0)" } ?? "")
    }
}
