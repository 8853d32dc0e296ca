import Base
import STUN
import Testing

@testable import TURN

struct RelayingTests {
    private let site = Site()
    private let peer = address("192.0.2.1", 9_000)

    @Test func `Send goes out and its answer comes as Data`() throws {
        let client = Client(site)
        let relayed = try #require(client.allocate()?.relayed.first)
        #expect(client.permit(peer)?.code == nil)
        let (out, payload) = client.send([1, 2, 3], to: peer)
        guard case .peer(let relay, let target, _) = out else { throw Unexpected() }
        #expect(site.sockets[bound(relayed)] == relay && target == peer && payload == [1, 2, 3])

        let (back, bytes) = site.give([4, 5, 6, 7, 8], from: peer, to: bound(relayed))
        guard case .client(client.tuple, _) = back else { throw Unexpected() }
        let data = try #require(Answer(bytes))
        #expect(data.type == STUNType(.indication, .data))
        #expect(data.peer == peer && data.data == [4, 5, 6, 7, 8])
    }

    @Test func `a channel carries both ways with four bytes more`() throws {
        let client = Client(site)
        let relayed = try #require(client.allocate()?.relayed.first)
        #expect(client.bind(0x4abc, to: peer)?.code == nil)
        #expect(client.bind(0x7fff, to: address("192.0.2.3", 1))?.code == nil, "a number of RFC 5766")
        #expect(client.send([1], on: 0x7fff).1 == [1])
        let (out, payload) = client.send([1, 2, 3], on: 0x4abc)
        guard case .peer(_, peer, _) = out else { throw Unexpected() }
        #expect(payload == [1, 2, 3])
        #expect(site.give([9, 8, 7], from: peer, to: bound(relayed)).1 == [0x4a, 0xbc, 0, 3, 9, 8, 7])
        #expect(client.send([], on: 0x4abc).1 == [], "an empty datagram is one")
        let other = address("192.0.2.1", 9_001)
        #expect(site.give([1], from: other, to: bound(relayed)).1.first == 0, "another port of the peer comes as Data")
        let stranger = address("192.0.2.9", 9_000)
        #expect(site.give([1], from: stranger, to: bound(relayed)).0 == .nothing)
    }

    @Test(arguments: [ClientTransport.tcp, .tls])
    func `over streams everything is padded`(transport: ClientTransport) throws {
        let client = Client(site, over: transport)
        let relayed = try #require(client.allocate()?.relayed.first)
        #expect(client.bind(0x4000, to: peer)?.code == nil)
        #expect(client.send([1, 2, 3, 4, 5], on: 0x4000).1 == [1, 2, 3, 4, 5])
        let framed: [UInt8] = [0x40, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0]
        #expect(site.give([1, 2, 3, 4, 5], from: peer, to: bound(relayed)).1 == framed)
        #expect(framed.withUnsafeBytes { StreamFrame(at: $0) } == .message(length: 9, padded: 12))
    }

    @Test(arguments: [
        (ClientTransport.udp, ClientTransport.udp), (.udp, .tls), (.tcp, .udp), (.tls, .tcp),
    ])
    func `two allocations reach each other inside`(first: ClientTransport, second: ClientTransport) throws {
        let site = Site { $0.opensSockets = false }
        let anna = Client(site, "203.0.113.1", over: first)
        let bob = Client(site, "203.0.113.2", user: "bob", over: second)
        let annas = try #require(anna.allocate()?.relayed.first)
        let bobs = try #require(bob.allocate()?.relayed.first)

        // Nothing before both agree.
        #expect(anna.permit(bobs)?.code == nil)
        #expect(anna.send([1], to: bobs).0 == .nothing)
        #expect(bob.permit(annas)?.code == nil)
        let (route, bytes) = anna.send([1, 2, 3], to: bobs)
        guard case .client(bob.tuple, _) = route else { throw Unexpected() }
        let data = try #require(Answer(bytes))
        #expect(data.peer == annas && data.data == [1, 2, 3])

        // Send in, channel out; channel in, Data out; channel both ways.
        #expect(bob.bind(0x4001, to: annas)?.code == nil)
        #expect(anna.send([1, 2, 3, 4], to: bobs).1 == [0x40, 1, 0, 4, 1, 2, 3, 4])
        let (back, wrapped) = bob.send([7, 7, 7, 7, 7], on: 0x4001)
        guard case .client(anna.tuple, _) = back else { throw Unexpected() }
        #expect(Answer(wrapped)?.data == [7, 7, 7, 7, 7])
        #expect(anna.bind(0x4fff, to: bobs)?.code == nil)
        #expect(bob.send([7, 7, 7, 7], on: 0x4001).1 == [0x4f, 0xff, 0, 4, 7, 7, 7, 7])
        #expect(site.server.counters.inside == 4 && site.server.counters.toPeers == 0)
    }

