import Base

/// One signed-in browser.
package struct Session: Hashable, Sendable {
    /// A session ends when it was not used for so long. Sliding: using it starts the days again.
    package static let lifetime = Duration.seconds(90 * 86_400)

    /// How stale `lastUsed` may be: most requests then cost no write.
    package static let touchInterval = Duration.seconds(3600)

    /// Browsers signed in at one time per person; signing in once more ends the one unused for longest.
    package static let maximumPerPerson = 50

    /// What is kept of the User-Agent header, enough to tell two browsers apart in a list.
    package static let maximumUserAgentLength = 200

    package var id: Identifier<Session>
    package var user: UserName
    package var created: WallTime
    package var lastUsed: WallTime
    package var userAgent: String

    package init(
        id: Identifier<Session>, user: UserName, created: WallTime, lastUsed: WallTime, userAgent: String
    ) {
        (self.id, self.user, self.created, self.lastUsed) = (id, user, created, lastUsed)
        self.userAgent = userAgent
    }

    /// A new session and the cookie's secret.
    package static func make(
        for user: UserName, userAgent: String, random: inout RandomSource, at now: WallTime
    ) -> (session: Session, token: Token) {
        let printable = userAgent.unicodeScalars.prefix(maximumUserAgentLength).filter {
            $0.value >= 0x20 && $0.value != 0x7f
        }
        let session = Session(
            id: Identifier(random: &random), user: user, created: now, lastUsed: now,
            userAgent: String(String.UnicodeScalarView(printable)))
        return (session, Token(random: &random))
    }

    package func isOver(at now: WallTime) -> Bool { now >= lastUsed + Self.lifetime }

    /// Whether `lastUsed` is stale enough to be written again.
    package func needsTouch(at now: WallTime) -> Bool { now - lastUsed >= Self.touchInterval }
}
