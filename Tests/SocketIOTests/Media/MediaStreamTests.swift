import Base
import Glibc
import STUN
import Synchronization
import TURN
import Testing

@testable import SocketIO

/// TURN over connections, as the thread that owns them hands it on.
@Suite struct MediaStreamTests {
    /// A connection's other end: what the worker wrote to it.
    private final class Connection: Sendable {
        let client: TURNClient
        private let worker: MediaWorker
        private let written = Mutex<[UInt8]>([])

        init(_ worker: MediaWorker, _ number: UInt64) {
            self.worker = worker
            client = TURNClient(
                transport: .tcp, remote: TransportAddress(ip: .v4(0xc000_0201), port: UInt16(1_000 + number)),
                local: worker.addresses[0], connection: number)
        }

        func open() {
            worker.opened(MediaStream(client: client) { bytes in self.written.withLock { $0 += bytes } })
        }

        /// The next message, without its padding.
        func next() -> [UInt8]? {
            for _ in 0..<5_000 {
                let message = written.withLock { bytes -> [UInt8]? in
                    let frame = bytes.withUnsafeBytes { StreamFrame(at: $0) }
                    guard case .message(let length, let padded) = frame else { return nil }
                    defer { bytes.removeFirst(padded) }
                    return Array(bytes[..<length])
                }
                if let message { return message }
                usleep(1_000)
            }
            return nil
        }

        func ask(_ request: [UInt8]) -> RelayAnswer? {
            worker.receive(request, from: client)
            return next().flatMap { RelayAnswer($0) }
        }
    }

    @Test func `a stream's client and a datagram's reach each other`() throws {
        let site = try RelaySite { $0.opensSockets = false }
        let (stream, other) = (Connection(site.worker, 1), try RelayClient(site.worker.addresses[0], user: "bob"))
        stream.open()
        let anna = RelayRequests(user: "anna")
        let first = try #require(anna.allocate { stream.ask($0) })
        let second = try #require(other.allocate())
        #expect(anna.bind(0x4001, to: second) { stream.ask($0) } && other.bind(0x4002, to: first))
        // Two messages in one piece, each padded to four bytes.
        let (one, two) = (RelayClient.channelData(0x4001, [1]), RelayClient.channelData(0x4001, [2, 3]))
        site.worker.receive(one + [0, 0, 0] + two + [0, 0], from: stream.client)
        #expect(
            other.receive(2).map(\.bytes) == [
                RelayClient.channelData(0x4002, [1]), RelayClient.channelData(0x4002, [2, 3]),
            ])
        other.send([RelayClient.channelData(0x4002, [4, 5, 6])])
        #expect(stream.next() == RelayClient.channelData(0x4001, [4, 5, 6]))
    }

    @Test func `a stream that ends takes its allocation along, and nobody answers after it`() throws {
        let site = try RelaySite()
        let (ended, going) = (Connection(site.worker, 1), Connection(site.worker, 2))
        ended.open()
        going.open()
        let (anna, bob) = (RelayRequests(user: "anna"), RelayRequests(user: "bob"))
        #expect(anna.allocate { ended.ask($0) } != nil && bob.allocate { going.ask($0) } != nil)
        site.waitFor(.allocations, 2)
        site.worker.closed(ended.client)
        site.worker.receive(anna.request(.binding) { _ in }, from: ended.client)
        #expect(bob.ask(.refresh, { _ in }) { going.ask($0) }?.code == nil)
        #expect(site.worker.counters[.allocations] == 1)
        site.worker.stop()
        #expect(!site.worker.receive([], from: going.client))
    }
}
