import Accounts
import Base
import Store
import Testing

@Suite struct PeopleTests {
    private let house: Household
    private let anna: UserName
    private let bob: UserName

    init() throws {
        house = try Household()
        anna = try UserName(parsing: "anna")
        bob = try UserName(parsing: "bob")
    }

    @Test func `the first link makes the owner, and no other after her`() async throws {
        #expect(try await !house.store.hasOwner())
        let lost = try #require(try await house.store.makeOwnerLink(random: house.fork()))
        let fresh = try #require(try await house.store.makeOwnerLink(random: house.fork()))
        await #expect(throws: AccountError.linkUnknown) { try await house.accept(lost, userName: anna) }
        let (person, _, _) = try await house.accept(fresh, userName: anna, fullName: FullName(parsing: "Anna"))
        #expect(person.role == .owner && person.userName == anna && fresh.fingerprint == nil)
        #expect(try await house.store.people() == [person])
        #expect(try await house.store.hasOwner())
        #expect(try await house.store.makeOwnerLink(random: house.fork()) == nil)
    }

    @Test func `the owner's link needs a name and a full name`() async throws {
        let fresh = try #require(try await house.store.makeOwnerLink(random: house.fork()))
        await #expect(throws: AccountError.linkNeedsName) { try await house.accept(fresh) }
        await #expect(throws: AccountError.badFullName) { try await house.accept(fresh, userName: anna) }
        try await house.accept(fresh, userName: anna, fullName: FullName(parsing: "Anna"))
    }

    @Test func `an invitation is for one person and works once`() async throws {
        let owner = try await house.joinOwner().person
        let fresh = try await house.store.invite(
            bob, fullName: FullName(parsing: "Bob"), inviter: nil, random: house.fork())
        #expect(fresh.fingerprint == owner.keys?.fingerprint)
        let fingerprint = try #require(owner.keys?.fingerprint)
        #expect(fresh.url(publicURL: "https://h") == "https://h/join/\(fresh.token.text)#\(fingerprint)")
        let (link, inviter) = try await house.store.link(fresh.token.hash)
        #expect(link.userName == bob && link.purpose == .member && inviter == owner)
        await #expect(throws: AccountError.linkHasName) { try await house.accept(fresh, userName: anna) }
        let bob = try await house.accept(fresh).person
        #expect(bob.role == .member && bob.fullName.description == "Bob")
        await #expect(throws: AccountError.linkUsed) { try await house.accept(fresh) }
        await #expect(throws: AccountError.linkUsed) { _ = try await house.store.link(fresh.token.hash) }
        #expect(try await house.store.openLinks().isEmpty)
    }

    @Test func `of two who open the same link at once, one joins`() async throws {
        try await house.joinOwner()
        let fresh = try await house.store.invite(
            bob, fullName: FullName(parsing: "Bob"), inviter: nil, random: house.fork())
        let outcomes = await withTaskGroup(of: String.self, returning: [String].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    do {
                        try await house.accept(fresh)
                        return "joined"
                    } catch {
                        return (error as? AccountError)?.code ?? "\(error)"
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 == "joined" }.count == 1 && outcomes.filter { $0 == "link-used" }.count == 7)
    }

    @Test func `an old link is refused and forgotten later`() async throws {
        try await house.joinOwner()
        let fresh = try await house.store.invite(bob, fullName: nil, inviter: anna, random: house.fork())
        house.clock.advance(by: .seconds(7 * 86_400))
        await #expect(throws: AccountError.linkExpired) { try await house.accept(fresh) }
        #expect(try await house.store.openLinks().isEmpty)
        // The name is free again for a new link.
        try await house.accept(
            house.store.invite(bob, fullName: FullName(parsing: "Bob"), inviter: anna, random: house.fork()))
    }

