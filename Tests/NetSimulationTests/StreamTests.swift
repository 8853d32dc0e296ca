import Base
import NetSimulation
import Testing

@Suite struct StreamTests {
    private struct Pair {
        var network = SimulatedNetwork(seed: 3)
        let server, client: SimulatedNetwork.HostID
        static let address = TransportAddress(ip: .v4(0x0a00_0001), port: 443)

        init(link: Link = .clean, nat: NATBehavior? = nil) {
            server = network.addHost(Self.address.ip)
            var gateway: SimulatedNetwork.NATID?
            if let nat { gateway = network.addNAT(nat, external: .v4(0xc633_6401)) }
            client = network.addHost(.v4(0xc0a8_0002), behind: gateway, link: link)
            network.listen(at: server, port: 443)
        }

        mutating func open() -> SimulatedNetwork.StreamID { network.open(from: client, to: Self.address, at: .zero) }

        /// Everything that arrives up to `end`.
        mutating func arrivals(until end: Instant = .zero + .seconds(60)) -> [SimulatedNetwork.Arrival] {
            var all: [SimulatedNetwork.Arrival] = []
            while let arrival = network.poll(at: end) { all.append(arrival) }
            return all
        }
    }

    @Test func `opens in one round trip and tells both ends`() {
        var pair = Pair()
        let stream = pair.open()
        let peer = TransportAddress(ip: .v4(0xc0a8_0002), port: 49_153)
        let first = pair.arrivals(until: .zero + .milliseconds(20))
        let second = pair.arrivals(until: .zero + .milliseconds(40))
        #expect(first == [.accepted(stream, at: pair.server, port: 443, peer: peer)])
        #expect(second == [.connected(stream, at: pair.client)])
    }

    @Test func `is refused where nobody listens`() {
        var pair = Pair()
        pair.network.stopListening(at: pair.server, port: 443)
        let stream = pair.open()
        let arrivals = pair.arrivals()
        #expect(arrivals == [.closed(stream, at: pair.client)])
    }

    @Test func `loses nothing and keeps the order, however bad the link`() {
        var pair = Pair(link: Link(loss: 0.4, jitter: .milliseconds(100), reordering: 0.3, duplication: 0.3))
        let stream = pair.open()
        _ = pair.arrivals()
        let start = Instant.zero + .seconds(60)
        for number in 0..<200 {
            pair.network.write([UInt8(number)], to: stream, from: pair.client, at: start + .milliseconds(number))
            pair.network.write([UInt8(number)], to: stream, from: pair.server, at: start + .milliseconds(number))
        }
        let arrivals = pair.arrivals(until: start + .seconds(60))
        for end in [pair.client, pair.server] {
            let numbers = arrivals.compactMap { arrival -> UInt8? in
                if case .message(stream, end, let payload) = arrival { payload.first } else { nil }
            }
            #expect(numbers == (0..<200).map { UInt8($0) })
        }
    }

    @Test func `the server sees a client behind a translator by its outside address`() {
        var pair = Pair(nat: .symmetric)
        _ = pair.open()
        guard case .accepted(_, _, _, let peer) = pair.arrivals().first else {
            Issue.record("not accepted")
            return
        }
        #expect(peer.ip == .v4(0xc633_6401))
    }

    @Test func `what was written before closing still arrives`() {
        var pair = Pair()
        let stream = pair.open()
        _ = pair.arrivals()
        let later = Instant.zero + .seconds(60)
        pair.network.write([7], to: stream, from: pair.client, at: later)
        pair.network.close(stream, from: pair.client, at: later)
        let arrivals = pair.arrivals(until: later + .seconds(1))
        #expect(arrivals == [.message(stream, at: pair.server, payload: [7]), .closed(stream, at: pair.server)])
        #expect(pair.network.streams(at: pair.client).isEmpty)
    }

    @Test(arguments: [SimulatedNetwork.CutNotice.bothEnds, .opener, .acceptor, .nobody])
    func `a cut loses what is under way and tells those it should`(notice: SimulatedNetwork.CutNotice) {
        var pair = Pair()
        let stream = pair.open()
        _ = pair.arrivals()
        let later = Instant.zero + .seconds(60)
        pair.network.write([7], to: stream, from: pair.client, at: later)
        pair.network.cut(stream, notice: notice, at: later)
        pair.network.write([8], to: stream, from: pair.client, at: later)
        let told: [SimulatedNetwork.HostID] =
            switch notice {
            case .bothEnds: [pair.client, pair.server]
            case .opener: [pair.client]
            case .acceptor: [pair.server]
            case .nobody: []
            }
        let arrivals = pair.arrivals(until: later + .seconds(9))
        #expect(arrivals == told.map { .closed(stream, at: $0) })
    }
}
