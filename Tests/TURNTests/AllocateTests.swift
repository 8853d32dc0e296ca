import Base
import STUN
import Testing

@testable import TURN

struct AllocateTests {
    private let site = Site()

    @Test func `gives a relayed address, the client's own, and ten minutes`() throws {
        let client = Client(site)
        let answer = try #require(client.allocate())
        #expect(answer.mapped == client.tuple.remote)
        #expect(answer.lifetime == 600)
        #expect(answer.relayed.count == 1)
        #expect(answer.relayed[0].ip == address("198.51.100.9", 0).ip)
        #expect((50_000...50_999).contains(answer.relayed[0].port))
        #expect(site.sockets[bound(answer.relayed[0])] != nil)
    }

    @Test func `the answer waits for the socket, copies of the request do not`() throws {
        site.isHolding = true
        let client = Client(site)
        let id = TransactionID(high: 9, low: 9)
        #expect(client.allocate(id: id) == nil)
        #expect(client.exchange(client.message(.allocate, id: id, Client.udp)) == nil)
        site.openWaiting()
        let answer = try #require(site.sent.first.flatMap { Answer($0.0) })
        #expect(answer.transactionID == id)
        let copy = try #require(client.exchange(client.message(.allocate, id: id, Client.udp)))
        #expect(copy.relayed == answer.relayed && copy.isProtected)
        #expect(site.sockets.count == 1)
    }

    @Test func `a second allocation of the same client is 437`() {
        let client = Client(site)
        #expect(client.allocate()?.code == nil)
        #expect(client.allocate()?.code == .allocationMismatch)
        #expect(Client(site, "203.0.113.7", 4_001).allocate()?.code == nil, "another port is another client")
        #expect(Client(site, "203.0.113.7", 4_000, over: .tcp).allocate()?.code == nil, "so is another transport")
    }

    @Test(arguments: [
        ([(AttributeType, [UInt8])](), STUNErrorCode.badRequest),
        ([(.requestedTransport, [6, 0, 0, 0])], .unsupportedTransport),
        ([(.requestedTransport, [17, 0, 0])], .badRequest),
        ([(.requestedTransport, [17, 0, 0, 0]), (.dontFragment, [])], .unknownAttribute),
        (
            [(.requestedTransport, [17, 0, 0, 0]), (.requestedAddressFamily, [3, 0, 0, 0])], .addressFamilyNotSupported
        ),
        ([(.requestedTransport, [17, 0, 0, 0]), (.requestedAddressFamily, [1])], .badRequest),
        (
            [
                (.requestedTransport, [17, 0, 0, 0]), (.requestedAddressFamily, [1, 0, 0, 0]),
                (.additionalAddressFamily, [2, 0, 0, 0]),
            ], .badRequest
        ),
        ([(.requestedTransport, [17, 0, 0, 0]), (.additionalAddressFamily, [1, 0, 0, 0])], .badRequest),
        (
            [(.requestedTransport, [17, 0, 0, 0]), (.additionalAddressFamily, [2, 0, 0, 0]), (.evenPort, [0x80])],
            .badRequest
        ),
        ([(.requestedTransport, [17, 0, 0, 0]), (.evenPort, [])], .badRequest),
        (
            [(.requestedTransport, [17, 0, 0, 0]), (.reservationToken, [1, 2, 3, 4, 5, 6, 7, 8]), (.evenPort, [0])],
            .badRequest
        ),
        (
            [
                (.requestedTransport, [17, 0, 0, 0]), (.reservationToken, [1, 2, 3, 4, 5, 6, 7, 8]),
                (.requestedAddressFamily, [1, 0, 0, 0]),
            ], .badRequest
        ),
        ([(.requestedTransport, [17, 0, 0, 0]), (.reservationToken, [1])], .badRequest),
        (
            [(.requestedTransport, [17, 0, 0, 0]), (.reservationToken, [1, 2, 3, 4, 5, 6, 7, 8])], .insufficientCapacity
        ),
    ])
    func `refuses`(attributes: [(AttributeType, [UInt8])], code: STUNErrorCode) throws {
        let answer = try #require(
            Client(site).ask(.allocate) { writer in for (type, value) in attributes { writer.add(type, value) } })
        #expect(answer.code == code)
        #expect(answer.isProtected)
        if code == .unknownAttribute { #expect(answer.unknown == [0x00, 0x1a]) }
        #expect(site.server.allocationCount == 0 && site.sockets.isEmpty && site.server.userCount == 0)
    }

    @Test(arguments: [(UInt32(0), UInt32(600)), (1, 600), (700, 700), (3_600, 3_600), (.max, 3_600)])
    func `lifetimes have limits`(asked: UInt32, granted: UInt32) {
        #expect(Client(site).allocate { $0.add(.lifetime, asked) }?.lifetime == granted)
    }

    @Test func `families: IPv6 when asked for, both, and why there is only one`() throws {
        let six = try #require(Client(site).allocate { $0.add(.requestedAddressFamily, UInt32(2) << 24) })
        #expect(six.relayed.map(\.ip) == [address("2a00::5", 0).ip])
        let both = try #require(
            Client(site, "203.0.113.8").allocate { $0.add(.additionalAddressFamily, UInt32(2) << 24) })
        #expect(both.relayed.map(\.ip) == [address("198.51.100.9", 0).ip, address("2a00::5", 0).ip])
        #expect(both.addressError == nil)

