import Base
import STUN
import Testing

@testable import TURN

struct LifetimeTests {
    private let site = Site()
    private let peer = address("192.0.2.1", 9_000)

    @Test func `an allocation ends when it is not refreshed, and its socket with it`() throws {
        let client = Client(site)
        #expect(client.allocate()?.code == nil)
        #expect(site.server.nextTimeout == .zero + .seconds(600))
        site.advance(599)
        #expect(site.sockets.count == 1)
        site.advance(1)
        #expect(site.sockets.isEmpty && site.server.allocationCount == 0)
        #expect(site.events.last == .ended(user: Array("anna".utf8)))
        #expect(site.server.nextTimeout == nil)
        #expect(client.permit(peer)?.code == .allocationMismatch)
    }

    @Test func `Refresh gives time, less time, and the end`() {
        let client = Client(site)
        #expect(client.refresh(600)?.code == .allocationMismatch)
        #expect(client.allocate()?.code == nil)
        site.advance(599)
        #expect(client.refresh(1_200)?.lifetime == 1_200)
        site.advance(1_199)
        #expect(site.server.allocationCount == 1)
        #expect(client.refresh(nil)?.lifetime == 600)
        #expect(client.refresh(3_600)?.lifetime == 3_600)
        #expect(client.refresh(10)?.lifetime == 600, "never less than the default")
        site.advance(600)
        #expect(site.server.allocationCount == 0 && site.sockets.isEmpty)
        #expect(client.allocate()?.code == nil)
        #expect(client.refresh(0)?.lifetime == 0)
        #expect(site.server.allocationCount == 0 && site.sockets.isEmpty)
        #expect(client.refresh(0)?.code == .allocationMismatch)
    }

    @Test func `any number of refreshes keeps the list of deadlines short`() {
        let client = Client(site)
        #expect(client.allocate()?.code == nil)
        for round in 0..<200 {
            #expect(client.refresh(round % 2 == 0 ? 3_600 : 600)?.code == nil)
            site.advance(7)
        }
        #expect(site.server.expiries.count <= 3)
        site.advance(3_600)
        #expect(site.server.allocationCount == 0)
        #expect(site.server.nextTimeout == nil)
    }

    @Test func `Refresh of one family`() throws {
        let client = Client(site)
        #expect(client.allocate { $0.add(.additionalAddressFamily, UInt32(2) << 24) }?.relayed.count == 2)
        func refresh(_ family: UInt32, _ lifetime: UInt32) -> Answer? {
            client.ask(.refresh) { writer in
                writer.add(.lifetime, lifetime)
                writer.add(.requestedAddressFamily, family << 24)
            }
        }
        #expect(refresh(2, 0)?.lifetime == 0)
        #expect(site.sockets.count == 1 && site.server.allocationCount == 1)
        #expect(refresh(2, 600)?.code == .peerAddressFamilyMismatch)
        #expect(refresh(3, 600)?.code == .addressFamilyNotSupported)
        #expect(client.permit(address("2001:db9::1", 1))?.code == .peerAddressFamilyMismatch)
        #expect(refresh(1, 0)?.lifetime == 0)
        #expect(site.server.allocationCount == 0 && site.sockets.isEmpty)
    }

    @Test func `a permission lasts five minutes, and longer when refreshed`() throws {
        let client = Client(site)
        let relayed = try #require(client.allocate { $0.add(.lifetime, UInt32(3_600)) }?.relayed.first)
        func comesIn() -> Bool { site.give([1, 2], from: peer, to: bound(relayed)).0 != .nothing }
        #expect(!comesIn())
        #expect(client.permit(address("192.0.2.1", 1))?.code == nil)
        #expect(comesIn(), "the port of a permission is ignored")
        site.advance(299)
        #expect(comesIn())
        site.advance(1)
        #expect(!comesIn())
        #expect(client.send([1], to: peer).0 == .nothing)
        #expect(client.permit(peer)?.code == nil)
        site.advance(200)
        #expect(client.permit(peer)?.code == nil)
        site.advance(200)
        #expect(comesIn())
    }

    @Test func `a channel lasts ten minutes, the permission it brought five`() throws {
        let client = Client(site)
        let relayed = try #require(client.allocate { $0.add(.lifetime, UInt32(3_600)) }?.relayed.first)
        #expect(client.bind(0x4000, to: peer)?.code == nil)
        site.advance(299)
        #expect(site.give([1], from: peer, to: bound(relayed)).1 == [0x40, 0, 0, 1, 1])
        site.advance(1)
        #expect(site.give([1], from: peer, to: bound(relayed)).0 == .nothing)
        #expect(client.send([1], on: 0x4000).0 != .nothing)
        site.advance(299)
        #expect(client.send([1], on: 0x4000).0 != .nothing)
        #expect(client.bind(0x4000, to: peer)?.code == nil)
        site.advance(599)
        #expect(client.send([1], on: 0x4000).0 != .nothing)
        site.advance(1)
        #expect(client.send([1], on: 0x4000).0 == .nothing)
        #expect(client.bind(0x4000, to: address("192.0.2.2", 1))?.code == nil, "an old number is free again")
    }

    @Test func `a stream that ends takes its allocation with it`() {
        let client = Client(site, over: .tls)
        #expect(client.allocate()?.code == nil)
        site.server.closed(client.tuple)
        site.advance(0)
        #expect(site.server.allocationCount == 0 && site.sockets.isEmpty && site.server.userCount == 0)
    }

    @Test func `a socket that fails ends its allocation and no other`() throws {
        let (first, second) = (Client(site), Client(site, "203.0.113.8"))
        let relayed = try #require(first.allocate()?.relayed.first)
        #expect(second.allocate()?.code == nil)
        let relay = try #require(site.sockets[address("10.0.0.5", relayed.port)])
        site.fail(relay)
        #expect(site.server.allocationCount == 1 && site.sockets.count == 1)
        #expect(first.refresh(600)?.code == .allocationMismatch)
        #expect(second.refresh(600)?.code == nil)
        site.fail(relay)
        #expect(site.server.allocationCount == 1)
    }

    @Test func `a kept port that fails is forgotten`() throws {
        let client = Client(site)
        let token = try #require(client.allocate { $0.add(.evenPort, [0x80]) }?.token)
        let relayed = try #require(site.sockets.keys.max { $0.port < $1.port })
        site.fail(try #require(site.sockets[relayed]))
        #expect(site.sockets.count == 1 && site.server.allocationCount == 1)
        let other = Client(site, "203.0.113.8")
        #expect(other.allocate { $0.add(.reservationToken, token) }?.code == .insufficientCapacity)
    }

    @Test func `sockets that open after their client is gone are closed`() {
        site.isHolding = true
        let client = Client(site, over: .tcp)
        #expect(client.allocate { $0.add(.evenPort, [0x80]) } == nil)
        site.server.closed(client.tuple)
        site.advance(0)
        site.openWaiting()
        #expect(site.sockets.isEmpty && site.sent.isEmpty && site.server.allocationCount == 0)
    }
}
