import Base
import SIP
import Testing

@testable import CallControl

/// Who may do what, what strangers learn, and how guessing is slowed down.
@Suite struct AuthenticationTests {
    /// An answer without what is random in it: nonces and tags.
    static func comparable(_ sent: House.Sent) -> String {
        sent.all.replacing(/nonce="[0-9a-f]*"/, with: "nonce").replacing(/;tag=[0-9a-f]{16}/, with: ";tag")
    }

    @Test(arguments: [
        "REGISTER", "INVITE", "OPTIONS", "MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER", "BYE", "INFO", "CANCEL",
        "PRACK",
    ])
    func `a stranger gets the same bytes whether or not a user exists`(_ method: String) {
        let house = House()
        _ = house.registeredPage("anna")
        // Names of one length, so that the answers can be compared byte by byte.
        var answers: Set<String> = []
        for name in ["anna", "carl", "evil", "1000"] {
            let uri = method == "REGISTER" ? "sip:family.test" : "sip:\(name)@family.test"
            var text = House.request(
                method, uri, from: name, on: House.phone(66), callID: "scan", branch: "z9hG4bKscan",
                to: "sip:\(name)@family.test")
            if method == "REGISTER" { text += "\nContact: <sip:\(name)@192.168.1.66>" }
            let sent = house.receive(text, on: House.phone(66))
            #expect(sent.count == 1)
            answers.insert(sent.map(Self.comparable).joined().replacing(name, with: "NAME"))
        }
        #expect(answers.count == 1)
        let expected = method == "REGISTER" ? 401 : method == "CANCEL" ? 481 : 407
        #expect(answers.first?.hasPrefix("SIP/2.0 \(expected)") == true)
        #expect(house.controller.transactionCount == 0)
    }

    @Test func `a wrong password is answered alike for everybody`() {
        let house = House()
        var answers: Set<String> = []
        for name in ["anna", "evil"] {
            let text = House.register(name, on: House.phone(66), callID: "scan")
            let challenge = house.receive(text, on: House.phone(66))
            let sent = house.receive(
                House.answer(challenge[0], to: text, user: name, password: [UInt8](ascii: "guess")), on: House.phone(66)
            )
            #expect(sent.map(\.status) == [401])
            answers.insert(sent.map(Self.comparable).joined().replacing(name, with: "NAME"))
        }
        #expect(answers.count == 1)
        #expect(house.controller.statistics.authenticationFailures == 2)
    }

    @Test func `OPTIONS to the server itself is answered without a word about anybody`() {
        let house = House()
        let sent = house.receive(
            House.request("OPTIONS", "sip:192.168.1.5:5060", from: "scanner", on: House.phone(66)), on: House.phone(66))
        #expect(sent.map(\.status) == [200])
        #expect(sent[0].text(.allow).contains("INVITE"))
        #expect(!sent[0].message.contains(.server))
    }

    @Test func `the algorithms are offered in the configured order`() {
        for order in [[CallController.Configuration.DigestAlgorithm.md5, .sha256], [.sha256, .md5], [.sha256]] {
            let house = House { $0.digestAlgorithms = order }
            let sent = house.receive(House.register("anna", on: House.phone(20)), on: House.phone(20))
            let offered = sent[0].texts(.wwwAuthenticate).map {
                $0.contains("algorithm=MD5") ? CallController.Configuration.DigestAlgorithm.md5 : .sha256
            }
            #expect(offered == order)
        }
    }

    @Test(arguments: [("md5", ["MD5"]), ("both", ["SHA-256", "MD5"]), ("sha", nil)] as [(String, [String]?)])
    func `an operator says which algorithms are offered`(_ word: String, _ expected: [String]?) {
        guard let offer = CallController.Configuration.DigestOffer(rawValue: word) else {
            return #expect(expected == nil)
        }
        let house = House { $0.digestAlgorithms = offer.algorithms }
        let sent = house.receive(House.register("anna", on: House.phone(20)), on: House.phone(20))
        let offered = sent[0].texts(.wwwAuthenticate).compactMap {
            $0.split(separator: "algorithm=").last?.prefix { $0 != "," }
        }
        #expect(offered.map(String.init) == expected)
    }

