import Accounts
import Base
import Testing

@Suite struct LinkAndSessionTests {
    private let now = WallTime(seconds: 1_800_000_000)
    private var random = RandomSource(seed: 2)

    @Test mutating func `a link works for seven days, once`() throws {
        var (link, _) = JoinLink.make(
            .member, userName: try UserName(parsing: "bob"), fullName: nil, inviter: nil, random: &random, at: now)
        #expect(throws: Never.self) { try link.check(at: now) }
        #expect(throws: Never.self) { try link.check(at: now + .seconds(7 * 86_400 - 1)) }
        #expect(throws: AccountError.linkExpired) { try link.check(at: now + .seconds(7 * 86_400)) }
        link.used = now
        #expect(throws: AccountError.linkUsed) { try link.check(at: now + .seconds(8 * 86_400)) }
    }

    @Test(arguments: ["https://home.example:8443", "https://home.example:8443/"])
    mutating func `a link carries the inviter's fingerprint where servers do not see it`(publicURL: String) throws {
        let token = Token(random: &random)
        let plain = JoinLink.url(publicURL: publicURL, token: token, fingerprint: nil)
        #expect(plain == "https://home.example:8443/join/\(token.text)")
    }

    @Test mutating func `a session lives for ninety days after its last use`() throws {
        let anna = try UserName(parsing: "anna")
        var (session, _) = Session.make(for: anna, userAgent: "Browser", random: &random, at: now)
        #expect(!session.needsTouch(at: now + .seconds(3599)) && session.needsTouch(at: now + .seconds(3600)))
        #expect(!session.isOver(at: now + .seconds(90 * 86_400 - 1)) && session.isOver(at: now + .seconds(90 * 86_400)))
        session.lastUsed = now + .seconds(86_400)
        #expect(!session.isOver(at: now + .seconds(90 * 86_400)))
    }

    @Test mutating func `what a browser calls itself is kept short and printable`() throws {
        let name = "A\u{0}B\r\n\u{1b}[31m" + String(repeating: "x", count: 5000)
        let (session, _) = Session.make(
            for: try UserName(parsing: "anna"), userAgent: name, random: &random, at: now)
        #expect(session.userAgent.hasPrefix("AB[31mx") && session.userAgent.count <= 200)
    }

    @Test func `every refusal says what happened, once`() throws {
        let anna = try UserName(parsing: "anna")
        let errors: [AccountError] = [
            .badUserName, .badFullName, .badLabel, .badKeys("x"), .badSecret("x"), .nameTaken(anna),
            .personUnknown(anna), .lastOwner(anna), .linkUnknown, .linkUsed, .linkExpired, .linkNeedsName,
            .linkHasName, .alreadyInvited(anna), .tooManyLinks, .tooManyPhones, .labelTaken("x"), .phoneUnknown,
            .sessionUnknown,
        ]
        #expect(Set(errors.map(\.code)).count == errors.count)
        #expect(errors.allSatisfy { $0.message.hasSuffix(".") && $0.message.split(separator: " ").count > 5 })
    }
}
