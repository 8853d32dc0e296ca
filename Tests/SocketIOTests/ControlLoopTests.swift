import Base
import CSockets
import Glibc
import NIOCore
import SIP
import Synchronization
import Testing

@testable import SocketIO

/// Answers every datagram with itself, and remembers what came.
private final class Echo: ControlLoopDelegate, @unchecked Sendable {
    let loop: ControlLoop
    let seen = Mutex<[Flow]>([])
    let failed = Mutex<[(message: [UInt8]?, flow: Flow)]>([])
    let fired = Mutex(false)
    var due: Instant?

    init(loop: ControlLoop) { self.loop = loop }

    func receive(_ bytes: [UInt8], on flow: Flow, at now: Instant) {
        seen.withLock { $0.append(flow) }
        loop.send(bytes, to: flow)
    }

    func receive(_ delivery: Delivery, at now: Instant) {}

    func sendFailed(_ message: [UInt8]?, on flow: Flow, at now: Instant) {
        failed.withLock { $0.append((message, flow)) }
    }

    var nextTimeout: Instant? { due }

    func handleTimeout(at now: Instant) {
        due = nil
        fired.withLock { $0 = true }
    }

    func endOfBatch() {}
    func batchIsOut(after duration: Duration) {}
}

@Suite struct ControlLoopTests {
    private func client(_ family: Int32 = AF_INET) -> Int32 {
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue), 0)
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }

    private func exchange(_ descriptor: Int32, _ bytes: [UInt8], with address: TransportAddress) throws -> [UInt8] {
        let sent = try address.socketAddress.withSockAddr { name, length in
            sendto(descriptor, bytes, bytes.count, 0, name, socklen_t(length))
        }
        #expect(sent == bytes.count)
        var buffer = [UInt8](repeating: 0, count: 70_000)
        let received = recv(descriptor, &buffer, buffer.count, 0)
        return Array(buffer.prefix(max(0, received)))
    }

    @Test func `answers from the address that was asked, largest datagrams included`() throws {
        let loop = try ControlLoop()
        let socket = try DatagramSocket(binding: TransportAddress(ip: .v4(0), port: 0), id: 1)
        let (port, echo) = (socket.address.port, Echo(loop: loop))
        loop.start(sockets: [socket], delegate: echo)
        defer { loop.stop() }
        let descriptor = client()
        defer { close(descriptor) }
        for last in [UInt32(1), 2, 77] {
            let address = TransportAddress(ip: .v4(0x7f00_0000 + last), port: port)
            // Connected, the client takes answers from that one address only.
            let connected = try address.socketAddress.withSockAddr { connect(descriptor, $0, socklen_t($1)) }
            #expect(connected == 0)
            for size in [1, 500, 65_507] {
                let bytes = [UInt8](repeating: UInt8(last), count: size)
                #expect(try exchange(descriptor, bytes, with: address) == bytes)
            }
        }
        #expect(Set(echo.seen.withLock { $0 }.map(\.local.ip)).count == 3)
    }

    @Test func `speaks IPv6 beside IPv4 on one port`() throws {
        let loop = try ControlLoop()
        let four = try DatagramSocket(binding: TransportAddress(ip: .v4(0), port: 0), id: 1)
        let six = try DatagramSocket(
            binding: TransportAddress(ip: .v6(high: 0, low: 0), port: four.address.port), id: 2)
        let (port, echo) = (four.address.port, Echo(loop: loop))
        loop.start(sockets: [four, six], delegate: echo)
        defer { loop.stop() }
        let descriptor = client(AF_INET6)
        defer { close(descriptor) }
        let address = TransportAddress(ip: .v6(high: 0, low: 1), port: port)
        #expect(try exchange(descriptor, [1, 2, 3], with: address) == [1, 2, 3])
        #expect(echo.seen.withLock { $0 }.first?.id == 2)
    }

    @Test func `says which datagram the kernel refused, and sends the others`() throws {
        let loop = try ControlLoop()
        let socket = try DatagramSocket(binding: TransportAddress(ip: .loopback, port: 0), id: 1)
        let peer = try DatagramSocket(binding: TransportAddress(ip: .loopback, port: 0), id: 2)
        let echo = Echo(loop: loop)
        loop.start(sockets: [socket], delegate: echo)
        let flow = Flow(transport: .udp, id: 1, remote: peer.address, local: socket.address)
        // 65,507 bytes are the most that IPv4 takes.
        let tooLong = [UInt8](repeating: 1, count: 65_508)
        loop.deliver(.call { for bytes in [[2], tooLong, [3]] { loop.send(bytes, to: flow) } })
        loop.stop()
        let failures = echo.failed.withLock { $0 }
        #expect(failures.map(\.message) == [tooLong])
        #expect(failures.map(\.flow) == [flow])
        var arrived: [[UInt8]] = []
        _ = peer.receive(into: DatagramBatch()) { bytes, _ in arrived.append(bytes) }
        #expect(arrived == [[2], [3]])
    }

    @Test(arguments: [IPAddress.loopback, .v6(high: 0, low: 1)])
    func `says which peer is unreachable, and hears the others`(ip: IPAddress) throws {
        let loop = try ControlLoop()
        let socket = try DatagramSocket(binding: TransportAddress(ip: ip, port: 0), id: 1)
        let own = socket.address
        var gone = try DatagramSocket(binding: TransportAddress(ip: ip, port: 0), id: 2).address
        let peer = try DatagramSocket(binding: TransportAddress(ip: ip, port: 0), id: 3)
        let echo = Echo(loop: loop)
        loop.start(sockets: [socket], delegate: echo)
        defer { loop.stop() }
        gone.ip = ip
        let flow = Flow(transport: .udp, id: 1, remote: gone, local: own)
        loop.deliver(.call { loop.send([1], to: flow) })
        let end = MonotonicClock.now + .seconds(5)
        while echo.failed.withLock({ $0.isEmpty }), MonotonicClock.now < end { usleep(1_000) }
        #expect(echo.failed.withLock { $0 }.map(\.message) == [nil])
        #expect(echo.failed.withLock { $0 }.map(\.flow) == [flow])
        peer.send([7], to: Flow(transport: .udp, id: 3, remote: own, local: peer.address))
        peer.flush()
        while echo.seen.withLock({ $0.isEmpty }), MonotonicClock.now < end { usleep(1_000) }
        #expect(echo.seen.withLock { $0 }.map(\.remote) == [peer.address])
    }

    @Test func `a port in use is told apart`() throws {
        let first = try DatagramSocket(binding: TransportAddress(ip: .loopback, port: 0), id: 1)
        #expect(throws: SocketError.portInUse(first.address)) { try DatagramSocket(binding: first.address, id: 2) }
    }

    @Test func `runs its timer and calls of other threads, and stops after them`() throws {
        let loop = try ControlLoop()
        let echo = Echo(loop: loop)
        echo.due = MonotonicClock.now + .milliseconds(20)
        loop.start(sockets: [], delegate: echo)
        let called = Mutex(0)
        for _ in 0..<100 { loop.deliver(.call { called.withLock { $0 += 1 } }) }
        let end = MonotonicClock.now + .seconds(5)
        while !echo.fired.withLock({ $0 }), MonotonicClock.now < end { usleep(1_000) }
        #expect(echo.fired.withLock { $0 })
        loop.deliver(.call { called.withLock { $0 += 1 } })
        loop.stop()
        #expect(called.withLock { $0 } == 101)
    }
}
