import Base
import Testing

@testable import CallControl

@Suite struct ContainerTests {
    @Test func `timers fire in order, whatever order they were set in`() {
        var random = RandomSource(seed: 5)
        var heap = TimerHeap()
        var dues: [Int64] = []
        for slot in 0..<1_000 {
            let due = Int64.random(in: 0..<1_000, using: &random)
            dues.append(due)
            heap.set(.branch, SlabReference(slot: UInt32(slot), generation: 7), at: Instant(nanoseconds: due))
        }
        var fired: [Int64] = []
        for now in stride(from: Int64(0), through: 1_000, by: 50) {
            while let entry = heap.popDue(at: Instant(nanoseconds: now)) {
                #expect(entry.due <= now)
                #expect(entry.reference.generation == 7)
                fired.append(entry.due)
            }
        }
        #expect(fired == dues.sorted())
    }

    @Test func `a slot used again is not mistaken for its former tenant`() {
        var slab = Slab<Person>(firstGeneration: 3)
        let first = slab.insert(Person(user: [1]))
        slab.remove(at: Int(first.slot))
        #expect(slab.index(of: first) == nil)
        let second = slab.insert(Person(user: [2]))
        #expect(second.slot == first.slot)
        #expect(slab.index(of: first) == nil)
        #expect(slab.index(of: second) != nil)
        slab.remove(at: Int(second.slot))
        slab.remove(at: Int(second.slot))
        #expect(slab.count == 0)
    }

    @Test func `tokens come back as they went, and not otherwise`() {
        let hash = KeyedHash(secret: House.secret)
        let ways: [Way] = [
            .device(0xfeed_beef_0123_4567), .stream(id: 77, epoch: 9), .outside,
            .datagrams(socket: 2, TransportAddress(ip: .v4(0x7f00_0001), port: 5060)),
            .datagrams(socket: 1, TransportAddress(ip: .v6(high: 1 << 60, low: 5), port: 1)),
        ]
        let (id, tag) = ([UInt8](ascii: "call@x"), [UInt8](ascii: "t1"))
        for caller in ways {
            for callee in ways {
                let token = RouteToken(caller: caller, callee: callee)
                var text: [UInt8] = []
                token.serialize(callID: id[...], callerTag: tag[...], hash: hash, into: &text)
                let opened = RouteToken.open(text[...], callID: id[...], fromTag: tag[...], toTag: [0x78], hash: hash)
                #expect(opened?.token == token)
                #expect(opened?.direction == .fromCaller)
                #expect(
                    RouteToken.open(text[...], callID: id[...], fromTag: [0x78], toTag: tag[...], hash: hash)?.direction
                        == .fromCallee)
                for place in text.indices {
                    var forged = text
                    forged[place] ^= 1
                    #expect(
                        RouteToken.open(forged[...], callID: id[...], fromTag: tag[...], toTag: [], hash: hash) == nil)
                }
            }
        }
    }
}
