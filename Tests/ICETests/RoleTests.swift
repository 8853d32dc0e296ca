import Base
import STUN
import Testing

@testable import ICE

/// RFC 8445 §7.3.1.1 and §7.2.5.1: both sides think that they have one role.
struct RoleTests {
    private let remote = path("203.0.113.7", 40_000)

    @Test func `both control: the smaller tie-breaker gives way, the greater answers 487`() throws {
        let greater = try Bench(isControlling: true).describe()
        let request = roleRequest(greater, .iceControlling, greater.agent.tieBreaker)
        let (outcome, reply) = greater.give(request, along: remote)
        #expect(outcome == .refused(.roleConflict, count: reply.count))
        #expect(Seen(reply, password: greater.ours.password)?.isProtected == true)
        #expect(Seen(reply)?.code == .roleConflict && greater.agent.isControlling)

        let smaller = try Bench(isControlling: true).describe()
        let other = roleRequest(smaller, .iceControlling, smaller.agent.tieBreaker + 1)
        #expect(Seen(smaller.give(other, along: remote).reply)?.type.messageClass == .success)
        #expect(!smaller.agent.isControlling && smaller.events.contains(.roleChanged(isControlling: false)))
    }

    @Test func `both controlled: the greater tie-breaker takes over, the smaller answers 487`() throws {
        let greater = try Bench().describe()
        let request = roleRequest(greater, .iceControlled, greater.agent.tieBreaker)
        #expect(Seen(greater.give(request, along: remote).reply)?.type.messageClass == .success)
        #expect(greater.agent.isControlling)

        let smaller = try Bench().describe()
        let other = roleRequest(smaller, .iceControlled, smaller.agent.tieBreaker + 1)
        #expect(Seen(smaller.give(other, along: remote).reply)?.code == .roleConflict)
        #expect(!smaller.agent.isControlling)
    }

    @Test func `a 487 changes the role, and the check is repeated in the new one`() throws {
        let bench = try Bench(isControlling: true).describe([candidate("203.0.113.7", 40_000)])
        bench.advance(0)
        let first = try #require(bench.sent.last)
        let breaker = bench.agent.tieBreaker
        bench.give(bench.answer(first.bytes, error: .roleConflict), along: remote)
        bench.advance(100)
        let second = try #require(bench.sent.last.flatMap { Seen($0.bytes) })
        #expect(!bench.agent.isControlling && bench.agent.tieBreaker != breaker)
        #expect(second.controlled == bench.agent.tieBreaker && second.id != Seen(first.bytes)?.id)
        // Once is enough: the 487 of an older request changes nothing.
        bench.give(bench.answer(first.bytes, error: .roleConflict), along: remote)
        #expect(!bench.agent.isControlling)
        #expect(bench.agent.refusals[.unknownTransaction] == 1)
    }

    @Test func `whoever comes to control with pairs that work nominates one`() throws {
        let bench = try Bench().describe([candidate("203.0.113.7", 40_000)])
        bench.advance(0)
        bench.succeed(on: remote)
        #expect(bench.selected == nil)
        bench.give(roleRequest(bench, .iceControlled, 0), along: remote)
        bench.advance(1_000)
        #expect(bench.sent.last.flatMap { Seen($0.bytes) }?.isNominating == true)
        bench.succeed(on: remote)
        #expect(bench.selected == remote)
    }

    @Test func `§6.1.1: against a lite peer we control`() throws {
        let bench = try Bench().describe([candidate("203.0.113.7", 40_000)], isLite: true, isComplete: true)
        #expect(bench.agent.isControlling)
        bench.advance(0)
        bench.succeed(on: remote)
        bench.advance(50)
        bench.succeed(on: remote)
        #expect(bench.selected == remote)
    }

    private func roleRequest(_ bench: Bench, _ role: AttributeType, _ tieBreaker: UInt64) -> [UInt8] {
        bench.write(STUNType(.request, .binding), TransactionID(high: 1, low: 2)) { writer in
            writer.add(.username, bench.ours.ufrag + [ASCII.colon] + Bench.theirs.ufrag)
            writer.add(.priority, UInt32(1))
            writer.add(role, tieBreaker)
            writer.add(IntegrityKey(sha1: bench.ours.password))
            writer.addFingerprint()
        }
    }
}
