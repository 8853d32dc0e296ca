import Accounts
import Base
import GRDB

/// What somebody who opens a join link brings.
package struct Newcomer: Sendable {
    /// Only where the link leaves it open.
    package var userName: UserName?
    /// Nil takes the link's.
    package var fullName: FullName?
    package var keys: PublicKeys
    package var credentials: Credentials

    package init(userName: UserName?, fullName: FullName?, keys: PublicKeys, credentials: Credentials) {
        (self.userName, self.fullName, self.keys, self.credentials) = (userName, fullName, keys, credentials)
    }
}

/// A join link that was just made: the only moment its secret is known.
package struct FreshLink: Sendable {
    package var link: JoinLink
    package var token: Token
    /// Of the inviter's keys, for the part after `#`.
    package var fingerprint: KeyFingerprint?

    /// The address to send.
    package func url(publicURL: String) -> String {
        JoinLink.url(publicURL: publicURL, token: token, fingerprint: fingerprint)
    }
}

extension HouseholdStore {
    /// Makes the link of the very first owner, in place of any made before that nobody used.
    ///
    /// - Returns: nil when there is an owner already.
    package func makeOwnerLink(random: RandomSource) async throws -> FreshLink? {
        let now = clock()
        return try await write { database in
            guard try !Self.hasOwner(database) else { return nil }
            try database.execute(sql: "DELETE FROM links WHERE used IS NULL AND user_name IS NULL")
            return try Self.make(.owner, nil, nil, inviter: nil, random, at: now, database)
        }
    }

    /// Invites somebody who is not here yet, or has telephones alone.
    ///
    /// - Parameter inviter: nil for the command line, which speaks for the owner who joined first.
    package func invite(
        _ name: UserName, fullName: FullName?, role: Person.Role = .member, inviter: UserName?, random: RandomSource
    ) async throws -> FreshLink {
        let now = clock()
        return try await write { database in
            let known = try Self.person(name, database)
            guard known?.keys == nil else { throw AccountError.nameTaken(name) }
            try Self.forgetLinks(for: name, at: now, evenOpen: false, database)
            guard try Self.openLink(for: name, database) == nil else { throw AccountError.alreadyInvited(name) }
            let purpose = role == .owner ? JoinLink.Purpose.owner : .member
            return try Self.make(
                purpose, name, fullName ?? known?.fullName, inviter: inviter, random, at: now, database)
        }
    }

    /// A new link for somebody who lost password and recovery code, or whose invitation was lost. The link before it
    /// stops working; her password goes on working until she uses the new link.
    package func reset(_ name: UserName, inviter: UserName?, random: RandomSource) async throws -> FreshLink {
        let now = clock()
        return try await write { database in
            let person = try Self.person(name, database)
            let open = try Self.openLink(for: name, database)
            guard person != nil || open != nil else { throw AccountError.personUnknown(name) }
            try Self.forgetLinks(for: name, at: now, evenOpen: true, database)
            let purpose = person?.keys == nil ? open?.purpose ?? .member : .reset
            return try Self.make(
                purpose, name, person?.fullName ?? open?.fullName, inviter: inviter, random, at: now, database)
        }
    }

