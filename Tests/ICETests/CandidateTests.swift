import Base
import Testing

@testable import ICE

/// RFC 8445 §5.1, RFC 8839 §5.1, RFC 8838: addresses that may work, told at once or one by one.
struct CandidateTests {
    @Test func `§5.1.2: our candidates, best first, with priorities and foundations`() {
        let local = LocalAddresses(
            hosts: [address("192.168.1.2", 3478), address("2001:db8::2", 3478)],
            external: [
                (0, address("198.51.100.1", 3478)), (1, address("2001:db8::2", 3478)), (7, address("1.1.1.1", 1)),
            ])
        #expect(
            local.candidates == [
                ICECandidate(
                    .host, address("192.168.1.2", 3478), priority: 126 << 24 | 65_535 << 8 | 255,
                    foundation: Array("1".utf8)),
                ICECandidate(
                    .host, address("2001:db8::2", 3478), priority: 126 << 24 | 65_534 << 8 | 255,
                    foundation: Array("2".utf8)),
                ICECandidate(
                    .serverReflexive, address("198.51.100.1", 3478), priority: 100 << 24 | 65_535 << 8 | 255,
                    foundation: Array("101".utf8), related: address("192.168.1.2", 3478)),
            ])
    }

    private func read(
        foundation: String = "842163049", component: UInt16 = 1, transport: String = "UDP", priority: UInt32 = 99,
        host: String = "192.0.2.3", port: UInt16 = 4000, kind: String = "srflx"
    ) throws(Refusal) -> ICECandidate {
        try ICECandidate(
            foundation: Array(foundation.utf8), component: component, transport: Array(transport.utf8),
            priority: priority, host: Array(host.utf8), port: port, kind: Array(kind.utf8))
    }

    @Test func `reads what a description says`() throws {
        #expect(
            try read()
                == ICECandidate(
                    .serverReflexive, address("192.0.2.3", 4000), priority: 99, foundation: Array("842163049".utf8)))
        for kind in CandidateKind.allCases { #expect(try read(kind: "\(kind.word)").kind == kind) }
    }

    @Test func `says why a candidate cannot be used`() {
        #expect(throws: Refusal.hostName) { try read(host: "f0b1c2d3-0000.local") }
        #expect(throws: Refusal.otherTransport) { try read(transport: "tcp") }
        #expect(throws: Refusal.otherComponent) { try read(component: 2) }
        #expect(throws: Refusal.unknownKind) { try read(kind: "token") }
        #expect(throws: Refusal.malformedCandidate) { try read(priority: 0) }
        #expect(throws: Refusal.malformedCandidate) { try read(priority: 0x8000_0000) }
        #expect(throws: Refusal.malformedCandidate) { try read(foundation: "") }
        #expect(throws: Refusal.malformedCandidate) { try read(foundation: "a b") }
        for host in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"] {
            #expect(throws: Refusal.unusableAddress) { try read(host: host) }
        }
        #expect(throws: Refusal.unusableAddress) { try read(port: 0) }
    }

    @Test func `candidates are bounded, and each is taken once`() throws {
        let bench = try Bench().describe()
        for port in 1...UInt16(ICELimits.remoteCandidates) {
            #expect(bench.add(candidate("203.0.113.7", port)) == nil)
        }
        #expect(bench.add(candidate("203.0.113.7", 1)) == .duplicate)
        #expect(bench.add(candidate("203.0.113.7", 999)) == .tooManyCandidates)
        #expect(bench.agent.refusals[.tooManyCandidates] == 1)

        let early = Bench()
        for port in 1...UInt16(100) { early.add(candidate("203.0.113.7", port)) }
        try early.describe()
        #expect(early.agent.session.remoteCandidates.count == ICELimits.remoteCandidates)
    }

    @Test func `8838 §11: candidates may come before the credentials, and those of another session are not taken`()
        throws
    {
        let bench = Bench()
        bench.add(candidate("203.0.113.7", 1), ufrag: Bench.theirs.ufrag)
        bench.add(candidate("203.0.113.7", 2), ufrag: Array("gone".utf8))
        bench.add(candidate("203.0.113.7", 3))
        #expect(bench.agent.nextTimeout == nil)
        try bench.describe()
        #expect(bench.agent.session.remoteCandidates.map(\.address.port) == [1, 3])
        #expect(bench.agent.refusals[.otherSession] == 1)
        #expect(bench.add(candidate("203.0.113.7", 4), ufrag: Array("gone".utf8)) == .otherSession)
    }

    @Test func `8838 §12: a late candidate is checked, of a foundation that works at once`() throws {
        let bench = try Bench().describe([candidate("203.0.113.7", 1)])
        bench.advance(200)
        bench.add(candidate("203.0.113.7", 2))
        bench.advance(200)
        #expect(bench.sent.map(\.path) == [path("203.0.113.7", 1)])
        bench.succeed(on: path("203.0.113.7", 1))
        bench.add(candidate("203.0.113.7", 3))
        bench.advance(200)
        #expect(Set(bench.sent.map(\.path.remote.port)) == [1, 2, 3])
    }
}
