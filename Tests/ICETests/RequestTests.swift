import Base
import STUN
import Testing

@testable import ICE

/// RFC 8445 §7.3, RFC 8489 §9.1.3: the peer's checks, and what is no check of the peer's.
struct RequestTests {
    private let remote = path("203.0.113.7", 40_000)

    @Test func `a right check is answered with the address it came from, protected by our password`() throws {
        let bench = try Bench().describe()
        let (outcome, bytes) = bench.give(bench.request(), along: remote)
        let seen = try #require(Seen(bytes, password: bench.ours.password))
        #expect(outcome == .reply(count: bytes.count))
        #expect(seen.type == STUNType(.success, .binding))
        #expect(seen.mapped == remote.remote)
        #expect(seen.isProtected && seen.hasFingerprint)
    }

    @Test func `an IPv4 address inside an IPv6 one is answered as IPv4`() throws {
        let bench = try Bench().describe()
        let (_, bytes) = bench.give(bench.request(), along: path("::ffff:203.0.113.7", 40_000))
        #expect(Seen(bytes)?.mapped == remote.remote)
    }

    @Test func `§7.3.1.4: a check triggers ours, at once and once per request`() throws {
        let bench = try Bench().describe()
        let request = bench.request()
        bench.give(request, along: remote)
        bench.advance(0)
        #expect(bench.sent.map(\.path) == [remote])
        let check = try #require(Seen(bench.sent[0].bytes, password: Bench.theirs.password))
        #expect(check.username == Bench.theirs.ufrag + [ASCII.colon] + bench.ours.ufrag)
        #expect(check.priority == ICECandidate.priority(.peerReflexive, localPreference: .max))
        #expect(check.controlled != nil && check.controlling == nil && !check.isNominating)
        #expect(check.isProtected && check.hasFingerprint)
        // A copy of the request is answered and starts nothing.
        bench.give(request, along: remote)
        bench.advance(100)
        #expect(bench.sent.count == 1)
        // Another request repeats our check without a new transaction.
        bench.give(bench.request(), along: remote)
        bench.advance(100)
        #expect(bench.sent.count == 2 && bench.sent[1].bytes == bench.sent[0].bytes)
    }

    @Test func `§7.3.1.3: an address nobody told is discovered with the request's priority`() throws {
        let bench = try Bench().describe()
        bench.give(bench.request(priority: 1_234), along: remote)
        let found = try #require(bench.agent.session.remoteCandidates.first)
        #expect(found.address == remote.remote && found.priority == 1_234 && found.isPeerReflexive)
        #expect(bench.events.contains(.heard(remote)))
        // Signalled later, it gets its own priority and is no discovery any more.
        bench.agent.add(candidate("203.0.113.7", 40_000, .serverReflexive), at: bench.now)
        let known = try #require(bench.agent.session.remoteCandidates.first)
        #expect(bench.agent.session.remoteCandidates.count == 1 && !known.isPeerReflexive)
        #expect(bench.agent.session.checklist[0].remotePriority == known.priority && known.priority != 1_234)
    }

    @Test func `§7.3: requests before the peer's description are answered at once and checked later`() throws {
        let bench = Bench()
        for port in 1...UInt16(ICELimits.earlyChecks) {
            #expect(bench.give(bench.request(), along: path("203.0.113.7", port)).reply.count > 0)
        }
        #expect(bench.give(bench.request(), along: remote).outcome == .refused(.tooManyPaths, count: 0))
        #expect(bench.events.count == ICELimits.earlyChecks && bench.events.first == .heard(path("203.0.113.7", 1)))
        bench.advance(1_000)
        #expect(bench.sent.isEmpty)
        try bench.describe()
        bench.advance(1_000)
        #expect(Set(bench.sent.map(\.path)).count == ICELimits.earlyChecks)
    }

    @Test func `early requests of somebody else than the answer came from are forgotten`() throws {
        let bench = Bench()
        let name = bench.ours.ufrag + Array(":other".utf8)
        bench.give(bench.request(username: name), along: remote)
        try bench.describe()
        bench.advance(1_000)
        #expect(bench.sent.isEmpty)
    }