    @Test func `the ACK of a challenge is no stray`() {
        let house = House()
        let phone = House.phone(20)
        let invite = House.request("INVITE", "sip:bob@family.test", from: "anna", on: phone, branch: "z9hG4bKack")
        let challenge = house.receive(invite, on: phone)[0]
        let tag = challenge.text(.to).split(separator: "tag=").last.map(String.init)
        for toTag in [tag, "other"] {
            let ack = House.request(
                "ACK", "sip:bob@family.test", from: "anna", on: phone, branch: "z9hG4bKack", toTag: toTag)
            #expect(house.receive(ack, on: phone).isEmpty)
        }
        #expect(house.controller.statistics.dropped == 1)
    }

    @Test func `credentials serve once`() {
        let house = House()
        let phone = House.phone(20)
        let text = House.register("anna", on: phone)
        let answer = House.answer(house.receive(text, on: phone)[0], to: text, user: "anna")
        #expect(house.receive(answer, on: phone).map(\.status) == [200])
        let replayed = house.receive(answer.replacing("z9hG4bK", with: "z9hG4bKb"), on: House.phone(66))
        #expect(replayed.map(\.status) == [401])
        #expect(replayed[0].text(.wwwAuthenticate).contains("stale=true"))
    }

    @Test func `whoever proved who she is may not speak as somebody else`() {
        let house = House()
        let page = house.registeredPage("anna")
        _ = house.registeredPage("carl")
        #expect(
            house.receive(House.request("INVITE", "sip:carl@family.test", from: "bob", on: page), on: page).map(
                \.status) == [403])
        let phone = House.phone(20)
        let text = House.request("INVITE", "sip:carl@family.test", from: "bob", on: phone)
        #expect(house.authenticated(text, user: "anna", on: phone).map(\.status) == [403])
        let elsewhere = House.request("INVITE", "sip:carl@family.test", from: "anna", on: page, cseq: 2)
            .replacing("From: <sip:anna@family.test>", with: "From: <sip:anna@elsewhere.test>")
        #expect(house.receive(elsewhere, on: page).map(\.status) == [403])
    }

    // MARK: Slowing down

    static func guess(_ house: House, _ name: String, on flow: Flow, _ number: Int, password: String = "guess")
        -> House.Sent?
    {
        let text = House.register(name, on: flow, callID: "guess-\(name)-\(number)-\(flow.remote.ip)")
        let challenge = house.receive(text, on: flow)
        return house.receive(House.answer(challenge[0], to: text, user: name, password: Array(password.utf8)), on: flow)
            .last
    }

    @Test(arguments: ["anna", "nobody"])
    func `guessing one name is slowed down from everywhere, existing or not`(_ name: String) {
        let house = House()
        for number in 0..<10 {
            #expect(Self.guess(house, name, on: House.phone(UInt32(100 + number)), number)?.status == 401)
        }
        let refused = Self.guess(house, name, on: House.phone(150), 11)
        #expect(refused?.status == 503)
        #expect(Int(refused?.text(.retryAfter) ?? "") ?? 0 > 0)
        // After the wait it goes on, slowly.
        _ = house.advance(.seconds(7))
        #expect(Self.guess(house, name, on: House.phone(151), 12)?.status == 401)
        #expect(Self.guess(house, name, on: House.phone(152), 13)?.status == 503)
    }

    @Test func `guessing many names from one address is slowed down`() {
        let house = House()
        for number in 0..<20 {
            #expect(Self.guess(house, "user\(number)", on: House.phone(66), number)?.status == 401)
        }
        #expect(Self.guess(house, "anna", on: House.phone(66), 21)?.status == 503)
        #expect(Self.guess(house, "anna", on: House.phone(67), 22)?.status == 401)
    }

    @Test func `where she is registered, a person is not locked out by strangers`() {
        let house = House()
        _ = house.registeredPhone("anna", host: 20)
        for number in 0..<12 { _ = Self.guess(house, "anna", on: House.phone(66), number) }
        #expect(Self.guess(house, "anna", on: House.phone(99), 50, password: "correct horse")?.status == 503)
        #expect(Self.guess(house, "anna", on: House.phone(20), 51, password: "correct horse")?.status == 200)
    }

    @Test func `the memory of failures has a bound`() {
        var limits = CallController.Limits()
        limits.rememberedFailures = 100
        var limiter = FailureLimiter(limits: limits)
        var random = RandomSource(seed: 1)
        let first = random.next()
        for _ in 0..<10 { limiter.count(first, limit: 10, at: .zero) }
        #expect(limiter.wait(first, limit: 10, at: .zero) != nil)
        for _ in 0..<10_000 { limiter.count(random.next(), limit: 10, at: .zero) }
        #expect(limiter.bucketCount == 100)
        #expect(limiter.wait(first, limit: 10, at: .zero) == nil)
    }
}
