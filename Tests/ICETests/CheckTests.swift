import Base
import STUN
import Testing

@testable import ICE

/// RFC 8445 §6.1.4 and §7.2: our own checks, in time and in what comes of them.
struct CheckTests {
    private let remote = path("203.0.113.7", 40_000)

    @Test func `§14.2: one check every Ta, the best pair first`() throws {
        let candidates = (1...4).map {
            candidate("203.0.113.\($0)", 40_000, preference: UInt16($0), foundation: "f\($0)")
        }
        let bench = try Bench().describe(candidates)
        bench.advance(400)
        #expect(bench.sent.map(\.time) == [0, 50, 100, 150].map { Instant.zero + .milliseconds($0) })
        #expect(bench.sent.map(\.path) == [4, 3, 2, 1].map { path("203.0.113.\($0)", 40_000) })
    }

    @Test func `retransmits at the RFC's intervals and fails after the last`() throws {
        let bench = try Bench().describe([candidate("203.0.113.7", 40_000)])
        bench.advance(39_400)
        let times = [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]
        #expect(bench.sent.map(\.time) == times.map { Instant.zero + .milliseconds($0) })
        #expect(Set(bench.sent.map(\.bytes)).count == 1)
        #expect(bench.agent.session.checklist[0].state == .inProgress)
        bench.advance(200)
        #expect(bench.agent.session.checklist[0].state == .failed)
    }

    @Test func `§14.3: the RTO grows with the checklist`() throws {
        let candidates = (1...40).map {
            candidate("203.0.113.\($0)", 40_000, preference: UInt16($0), foundation: "f\($0)")
        }
        let bench = try Bench().describe(candidates)
        bench.advance(2_050)
        let first = bench.sent.filter { $0.path == path("203.0.113.40", 40_000) }
        #expect(first.map(\.time) == [Instant.zero, Instant.zero + .milliseconds(2_000)])
    }

    @Test func `§6.1.2.6: of one foundation the best pair is checked, its success thaws the others`() throws {
        let candidates = (1...3).map { candidate("203.0.113.\($0)", 40_000, preference: UInt16($0)) }
        let bench = try Bench().describe(candidates)
        bench.advance(400)
        #expect(bench.sent.map(\.path) == [path("203.0.113.3", 40_000)])
        bench.succeed(on: path("203.0.113.3", 40_000))
        bench.advance(100)
        #expect(Set(bench.sent.map(\.path)).count == 3)
    }

    @Test func `§6.1.4.2: when the best of a foundation fails, the next is tried`() throws {
        let candidates = (1...2).map { candidate("203.0.113.\($0)", 40_000, preference: UInt16($0)) }
        let bench = try Bench().describe(candidates)
        bench.advance(0)
        let request = try #require(bench.sent.last)
        bench.give(bench.answer(request.bytes, error: .serverError), along: request.path)
        bench.advance(100)
        #expect(bench.sent.map(\.path) == [path("203.0.113.2", 40_000), path("203.0.113.1", 40_000)])
    }

    @Test func `§7.2.5.2.1: an answer from elsewhere is no success`() throws {
        let bench = try Bench().describe([candidate("203.0.113.7", 40_000)])
        bench.advance(0)
        let answer = bench.answer(bench.sent[0].bytes)
        let outcome = bench.give(answer, along: path("203.0.113.7", 40_001)).outcome
        #expect(outcome == .refused(.otherPath, count: 0))
        #expect(!bench.agent.session.checklist[0].isValid && bench.agent.path(at: bench.now) == nil)
        // Nor does it stop the check: anybody on the way could send such a copy.
        #expect(bench.give(answer, along: remote).outcome == .consumed)
        #expect(bench.agent.path(at: bench.now) == remote)
    }

