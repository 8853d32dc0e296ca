import Base
import STUN
import Testing

@testable import ICE

/// RFC 8445 §8: which pair is used, and when there is none.
struct NominationTests {
    private let good = path("203.0.113.9", 40_000)
    private let poor = path("203.0.113.1", 40_000)

    private func described(isControlling: Bool) throws -> Bench {
        try Bench(isControlling: isControlling).describe(
            [
                candidate("203.0.113.9", 40_000, preference: 9, foundation: "a"),
                candidate("203.0.113.1", 40_000, preference: 1, foundation: "b"),
            ], isComplete: true)
    }

    @Test func `controlling: the best pair is nominated as soon as it works`() throws {
        let bench = try described(isControlling: true)
        bench.advance(10)
        bench.succeed(on: good)
        #expect(bench.selected == nil)
        bench.advance(100)
        let nomination = try #require(bench.sent.last { $0.path == good }.flatMap { Seen($0.bytes) })
        #expect(nomination.isNominating && nomination.controlling != nil)
        bench.succeed(on: good)
        #expect(bench.selected == good && bench.events.contains(.selected(good)))
        // §8.1.1: nothing else is checked or nominated after that.
        let count = bench.sent.count
        bench.advance(3_000)
        bench.give(bench.request(controlling: nil, controlled: 1), along: poor)
        bench.advance(500)
        #expect(bench.sent.count == count && bench.selected == good)
    }

    @Test func `controlling: a worse pair is nominated only after a wait for the better`() throws {
        let bench = try described(isControlling: true)
        bench.advance(60)
        bench.succeed(on: poor)
        bench.advance(200)
        #expect(!bench.sent.contains { Seen($0.bytes)?.isNominating == true })
        bench.advance(100)
        #expect(bench.sent.last { $0.path == poor }.flatMap { Seen($0.bytes) }?.isNominating == true)
    }

    @Test func `controlling: when the nominated pair fails, another is nominated`() throws {
        let bench = try described(isControlling: true)
        bench.advance(60)
        bench.succeed(on: good)
        bench.succeed(on: poor)
        bench.advance(50)
        let nomination = try #require(bench.sent.last { $0.path == good })
        #expect(Seen(nomination.bytes)?.isNominating == true)
        bench.give(bench.answer(nomination.bytes, error: .serverError), along: good)
        bench.advance(300)
        bench.succeed(on: poor)
        #expect(bench.selected == poor)
    }

    @Test func `§7.3.1.5: controlled: USE-CANDIDATE selects what works, at once or when it comes to work`() throws {
        let bench = try described(isControlling: false)
        bench.advance(60)
        bench.give(bench.request(nominating: true), along: poor)
        #expect(bench.selected == nil)
        bench.advance(60)
        bench.succeed(on: poor)
        #expect(bench.selected == poor)

        let other = try described(isControlling: false)
        other.advance(60)
        other.succeed(on: poor)
        #expect(other.selected == nil)
        other.give(other.request(nominating: true), along: poor)
        #expect(other.selected == poor)
    }

    @Test func `controlled: of all that an old peer nominates the best is used, in any order`() throws {
        for order in [[good, poor], [poor, good]] {
            let bench = try described(isControlling: false)
            for path in order {
                bench.give(bench.request(nominating: true), along: path)
                bench.advance(60)
                bench.succeed(on: path)
            }
            #expect(bench.selected == good)
            bench.give(bench.request(nominating: true), along: poor)
            #expect(bench.selected == good)
        }
    }

    @Test func `controlled: a worse pair is believed when the better has fallen silent`() throws {
        let bench = try described(isControlling: false)
        for path in [good, poor] {
            bench.give(bench.request(nominating: path == good), along: path)
            bench.advance(60)
            bench.succeed(on: path)
        }
        #expect(bench.selected == good)
        bench.advance(7_000)
        bench.give(bench.request(nominating: true), along: poor)
        #expect(bench.selected == good)
        bench.advance(2_000)
        bench.give(bench.request(nominating: true), along: poor)
        #expect(bench.selected == poor)
    }

    @Test func `before a pair is selected, answers may go where one works`() throws {
        let bench = try described(isControlling: false)
        bench.advance(60)
        #expect(bench.agent.path(at: bench.now) == nil)
        bench.succeed(on: poor)
        #expect(bench.agent.path(at: bench.now) == poor)
        bench.succeed(on: good)
        #expect(bench.agent.path(at: bench.now) == good)
        bench.advance(31_000)
        #expect(bench.agent.path(at: bench.now) == nil)
    }

    // MARK: RFC 8863, RFC 8838 §13

    @Test func `nothing has failed before patience ends, even without candidates`() throws {
        let bench = try Bench().describe(isComplete: true)
        bench.advance(39_000)
        #expect(!bench.events.contains(.failed))
        bench.advance(1_000)
        #expect(bench.events == [.failed] && bench.agent.state == .failed)
        #expect(bench.give(bench.request(), along: good).outcome == .refused(.ended, count: 0))
        #expect(bench.agent.nextTimeout == nil)
    }

    @Test func `whoever has not ended the candidates is waited for longer, but not for ever`() throws {
        let bench = try Bench().describe([candidate("203.0.113.9", 40_000)])
        bench.advance(100_000)
        #expect(!bench.events.contains(.failed))
        bench.agent.endRemoteCandidates(at: bench.now)
        bench.drain()
        #expect(bench.events.contains(.failed))

        let other = try Bench().describe()
        other.advance(121_000)
        #expect(other.events == [.failed])
    }

    @Test func `while a pair works, only the other side's choice is missing, and nothing fails`() throws {
        let bench = try described(isControlling: false)
        bench.advance(60)
        bench.succeed(on: poor)
        bench.advance(200_000)
        #expect(!bench.events.contains(.failed))
    }
}
