import Accounts
import Base
import CallControl
import Foundation
import GRDB
import Testing

@testable import Store

/// People who have telephones and no browser, so far or for good.
@Suite struct TelephonePeopleTests {
    private let house: Household
    private let grandma: UserName

    init() throws {
        house = try Household()
        grandma = try UserName(parsing: "grandma")
    }

    private func phone(_ label: String = "Hall") throws -> Phone {
        var random = house.fork()
        return Phone.make(
            for: grandma, label: try PhoneLabel(parsing: label), realm: "localhost", random: &random,
            at: house.clock.now
        ).phone
    }

    private func invite() async throws -> FreshLink {
        try await house.store.invite(
            grandma, fullName: FullName(parsing: "Grandma Rosa"), inviter: nil, random: house.fork())
    }

    @Test func `whoever is invited is a person from her first phone on`() async throws {
        try await house.joinOwner()
        _ = try await invite()
        #expect(try await house.store.sipAccount(of: grandma) == nil)
        try await house.store.add(phone())
        let person = try #require(try await house.store.person(grandma))
        #expect(person.keys == nil && person.role == .member && person.fullName.description == "Grandma Rosa")
        #expect(try await house.store.sipAccount(of: grandma)?.phones.count == 1)
        #expect(try await house.store.credentials(of: grandma) == nil)
        #expect(try await house.store.openLinks().count == 1)
    }

    @Test func `the running server hears of her`() async throws {
        try await house.joinOwner()
        _ = try await invite()
        try await house.store.add(phone())
        await house.store.close()
        var changes: [StoreChange] = []
        for await change in house.store.changes { changes.append(change) }
        #expect(changes.contains(.account(grandma)))
    }

    @Test func `nobody is made a person by a phone alone`() async throws {
        try await house.joinOwner()
        await #expect(throws: AccountError.personUnknown(grandma)) { try await house.store.add(phone()) }
    }

    @Test func `her link still lets her join, and her phones stay`() async throws {
        try await house.joinOwner()
        let link = try await invite()
        try await house.store.add(phone())
        let (person, session, token) = try await house.accept(link)
        #expect(person.keys != nil && person.fullName.description == "Grandma Rosa" && session.user == grandma)
        #expect(try await house.store.person(grandma) == person)
        #expect(try await house.store.session(token.hash)?.person == person)
        #expect(try await house.store.phones(of: grandma).count == 1)
        await #expect(throws: AccountError.nameTaken(grandma)) { _ = try await invite() }
    }

    @Test func `long after the link has run out another one can be made, by either command`() async throws {
        try await house.joinOwner()
        _ = try await invite()
        try await house.store.add(phone())
        house.clock.advance(by: JoinLink.lifetime + .seconds(1))
        let again = try await house.store.invite(grandma, fullName: nil, inviter: nil, random: house.fork())
        #expect(again.link.purpose == .member && again.link.fullName?.description == "Grandma Rosa")
        let reset = try await house.store.reset(grandma, inviter: nil, random: house.fork())
        #expect(reset.link.purpose == .member)
        #expect(try await house.accept(reset).person.keys != nil)
    }

    @Test func `a link for an owner makes her one when she joins, not before`() async throws {
        try await house.joinOwner()
        let link = try await house.store.invite(
            grandma, fullName: FullName(parsing: "Rosa"), role: .owner, inviter: nil, random: house.fork())
        try await house.store.add(phone())
        #expect(try await house.store.person(grandma)?.role == .member)
        await #expect(throws: AccountError.notJoined(grandma)) {
            try await house.store.setRole(of: grandma, to: .owner)
        }
        #expect(try await house.accept(link).person.role == .owner)
    }

    @Test func `the first owner cannot take her name`() async throws {
        let first = try #require(try await house.store.makeOwnerLink(random: house.fork()))
        _ = try await invite()
        try await house.store.add(phone())
        await #expect(throws: AccountError.nameTaken(grandma)) {
            try await house.accept(first, userName: grandma, fullName: FullName(parsing: "Anna"))
        }
    }

    @Test func `removing her removes her phones and her link`() async throws {
        try await house.joinOwner()
        let link = try await invite()
        try await house.store.add(phone())
        try await house.store.remove(grandma)
        #expect(try await house.store.person(grandma) == nil)
        #expect(try await house.store.phones(of: grandma).isEmpty)
        await #expect(throws: AccountError.linkUnknown) { _ = try await house.store.link(link.token.hash) }
    }

    /// Before this, everybody had keys: what older versions wrote is kept, and so are its rules.
    @Test func `a household of an older version is taken over whole`() async throws {
        let queue = try DatabaseQueue()
        try Schema.migrator.migrate(queue, upTo: "3 changes")
        try await queue.write { database in
            try database.execute(
                sql: """
                    INSERT INTO people VALUES ('anna', 'Anna', 'owner', zeroblob(65), zeroblob(65), 5);
                    INSERT INTO phones VALUES ('i', 'anna', 'Hall', zeroblob(16), zeroblob(32), 6);
                    INSERT INTO sessions VALUES ('s', zeroblob(32), 'anna', 7, 7, 'browser');
                    INSERT INTO links VALUES ('l', zeroblob(32), 'member', 'bob', NULL, 'anna', 8, 9, NULL);
                    """)
        }
        try Schema.migrator.migrate(queue)
        try await queue.write { database in
            let row = try Row.fetchOne(
                database,
                sql: "SELECT * FROM people JOIN phones USING (user_name) JOIN sessions USING (user_name)")
            let kept: [String?] = [row?["full_name"], row?["label"], row?["user_agent"]]
            #expect(kept == ["Anna", "Hall", "browser"])
            let inviter = try String.fetchOne(database, sql: "SELECT inviter FROM links")
            #expect(inviter == "anna")
            for sql in [
                "DELETE FROM people", "INSERT INTO phones SELECT 'j', 'nobody', 'l', zeroblob(16), zeroblob(32), 0",
                "INSERT INTO people VALUES ('bob', 'Bob', 'member', zeroblob(65), NULL, 5)",
                "INSERT INTO people VALUES ('bob', 'Bob', 'owner', NULL, NULL, 5)",
            ] {
                #expect(throws: DatabaseError.self, "\(sql)") { try database.execute(sql: sql) }
            }
            let before = try Int.fetchOne(database, sql: "SELECT count(*) FROM changes") ?? 0
            try database.execute(sql: "INSERT INTO people VALUES ('bob', 'Bob', 'member', NULL, NULL, 5)")
            try database.execute(sql: "DELETE FROM people WHERE user_name = 'bob'")
            #expect(try Int.fetchOne(database, sql: "SELECT count(*) FROM changes") == before + 2)
        }
    }
}
