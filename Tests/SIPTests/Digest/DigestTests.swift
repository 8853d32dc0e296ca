import Base
import SIP
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

struct DigestVectorTests {
    /// RFC 7616 §3.9.1 (both algorithms) and RFC 2617 §3.5.
    @Test(arguments: [
        (
            DigestAlgorithm.md5, "http-auth@example.org", "Circle of Life",
            "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "8ca523f5e9506fed4657c9700eebdbec"
        ),
        (
            .sha256, "http-auth@example.org", "Circle of Life", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        ),
        (
            .md5, "testrealm@host.com", "Circle Of Life", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "0a4f113b",
            "6629fae49393a05397450978507c4ef1"
        ),
    ])
    func `the RFCs' own examples`(
        algorithm: DigestAlgorithm, realm: String, password: String, nonce: String, cnonce: String, response: String
    ) {
        var credentials = DigestCredentials(
            userName: bytes("Mufasa"), realm: bytes(realm), nonce: bytes(nonce), uri: bytes("/dir/index.html"),
            algorithm: algorithm)
        (credentials.quality, credentials.nonceCount, credentials.cnonce) = (.auth, 1, bytes(cnonce))
        let ha1 = algorithm.ha1(user: bytes("Mufasa"), realm: bytes(realm), password: bytes(password))
        let made = credentials.expectedResponse(
            ha1: ha1, algorithm: algorithm, method: .other(bytes("GET")), body: [])
        #expect(text(made) == response)
    }

    /// Every algorithm and quality over one SIP request; the expected responses come from another implementation, the
    /// first three are also those of draft-smith-sip-auth-examples.
    @Test(
        arguments: [
            (DigestAlgorithm.md5, nil, "bf57e4e0d0bffc0fbaedce64d59add5e"),
            (.md5, .auth, "89eb0059246c02b2f6ee02c7961d5ea3"), (.md5, .authInt, "77226bb823dc077c1ad3537415667bae"),
            (.md5Session, nil, "fff17611bcbbf00c9116a2c922dea8e1"),
            (.md5Session, .auth, "e4e4ea61d186d07a92c9e1f6919902e9"),
            (.md5Session, .authInt, "8527c9ab1b4eed3fd75491f811944e26"),
            (.sha256, nil, "38aad98c50c33abe72c5f88dd17246ffcfa6b1f68852c855719ff0659386c0ca"),
            (.sha256, .auth, "b3b5a6c69453abafaab9ae4dccdac90a076b6c80615d5f3498e7433b6e93bf4f"),
            (.sha256, .authInt, "554a9ffe79ce71c3cb6c9630deddd2787d8033f895e5cdef6a73c8e84ed4c979"),
            (.sha256Session, nil, "2ceb74b5bf787a27f00a80b94f397228de1a9bab1c3c56b7c6f984cf9f3ffdf7"),
            (.sha256Session, .auth, "5da59c9ca40954be9d5063a15a174066c8251be2c10cf47c144c366dc7daf792"),
            (.sha256Session, .authInt, "0b4a1efc19e1b701ec5775b6b16dde0fc416102e34a6c5bd6f957b20b5d79170"),
        ] as [(DigestAlgorithm, DigestQuality?, String)])
    func `every algorithm and quality`(algorithm: DigestAlgorithm, quality: DigestQuality?, response: String) {
        var credentials = DigestCredentials(
            userName: bytes("bob"), realm: bytes("biloxi.com"), nonce: bytes("dcd98b7102dd2f0e8b11d0f600bfb0c093"),
            uri: bytes("sip:bob@biloxi.com"), algorithm: algorithm)
        (credentials.quality, credentials.nonceCount, credentials.cnonce) = (quality, 1, bytes("0a4f113b"))
        let ha1 = algorithm.ha1(user: bytes("bob"), realm: bytes("biloxi.com"), password: bytes("zanzibar"))
        let made = credentials.expectedResponse(
            ha1: ha1, algorithm: algorithm, method: .invite, body: bytes("v=0\r\n")[...])
        #expect(text(made) == response)
    }
}

struct DigestHeaderTests {
    @Test func `reads the challenge of RFC 7616 and writes it`() throws {
        let given = """
            Digest realm="http-auth@example.org", qop="auth, auth-int, new",algorithm=SHA-256 ,nonce="7y\\"pf", \
            opaque="FQhe", stale=TRUE, unknown=1
            """
        let challenge = try #require(try DigestChallenge(parsing: bytes(given)[...]))
        #expect(challenge.algorithm == .sha256 && challenge.qualities == [.auth, .authInt] && challenge.isStale)
        #expect(text(challenge.nonce) == "7y\"pf")
        #expect(try DigestChallenge(parsing: challenge.text[...]) == challenge)
    }

