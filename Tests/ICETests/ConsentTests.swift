import Base
import STUN
import Testing

@testable import ICE

/// RFC 7675: nobody gets packets who does not go on saying that he wants them.
struct ConsentTests {
    private let remote = path("203.0.113.7", 40_000)

    @Test func `§5.1: asked every 4 to 6 s, each time by a new transaction that is not repeated`() throws {
        let bench = try Bench.connected(on: remote)
        bench.sent = []
        var waits: [Duration] = []
        var last = bench.now
        for _ in 0..<200 {
            bench.advance(6_000)
            for (bytes, _, time) in bench.sent {
                waits.append(time - last)
                last = time
                bench.give(bench.answer(bytes), along: remote)
            }
            bench.sent = []
        }
        #expect(waits.allSatisfy { $0 >= .seconds(4) && $0 <= .seconds(6) })
        let mean = waits.reduce(.zero, +) / waits.count
        #expect(mean > .milliseconds(4_800) && mean < .milliseconds(5_200))
        #expect(bench.selected == remote)
    }

    @Test func `§5.1: 30 s without an answer end it, and what was sent stops at once`() throws {
        let bench = try Bench.connected(on: remote)
        bench.advance(29_900)
        #expect(bench.selected == remote)
        // Requests of the peer's are no consent.
        bench.give(bench.request(), along: remote)
        bench.advance(200)
        #expect(bench.selected == nil && bench.agent.path(at: bench.now) == nil)
        #expect(bench.events.last == .consentLost(remote) && bench.agent.state == .disconnected)
        #expect(bench.agent.nextTimeout == nil)
        // These credentials cannot get it back on this path, but on another.
        bench.sent = []
        bench.give(bench.request(nominating: true), along: remote)
        bench.advance(5_000)
        #expect(bench.sent.isEmpty && bench.selected == nil)
        let other = path("203.0.113.7", 40_001)
        bench.give(bench.request(nominating: true), along: other)
        bench.advance(100)
        bench.succeed(on: other)
        #expect(bench.selected == other && bench.agent.state == .connected)
    }

    @Test func `an answer to any question of the last half minute holds`() throws {
        let bench = try Bench.connected(on: remote)
        bench.sent = []
        bench.advance(29_000)
        #expect(bench.sent.count >= 4)
        bench.give(bench.answer(bench.sent[0].bytes), along: remote)
        bench.advance(29_000)
        #expect(bench.selected == remote)
    }

    @Test func `answers from elsewhere or with another password hold nothing`() throws {
        let bench = try Bench.connected(on: remote)
        bench.sent = []
        for _ in 0..<4 {
            bench.advance(7_000)
            guard let question = bench.sent.last?.bytes else { continue }
            let elsewhere = bench.give(bench.answer(question), along: path("203.0.113.8", 40_000)).outcome
            #expect(elsewhere == .refused(.otherPath, count: 0))
            let foreign = bench.give(bench.answer(question, password: bench.ours.password), along: remote).outcome
            #expect(foreign == .refused(.wrongPassword, count: 0))
        }
        bench.advance(3_000)
        #expect(bench.events.last == .consentLost(remote))
    }

    @Test func `§5.2: 403 takes it back at once, if it is protected`() throws {
        let bench = try Bench.connected(on: remote)
        bench.advance(6_000)
        let question = try #require(bench.sent.last).bytes
        bench.give(bench.answer(question, error: .forbidden, password: bench.ours.password), along: remote)
        #expect(bench.selected == remote)
        bench.give(bench.answer(question, error: .forbidden), along: remote)
        #expect(bench.events.last == .consentLost(remote) && bench.selected == nil)
    }
}
