import Base
import STUN
import Testing

@testable import TURN

struct AuthenticationTests {
    private let site = Site()

    @Test func `a stranger is asked who it is, in few bytes`() throws {
        let client = Client(site)
        let answer = try #require(client.exchange(client.message(.allocate, Client.udp)))
        #expect(answer.type == STUNType(.error, .allocate))
        #expect(answer.code == .unauthenticated)
        #expect(answer.attributes == [.errorCode, .realm, .nonce, .passwordAlgorithms])
        #expect(answer.realm == Site.realm)
        #expect(site.give(client.message(.allocate, Client.udp), from: client.tuple).1.count <= 100)
    }

    @Test(arguments: [false, true])
    func `credentials open the door, with either hash`(usesSHA256: Bool) throws {
        let client = Client(site)
        client.usesSHA256 = usesSHA256
        let answer = try #require(client.allocate())
        #expect(answer.type == STUNType(.success, .allocate))
        #expect(answer.isProtected)
        #expect(site.events == [.allocated(user: Array("anna".utf8), relayed: answer.relayed[0])])
    }

    /// The form other servers and WebRTC services have, computed with another implementation.
    @Test func `passwords are the HMAC of the user name`() {
        let credentials = TimeLimitedCredentials(secret: Array("0123456789abcdef".utf8))
        let issued = credentials.issue(to: Array("anna".utf8), until: 1_800_000_000)
        #expect(issued.username == Array("1800000000:anna".utf8))
        #expect(issued.password == Array("1Fm2myFZtBT+GPmGcd0h7YEn0fM=".utf8))
    }

    @Test(arguments: ["password", "name", "expired", "no expiry", "no user", "realm"])
    func `what does not fit is 401`(what: String) throws {
        let client = Client(site)
        _ = client.exchange(client.message(.allocate, Client.udp)).map { client.nonce = $0.nonce }
        switch what {
        case "password": client.password = Array("wrong".utf8)
        case "name": client.username = Array("1900000000:bob".utf8)
        case "expired":
            (client.username, client.password) = Site.credentials.issue(to: [0x61], until: Site.unixTime)
        case "no expiry", "no user":
            client.username = Array((what == "no user" ? "1900000000:" : "anna").utf8)
            client.password = Site.credentials.password(of: client.username)
        default: break
        }
        var bytes = client.message(.allocate, Client.udp)
        if what == "realm" {
            let start = try #require(bytes.firstRange(of: Site.realm)).lowerBound
            bytes[start] ^= 1
        }
        let answer = try #require(client.exchange(bytes))
        #expect(answer.code == .unauthenticated)
        #expect(answer.nonce != nil && !answer.isProtected)
        #expect(site.sockets.isEmpty)
    }

    @Test func `credentials without name, realm or nonce are 400`() throws {
        let client = Client(site)
        for missing in [AttributeType.username, .realm, .nonce] {
            var room = [UInt8](repeating: 0, count: 512)
            let count = room.withUnsafeMutableBytes { target -> Int? in
                var writer = STUNWriter(STUNType(.request, .refresh), TransactionID(high: 1, low: 1), into: target)
                for type in [AttributeType.username, .realm, .nonce] where type != missing { writer.add(type, "x") }
                writer.add(IntegrityKey(sha1: [1]))
                return writer.finish()
            }
            let answer = try #require(client.exchange(Array(room[..<(count ?? 0)])))
            #expect(answer.code == .badRequest)
            #expect(answer.attributes == [.errorCode])
        }
    }

    @Test func `a nonce is stale after an hour, for another address, and when it is foreign`() throws {
        let client = Client(site)
        #expect(client.allocate()?.code == nil)
        let old = client.nonce
        site.advance(3_590)
        #expect(client.exchange(client.message(.createPermission))?.code == .allocationMismatch, "the nonce is good")
        site.advance(10)
        let answer = try #require(client.exchange(client.message(.allocate, Client.udp)))
        #expect(answer.code == .unauthenticated, "the credentials are over as well")
        client.username = Site.credentials.issue(to: [0x61], until: Site.unixTime + 9_000).username
        client.password = Site.credentials.password(of: client.username)
        #expect(client.exchange(client.message(.allocate, Client.udp))?.code == .staleNonce)
        #expect(client.allocate()?.code == nil && client.nonce != old)

        let neighbour = Client(site, "203.0.113.7", 4_001, lasting: 9_000)
        for foreign in [client.nonce, Array("obMatJos2AAAB".utf8), Array("f//499k954d6OL34oL9FSTvy64sA".utf8)] {
            neighbour.nonce = foreign
            let stale = try #require(neighbour.exchange(neighbour.message(.allocate, Client.udp)))
            #expect(stale.code == .staleNonce)
            #expect(stale.nonce != foreign)
        }
    }

    @Test func `a call outlives its credentials`() throws {
        let client = Client(site, lasting: 60)
        #expect(client.allocate()?.code == nil)
        site.advance(500)
        #expect(client.refresh(600)?.code == nil)
        site.advance(500)
        #expect(client.permit(address("192.0.2.1", 1))?.code == nil)
        site.advance(500)
        #expect(client.allocate()?.code == .unauthenticated)
    }

    @Test func `another person's credentials do not serve for an allocation`() throws {
        let client = Client(site)
        #expect(client.allocate()?.code == nil)
        (client.username, client.password) = Site.credentials.issue(to: [0x62], until: Site.unixTime + 60)
        let answer = try #require(client.refresh(0))
        #expect(answer.code == .wrongCredentials)
        #expect(answer.isProtected)
        #expect(site.server.allocationCount == 1)
    }

    @Test func `weakening the choice of hashes is 400`() throws {
        let client = Client(site)
        client.usesSHA256 = true
        _ = client.exchange(client.message(.allocate, Client.udp)).map { client.nonce = $0.nonce }
        let good = client.message(.allocate, Client.udp)
        let offered = try #require(good.firstRange(of: [0x80, 0x02, 0, 8])).lowerBound
        var weaker = good
        weaker[offered + 5] = 1
        #expect(client.exchange(weaker)?.code == .badRequest)
        var missing = good
        missing[offered + 1] = 0x7f
        #expect(client.exchange(missing)?.code == .badRequest)
    }

    @Test func `an address that keeps failing hears nothing after a while`() {
        let client = Client(site)
        let bytes = client.message(.allocate, Client.udp)
        let told = (0..<200).count { _ in client.exchange(bytes) != nil }
        #expect(told == TURNLimits.standard.strangerBurst)
        #expect(site.server.counters.unanswered == 200 - told)
        #expect(Client(site, "203.0.113.99").exchange(bytes) != nil, "others are answered")
        site.advance(1)
        #expect((0..<200).count { _ in client.exchange(bytes) != nil } == TURNLimits.standard.strangerRate)
    }

    @Test func `Binding requests need no credentials`() throws {
        let client = Client(site)
        let answer = try #require(client.exchange(client.message(.binding)))
        #expect(answer.mapped == client.tuple.remote)
    }
}
