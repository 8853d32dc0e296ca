import Base
import SIP
import Testing
import UserAgent

@Suite struct RegistrationTests {
    @Test func `registers when connected, as RFC 5626 and 5627 ask`() throws {
        var bench = try Bench()
        let request = try bench.takeRequest(.register)
        #expect(text(request.requestURIText) == "sip:example.org")
        #expect(request.header(.to) == "<sip:anna@example.org>")
        #expect(request.header(.from)?.hasPrefix("\"Anna\" <sip:anna@example.org>;tag=") == true)
        #expect(request.header(.via)?.hasPrefix("SIP/2.0/WSS phone.invalid;branch=z9hG4bK") == true)
        #expect(
            request.header(.contact)
                == "<sip:anna@phone.invalid;transport=ws>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>\""
                + ";reg-id=1;expires=600")
        #expect(request.header(.supported) == "path, outbound, gruu")
        #expect(request.header(.expires) == "600")
        #expect(request.header(.cseq) == "1 REGISTER")
    }

    @Test func `believes the expiry granted to its own contact and refreshes before it ends`() throws {
        var bench = try Bench()
        let request = try bench.takeRequest(.register)
        let own = request.header(.contact)!.replacing("expires=600", with: "expires=100")
        bench.respond(
            200, to: request, headers: ["Contact: <sip:anna@other>;expires=3000", "Contact: \(own)"], contact: false)
        bench.expect(.registered(expires: 100))
        bench.wait(.seconds(69))
        bench.expectSent()
        bench.wait(.seconds(16))
        let refresh = try bench.takeRequest(.register)
        #expect(refresh.header(.cseq) == "2 REGISTER")
        #expect(refresh.callID == request.callID)
        #expect(refresh.header(.via) != request.header(.via))
    }

    @Test func `answers a challenge with the next number, a new branch and the digest`() throws {
        var bench = try Bench(password: "secret")
        let first = try bench.takeRequest(.register)
        bench.respond(
            401, to: first, headers: ["WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n1\", qop=\"auth\""])
        let second = try bench.takeRequest(.register)
        #expect(second.header(.cseq) == "2 REGISTER")
        #expect(second.header(.via) != first.header(.via))
        let credentials = try #require(second.header(.authorization))
        #expect(credentials.contains("username=\"anna\""))
        #expect(credentials.contains("uri=\"sip:example.org\""))
        bench.respond(200, to: second, headers: ["Contact: \(second.header(.contact)!)"], contact: false)
        bench.expect(.registered(expires: 600))
        // The next request carries credentials without being asked, with a higher count.
        try bench.perform(.register)
        #expect(try bench.takeRequest(.register).header(.authorization)?.contains("nc=00000002") == true)
    }

    @Test func `says that the password is wrong and does not try it again`() throws {
        var bench = try Bench(password: "wrong")
        let challenge = "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n\", qop=\"auth\""
        let first = try bench.takeRequest(.register)
        bench.respond(401, to: first, headers: [challenge])
        let second = try bench.takeRequest(.register)
        bench.respond(401, to: second, headers: [challenge])
        bench.expect(.registrationFailed(status: 401, reason: bytes("Unauthorized"), retryAfter: 0))
        bench.wait(.seconds(3600))
        bench.expectSent()
    }

    @Test func `without a password a challenge is a refusal`() throws {
        var bench = try Bench()
        let first = try bench.takeRequest(.register)
        bench.respond(401, to: first, headers: ["WWW-Authenticate: Digest realm=\"example.org\", nonce=\"n\""])
        bench.expect(.registrationFailed(status: 401, reason: bytes("Unauthorized"), retryAfter: 0))
    }

    @Test func `asks for longer when the interval is too brief`() throws {
        var bench = try Bench()
        let first = try bench.takeRequest(.register)
        bench.respond(423, to: first, headers: ["Min-Expires: 1800"])
        let second = try bench.takeRequest(.register)
        #expect(second.header(.expires) == "1800")
        #expect(second.header(.contact)?.hasSuffix("expires=1800") == true)
    }

    @Test func `does without outbound where the first hop cannot`() throws {
        var bench = try Bench()
        let first = try bench.takeRequest(.register)
        bench.respond(439, to: first)
        let second = try bench.takeRequest(.register)
        #expect(second.header(.contact)?.contains("reg-id") == false)
        #expect(second.header(.supported) == "path, gruu")
    }

    @Test func `backs off when the server is in trouble, and obeys Retry-After`() throws {
        var bench = try Bench()
        var waits: [Int] = []
        for _ in 0..<5 {
            let request = try bench.takeRequest(.register)
            bench.respond(503, to: request)
            guard case .registrationFailed(503, _, let wait) = try #require(bench.takeEvents().first) else {
                Issue.record("another event")
                return
            }
            waits.append(wait)
            bench.wait(.seconds(wait))
        }
        for (turn, wait) in waits.enumerated() {
            let longest = min(300, 8 << turn)
            #expect((longest / 2...longest).contains(wait))
        }
        let request = try bench.takeRequest(.register)
        bench.respond(503, to: request, headers: ["Retry-After: 1000 (tea)"])
        bench.expect(.registrationFailed(status: 503, reason: bytes("Service Unavailable"), retryAfter: 1000))
    }

    @Test func `no answer counts as 408`() throws {
        var bench = try Bench()
        bench.wait(.milliseconds(31_999))
        bench.expect()
        bench.wait(.milliseconds(1))
        guard case .registrationFailed(408, _, let wait)? = bench.takeEvents().first else {
            Issue.record("another event")
            return
        }
        #expect(wait > 0)
    }

    @Test func `registers again after a reconnect, with the same Call-ID and the next number`() throws {
        var bench = try Bench()
        let first = try bench.takeRequest(.register)
        bench.respond(200, to: first, headers: ["Contact: \(first.header(.contact)!)"], contact: false)
        bench.disconnect()
        bench.wait(.seconds(1000))
        bench.expectSent()
        bench.connect()
        let second = try bench.takeRequest(.register)
        #expect(second.callID == first.callID)
        #expect(second.header(.cseq) == "2 REGISTER")
    }

    @Test func `unregisters with expiry zero and stays away`() throws {
        var bench = try Bench()
        try bench.register()
        try bench.perform(.unregister)
        let request = try bench.takeRequest(.register)
        #expect(request.header(.expires) == "0")
        bench.respond(200, to: request, contact: false)
        bench.expect(.unregistered)
        bench.disconnect()
        bench.connect()
        bench.expectSent()
    }

    @Test func `uses Service-Route and the GRUU it was given`() throws {
        var bench = try Bench()
        let request = try bench.takeRequest(.register)
        let contact = request.header(.contact)! + ";pub-gruu=\"sip:anna@example.org;gr=urn:uuid:x\""
        bench.respond(
            200, to: request,
            headers: ["Contact: \(contact)", "Service-Route: <sip:edge.example.org;lr>, <sip:home.example.org;lr>"],
            contact: false)
        _ = bench.takeEvents()
        try bench.perform(.call(CallID(1), to: bytes("sip:bob@example.org"), offer: sdp(), replaces: nil))
        let invite = try bench.takeRequest(.invite)
        #expect(
            invite.values(of: .route).map { text($0) } == ["<sip:edge.example.org;lr>", "<sip:home.example.org;lr>"])
        #expect(invite.header(.contact) == "<sip:anna@example.org;gr=urn:uuid:x>")
    }

    @Test func `refuses a configuration that cannot work`() {
        #expect(throws: CommandError.badURI) { try Bench { $0.aor = bytes("anna") } }
        #expect(throws: CommandError.badValue) { try Bench { $0.sentBy = bytes("not a host") } }
    }
}