    @Test(arguments: [
        "Digest realm=\"a\"", "Digest nonce=\"a\"", "Digest", "", "Digest realm=\"a, nonce=b",
        "Digest realm=a, nonce=b, realm=c", "Digest realm=, nonce=b", "Digest =x", "Digest realm=\"a\" nonce=\"b\"",
    ])
    func `refuses broken challenges`(given: String) {
        #expect(throws: SIPParseError.malformed(.wwwAuthenticate)) { try DigestChallenge(parsing: bytes(given)[...]) }
    }

    @Test func `leaves other schemes and unknown algorithms alone`() throws {
        #expect(try DigestChallenge(parsing: bytes("Basic realm=\"a\"")[...]) == nil)
        let strange = try DigestChallenge(parsing: bytes("Digest realm=a, nonce=b, algorithm=SHA-512-256")[...])
        #expect(strange != nil && strange?.algorithm == nil)
        #expect(try DigestCredentials(parsing: bytes("Bearer token=x")[...]) == nil)
    }

    @Test(arguments: ["nc=1", "nc=0000000g", "nc=000000001", "cnonce=\"x\"", "nc=00000001"])
    func `refuses credentials with a broken count`(parameters: String) {
        let given =
            "Digest username=\"a\", realm=\"b\", nonce=\"c\", uri=\"d\", response=\"e\", qop=auth, " + parameters
        #expect(throws: SIPParseError.malformed(.authorization)) { try DigestCredentials(parsing: bytes(given)[...]) }
    }
}

struct DigestExchangeTests {
    private var random = RandomSource(seed: 7616)
    private let realm = bytes("example.org")

    private mutating func server(_ change: (inout DigestServer.Configuration) -> Void = { _ in }) -> DigestServer {
        var configuration = DigestServer.Configuration(realm: realm)
        change(&configuration)
        return DigestServer(configuration: configuration, secret: Array(0..<16), random: &random)
    }

    private func register(_ extra: String = "") throws -> SIPMessage {
        try parsed(
            """
            REGISTER sip:example.org SIP/2.0
            Via: SIP/2.0/UDP a;branch=z9hG4bK1
            To: <sip:anna@example.org>
            From: <sip:anna@example.org>;tag=1
            Call-ID: 1
            CSeq: 1 REGISTER

            """ + extra + "\n")
    }

    /// The 401 a server sends.
    private func refusal(_ server: inout DigestServer, stale: Bool = false, at now: Instant) throws -> SIPMessage {
        var builder = MessageBuilder.response(401, to: try register())
        for challenge in server.challenges(stale: stale, at: now) { builder.add(.wwwAuthenticate, challenge) }
        return builder.finish()
    }

    private func verdict(
        _ server: inout DigestServer, _ request: SIPMessage, password: String = "secret", at now: Instant
    ) throws -> DigestServer.Verdict {
        let credentials = try #require(server.select(try request.authorizations()))
        let ha1s = ["other", password].map { DigestHA1(user: bytes("anna"), realm: realm, password: bytes($0)) }
        return server.verify(credentials, method: .register, body: request.body, ha1s: ha1s, at: now)
    }

    @Test mutating func `a client is let in, and its nonce serves again with a higher count`() throws {
        var server = server()
        var client = DigestClient(userName: bytes("anna"), password: bytes("secret"))
        let request = try register()
        #expect(client.authorize(request) == request)
        #expect(client.accept(try refusal(&server, at: .zero), for: request, random: &random) == .retry)
        for round in 1...100 {
            let authorized = client.authorize(request)
            let credentials = try #require(try authorized.authorizations().first)
            #expect(credentials.algorithm == .sha256 && credentials.nonceCount == UInt32(round))
            #expect(try verdict(&server, authorized, at: .zero + .seconds(round)) == .accepted(1))
            #expect(try verdict(&server, authorized, at: .zero + .seconds(round)) == .stale, "the same count again")
        }
    }

    @Test mutating func `a wrong password is refused, and the client knows it`() throws {
        var server = server()
        var client = DigestClient(userName: bytes("anna"), password: bytes("wrong"))
        _ = client.accept(try refusal(&server, at: .zero), for: try register(), random: &random)
        let authorized = client.authorize(try register())
        #expect(try verdict(&server, authorized, at: .zero) == .wrong)
        #expect(client.accept(try refusal(&server, at: .zero), for: authorized, random: &random) == .refused)
        let stranger = try #require(try authorized.authorizations().first)
        #expect(server.verify(stranger, method: .register, body: [], ha1s: [], at: .zero) == .wrong)
    }

    @Test mutating func `an old nonce is stale, and stale is retried without asking`() throws {
        var server = server { $0.nonceLifetime = .seconds(60) }
        var client = DigestClient(userName: bytes("anna"), password: bytes("secret"))
        _ = client.accept(try refusal(&server, at: .zero), for: try register(), random: &random)
        let late = client.authorize(try register())
        let now = Instant.zero + .seconds(61)
        #expect(try verdict(&server, late, at: now) == .stale)
        #expect(client.accept(try refusal(&server, stale: true, at: now), for: late, random: &random) == .retry)
        #expect(try verdict(&server, client.authorize(try register()), at: now) == .accepted(1))
    }

