import Base
import NetSimulation
import SDP
import SRTP
import Testing

@testable import DTLS

struct HandshakeTests {
    @Test func `two ends agree on keys, each the other's reverse`() throws {
        let pair = try Pair()
        pair.start()
        pair.run(for: .seconds(1))
        let (client, server) = (try #require(pair.clientKeys), try #require(pair.serverKeys))
        #expect(client.local == server.remote)
        #expect(client.remote == server.local)
        #expect(client.local != client.remote)
        #expect(client.local.suite == .aes128GCM)
        #expect(pair.clientEvents.count == 1)
        #expect(pair.serverEvents.count == 1)
        // Nothing was lost, so nothing was repeated, and nobody waits for anything.
        #expect(pair.sent.count == 4)
        #expect(pair.client.nextTimeout == nil)
        #expect(pair.server.nextTimeout == nil)
        #expect(pair.client.statistics == DTLSSession.Statistics())
        #expect(pair.server.statistics == DTLSSession.Statistics())
    }

    @Test func `the keys carry media both ways`() throws {
        let pair = try Pair()
        pair.start()
        pair.run(for: .seconds(1))
        let (client, server) = (try #require(pair.clientKeys), try #require(pair.serverKeys))
        let here = try SRTPSession(local: client.local, remote: client.remote)
        let there = try SRTPSession(local: server.local, remote: server.remote)
        for (from, to) in [(here, there), (there, here)] {
            let packet: [UInt8] = [0x80, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4] + Array("hello".utf8)
            var buffer = packet + [UInt8](repeating: 0, count: SRTPSession.maximumOverhead)
            let outcome = buffer.withUnsafeMutableBytes { from.protect($0, count: packet.count) }
            #expect(outcome == .done(packet.count + 16))
            #expect(!buffer.dropFirst(12).starts(with: packet.dropFirst(12)))
            #expect(buffer.withUnsafeMutableBytes { to.unprotect($0, count: packet.count + 16) } == .done(packet.count))
            #expect(buffer.starts(with: packet))
        }
    }

    /// Up to a third of all datagrams is lost, others come twice or out of order.
    @Test(arguments: 1...40)
    func `loss, reordering and repetition only cost time`(seed: Int) throws {
        let link = Link(
            loss: Double(seed % 4) * 0.05, delay: .milliseconds(20), jitter: .milliseconds(30), reordering: 0.2,
            reorderingDelay: .milliseconds(250), duplication: 0.2)
        let pair = try Pair(link: link, seed: UInt64(seed))
        pair.start()
        pair.run(for: DTLSSession.handshakeLimit)
        #expect(pair.clientKeys != nil, "seed \(seed)")
        #expect(pair.clientKeys?.local == pair.serverKeys?.remote, "seed \(seed)")
        #expect(pair.clientEvents.count == 1 && pair.serverEvents.count == 1, "seed \(seed)")
        #expect(pair.sent.allSatisfy { $0.bytes.count <= DTLSSession.maximumDatagram }, "seed \(seed)")
        #expect(pair.sent.count < 150, "seed \(seed)")
    }

    @Test func `flights are repeated after longer and longer waits, then it ends`() throws {
        let pair = try Pair()
        var times: [Int64] = []
        pair.tamper = { _, _ in
            times.append(pair.now.nanoseconds / 1_000_000)
            return []
        }
        pair.start()
        pair.run(for: .seconds(60))
        pair.tamper = { bytes, _ in bytes }
        #expect(times.count == 10)
        for (copy, due) in zip(times, [0, 200, 600, 1400, 3000, 6000, 9000, 12_000, 15_000, 18_000]) {
            // OpenSSL calls a wait over 15 ms before its end.
            #expect(abs(copy - Int64(due)) <= 16 * 10, "\(times)")
        }
        #expect(pair.clientEvents == [.failed(.timedOut)])
        #expect(pair.serverEvents == [.failed(.timedOut)])
        #expect(pair.client.nextTimeout == nil)
    }

    @Test func `the last flight is sent again to who missed it`() throws {
        let pair = try Pair()
        var lost = 0
        pair.tamper = { bytes, byClient in
            // The server's Finished comes after its change_cipher_spec.
            guard !byClient, bytes[0] == 20, lost < 3 else { return bytes }
            lost += 1
            return []
        }
        pair.start()
        pair.run(for: .seconds(10))
        #expect(lost == 3)
        #expect(pair.clientKeys?.local == pair.serverKeys?.remote)
        #expect(pair.clientKeys != nil)
        pair.tamper = { bytes, _ in bytes }
    }

    @Test func `goodbye is said and heard once`() throws {
        let pair = try Pair()
        pair.start()
        pair.run(for: .seconds(1))
        pair.client.close()
        pair.drain()
        pair.run(for: .seconds(1))
        #expect(pair.serverEvents.last == .closed)
        #expect(pair.clientEvents.count == 1)
        #expect(pair.server.nextTimeout == nil)
        // Both said it: two datagrams after the four of the handshake.
        #expect(pair.sent.count == 6)
        pair.client.close()
        pair.server.close()
        pair.drain()
        #expect(pair.sent.count == 6)
    }

    @Test func `a session that never spoke closes without a word`() throws {
        let pair = try Pair()
        pair.client.close()
        pair.drain()
        pair.start()
        pair.run(for: .seconds(30))
        #expect(pair.sent.isEmpty)
        #expect(pair.clientEvents.isEmpty)
    }
}
