import Base
import CSockets
import Glibc
import STUN
import TURN
import Testing

@testable import SocketIO

/// The media worker over loopback sockets, as clients and peers see it.
@Suite struct MediaWorkerTests {
    private func payload(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
    }

    @Test func `tells whoever asks where they come from, from the address they asked`() throws {
        let site = try RelaySite(binding: [.v4(0), .v6(high: 0, low: 0)])
        let port = site.worker.addresses[0].port
        for last in [1, 9] as [UInt32] {
            let asked = TransportAddress(ip: .v4(0x7f00_0000 + last), port: port)
            let client = try RelayClient(asked)
            #expect(client.ask(.binding)?.mapped == client.address)
            client.send([[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + [UInt8](repeating: 5, count: 12)])
            #expect(client.receive().first?.peer == asked)
        }
        let six = TransportAddress(ip: .v6(high: 0, low: 1), port: site.worker.addresses[1].port)
        let client = try RelayClient(six, at: six.ip)
        #expect(client.ask(.binding)?.mapped == client.address)
    }

    @Test func `relays to a peer outside and back, by channel and by indication`() throws {
        let site = try RelaySite()
        let client = try RelayClient(site.worker.addresses[0])
        let peer = try RelayClient(site.worker.addresses[0], at: RelaySite.outside)
        let relayed = try #require(client.allocate())
        #expect(client.ask(.createPermission) { $0.add(.xorPeerAddress, xor: peer.address) }?.code == nil)
        peer.send([payload(1, 100)], to: relayed)
        let data = try #require(client.receive().first.flatMap { RelayAnswer($0.bytes) })
        #expect(data.type == STUNType(.indication, .data) && data.data == payload(1, 100))
        #expect(data.peer == peer.address)
        #expect(client.bind(0x4001, to: peer.address))
        for size in [0, 1, 172, 1_200, 20_000] {
            client.send([RelayClient.channelData(0x4001, payload(size, size))])
            let there = peer.receive()
            #expect(there.first?.bytes == payload(size, size) && there.first?.peer == relayed)
            guard size > 0 else { continue }
            peer.send([payload(size + 1, size)], to: relayed)
            #expect(client.receive().first?.bytes == RelayClient.channelData(0x4001, payload(size + 1, size)))
        }
    }

    @Test(arguments: [(172, 172), (1_200, 1_200), (1_200, 300), (171, 5)])
    func `bursts come whole and in order, both ways`(size: Int, last: Int) throws {
        let site = try RelaySite()
        let client = try RelayClient(site.worker.addresses[0])
        let peer = try RelayClient(site.worker.addresses[0], at: RelaySite.outside)
        let relayed = try #require(client.allocate())
        #expect(client.bind(0x4001, to: peer.address))
        let burst = (0..<40).map { payload($0, $0 == 39 ? last : size) }
        client.send(burst.map { RelayClient.channelData(0x4001, $0) })
        #expect(peer.receive(40).map(\.bytes) == burst)
        peer.send(burst, to: relayed)
        #expect(client.receive(40).map(\.bytes) == burst.map { RelayClient.channelData(0x4001, $0) })
    }

    @Test func `bursts become indications where there is no channel`() throws {
        let site = try RelaySite()
        let client = try RelayClient(site.worker.addresses[0])
        let peer = try RelayClient(site.worker.addresses[0], at: RelaySite.outside)
        let relayed = try #require(client.allocate())
        #expect(client.ask(.createPermission) { $0.add(.xorPeerAddress, xor: peer.address) }?.code == nil)
        let burst = (0..<40).map { payload($0, 301) }
        peer.send(burst, to: relayed)
        #expect(client.receive(40).map { RelayAnswer($0.bytes)?.data } == burst)
    }

    @Test(arguments: [UInt32(1), 2])
    func `two allocations reach each other inside, without a socket`(family: UInt32) throws {
        let site = try RelaySite { $0.opensSockets = false }
        let (anna, bob) = (
            try RelayClient(site.worker.addresses[0]), try RelayClient(site.worker.addresses[0], user: "bob")
        )
        let (first, second) = (
            try #require(anna.allocate(family: family)), try #require(bob.allocate(family: family))
        )
        #expect(anna.bind(0x4001, to: second) && bob.bind(0x4002, to: first))
        let burst = (0..<30).map { payload($0, 1_000) }
        anna.send(burst.map { RelayClient.channelData(0x4001, $0) })
        #expect(bob.receive(30).map(\.bytes) == burst.map { RelayClient.channelData(0x4002, $0) })
        bob.send([RelayClient.channelData(0x4002, payload(3, 50))])
        #expect(anna.receive().first?.bytes == RelayClient.channelData(0x4001, payload(3, 50)))
        site.waitFor(.inside, 31)
        #expect(site.worker.counters[.toPeers] == 0)
    }

    @Test func `many clients at once lose nothing`() throws {
        let site = try RelaySite { $0.limits.strangerBurst = 1_000 }
        let peer = try RelayClient(site.worker.addresses[0], at: RelaySite.outside)
        let clients = try (0..<150).map { try RelayClient(site.worker.addresses[0], user: "user\($0)") }
        for client in clients {
            #expect(client.allocate() != nil && client.bind(0x4001, to: peer.address))
        }
        for (number, client) in clients.enumerated() {
            client.send([RelayClient.channelData(0x4001, payload(number, 60))])
        }
        let received = peer.receive(clients.count)
        for (bytes, relayed) in received { peer.send([bytes], to: relayed) }
        for (number, client) in clients.enumerated() {
            #expect(client.receive().first?.bytes == RelayClient.channelData(0x4001, payload(number, 60)))
        }
        site.waitFor(.allocations, 150)
        #expect(site.worker.counters[.full] == 0 && site.worker.counters[.refused] == 0)
    }
}