    @Test func `answers that are late, unprotected, of another password or without an address count for nothing`()
        throws
    {
        let bench = try Bench().describe([candidate("203.0.113.7", 40_000)])
        bench.advance(0)
        let request = bench.sent[0].bytes
        let id = try #require(Seen(request)).id
        let bare = bench.write(STUNType(.success, .binding), id) {
            $0.add(.xorMappedAddress, xor: address("1.2.3.4", 5))
            $0.addFingerprint()
        }
        #expect(bench.give(bare, along: remote).outcome == .refused(.wrongPassword, count: 0))
        let foreign = bench.answer(request, password: bench.ours.password)
        #expect(bench.give(foreign, along: remote).outcome == .refused(.wrongPassword, count: 0))
        let refusing = bench.answer(request, error: .unauthenticated, password: bench.ours.password)
        #expect(bench.give(refusing, along: remote).outcome == .refused(.wrongPassword, count: 0))
        let empty = bench.write(STUNType(.success, .binding), id) {
            $0.add(IntegrityKey(sha1: Bench.theirs.password))
            $0.addFingerprint()
        }
        #expect(bench.give(empty, along: remote).outcome == .refused(.malformed, count: 0))
        #expect(bench.agent.session.checklist[0].state == .inProgress)
        bench.advance(40_000)
        #expect(bench.give(bench.answer(request), along: remote).outcome == .refused(.unknownTransaction, count: 0))
        #expect(bench.selected == nil)
    }

    @Test func `§7.2.5.3.1: a valid pair has the priority of the address the peer saw`() throws {
        let external = address("192.0.2.9", 3478)
        for (mapped, kind) in [
            (address("198.51.100.1", 3478), CandidateKind.host), (external, .serverReflexive),
            (address("192.0.2.9", 61_000), .peerReflexive),
        ] {
            let bench = try Bench(external: [(0, external)]).describe([candidate("203.0.113.7", 40_000)])
            bench.advance(0)
            bench.succeed(on: remote, mapped: mapped)
            let pair = bench.agent.session.checklist[0]
            let local = ICECandidate.priority(kind, localPreference: .max)
            #expect(
                pair.validPriority
                    == CandidatePair.priority(local: local, remote: pair.remotePriority, isControlling: false))
        }
    }

    @Test func `pairs have one family and one reach`() throws {
        let bench = try Bench(hosts: [address("198.51.100.1", 3478), address("2001:db8::1", 3478)]).describe([
            candidate("203.0.113.7", 1), candidate("2001:db8::7", 1), candidate("fe80::7", 1),
            candidate("127.0.0.1", 1), candidate("::1", 1), candidate("169.254.1.1", 1),
        ])
        #expect(
            Set(bench.agent.session.checklist.pairs.map(\.path)) == [
                path("203.0.113.7", 1), Path(local: 1, remote: address("2001:db8::7", 1)),
            ])
    }

    @Test func `§6.1.2.5: the worst pairs make room for better ones`() throws {
        let hosts = (1...4).map { address("198.51.100.\($0)", 3478) }
        let bench = try Bench(hosts: hosts).describe(
            (1...50).map { candidate("203.0.113.\($0)", 1, preference: UInt16($0), foundation: "f\($0)") })
        let pairs = bench.agent.session.checklist.pairs
        #expect(pairs.count == ICELimits.pairs)
        #expect(pairs.map(\.priority) == pairs.map(\.priority).sorted(by: >))
        #expect(Set(pairs.map(\.path.remote)) == Set((26...50).map { address("203.0.113.\($0)", 1) }))
    }

    @Test func `any priorities give a pair priority without overflow`() {
        for local in [1, UInt32(Int32.max)] {
            for remote in [1, UInt32(Int32.max)] {
                let ours = CandidatePair.priority(local: local, remote: remote, isControlling: true)
                #expect(ours == CandidatePair.priority(local: remote, remote: local, isControlling: false))
            }
        }
        #expect(CandidatePair.priority(local: 3, remote: 2, isControlling: true) == 2 << 32 + 7)
    }
}
