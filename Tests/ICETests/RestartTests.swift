import Base
import STUN
import Testing

@testable import ICE

/// RFC 8445 §9: another session, while the old one's pair stays in use.
struct RestartTests {
    private let remote = path("203.0.113.7", 40_000)
    private let later = path("203.0.113.8", 50_000)

    private var newCredentials: ShortTermCredentials {
        var random = RandomSource(seed: 78)
        return ShortTermCredentials(using: &random)
    }

    @Test func `new credentials, the old pair with its consent until a new one is nominated`() throws {
        let bench = try Bench.connected(on: remote)
        let old = bench.ours
        let fresh = bench.agent.restart()
        #expect(fresh != old && bench.ours == fresh && bench.agent.retiredCredentials == old)
        #expect(bench.selected == remote)
        bench.sent = []
        bench.advance(6_000)
        // Consent of the old pair goes on with the old names; it is asked and answered.
        let question = try #require(bench.sent.last)
        #expect(Seen(question.bytes)?.username == Bench.theirs.ufrag + [ASCII.colon] + old.ufrag)
        #expect(bench.give(bench.answer(question.bytes), along: remote).outcome == .consumed)
        let theirQuestion = bench.request(
            username: old.ufrag + [ASCII.colon] + Bench.theirs.ufrag, password: old.password)
        #expect(Seen(bench.give(theirQuestion, along: remote).reply, password: old.password)?.isProtected == true)

        try bench.agent.setRemote(newCredentials, at: bench.now)
        let name = fresh.ufrag + [ASCII.colon] + newCredentials.ufrag
        bench.give(bench.request(nominating: true, username: name), along: later)
        bench.advance(100)
        #expect(bench.selected == remote)
        let check = try #require(bench.sent.last { $0.path == later }).bytes
        bench.give(bench.answer(check, password: newCredentials.password), along: later)
        #expect(bench.selected == later && bench.agent.state == .connected)
    }

    @Test func `the same path again is told again, and has the new credentials`() throws {
        let bench = try Bench.connected(on: remote)
        let fresh = bench.agent.restart()
        try bench.agent.setRemote(newCredentials, at: bench.now)
        bench.events = []
        let name = fresh.ufrag + [ASCII.colon] + newCredentials.ufrag
        bench.give(bench.request(nominating: true, username: name), along: remote)
        bench.advance(100)
        let check = try #require(bench.sent.last).bytes
        bench.give(bench.answer(check, password: newCredentials.password), along: remote)
        #expect(bench.events.contains(.selected(remote)))
        bench.advance(6_000)
        let question = try #require(bench.sent.last).bytes
        #expect(Seen(question)?.username == newCredentials.ufrag + [ASCII.colon] + fresh.ufrag)
    }

    @Test func `old candidates and answers count no more, twice restarted is restarted`() throws {
        let bench = try Bench().describe([candidate("203.0.113.7", 40_000)])
        bench.advance(0)
        let check = bench.sent[0].bytes
        bench.agent.restart()
        #expect(bench.agent.retiredCredentials == nil && bench.agent.state == .new)
        #expect(bench.give(bench.answer(check), along: remote).outcome == .refused(.unknownTransaction, count: 0))
        #expect(bench.agent.nextTimeout == nil)

        let connected = try Bench.connected(on: remote)
        let old = connected.ours
        connected.agent.restart()
        connected.agent.restart()
        #expect(connected.agent.retiredCredentials == old && connected.selected == remote)
    }

    @Test func `other credentials without a restart are our mistake`() throws {
        let bench = try Bench().describe()
        try bench.describe()
        #expect(bench.agent.remoteCredentials == Bench.theirs)
        #expect(throws: ICEError.restartNeeded) { try bench.agent.setRemote(newCredentials, at: bench.now) }
        #expect(throws: ICEError.badCredentials) {
            try ShortTermCredentials(ufrag: Array("abc".utf8), password: Bench.theirs.password)
        }
        #expect(throws: ICEError.badCredentials) {
            try ShortTermCredentials(ufrag: Array("ab:c".utf8), password: Bench.theirs.password)
        }
    }

    @Test func `a failed session can be restarted`() throws {
        let bench = try Bench().describe(isComplete: true)
        bench.advance(40_000)
        #expect(bench.agent.state == .failed)
        bench.agent.restart()
        try bench.describe()
        bench.give(bench.request(nominating: true), along: remote)
        bench.advance(50)
        bench.succeed(on: remote)
        #expect(bench.selected == remote)
    }
}
