import Accounts
import GRDB

extension HouseholdStore {
    /// Everybody, by user name.
    package func people() async throws -> [Person] {
        try await read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM people ORDER BY user_name").map(Person.init(row:))
        }
    }

    package func person(_ name: UserName) async throws -> Person? {
        try await read { try Self.person(name, $0) }
    }

    package func credentials(of name: UserName) async throws -> Credentials? {
        try await read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM credentials WHERE user_name = ?", arguments: [name])
                .map(Credentials.init(row:))
        }
    }

    /// Whether anybody has joined: the first start makes a link for the owner instead.
    package func hasOwner() async throws -> Bool {
        try await read { try Self.hasOwner($0) }
    }

    package func rename(_ name: UserName, to fullName: FullName) async throws {
        try await write { database in
            try database.execute(
                sql: "UPDATE people SET full_name = ? WHERE user_name = ?", arguments: [fullName, name])
            guard database.changesCount == 1 else { throw AccountError.personUnknown(name) }
        }
    }

    package func setRole(of name: UserName, to role: Person.Role) async throws {
        try await write { database in
            guard let person = try Self.person(name, database) else { throw AccountError.personUnknown(name) }
            guard person.role != role else { return }
            guard person.keys != nil else { throw AccountError.notJoined(name) }
            if person.role == .owner { try Self.requireAnotherOwner(than: name, database) }
            try database.execute(
                sql: "UPDATE people SET role = ? WHERE user_name = ?", arguments: [role.rawValue, name])
        }
    }

    /// Removes a person with her sessions, phones and bindings, or an invitation nobody has used.
    package func remove(_ name: UserName) async throws {
        let now = clock()
        try await write { database in
            let person = try Self.person(name, database)
            if person?.role == .owner { try Self.requireAnotherOwner(than: name, database) }
            try Self.forgetLinks(for: name, at: now, evenOpen: true, database)
            let links = database.changesCount
            try database.execute(sql: "DELETE FROM people WHERE user_name = ?", arguments: [name])
            guard person != nil || links > 0 else { throw AccountError.personUnknown(name) }
        }
    }

    /// Replaces how a person proves who she is.
    ///
    /// - Parameters:
    ///   - keeping: the session that asked stays; nil ends all.
    ///   - new: a session that begins with the change.
    package func replaceCredentials(
        of name: UserName, with credentials: Credentials, keeping session: Identifier<Session>? = nil,
        new: (session: Session, hash: TokenHash)? = nil
    ) async throws {
        try await write { database in
            guard try Self.person(name, database) != nil else { throw AccountError.personUnknown(name) }
            try Self.save(credentials, of: name, database)
            try database.execute(
                sql: "DELETE FROM sessions WHERE user_name = ? AND id IS NOT ?", arguments: [name, session])
            if let new { try Self.insert(new.session, new.hash, database) }
        }
    }

    // MARK: - Inside a transaction

    static func person(_ name: UserName, _ database: Database) throws -> Person? {
        try Row.fetchOne(database, sql: "SELECT * FROM people WHERE user_name = ?", arguments: [name])
            .map(Person.init(row:))
    }

    static func hasOwner(_ database: Database) throws -> Bool {
        try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM people WHERE role = 'owner')") ?? false
    }

    private static func requireAnotherOwner(than name: UserName, _ database: Database) throws {
        let others = try Int.fetchOne(
            database, sql: "SELECT count(*) FROM people WHERE role = 'owner' AND user_name <> ?", arguments: [name])
        guard let others, others > 0 else { throw AccountError.lastOwner(name) }
    }

    static func insert(_ person: Person, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO people (user_name, full_name, role, signing_key, agreement_key, created)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                person.userName, person.fullName, person.role.rawValue, person.keys.map { Bytes($0.signing) },
                person.keys.map { Bytes($0.agreement) }, person.created,
            ])
    }

    static func save(_ credentials: Credentials, of name: UserName, _ database: Database) throws {
        try database.execute(sql: "DELETE FROM credentials WHERE user_name = ?", arguments: [name])
        let (password, recovery) = (credentials.password, credentials.recovery)
        try database.execute(
            sql: """
                INSERT INTO credentials (
                    user_name, password_salt, password_verifier_salt, password_verifier, wrapped_iv, wrapped_keys,
                    recovery_salt, recovery_verifier_salt, recovery_verifier, recovery_iv, recovery_keys)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                name, Bytes(password.salt.bytes), Bytes(password.verifier.salt), Bytes(password.verifier.hash),
                Bytes(credentials.wrapped.iv), Bytes(credentials.wrapped.data),
                Bytes(recovery.proof.salt.bytes), Bytes(recovery.proof.verifier.salt),
                Bytes(recovery.proof.verifier.hash), Bytes(recovery.sealed.iv), Bytes(recovery.sealed.data),
            ])
    }
}

extension Person {
    init(row: Row) throws {
        guard let role = Role(rawValue: try row.text("role")) else { throw StoreError.failed("a role is unknown") }
        self.init(
            userName: try row.userName(), fullName: try FullName(parsing: row.text("full_name")), role: role,
            keys: (row["signing_key"] as DatabaseValue).isNull
                ? nil : try PublicKeys(signing: row.bytes("signing_key"), agreement: row.bytes("agreement_key")),
            created: try row.time("created"))
    }
}

extension Credentials {
    init(row: Row) throws {
        func proof(_ prefix: String) throws -> Proof {
            Proof(
                salt: try ClientSalt(parsing: row.bytes(prefix + "_salt")),
                verifier: Verifier(
                    salt: try row.bytes(prefix + "_verifier_salt"), hash: try row.bytes(prefix + "_verifier")))
        }
        self.init(
            password: try proof("password"),
            wrapped: try SealedKeys(iv: row.bytes("wrapped_iv"), data: row.bytes("wrapped_keys")),
            recovery: Recovery(
                proof: try proof("recovery"),
                sealed: try SealedKeys(iv: row.bytes("recovery_iv"), data: row.bytes("recovery_keys"))))
    }
}
