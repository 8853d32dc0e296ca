import Base
import STUN
import Testing

@testable import TURN

/// Who may be a peer, and how many.
struct PeerTests {
    private let site = Site()

    @Test(arguments: [
        "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.9.9.9", "169.254.1.1", "192.0.0.8", "198.18.0.1", "224.0.0.1",
        "239.255.255.255", "240.0.0.1", "255.255.255.255", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "100.64.0.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:192.0.2.1", "::127.0.0.1", "fe80::1", "febf::1",
        "fec0::1", "ff02::1", "fc00::1", "fd12:3456::1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1",
        "2002:7f00:1::1", "2002:a00:1::", "2001:0:1::1", "4000::1",
    ])
    func `a way into a network is refused`(host: String) throws {
        let client = Client(site)
        #expect(client.allocate { $0.add(.additionalAddressFamily, UInt32(2) << 24) }?.relayed.count == 2)
        let peer = address(host, 80)
        #expect(IPAddress(parsing: host.utf8) != nil)
        #expect(client.permit(peer)?.code == .forbidden)
        #expect(client.bind(0x4000, to: peer)?.code == .forbidden)
        #expect(client.send([1], to: peer).0 == .nothing)
        #expect(client.send([1], on: 0x4000).0 == .nothing)
    }

    @Test(arguments: [
        "8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.2.1", "2001:db8::1", "2a00::1", "64:ff9b::808:808",
    ])
    func `the Internet is not`(host: String) throws {
        let client = Client(site)
        #expect(client.allocate { $0.add(.additionalAddressFamily, UInt32(2) << 24) }?.relayed.count == 2)
        #expect(client.permit(address(host, 80))?.code == nil)
    }

    @Test func `private networks are for those who allow them, loopback for nobody`() {
        let open = Site { $0.allowsPrivatePeers = true }
        let client = Client(open)
        #expect(client.allocate()?.code == nil)
        #expect(client.permit(address("192.168.1.1", 80))?.code == nil)
        #expect(client.permit(address("127.0.0.1", 80))?.code == .forbidden)
    }

    @Test func `one refused address refuses all of a request`() {
        let client = Client(site)
        #expect(client.allocate()?.code == nil)
        #expect(client.permit(address("192.0.2.1", 1), address("127.0.0.1", 1))?.code == .forbidden)
        #expect(client.permit()?.code == .badRequest)
        #expect(client.send([1], to: address("192.0.2.1", 1)).0 == .nothing)
        #expect(client.permit(address("2001:db8::1", 1))?.code == .peerAddressFamilyMismatch)
        #expect(client.bind(0x4000, to: address("2001:db8::1", 1))?.code == .peerAddressFamilyMismatch)
        let malformed = client.ask(.createPermission) { $0.add(.xorPeerAddress, [0, 1, 2]) }
        #expect(malformed?.code == .badRequest)
    }

    @Test func `the server's own services are no peers, its relays are`() throws {
        let site = Site { $0.ownAddresses = [address("198.51.100.77", 0).ip] }
        let client = Client(site)
        #expect(client.allocate()?.code == nil)
        for host in ["198.51.100.9", "198.51.100.77", "10.0.0.5"] {
            #expect(client.bind(0x4001, to: address(host, 5_060))?.code == .forbidden)
            #expect(client.permit(address(host, 5_060))?.code == nil, "another relay could be there")
            #expect(client.send([1], to: address(host, 5_060)).0 == .nothing)
        }
        #expect(client.bind(0x4001, to: address("198.51.100.9", 50_500))?.code == nil)
        #expect(client.send([1], on: 0x4001).0 == .nothing, "nobody has that port")
    }

    @Test func `without sockets only relays are peers, and no socket is asked for`() throws {
        let inside = Site { $0.opensSockets = false }
        let client = Client(inside)
        let answer = try #require(client.allocate())
        #expect(answer.relayed.count == 1 && inside.sockets.isEmpty)
        #expect(client.permit(address("8.8.8.8", 1))?.code == .forbidden)
        #expect(client.permit(answer.relayed[0])?.code == nil)
    }

    @Test(arguments: [UInt16(0x0000), 0x3fff, 0x8000, 0xffff])
    func `channel numbers are of one range`(number: UInt16) {
        let client = Client(site)
        #expect(client.allocate()?.code == nil)
        #expect(client.bind(number, to: address("192.0.2.1", 1))?.code == .badRequest)
    }

    @Test func `a channel has one peer and a peer one channel`() {
        let client = Client(site)
        #expect(client.allocate()?.code == nil)
        let (one, two) = (address("192.0.2.1", 1), address("192.0.2.1", 2))
        #expect(client.bind(0x4000, to: one)?.code == nil)
        #expect(client.bind(0x4000, to: one)?.code == nil)
        #expect(client.bind(0x4000, to: two)?.code == .badRequest)
        #expect(client.bind(0x4fff, to: one)?.code == .badRequest)
        #expect(client.bind(0x4fff, to: two)?.code == nil)
        #expect(client.bind(0x4001, to: address("192.0.2.1", 0))?.code == .badRequest)
        #expect(client.ask(.channelBind) { $0.add(.channelNumber, UInt32(0x4000) << 16) }?.code == .badRequest)
        #expect(client.ask(.channelBind) { $0.add(.xorPeerAddress, xor: one) }?.code == .badRequest)
    }

    @Test func `permissions and channels have limits`() {
        let client = Client(site)
        #expect(client.allocate()?.code == nil)
        for number in 0..<TURNLimits.permissions {
            #expect(client.bind(0x4000 + UInt16(number), to: address("192.0.2.\(number)", 1))?.code == nil)
        }
        #expect(client.permit(address("192.0.2.0", 7))?.code == nil, "old ones are refreshed")
        #expect(client.permit(address("192.0.2.100", 1))?.code == .insufficientCapacity)
        #expect(client.bind(0x4100, to: address("192.0.2.100", 1))?.code == .insufficientCapacity)
        #expect(client.bind(0x4100, to: address("192.0.2.1", 2))?.code == .insufficientCapacity)
        site.advance(300)
        #expect(client.permit(address("192.0.2.100", 1))?.code == nil)
    }
}
