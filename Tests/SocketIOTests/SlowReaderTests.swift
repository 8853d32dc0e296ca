import Base
import Glibc
import NIOCore
import NIOPosix
import SIP
import Synchronization
import Testing

@testable import SocketIO

/// What came from connections, for tests that play the control plane.
private final class Deliveries: Sendable {
    let outlets = Mutex<[StreamOutlet]>([])
    let closed = Mutex<[Flow]>([])

    func take(_ delivery: Delivery) -> Bool {
        switch delivery {
        case .opened(let outlet, _): outlets.withLock { $0.append(outlet) }
        case .closed(let flow):
            outlets.withLock { outlets in outlets.removeAll { $0.flow == flow } }
            closed.withLock { $0.append(flow) }
        default: break
        }
        return true
    }
}

@Suite struct SlowReaderTests {
    /// A connection that asks for nothing and reads nothing.
    private func connect(to address: TransportAddress) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var small = Int32(4_096)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<Int32>.size))
        let connected = try address.socketAddress.withSockAddr { Glibc.connect(descriptor, $0, socklen_t($1)) }
        #expect(connected == 0)
        return descriptor
    }

    private func wait(until isTrue: () -> Bool) async throws {
        let end = MonotonicClock.now + .seconds(10)
        while !isTrue(), MonotonicClock.now < end { try await Task.sleep(for: .milliseconds(5)) }
        #expect(isTrue())
    }

    @Test func `closes a peer that never reads when its backlog is full, and no other`() async throws {
        let deliveries = Deliveries()
        let hub = StreamHub(group: MultiThreadedEventLoopGroup.singleton, limits: .standard) { deliveries.take($0) }
        let server = try await StreamListener(hub: hub).listen(TransportAddress(ip: .loopback, port: 0))
        let address = try #require(server.localAddress.flatMap(TransportAddress.init))
        let slow = try connect(to: address)
        defer { close(slow) }
        try await wait { deliveries.outlets.withLock { $0.count } == 1 }
        let other = try connect(to: address)
        defer { close(other) }
        try await wait { deliveries.outlets.withLock { $0.count } == 2 }
        let outlet = deliveries.outlets.withLock { $0[0] }
        let message = [UInt8](repeating: 0x61, count: 32_768)
        var written = 0
        // The kernel takes some MB before anything waits with us.
        while deliveries.closed.withLock(\.isEmpty), written < 64 << 20 {
            try await outlet.loop.submit {
                outlet.write(message)
                outlet.flush()
            }.get()
            written += message.count
        }
        try await wait { deliveries.closed.withLock { !$0.isEmpty } }
        #expect(deliveries.closed.withLock { $0 } == [outlet.flow])
        #expect(written < 32 << 20)
        hub.closeAll(reason: "the test ends")
        try await server.close()
        // An outlet that is kept keeps its handler, and that the hub.
        try await wait { deliveries.outlets.withLock(\.isEmpty) }
    }
}
