import Base
import NetSimulation
import Testing

@testable import DTLS

struct DamageTests {
    /// One handshake for each kind of damage: it ends in the same keys on both sides, or in an error, never in others.
    @Test(arguments: 1...60)
    func `a flipped bit in any datagram gives the right keys, or none`(seed: Int) throws {
        let pair = try Pair(seed: UInt64(seed))
        var random = RandomSource(seed: UInt64(seed))
        pair.tamper = { bytes, _ in
            var changed = bytes
            if random.next() % 2 == 0 {
                let bit = Int(random.next() % UInt64(bytes.count * 8))
                changed[bit / 8] ^= 1 << UInt8(bit % 8)
            }
            return changed
        }
        pair.start()
        pair.run(for: DTLSSession.handshakeLimit)
        pair.tamper = { bytes, _ in bytes }
        if let client = pair.clientKeys, let server = pair.serverKeys {
            #expect(client.local == server.remote && client.remote == server.local, "seed \(seed)")
        }
        for events in [pair.clientEvents, pair.serverEvents] { #expect(events.count <= 2, "seed \(seed)") }
    }

    @Test func `what is no record is dropped and counted, before and after the handshake`() throws {
        let pair = try Pair()
        let garbage: [[UInt8]] = [
            [], [22], Array(repeating: 0, count: 40), Array(repeating: 22, count: 40), [22, 0xfe, 0xfd],
            [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
        ]
        for bytes in garbage { pair.server.receive(bytes.span.bytes, at: .zero) }
        #expect(pair.server.statistics.malformed == garbage.count)
        pair.start()
        pair.run(for: .seconds(1))
        #expect(pair.serverKeys != nil)
        for bytes in garbage { pair.server.receive(bytes.span.bytes, at: pair.now) }
        #expect(pair.server.statistics.malformed == 2 * garbage.count)
        #expect(pair.serverEvents.count == 1)
    }

    @Test func `records that are forged or repeated after the handshake do nothing but count`() throws {
        let pair = try Pair()
        pair.start()
        pair.run(for: .seconds(1))
        var random = RandomSource(seed: 4)
        let alert: [UInt8] = [21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 26]
        for round in 0..<50 {
            let bytes = round % 2 == 0 ? alert + random.bytes(count: 26) : pair.sent[round % pair.sent.count].bytes
            pair.server.receive(bytes.span.bytes, at: pair.now)
            pair.client.receive(bytes.span.bytes, at: pair.now)
            pair.drain()
        }
        pair.run(for: .seconds(5))
        #expect(pair.serverEvents.count == 1 && pair.clientEvents.count == 1)
        #expect(pair.server.statistics.ignored > 0)
        // Still alive.
        pair.client.close()
        pair.drain()
        pair.run(for: .seconds(1))
        #expect(pair.serverEvents.last == .closed)
    }

    @Test func `any bytes give silence or a typed error`() throws {
        var random = RandomSource(seed: 6)
        for _ in 0..<100 {
            var bytes: [UInt8] = []
            for _ in 0..<3 {
                let fragment = random.bytes(count: Int(random.next() % 60))
                bytes += [UInt8(20 + random.next() % 4), 0xfe, 0xfd, 0, UInt8(random.next() % 2), 0, 0, 0, 0, 0]
                bytes += [UInt8(random.next() % 8), 0, UInt8(fragment.count)] + fragment
            }
            fuzzDTLS(bytes)
            fuzzDTLS(random.bytes(count: 30))
        }
    }

    @Test func `a session that ended says nothing more`() throws {
        let pair = try Pair()
        pair.start()
        pair.run(for: .seconds(1))
        pair.server.close()
        pair.drain()
        let sent = pair.sent.count
        let ignored = pair.server.statistics.ignored
        for datagram in pair.sent { pair.server.receive(datagram.bytes.span.bytes, at: pair.now) }
        pair.server.handleTimeout(at: pair.now + .seconds(100))
        pair.drain()
        #expect(pair.sent.count == sent)
        #expect(pair.server.statistics.ignored == ignored + sent)
    }
}