        let old = Site { $0.relayV6 = nil }
        #expect(
            Client(old).allocate { $0.add(.requestedAddressFamily, UInt32(2) << 24) }?.code
                == .addressFamilyNotSupported)
        let one = try #require(Client(old).allocate { $0.add(.additionalAddressFamily, UInt32(2) << 24) })
        #expect(one.relayed.count == 1)
        #expect(one.addressError == [2, 0, 4, 40])
    }

    @Test func `an additional relay that cannot be opened is told, and not missed`() throws {
        site.isHolding = true
        let client = Client(site)
        #expect(client.allocate { $0.add(.additionalAddressFamily, UInt32(2) << 24) } == nil)
        // The first socket opens; the second does not, wherever it is tried.
        site.isHolding = false
        site.openWaiting(failingAfter: 1)
        let answer = try #require(site.sent.last.flatMap { Answer($0.0) })
        #expect(answer.relayed.count == 1)
        #expect(answer.addressError == [2, 0, 5, 8])
        #expect(site.sockets.count == 1)
    }

    @Test func `a taken port is tried elsewhere, then given up with 508`() throws {
        site.failures = TURNLimits.portTries
        #expect(Client(site).allocate()?.relayed.count == 1)
        site.failures = TURNLimits.portTries + 1
        let answer = try #require(Client(site, "203.0.113.8").allocate())
        #expect(answer.code == .insufficientCapacity)
        #expect(answer.isProtected)
        #expect(site.server.allocationCount == 1 && site.sockets.count == 1)
    }

    @Test func `an even port, with the next one kept for who shows the token`() throws {
        let client = Client(site)
        let even = try #require(client.allocate { $0.add(.evenPort, [0x80]) })
        let (relayed, token) = (try #require(even.relayed.first), try #require(even.token))
        #expect(relayed.port % 2 == 0)
        #expect(site.sockets.count == 2)
        let second = try #require(Client(site, "203.0.113.8").allocate { $0.add(.reservationToken, token) })
        #expect(second.relayed == [TransportAddress(ip: relayed.ip, port: relayed.port + 1)])
        #expect(
            Client(site, "203.0.113.9").allocate { $0.add(.reservationToken, token) }?.code == .insufficientCapacity)
    }

    @Test func `a pair is whole or 508`() throws {
        site.isHolding = true
        #expect(Client(site).allocate { $0.add(.evenPort, [0x80]) } == nil)
        site.isHolding = false
        site.openWaiting(failingAfter: 1)
        #expect(site.sent.count == 1)
        #expect(site.sent.first.flatMap { Answer($0.0) }?.code == .insufficientCapacity)
        #expect(site.sockets.isEmpty && site.server.allocationCount == 0)
    }

    @Test func `without the bit nothing is kept, and what is kept is let go after 30 seconds`() throws {
        #expect(Client(site).allocate { $0.add(.evenPort, [0]) }?.token == nil)
        #expect(site.sockets.count == 1)
        let even = try #require(Client(site, "203.0.113.8").allocate { $0.add(.evenPort, [0x80]) })
        #expect(site.sockets.count == 3)
        site.advance(29)
        #expect(site.sockets.count == 3)
        site.advance(1)
        #expect(site.sockets.count == 2)
        let token = try #require(even.token)
        #expect(
            Client(site, "203.0.113.9").allocate { $0.add(.reservationToken, token) }?.code == .insufficientCapacity)
    }

    @Test func `quotas: 486 for a person, 508 for everybody`() {
        let small = Site {
            $0.limits.allocationsPerUser = 2
            $0.limits.maximumAllocations = 3
        }
        #expect(Client(small, "203.0.113.1").allocate()?.code == nil)
        let second = Client(small, "203.0.113.2")
        #expect(second.allocate()?.code == nil)
        #expect(Client(small, "203.0.113.3").allocate()?.code == .allocationQuotaReached)
        #expect(Client(small, "203.0.113.4", user: "bob").allocate()?.code == nil)
        #expect(Client(small, "203.0.113.5", user: "eve").allocate()?.code == .insufficientCapacity)
        #expect(second.refresh(0)?.code == nil)
        #expect(Client(small, "203.0.113.3").allocate()?.code == nil)
    }

    @Test func `many clients keep what is theirs`() throws {
        let peer = address("192.0.2.1", 9_000)
        let clients = (0..<70).map { Client(site, "203.0.113.\($0)", user: "user\($0)") }
        for (number, client) in clients.enumerated() {
            #expect(client.allocate()?.code == nil)
            #expect(client.bind(0x4000 + UInt16(number), to: peer)?.code == nil)
        }
        for client in clients[..<35] { #expect(client.refresh(0)?.code == nil) }
        for number in 0..<35 {
            let late = Client(site, "203.0.113.\(100 + number)", user: "late\(number)")
            #expect(late.allocate()?.code == nil)
            #expect(late.send([1], on: 0x4000 + UInt16(number)).0 == .nothing, "nothing is inherited")
            #expect(late.send([1], to: peer).0 == .nothing)
        }
        for number in 35..<70 { #expect(clients[number].send([1], on: 0x4000 + UInt16(number)).1 == [1]) }
        #expect(site.server.allocationCount == 70 && site.sockets.count == 70)
    }

    @Test func `no two relays have the same port, and all ports are used before 508`() {
        let small = Site { $0.relayPorts = 50_000...50_003 }
        var ports: Set<UInt16> = []
        for number in 1...4 {
            Client(small, "203.0.113.\(number)").allocate()?.relayed.forEach { ports.insert($0.port) }
        }
        #expect(ports == [50_000, 50_001, 50_002, 50_003])
        #expect(Client(small, "203.0.113.9").allocate()?.code == .insufficientCapacity)
    }
}