    @Test mutating func `nonces of others, of the future and of a former life are stale, not accepted`() throws {
        var server = server()
        var client = DigestClient(userName: bytes("anna"), password: bytes("secret"))
        var other = DigestServer(configuration: .init(realm: realm), secret: Array(1..<17), random: &random)
        _ = client.accept(try refusal(&other, at: .zero), for: try register(), random: &random)
        #expect(try verdict(&server, client.authorize(try register()), at: .zero) == .stale)
        _ = client.accept(try refusal(&server, at: .zero + .seconds(100)), for: try register(), random: &random)
        #expect(try verdict(&server, client.authorize(try register()), at: .zero) == .stale)
    }

    @Test mutating func `counts may overtake each other, but none serves twice`() throws {
        var server = server()
        var client = DigestClient(userName: bytes("anna"), password: bytes("secret"))
        _ = client.accept(try refusal(&server, at: .zero), for: try register(), random: &random)
        let requests = try (0..<100).map { _ in client.authorize(try register()) }
        for index in [3, 1, 0, 2, 99] { #expect(try verdict(&server, requests[index], at: .zero) == .accepted(1)) }
        for index in [3, 1, 0, 2, 99] { #expect(try verdict(&server, requests[index], at: .zero) == .stale) }
        #expect(try verdict(&server, requests[98], at: .zero) == .accepted(1))
        #expect(try verdict(&server, requests[10], at: .zero) == .stale, "too far back to know")
    }

    @Test mutating func `a full table forgets the oldest nonces, which are then stale`() throws {
        var server = server { $0.maximumUsedNonces = 2 }
        var requests: [SIPMessage] = []
        for second in 0..<3 {
            var client = DigestClient(userName: bytes("anna"), password: bytes("secret"))
            let now = Instant.zero + .seconds(second)
            _ = client.accept(try refusal(&server, at: now), for: try register(), random: &random)
            requests.append(client.authorize(try register()))
            #expect(try verdict(&server, requests[second], at: now) == .accepted(1))
        }
        let now = Instant.zero + .seconds(3)
        for request in requests { #expect(try verdict(&server, request, at: now) == .stale) }
    }

    @Test mutating func `auth-int covers the body, MD5 serves old phones, and responses without qop serve once`() throws
    {
        var server = server {
            $0.algorithms = [.md5Session, .md5]
            $0.qualities = [.authInt]
        }
        var client = DigestClient(userName: bytes("anna"), password: bytes("secret"))
        _ = client.accept(try refusal(&server, at: .zero), for: try register(), random: &random)
        let authorized = client.authorize(try register())
        var edit = MessageEdit(client.authorize(try register()))
        edit.setBody([1], contentType: bytes("a/b"))
        #expect(try verdict(&server, authorized, at: .zero) == .accepted(1))
        #expect(try verdict(&server, edit.finish(), at: .zero) == .wrong)

        let challenge = try #require(server.challenges(at: .zero).last)
        var plain = DigestCredentials(
            userName: bytes("anna"), realm: realm, nonce: challenge.nonce, uri: bytes("sip:x"), algorithm: .md5)
        plain.algorithmToken = nil
        let ha1 = DigestHA1(user: bytes("anna"), realm: realm, password: bytes("secret"))
        plain.response = plain.expectedResponse(ha1: ha1.md5 ?? [], algorithm: .md5, method: .register, body: [])
        #expect(server.verify(plain, method: .register, body: [], ha1s: [ha1], at: .zero) == .accepted(0))
        #expect(server.verify(plain, method: .register, body: [], ha1s: [ha1], at: .zero) == .stale)
    }

    @Test mutating func `answers the first algorithm it has, and every realm, proxies' too`() throws {
        var client = DigestClient(userName: bytes("anna"), password: bytes("secret"))
        let response = try parsed(
            """
            SIP/2.0 407 x
            Proxy-Authenticate: Digest realm="p", nonce="1", algorithm=SHA-512-256, qop="auth"
            Proxy-Authenticate: Digest realm="p", nonce="2", algorithm=MD5, qop="auth"
            Proxy-Authenticate: Digest realm="q", nonce="3"
            WWW-Authenticate: Digest realm="p", nonce="4", algorithm=SHA-256, qop="auth", opaque="o"


            """)
        #expect(client.accept(response, for: try register(), random: &random) == .retry)
        let authorized = client.authorize(try register())
        #expect(try authorized.authorizations(.proxyAuthorization).map { text($0.nonce) } == ["2", "3"])
        #expect(try authorized.authorizations().map { $0.opaque.map { text($0) } } == ["o"])
        let none = try parsed("SIP/2.0 401 x\nWWW-Authenticate: Digest realm=a, nonce=b, algorithm=X\n\n")
        #expect(client.accept(none, for: try register(), random: &random) == .unsupported)
    }
}
