import Accounts
import Base
import Foundation
import GRDB
import Testing

@testable import Store

/// What the file on disk promises.
@Suite struct FileTests {
    private let folder: URL
    private var path: String { folder.appending(path: "hearth.sqlite").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "hearth-store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func cleanUp() { try? FileManager.default.removeItem(at: folder) }

    @Test func `what was stored is there after a restart`() async throws {
        defer { cleanUp() }
        let house = try Household(path: path)
        let (person, token) = try await house.joinOwner()
        let secret = try await house.store.serverSecret(random: house.fork())
        house.store.watch()
        _ = try await house.store.people()
        await house.store.close()
        // A clean end leaves one file, so that copying it is a backup.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["hearth.sqlite"])
        let again = try Household(path: path)
        #expect(try await again.store.people() == [person])
        #expect(try await again.store.session(token.hash)?.person == person)
        #expect(try await again.store.serverSecret(random: again.fork()) == secret)
        await again.store.close()
    }

    /// The files as they lie on disk when the answer goes out, as after a crash at that moment.
    @Test func `what was acknowledged is in the files at that moment`() async throws {
        defer { cleanUp() }
        let house = try Household(path: path)
        let (person, _) = try await house.joinOwner()
        let copy = folder.appending(path: "copy")
        try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
        for name in ["hearth.sqlite", "hearth.sqlite-wal"] {
            try FileManager.default.copyItem(
                at: folder.appending(path: name), to: copy.appending(path: name))
        }
        let survivor = try HouseholdStore.open(path: copy.appending(path: "hearth.sqlite").path)
        #expect(try await survivor.people() == [person])
        await survivor.close()
        await house.store.close()
    }

    @Test func `commits are synced, keys are enforced, and only the owner of the file reads it`() async throws {
        defer { cleanUp() }
        let store = try HouseholdStore.open(path: path)
        let pragmas = try await store.writer.write { database in
            try ["journal_mode", "synchronous", "foreign_keys"].map {
                try Row.fetchOne(database, sql: "PRAGMA \($0)")?[0] as DatabaseValue? ?? .null
            }
        }
        #expect(pragmas == ["wal".databaseValue, 2.databaseValue, 1.databaseValue])
        let permissions = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(permissions == 0o600)
        let tables = try await store.writer.read { database in
            try String.fetchAll(
                database,
                sql:
                    "SELECT sql FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE %' AND name NOT LIKE 'grdb%' AND name NOT LIKE 'sqlite%'"
            )
        }
        #expect(tables.count == 8 && tables.allSatisfy { $0.contains("STRICT") })
        await store.close()
    }

    @Test func `rules hold for whoever writes`() async throws {
        defer { cleanUp() }
        let house = try Household(path: path)
        try await house.joinOwner()
        let shell = try DatabaseQueue(path: path)
        for sql in [
            "DELETE FROM people", "UPDATE people SET role = 'member'", "UPDATE people SET role = 'king'",
            "UPDATE people SET user_name = 'Ann A'", "INSERT INTO settings VALUES ('x', 'text')",
            "INSERT INTO phones SELECT 'i', 'nobody', 'l', zeroblob(16), zeroblob(32), 0",
            "INSERT INTO phones SELECT 'i', 'anna', 'l', zeroblob(15), zeroblob(32), 0",
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 11)
            INSERT INTO phones SELECT i, 'anna', 'l' || i, zeroblob(16), zeroblob(32), 0 FROM n
            """,
            "UPDATE credentials SET password_verifier = zeroblob(31)",
            "INSERT INTO links SELECT 'i', zeroblob(32), 'member', NULL, NULL, NULL, 0, 1, NULL",
        ] {
            #expect(throws: DatabaseError.self, "\(sql)") { try shell.write { try $0.execute(sql: sql) } }
        }
        await house.store.close()
    }

    @Test func `a file of a newer version is left alone`() async throws {
        defer { cleanUp() }
        await (try HouseholdStore.open(path: path)).close()
        let shell = try DatabaseQueue(path: path)
        try await shell.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 the future')") }
        try shell.close()
        #expect(throws: StoreError.newerSchema(path: path)) { try HouseholdStore.open(path: path) }
    }

    @Test func `a file that is none says so`() throws {
        defer { cleanUp() }
        try Data("no database at all, but long enough to be looked at".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: StoreError.self) { try HouseholdStore.open(path: path) }
        #expect(throws: StoreError.self) { try HouseholdStore.open(path: "/nowhere/at/all/hearth.sqlite") }
    }

    @Test func `several programs may open a new file at once`() async throws {
        defer { cleanUp() }
        let path = path
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    let store = try HouseholdStore.open(path: path)
                    _ = try await store.serverSecret(random: .system)
                    await store.close()
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `a lookup by cookie or link reads one row`() async throws {
        defer { cleanUp() }
        let store = try HouseholdStore.open(path: path)
        let plans = try await store.writer.read { database in
            try [
                "SELECT * FROM sessions WHERE token_hash = x'00'", "SELECT * FROM links WHERE token_hash = x'00'",
                "SELECT * FROM people WHERE user_name = 'a'", "SELECT * FROM phones WHERE user_name = 'a'",
                "UPDATE bindings SET expires = 0 WHERE user_name = 'a' AND key = x'00'",
                "SELECT sequence FROM changes WHERE sequence > 5 ORDER BY sequence",
            ].map {
                try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN " + $0).map { $0["detail"] as String }.joined()
            }
        }
        for plan in plans { #expect(plan.hasPrefix("SEARCH") && !plan.contains("SCAN"), "\(plan)") }
        await store.close()
    }
}

/// What a running server hears.
@Suite struct ChangeTests {
    private func collect(_ count: Int, from store: HouseholdStore) async -> [StoreChange] {
        var seen: [StoreChange] = []
        for await change in store.changes {
            seen.append(change)
            if seen.count == count { break }
        }
        return seen
    }

    @Test func `changes are told in order, sessions by their ids`() async throws {
        let house = try Household()
        let (anna, bob) = (try UserName(parsing: "anna"), try UserName(parsing: "bob"))
        try await house.joinOwner()
        let token = try await house.join("bob").token
        let session = try #require(try await house.store.session(token.hash)).session
        var random = house.fork()
        let (phone, _) = Phone.make(
            for: anna, label: try PhoneLabel(parsing: "Hall"), realm: "h", random: &random, at: house.clock.now)
        try await house.store.add(phone)
        try await house.store.removePhone(phone.id, of: anna)
        try await house.store.touch(session.id)
        try await house.store.remove(bob)
        let changes = await collect(6, from: house.store)
        #expect(Array(changes.prefix(4)) == [.account(anna), .account(bob), .account(anna), .account(anna)])
        #expect(Set(changes.suffix(2)) == [.sessionEnded(session.id, bob), .account(bob)])
    }

    @Test func `what another process changes is heard too`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hearth-store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "hearth.sqlite").path
        let commandLine = try Household(path: path)
        try await commandLine.joinOwner()

        let server = try HouseholdStore.open(path: path)
        server.watch(every: .milliseconds(20))
        try await commandLine.join("bob")
        let bob = try UserName(parsing: "bob")
        // What happened before the server started is not told again.
        #expect(await collect(1, from: server) == [.account(bob)])
        #expect(try await server.sipAccount(of: bob) != nil)
        await server.close()
        await commandLine.store.close()
    }

    @Test func `a store that closes ends its changes`() async throws {
        let house = try Household()
        house.store.watch()
        await house.store.close()
        for await _ in house.store.changes {}
    }
}

/// Sessions, links and bindings that are over leave the file.
@Suite struct TidyingTests {
    @Test func `what is over is forgotten`() async throws {
        let house = try Household()
        try await house.joinOwner()
        _ = try await house.store.invite(UserName(parsing: "bob"), fullName: nil, inviter: nil, random: house.fork())
        func count(_ table: String) async throws -> Int? {
            try await house.store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") }
        }
        func tidyUp() async throws {
            let now = house.clock.now
            try await house.store.write { try HouseholdStore.tidyUp($0, at: now) }
        }
        try await tidyUp()
        #expect(try await count("sessions") == 1)
        #expect(try await count("links") == 2)
        house.clock.advance(by: .seconds(38 * 86_400))
        try await tidyUp()
        #expect(try await count("links") == 0)
        house.clock.advance(by: .seconds(53 * 86_400))
        try await tidyUp()
        #expect(try await count("sessions") == 0)
    }
}
