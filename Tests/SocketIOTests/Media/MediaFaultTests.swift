import Base
import CSockets
import Glibc
import STUN
import TURN
import Testing

@testable import SocketIO

/// What may go wrong at a socket, and who notices.
@Suite struct MediaFaultTests {
    /// This process's descriptor of the socket that is bound there.
    private func descriptor(of address: TransportAddress) -> Int32? {
        (3..<1_024).first { descriptor in
            var bound = hearth_address()
            return hearth_socket_address(descriptor, &bound) == 0 && TransportAddress(bound) == address
        }
    }

    @Test func `a relay's socket that fails ends its allocation and no other`() throws {
        let site = try RelaySite()
        let (anna, bob) = (
            try RelayClient(site.worker.addresses[0]), try RelayClient(site.worker.addresses[0], user: "bob")
        )
        let relayed = try #require(anna.allocate())
        #expect(bob.allocate() != nil)
        site.waitFor(.allocations, 2)
        // Connected to a port nobody has, the socket hears that with the next datagram: an error of its own.
        let broken = try #require(descriptor(of: relayed))
        let nobody = try RelayClient(site.worker.addresses[0]).address
        var name = sockaddr_in()
        (name.sin_family, name.sin_port) = (sa_family_t(AF_INET), nobody.port.bigEndian)
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(broken, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(connected == 0)
        #expect(Glibc.send(broken, [1], 1, 0) == 1)
        for _ in 0..<5_000 where site.worker.counters[.allocations] != 1 { usleep(1_000) }
        #expect(site.events.contains { $0 == .relayFailed(errno: ECONNREFUSED) })
        #expect(anna.ask(.refresh)?.code == .allocationMismatch)
        #expect(bob.ask(.refresh)?.code == nil)
        #expect(anna.allocate() != nil)
    }

    @Test func `a packet the system refuses is counted and told, and nothing else happens`() throws {
        let site = try RelaySite()
        let client = try RelayClient(site.worker.addresses[0])
        let peer = try RelayClient(site.worker.addresses[0], at: RelaySite.outside)
        #expect(client.allocate() != nil)
        // From a loopback address no way leads there.
        let nowhere = TransportAddress(ip: .v4(0x0808_0808), port: 9)
        #expect(client.bind(0x4001, to: nowhere) && client.bind(0x4002, to: peer.address))
        client.send([RelayClient.channelData(0x4001, [1, 2]), RelayClient.channelData(0x4001, [3, 4])])
        site.waitFor(.refused, 2)
        #expect(site.events.contains { if case .lost(_, let refused, _) = $0 { refused > 0 } else { false } })
        client.send([RelayClient.channelData(0x4002, [5, 6])])
        #expect(peer.receive().first?.bytes == [5, 6])
    }

    @Test func `damaged packets and strangers are dropped`() throws {
        let site = try RelaySite()
        let client = try RelayClient(site.worker.addresses[0])
        for bytes in [[], [0], [0x40], [0x40, 1, 0, 9, 1], [0, 1, 0, 0, 0x21, 0x12], [0xff, 0xff, 0xff]] as [[UInt8]] {
            client.send([bytes])
        }
        client.send([RelayClient.channelData(0x4001, [1, 2, 3])])
        #expect(client.ask(.binding)?.mapped == client.address)
        site.waitFor(.received, 7)
        #expect(site.worker.counters[.notPermitted] == 1 && site.worker.counters[.malformed] == 4)
    }

    @Test func `a port in use is told, and a stopped worker leaves its ports`() throws {
        let site = try RelaySite()
        let place = site.worker.addresses[0]
        #expect(throws: SocketError.portInUse(place)) {
            _ = try MediaWorker(
                binding: [place],
                TURNConfiguration(
                    realm: [1], credentials: RelaySite.credentials, nonceSecret: RelaySite.realm + RelaySite.realm)
            ) { _ in }
        }
        let client = try RelayClient(place)
        let relayed = try #require(client.allocate())
        site.worker.stop()
        for address in [place, relayed] {
            var wanted = address.cAddress
            let descriptor = hearth_media_open(&wanted, 65_536)
            #expect(descriptor >= 0)
            if descriptor >= 0 { close(descriptor) }
        }
        site.worker.stop()
    }
}