    struct Bad: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let refusal: Refusal
        let code: STUNErrorCode?
        var isProtected = false
        let make: @Sendable (Bench) -> [UInt8]
    }

    static let bad = [
        Bad(testDescription: "no user name", refusal: .incomplete, code: .badRequest) {
            $0.request(hasUsername: false)
        },
        Bad(testDescription: "no integrity", refusal: .incomplete, code: .badRequest) {
            $0.request(hasIntegrity: false)
        },
        Bad(testDescription: "no fingerprint", refusal: .malformed, code: nil) { $0.request(hasFingerprint: false) },
        Bad(testDescription: "another's user name", refusal: .unknownUser, code: .unauthenticated) {
            $0.request(username: Array("abcdefgh:ijkl".utf8))
        },
        Bad(testDescription: "no colon", refusal: .unknownUser, code: .unauthenticated) {
            $0.request(username: $0.ours.ufrag)
        },
        Bad(testDescription: "another sender", refusal: .unknownUser, code: .unauthenticated) {
            $0.request(username: $0.ours.ufrag + Array(":ijkl".utf8))
        },
        Bad(testDescription: "wrong password", refusal: .wrongPassword, code: .unauthenticated) {
            $0.request(password: Bench.theirs.password)
        },
        Bad(
            testDescription: "unknown attribute", refusal: .unknownAttribute, code: .unknownAttribute,
            isProtected: true
        ) {
            $0.request(unknown: AttributeType(rawValue: 0x0033))
        },
        Bad(testDescription: "no priority", refusal: .incomplete, code: .badRequest, isProtected: true) {
            $0.request(priority: nil)
        },
        Bad(testDescription: "noise", refusal: .malformed, code: nil) { _ in [0, 1, 0, 0, 7] },
    ]

    @Test(arguments: bad)
    func `what is wrong is refused, counted, and answered with no more than it sent`(bad: Bad) throws {
        let bench = try Bench().describe()
        let request = bad.make(bench)
        let (outcome, reply) = bench.give(request, along: remote)
        #expect(outcome == .refused(bad.refusal, count: reply.count))
        #expect(bench.agent.refusals[bad.refusal] == 1 && bench.agent.refusals.total == 1)
        #expect(Seen(reply)?.code == bad.code)
        #expect((Seen(reply, password: bench.ours.password)?.isProtected ?? false) == bad.isProtected)
        if !bad.isProtected { #expect(reply.count <= request.count) }
        bench.advance(1_000)
        #expect(bench.sent.isEmpty && bench.agent.session.remoteCandidates.isEmpty, "it taught us something")
    }

    @Test func `a keep-alive is taken and changes nothing, other methods are not ours`() throws {
        let bench = try Bench().describe()
        let indication = bench.write(STUNType(.indication, .binding), TransactionID(high: 1, low: 1)) {
            $0.addFingerprint()
        }
        #expect(bench.give(indication, along: remote).outcome == .consumed)
        let allocate = bench.write(STUNType(.request, .allocate), TransactionID(high: 1, low: 1)) { _ in }
        #expect(bench.give(allocate, along: remote).outcome == .refused(.otherMethod, count: 0))
    }

    @Test func `the peer cannot make us remember more than the limits`() throws {
        let bench = try Bench().describe()
        for port in 1...UInt16(300) {
            bench.give(bench.request(), along: path("203.0.113.7", port))
            bench.advance(20)
        }
        #expect(bench.agent.session.remoteCandidates.count <= ICELimits.remoteCandidates)
        #expect(bench.agent.session.checklist.pairs.count <= ICELimits.pairs)
        // The newest address is still served: a phone that moves all day must not be shut out.
        bench.give(bench.request(nominating: true), along: remote)
        bench.advance(5_000)
        bench.succeed(on: remote)
        #expect(bench.selected == remote)
    }
}