    /// Links that can still be used, newest first.
    package func openLinks() async throws -> [JoinLink] {
        let now = clock()
        return try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM links WHERE used IS NULL AND expires > ? ORDER BY created DESC, id",
                arguments: [now]
            ).map(JoinLink.init(row:))
        }
    }

    package func removeLink(_ id: Identifier<JoinLink>) async throws {
        try await write { database in
            try database.execute(sql: "DELETE FROM links WHERE id = ? AND used IS NULL", arguments: [id])
            guard database.changesCount == 1 else { throw AccountError.linkUnknown }
        }
    }

    /// The link a token opens, with its inviter. Refuses links that are unknown, used or expired.
    package func link(_ hash: TokenHash) async throws -> (link: JoinLink, inviter: Person?) {
        let now = clock()
        return try await read { database in
            let link = try Self.usableLink(hash, at: now, database)
            return (link, try link.inviter.flatMap { try Self.person($0, database) })
        }
    }

    /// Uses a link: the person, her credentials and her first session come into being together, or nothing does.
    ///
    /// - Parameter session: makes the session, once the user name is certain.
    package func accept(
        _ hash: TokenHash, _ newcomer: Newcomer,
        session: @escaping @Sendable (UserName) -> (session: Session, token: Token)
    ) async throws -> (person: Person, session: Session, token: Token) {
        let now = clock()
        return try await write { database in
            let link = try Self.usableLink(hash, at: now, database)
            guard link.userName == nil || newcomer.userName == nil || newcomer.userName == link.userName else {
                throw AccountError.linkHasName
            }
            guard let name = link.userName ?? newcomer.userName else { throw AccountError.linkNeedsName }
            let person = try Self.settle(name, link, newcomer, at: now, database)
            try Self.save(newcomer.credentials, of: name, database)
            try database.execute(sql: "UPDATE links SET used = ? WHERE id = ?", arguments: [now, link.id])
            // Whoever was signed in with the credentials before is not, and one more person needs no second invitation.
            try database.execute(sql: "DELETE FROM sessions WHERE user_name = ?", arguments: [name])
            try Self.forgetLinks(for: name, at: now, evenOpen: true, database)
            let (session, token) = session(name)
            try Self.insert(session, token.hash, database)
            return (person, session, token)
        }
    }

    // MARK: - Inside a transaction

    /// Makes somebody a person who was invited and needs a telephone before she has joined in a browser. Her link still
    /// works: it gives her keys then.
    static func admit(_ name: UserName, at now: WallTime, _ database: Database) throws {
        guard try person(name, database) == nil else { return }
        guard let link = try openLink(for: name, database) else { throw AccountError.personUnknown(name) }
        let fullName = try link.fullName ?? FullName(parsing: name.description)
        try insert(Person(userName: name, fullName: fullName, role: .member, keys: nil, created: now), database)
    }

    /// The person a link is for: new, with her first keys after telephones alone, or with new ones after a reset.
    private static func settle(
        _ name: UserName, _ link: JoinLink, _ newcomer: Newcomer, at now: WallTime, _ database: Database
    ) throws -> Person {
        let known = try person(name, database)
        if link.purpose == .reset, known == nil { throw AccountError.personUnknown(name) }
        if var person = known, link.purpose == .reset || person.keys == nil && link.userName == name {
            person.keys = newcomer.keys
            person.fullName = newcomer.fullName ?? person.fullName
            if link.purpose == .owner { person.role = .owner }
            try database.execute(
                sql:
                    "UPDATE people SET full_name = ?, role = ?, signing_key = ?, agreement_key = ? WHERE user_name = ?",
                arguments: [
                    person.fullName, person.role.rawValue, Bytes(newcomer.keys.signing), Bytes(newcomer.keys.agreement),
                    name,
                ])
            return person
        }
        guard known == nil else { throw AccountError.nameTaken(name) }
        // A name somebody else holds an invitation for is as good as taken.
        if let other = try openLink(for: name, database), other.id != link.id, other.expires > now {
            throw AccountError.nameTaken(name)
        }
        guard let fullName = newcomer.fullName ?? link.fullName else { throw AccountError.badFullName }
        let person = Person(
            userName: name, fullName: fullName, role: link.purpose == .owner ? .owner : .member, keys: newcomer.keys,
            created: now)
        try insert(person, database)
        return person
    }

    private static func make(
        _ purpose: JoinLink.Purpose, _ name: UserName?, _ fullName: FullName?, inviter: UserName?,
        _ random: RandomSource, at now: WallTime, _ database: Database
    ) throws -> FreshLink {
        let open = try Int.fetchOne(
            database, sql: "SELECT count(*) FROM links WHERE used IS NULL AND expires > ?", arguments: [now])
        guard let open, open < JoinLink.maximumOpen else { throw AccountError.tooManyLinks }
        let host = try inviter.flatMap { try person($0, database) } ?? firstOwner(database)
        var random = random
        let (link, token) = JoinLink.make(
            purpose, userName: name, fullName: fullName, inviter: host?.userName, random: &random, at: now)
        try database.execute(
            sql: """
                INSERT INTO links (id, token_hash, purpose, user_name, full_name, inviter, created, expires)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                link.id, Bytes(token.hash.bytes), purpose.rawValue, name, fullName, link.inviter, link.created,
                link.expires,
            ])
        return FreshLink(link: link, token: token, fingerprint: host?.keys?.fingerprint)
    }

    private static func firstOwner(_ database: Database) throws -> Person? {
        try Row.fetchOne(
            database, sql: "SELECT * FROM people WHERE role = 'owner' ORDER BY created, user_name LIMIT 1"
        ).map(Person.init(row:))
    }

    private static func openLink(for name: UserName, _ database: Database) throws -> JoinLink? {
        try Row.fetchOne(database, sql: "SELECT * FROM links WHERE user_name = ? AND used IS NULL", arguments: [name])
            .map(JoinLink.init(row:))
    }

    private static func usableLink(_ hash: TokenHash, at now: WallTime, _ database: Database) throws -> JoinLink {
        let row = try Row.fetchOne(
            database, sql: "SELECT * FROM links WHERE token_hash = ?", arguments: [Bytes(hash.bytes)])
        guard let row else { throw AccountError.linkUnknown }
        let link = try JoinLink(row: row)
        try link.check(at: now)
        return link
    }

    /// Deletes the unused links for a name: the expired ones, or all.
    static func forgetLinks(for name: UserName, at now: WallTime, evenOpen: Bool, _ database: Database) throws {
        try database.execute(
            sql: "DELETE FROM links WHERE user_name = ? AND used IS NULL AND (? OR expires <= ?)",
            arguments: [name, evenOpen, now])
    }
}

extension JoinLink {
    init(row: Row) throws {
        guard let purpose = Purpose(rawValue: try row.text("purpose")) else {
            throw StoreError.failed("a link's purpose is unknown")
        }
        self.init(
            id: Identifier(try row.text("id")), purpose: purpose, userName: try row.optional("user_name"),
            fullName: try row.optional("full_name"), inviter: try row.optional("inviter"),
            created: try row.time("created"), expires: try row.time("expires"), used: try row.optional("used"))
    }
}
