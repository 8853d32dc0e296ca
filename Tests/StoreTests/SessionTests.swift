import Accounts
import Base
import CallControl
import Store
import Testing

@Suite struct SessionTests {
    private let house: Household
    private let anna: UserName

    init() throws {
        house = try Household()
        anna = try UserName(parsing: "anna")
    }

    private func signIn(_ userAgent: String = "") async throws -> (session: Session, token: Token) {
        var random = house.fork()
        let (session, token) = Session.make(for: anna, userAgent: userAgent, random: &random, at: house.clock.now)
        try await house.store.add(session, token.hash)
        return (session, token)
    }

    @Test func `a session ends ninety days after its last use`() async throws {
        let (_, token) = try await house.joinOwner()
        let id = try #require(try await house.store.session(token.hash)).session.id
        house.clock.advance(by: .seconds(89 * 86_400))
        #expect(try await house.store.session(token.hash) != nil)
        try await house.store.touch(id)
        house.clock.advance(by: .seconds(89 * 86_400))
        #expect(try await house.store.session(token.hash)?.person.userName == anna)
        house.clock.advance(by: .seconds(86_400))
        #expect(try await house.store.session(token.hash) == nil)
        #expect(try await house.store.sessions(of: anna).isEmpty)
    }

    @Test func `the list has the one used last first, and only one's own can be ended`() async throws {
        let first = try await house.joinOwner().token
        try await house.join("bob")
        house.clock.advance(by: .seconds(10))
        let (second, token) = try await signIn("Firefox")
        #expect(try await house.store.sessions(of: anna).map(\.userAgent) == ["Firefox", "test"])
        await #expect(throws: AccountError.sessionUnknown) {
            try await house.store.endSession(second.id, of: UserName(parsing: "bob"))
        }
        try await house.store.endSession(second.id, of: anna)
        #expect(try await house.store.session(token.hash) == nil)
        #expect(try await house.store.session(first.hash) != nil)
        await #expect(throws: AccountError.sessionUnknown) { try await house.store.endSession(second.id, of: anna) }
    }

    @Test func `signing in once too often ends the session unused for longest`() async throws {
        let first = try await house.joinOwner().token
        var tokens: [Token] = []
        for _ in 0..<Session.maximumPerPerson {
            house.clock.advance(by: .seconds(1))
            tokens.append(try await signIn().token)
        }
        #expect(try await house.store.sessions(of: anna).count == Session.maximumPerPerson)
        #expect(try await house.store.session(first.hash) == nil)
        #expect(try await house.store.session(tokens[0].hash) != nil)
    }

    @Test func `nobody has a session without being here`() async throws {
        await #expect(throws: AccountError.personUnknown(anna)) { _ = try await signIn() }
    }

    @Test func `phones are ten at most, each with a label of its own`() async throws {
        try await house.joinOwner()
        var random = house.fork()
        func phone(_ label: String) throws -> Phone {
            Phone.make(
                for: anna, label: try PhoneLabel(parsing: label), realm: "h", random: &random, at: house.clock.now
            ).phone
        }
        var phones: [Phone] = []
        for number in 0..<Phone.maximumPerPerson {
            house.clock.advance(by: .seconds(1))
            phones.append(try phone("Phone \(number)"))
            try await house.store.add(phones[number])
        }
        #expect(try await house.store.phones(of: anna) == phones)
        house.clock.advance(by: .seconds(1))
        let eleventh = try phone("Phone 11")
        await #expect(throws: AccountError.tooManyPhones) { try await house.store.add(eleventh) }
        try await house.store.removePhone(phones[3].id, of: anna)
        await #expect(throws: AccountError.phoneUnknown) { try await house.store.removePhone(phones[3].id, of: anna) }
        let twin = try phone("Phone 4")
        await #expect(throws: AccountError.labelTaken("Phone 4")) { try await house.store.add(twin) }
        try await house.store.add(eleventh)

        let account = try #require(try await house.store.sipAccount(of: anna))
        #expect(account.user == anna.bytes && account.phones.count == 10)
        #expect(account.phones.last?.md5 == eleventh.md5 && account.phones.last?.sha256 == eleventh.sha256)
        #expect(account.phones.last?.label == Array("Phone 11".utf8))
        #expect(try await house.store.sipAccounts() == [account])
    }

    @Test func `the server's secret is made once`() async throws {
        let secret = try await house.store.serverSecret(random: house.fork())
        #expect(secret.count == 32)
        #expect(try await house.store.serverSecret(random: house.fork()) == secret)
        try await house.store.set("colour", to: [1])
        try await house.store.set("colour", to: [2, 3])
        #expect(try await house.store.setting("colour") == [2, 3])
        #expect(try await house.store.setting("shape") == nil)
    }
}
