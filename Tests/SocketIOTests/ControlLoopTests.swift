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
    let fired = Mutex(false)
    var due: Instant?

    init(loop: ControlLoop) { self.loop = loop }

    func receive(_ bytes: [UInt8], on flow: Flow, at now: Instant) {
        seen.withLock { $0.append(flow) }
        loop.send(bytes, to: flow)
    }

    func receive(_ delivery: Delivery, at now: Instant) {}
    var nextTimeout: Instant? { due }

    func handleTimeout(at now: Instant) {
        due = nil
        fired.withLock { $0 = true }
    }

    func endOfBatch() {}
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