    @Test func `a family is relayed to by its own relay`() throws {
        let client = Client(site)
        let answer = try #require(client.allocate { $0.add(.additionalAddressFamily, UInt32(2) << 24) })
        let six = address("2001:db8::7", 7)
        #expect(client.permit(six)?.code == nil)
        guard case .peer(let relay, six, _) = client.send([1], to: six).0 else { throw Unexpected() }
        #expect(site.sockets[answer.relayed[1]] == relay)
        let back = try #require(Answer(site.give([5], from: six, to: answer.relayed[1]).1))
        #expect(back.peer == six && back.data == [5])
    }

    @Test func `what is damaged or not asked for goes nowhere`() throws {
        let client = Client(site)
        #expect(client.allocate()?.code == nil)
        #expect(client.bind(0x4000, to: peer)?.code == nil)
        let silent: [[UInt8]] = [
            [], [0x40], [0x40, 0, 0], [0x40, 0, 0, 5, 1, 2], [0x41, 0, 0, 1, 1], [0x50, 0, 0, 0], [0x80, 0, 0, 0],
            [0x16, 0xfe, 0xff], [0, 0x16, 0, 0], [0x00, 0x01],
        ]
        for bytes in silent { #expect(site.give(bytes, from: client.tuple).0 == .nothing) }
        #expect(client.send([1], to: address("192.0.2.1", 0)).0 == .nothing)
        #expect(client.send([1], to: peer, { $0.add(.dontFragment) }).0 == .nothing)
        #expect(Client(site, "203.0.113.9").send([1], on: 0x4000).0 == .nothing)
        let whole = client.send([1, 2], on: 0x4000)
        #expect(whole.1 == [1, 2])
        #expect(site.give([0x40, 0, 0, 1, 9, 0, 0, 0], from: client.tuple).1 == [9], "padding over UDP is allowed")
    }

    @Test func `a person relays so much in a second, and others are not concerned`() throws {
        let site = Site { $0.limits.bytesPerSecond = 10_000 }
        let (anna, bob) = (Client(site, "203.0.113.1"), Client(site, "203.0.113.2", user: "bob"))
        let second = Client(site, "203.0.113.3")
        for client in [anna, bob, second] {
            #expect(client.allocate()?.code == nil)
            #expect(client.bind(0x4000, to: peer)?.code == nil)
        }
        let packet = [UInt8](repeating: 1, count: 1_000)
        func relayed(_ client: Client) -> Int { (0..<20).count { _ in client.send(packet, on: 0x4000).0 != .nothing } }
        #expect(relayed(anna) == 10)
        #expect(relayed(second) == 0, "all allocations of a person count together")
        #expect(relayed(bob) == 10)
        site.advance(1)
        #expect(relayed(second) == 10)
        #expect(site.server.counters.overBandwidth == 50)
    }

    @Test func `a payload that cannot be wrapped is dropped`() throws {
        let client = Client(site)
        let relayed = try #require(client.allocate()?.relayed.first)
        #expect(client.permit(peer)?.code == nil)
        let large = [UInt8](repeating: 1, count: 65_507)
        #expect(site.give(large, from: peer, to: bound(relayed)).0 == .nothing)
        #expect(client.bind(0x4000, to: peer)?.code == nil)
        #expect(site.give(large, from: peer, to: bound(relayed)).1.count == 65_511)
    }
}

struct Unexpected: Error {}