    @Test func `names are given once`() async throws {
        try await house.joinOwner()
        await #expect(throws: AccountError.nameTaken(anna)) {
            _ = try await house.store.invite(anna, fullName: nil, inviter: nil, random: house.fork())
        }
        _ = try await house.store.invite(bob, fullName: nil, inviter: nil, random: house.fork())
        await #expect(throws: AccountError.alreadyInvited(bob)) {
            _ = try await house.store.invite(bob, fullName: nil, inviter: nil, random: house.fork())
        }
    }

    @Test func `a lost invitation is made anew, and the one before stops working`() async throws {
        try await house.joinOwner()
        let lost = try await house.store.invite(
            bob, fullName: FullName(parsing: "Bob"), role: .owner, inviter: nil, random: house.fork())
        let fresh = try await house.store.reset(bob, inviter: nil, random: house.fork())
        await #expect(throws: AccountError.linkUnknown) { try await house.accept(lost) }
        let person = try await house.accept(fresh).person
        #expect(person.role == .owner && person.fullName.description == "Bob")
    }

    @Test func `a reset gives new keys, keeps the role and ends every session`() async throws {
        let (before, token) = try await house.joinOwner()
        let fresh = try await house.store.reset(anna, inviter: nil, random: house.fork())
        #expect(try await house.store.session(token.hash) != nil)
        let after = try await house.accept(fresh).person
        #expect(after.keys != before.keys && after.role == .owner && after.fullName == before.fullName)
        #expect(try await house.store.session(token.hash) == nil)
        #expect(try await house.store.people() == [after])
    }

    @Test func `nobody unknown is reset or removed`() async throws {
        await #expect(throws: AccountError.personUnknown(bob)) {
            _ = try await house.store.reset(bob, inviter: nil, random: house.fork())
        }
        await #expect(throws: AccountError.personUnknown(bob)) { try await house.store.remove(bob) }
        await #expect(throws: AccountError.personUnknown(bob)) { try await house.store.setRole(of: bob, to: .owner) }
        await #expect(throws: AccountError.personUnknown(bob)) {
            try await house.store.rename(bob, to: FullName(parsing: "Bob"))
        }
    }

    @Test func `the last owner stays`() async throws {
        try await house.joinOwner()
        await #expect(throws: AccountError.lastOwner(anna)) { try await house.store.remove(anna) }
        await #expect(throws: AccountError.lastOwner(anna)) { try await house.store.setRole(of: anna, to: .member) }
        try await house.join("bob")
        await #expect(throws: AccountError.lastOwner(anna)) { try await house.store.remove(anna) }
        try await house.store.setRole(of: bob, to: .owner)
        try await house.store.remove(anna)
        #expect(try await house.store.people().map(\.userName) == [bob])
        await #expect(throws: AccountError.lastOwner(bob)) { try await house.store.remove(bob) }
    }

    @Test func `whoever is removed leaves nothing`() async throws {
        try await house.joinOwner()
        let token = try await house.join("bob").token
        var random = house.fork()
        let (phone, _) = Phone.make(
            for: bob, label: try PhoneLabel(parsing: "Kitchen"), realm: "h", random: &random, at: house.clock.now)
        try await house.store.add(phone)
        try await house.store.remove(bob)
        #expect(try await house.store.person(bob) == nil)
        #expect(try await house.store.credentials(of: bob) == nil)
        #expect(try await house.store.session(token.hash) == nil)
        #expect(try await house.store.phones(of: bob).isEmpty)
        #expect(try await house.store.sipAccount(of: bob) == nil)
        try await house.join("bob")
    }

    @Test func `an invitation can be taken back by its id or by its name`() async throws {
        try await house.joinOwner()
        let one = try await house.store.invite(bob, fullName: nil, inviter: nil, random: house.fork())
        try await house.store.removeLink(one.link.id)
        await #expect(throws: AccountError.linkUnknown) { try await house.store.removeLink(one.link.id) }
        let other = try await house.store.invite(bob, fullName: nil, inviter: nil, random: house.fork())
        try await house.store.remove(bob)
        await #expect(throws: AccountError.linkUnknown) { try await house.accept(other) }
    }

    @Test func `open links are bounded`() async throws {
        try await house.joinOwner()
        for number in 0..<JoinLink.maximumOpen {
            _ = try await house.store.invite(
                UserName(parsing: "n\(number)"), fullName: nil, inviter: nil, random: house.fork())
        }
        #expect(try await house.store.openLinks().count == JoinLink.maximumOpen)
        await #expect(throws: AccountError.tooManyLinks) {
            _ = try await house.store.invite(bob, fullName: nil, inviter: nil, random: house.fork())
        }
    }

    @Test func `credentials come back as they were stored`() async throws {
        try await house.joinOwner()
        let credentials = try house.credentials(9)
        try await house.store.replaceCredentials(of: anna, with: credentials)
        #expect(try await house.store.credentials(of: anna) == credentials)
    }

    @Test func `new credentials end other sessions`() async throws {
        let (_, token) = try await house.joinOwner()
        var random = house.fork()
        let (kept, keptToken) = Session.make(for: anna, userAgent: "", random: &random, at: house.clock.now)
        try await house.store.add(kept, keptToken.hash)
        try await house.store.replaceCredentials(of: anna, with: house.credentials(2), keeping: kept.id)
        #expect(try await house.store.session(token.hash) == nil)
        #expect(try await house.store.session(keptToken.hash)?.session == kept)
        let (new, newToken) = Session.make(for: anna, userAgent: "", random: &random, at: house.clock.now)
        try await house.store.replaceCredentials(of: anna, with: house.credentials(3), new: (new, newToken.hash))
        #expect(try await house.store.sessions(of: anna) == [new])
    }
}
