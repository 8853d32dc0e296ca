import Accounts
import Base
import CallControl
import SIP
import Store
import Synchronization
import Testing

@Suite struct BindingTests {
    private let house: Household

    init() throws { house = try Household() }

    private func binding(_ key: String, lifetime: Duration = .seconds(600), cseq: UInt32 = 1, of user: String = "anna")
        -> Binding
    {
        let flow = Flow(
            transport: .udp, id: .max, remote: TransportAddress(ip: .v6(high: 0x2001_0db8 << 32, low: 1), port: 5062),
            local: TransportAddress(ip: .v4(0xc0a8_0001), port: 5060))
        var binding = Binding(
            user: Array(user.utf8), key: Array(key.utf8), contact: Array("sip:anna@[2001:db8::1]:5062".utf8),
            flow: flow,
            remaining: lifetime)
        binding.instance = Array("urn:uuid:0".utf8)
        binding.regID = 1
        binding.q = 700
        binding.callID = [0, 255, 10]
        binding.cseq = cseq
        binding.path = [Array("<sip:a;lr>".utf8), Array("<sip:b;lr>".utf8)]
        binding.phone = Array("Küche".utf8)
        binding.userAgent = Array("Desk phone".utf8)
        return binding
    }

    private func apply(_ change: BindingChange) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            house.store.apply(change) { error in
                if let error { continuation.resume(throwing: error) } else { continuation.resume() }
            }
        }
    }

    @Test func `a binding comes back as it was, with what is left of its life`() async throws {
        try await house.joinOwner()
        try await apply(
            BindingChange(user: Array("anna".utf8), saved: [binding("a"), binding("b", lifetime: .seconds(60))]))
        #expect(try await house.store.bindings() == [binding("a"), binding("b", lifetime: .seconds(60))])
        house.clock.advance(by: .seconds(60))
        #expect(try await house.store.bindings() == [binding("a", lifetime: .seconds(540))])
        #expect(try await house.store.reachablePeople() == [UserName(parsing: "anna")])
        house.clock.advance(by: .seconds(540))
        #expect(try await house.store.reachablePeople().isEmpty)
    }

    @Test func `removed first, then saved`() async throws {
        try await house.joinOwner()
        try await apply(BindingChange(user: Array("anna".utf8), saved: [binding("a"), binding("b")]))
        let change = BindingChange(
            user: Array("anna".utf8), removed: [Array("a".utf8), Array("b".utf8)], saved: [binding("b", cseq: 9)])
        try await apply(change)
        #expect(try await house.store.bindings() == [binding("b", cseq: 9)])
    }

    @Test func `a binding of nobody is refused, and its neighbours in the commit are not`() async throws {
        try await house.joinOwner()
        let stranger = binding("x", of: "mallory")
        let refused = Task { try await apply(BindingChange(user: stranger.user, saved: [stranger])) }
        let stored = Task { try await apply(BindingChange(user: Array("anna".utf8), saved: [binding("a")])) }
        await #expect(throws: StoreError.self) { try await refused.value }
        try await stored.value
        #expect(try await house.store.bindings() == [binding("a")])
    }

    @Test func `refreshes wait for each other, and the last one counts`() async throws {
        try await house.joinOwner()
        try await apply(BindingChange(user: Array("anna".utf8), saved: [binding("a")]))
        for cseq in UInt32(2)...20 {
            house.clock.advance(by: .seconds(1))
            house.store.applyLazily(BindingChange(user: Array("anna".utf8), saved: [binding("a", cseq: cseq)]))
        }
        #expect(try await house.store.bindings().map(\.cseq) == [1])
        try await house.store.flushBindings()
        #expect(try await house.store.bindings() == [binding("a", cseq: 20)])
    }

    @Test func `a refresh that waited brings nothing back`() async throws {
        try await house.joinOwner()
        try await apply(BindingChange(user: Array("anna".utf8), saved: [binding("a"), binding("b")]))
        house.store.applyLazily(
            BindingChange(user: Array("anna".utf8), saved: [binding("a", cseq: 2), binding("b", cseq: 2)]))
        try await apply(BindingChange(user: Array("anna".utf8), removed: [Array("a".utf8)]))
        try await apply(BindingChange(user: Array("anna".utf8), saved: [binding("b", cseq: 3)]))
        try await house.store.flushBindings()
        #expect(try await house.store.bindings() == [binding("b", cseq: 3)])
    }

    @Test func `many changes at once share commits`() async throws {
        try await house.joinOwner()
        let stored = await withCheckedContinuation { (continuation: CheckedContinuation<Int, Never>) in
            let tally = Mutex((answers: 0, stored: 0))
            for number in 0..<2000 {
                house.store.apply(BindingChange(user: Array("anna".utf8), saved: [binding("\(number)")])) { error in
                    let counts = tally.withLock { tally in
                        tally.answers += 1
                        tally.stored += error == nil ? 1 : 0
                        return tally
                    }
                    if counts.answers == 2000 { continuation.resume(returning: counts.stored) }
                }
            }
        }
        #expect(stored == 2000)
        #expect(try await house.store.bindings().count == 2000)
    }
}
