import Accounts
import GRDB

extension HouseholdStore {
    /// Begins a session. Beyond `Session.maximumPerPerson` the one unused for longest ends.
    package func add(_ session: Session, _ hash: TokenHash) async throws {
        try await write { try Self.insert(session, hash, $0) }
    }

    /// The session a cookie stands for, with its person; nil when there is none or it is over.
    package func session(_ hash: TokenHash) async throws -> (session: Session, person: Person)? {
        let now = clock()
        return try await read { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT * FROM sessions WHERE token_hash = ?", arguments: [Bytes(hash.bytes)])
            guard let row else { return nil }
            let session = try Session(row: row)
            guard !session.isOver(at: now), let person = try Self.person(session.user, database) else { return nil }
            return (session, person)
        }
    }

    /// A person's sessions, the one used last first.
    package func sessions(of name: UserName) async throws -> [Session] {
        let now = clock()
        return try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM sessions WHERE user_name = ? ORDER BY last_used DESC, id",
                arguments: [name]
            ).map(Session.init(row:)).filter { !$0.isOver(at: now) }
        }
    }

    /// The session was used just now.
    package func touch(_ id: Identifier<Session>) async throws {
        let now = clock()
        try await write { database in
            try database.execute(sql: "UPDATE sessions SET last_used = ? WHERE id = ?", arguments: [now, id])
        }
    }

    /// Ends one of a person's own sessions.
    package func endSession(_ id: Identifier<Session>, of name: UserName) async throws {
        try await write { database in
            try database.execute(sql: "DELETE FROM sessions WHERE id = ? AND user_name = ?", arguments: [id, name])
            guard database.changesCount == 1 else { throw AccountError.sessionUnknown }
        }
    }

    static func insert(_ session: Session, _ hash: TokenHash, _ database: Database) throws {
        guard try person(session.user, database) != nil else { throw AccountError.personUnknown(session.user) }
        try database.execute(
            sql: """
                INSERT INTO sessions (id, token_hash, user_name, created, last_used, user_agent)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                session.id, Bytes(hash.bytes), session.user, session.created, session.lastUsed, session.userAgent,
            ])
        try database.execute(
            sql: """
                DELETE FROM sessions WHERE id IN (
                    SELECT id FROM sessions WHERE user_name = ? AND id <> ?
                    ORDER BY last_used DESC, id LIMIT -1 OFFSET ?)
                """,
            arguments: [session.user, session.id, Session.maximumPerPerson - 1])
    }
}

extension Session {
    init(row: Row) throws {
        self.init(
            id: Identifier(try row.text("id")), user: try row.userName(), created: try row.time("created"),
            lastUsed: try row.time("last_used"), userAgent: try row.text("user_agent"))
    }
}
