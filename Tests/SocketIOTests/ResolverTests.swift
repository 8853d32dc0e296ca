import Base
import Glibc
import NIOCore
import NIOPosix
import SIP
import Testing

@testable import SocketIO

/// A name server with one SRV record, which counts its questions.
private final class NameServer: ControlLoopDelegate, @unchecked Sendable {
    let loop: ControlLoop
    var questions = 0

    init(loop: ControlLoop) { self.loop = loop }

    func receive(_ bytes: [UInt8], on flow: Flow, at now: Instant) {
        questions += 1
        var answer = Array(bytes.dropLast(11))
        (answer[2], answer[3], answer[7], answer[11]) = (0x81, 0x80, 1, 0)
        answer += [0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 10, 0, 1, 0, 2, 0x13, 0xc4, 2, 0x70, 0x68, 0]
        // Somebody's guess with another id comes first.
        loop.send([answer[0] ^ 1] + answer.dropFirst(), to: flow)
        loop.send(answer, to: flow)
    }

    func receive(_ delivery: Delivery, at now: Instant) {}
    func sendFailed(_ message: [UInt8]?, on flow: Flow, at now: Instant) {}
    var nextTimeout: Instant? { nil }
    func handleTimeout(at now: Instant) {}
    func endOfBatch() {}
    func batchIsOut(after duration: Duration) {}
}

@Suite struct NextHopResolverTests {
    @Test func `asks once, ignores forged answers, and remembers`() async throws {
        let loop = try ControlLoop()
        let socket = try DatagramSocket(binding: TransportAddress(ip: .loopback, port: 0), id: 1)
        let (address, server) = (socket.address, NameServer(loop: loop))
        loop.start(sockets: [socket], delegate: server)
        let resolver = NextHopResolver(group: MultiThreadedEventLoopGroup.singleton, servers: [address])
        let expected = [DNSService(priority: 1, weight: 2, port: 5060, target: Array("ph".utf8))]
        #expect(await resolver.services(of: "_sip._udp.example.org") == expected)
        #expect(await resolver.services(of: "_sip._udp.example.org") == expected)
        loop.stop()
        #expect(server.questions == 1)
        resolver.stop()
    }

    @Test func `finds addresses by the system's resolver`() async {
        let resolver = NextHopResolver(group: MultiThreadedEventLoopGroup.singleton, servers: [])
        let found = await resolver.addresses(of: "localhost") ?? []
        #expect(found.contains(.loopback) || found.contains(.v6(high: 0, low: 1)))
        #expect(await resolver.services(of: "_sip._udp.example.org") == nil)
        resolver.stop()
    }
}
