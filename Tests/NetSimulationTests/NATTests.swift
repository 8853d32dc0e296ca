import Base
import NetSimulation
import Testing

/// One host inside a translator and two outside, as RFC 5780 §4 probes real ones.
@Suite struct NATTests {
    /// The network with its three hosts, and a record of everything that arrived.
    private struct Laboratory {
        var network = SimulatedNetwork(seed: 5)
        var now = Instant.zero
        let inside, neighbour, first, second: SimulatedNetwork.HostID
        static let external = IPAddress.v4(0xc633_6401)
        static let firstAddress = IPAddress.v4(0xcb00_7101), secondAddress = IPAddress.v4(0xcb00_7102)

        init(_ behavior: NATBehavior) {
            let nat = network.addNAT(behavior, external: Self.external)
            inside = network.addHost(.v4(0xc0a8_0002), behind: nat)
            neighbour = network.addHost(.v4(0xc0a8_0003), behind: nat)
            first = network.addHost(Self.firstAddress)
            second = network.addHost(Self.secondAddress)
        }

        /// Sends one byte and gives where it arrived and from whom, nil when nowhere.
        mutating func probe(
            from host: SimulatedNetwork.HostID, port: UInt16, to destination: TransportAddress
        ) -> (host: SimulatedNetwork.HostID, source: TransportAddress)? {
            network.send([1], from: host, port: port, to: destination, at: now)
            now += .seconds(1)
            guard case .datagram(let host, _, let source, _) = network.poll(at: now) else { return nil }
            return (host, source)
        }

        /// The outside address of the inside host's port as `host` sees it.
        mutating func mapping(of port: UInt16, towards ip: IPAddress, port destination: UInt16) -> TransportAddress? {
            probe(from: inside, port: port, to: TransportAddress(ip: ip, port: destination))?.source
        }
    }

    @Test(arguments: NATBehavior.Dependence.allCases)
    func `maps by what the kind depends on`(mapping: NATBehavior.Dependence) throws {
        var laboratory = Laboratory(NATBehavior(mapping: mapping))
        let baseSeen = laboratory.mapping(of: 4000, towards: Laboratory.firstAddress, port: 1)
        let base = try #require(baseSeen)
        let samePortSeen = laboratory.mapping(of: 4000, towards: Laboratory.firstAddress, port: 1)
        let samePort = try #require(samePortSeen)
        let otherPortSeen = laboratory.mapping(of: 4000, towards: Laboratory.firstAddress, port: 2)
        let otherPort = try #require(otherPortSeen)
        let otherAddressSeen = laboratory.mapping(of: 4000, towards: Laboratory.secondAddress, port: 1)
        let otherAddress = try #require(otherAddressSeen)
        #expect(base.ip == Laboratory.external)
        #expect(samePort == base)
        #expect((otherPort == base) == (mapping != .addressAndPortDependent))
        #expect((otherAddress == base) == (mapping == .endpointIndependent))
    }

    @Test(arguments: NATBehavior.Dependence.allCases)
    func `filters by what the kind depends on`(filtering: NATBehavior.Dependence) throws {
        var laboratory = Laboratory(NATBehavior(filtering: filtering))
        let mappedSeen = laboratory.mapping(of: 4000, towards: Laboratory.firstAddress, port: 1)
        let mapped = try #require(mappedSeen)
        let asked = laboratory.probe(from: laboratory.first, port: 1, to: mapped)
        let otherPort = laboratory.probe(from: laboratory.first, port: 2, to: mapped)
        let stranger = laboratory.probe(from: laboratory.second, port: 1, to: mapped)
        #expect(asked?.host == laboratory.inside)
        #expect((otherPort != nil) == (filtering != .addressAndPortDependent))
        #expect((stranger != nil) == (filtering == .endpointIndependent))
    }

    @Test func `nothing comes in without a mapping, or after it has expired`() throws {
        var laboratory = Laboratory(NATBehavior(lifetime: .seconds(30)))
        let guess = TransportAddress(ip: Laboratory.external, port: 4000)
        let early = laboratory.probe(from: laboratory.first, port: 1, to: guess)
        #expect(early == nil)
        let mappedSeen = laboratory.mapping(of: 4000, towards: Laboratory.firstAddress, port: 1)
        let mapped = try #require(mappedSeen)
        laboratory.now += .seconds(25)
        let inTime = laboratory.probe(from: laboratory.first, port: 1, to: mapped)
        #expect(inTime != nil)
        laboratory.now += .seconds(5)
        let late = laboratory.probe(from: laboratory.first, port: 1, to: mapped)
        #expect(late == nil)
    }

    @Test(arguments: [true, false])
    func `neighbours meet at their outside addresses when the translator hairpins`(hairpinning: Bool) throws {
        var laboratory = Laboratory(NATBehavior(hairpinning: hairpinning))
        let mappedSeen = laboratory.mapping(of: 4000, towards: Laboratory.firstAddress, port: 1)
        let mapped = try #require(mappedSeen)
        let met = laboratory.probe(from: laboratory.neighbour, port: 4001, to: mapped)
        #expect((met != nil) == hairpinning)
        #expect(met.map { $0.host == laboratory.inside && $0.source.ip == Laboratory.external } ?? true)
    }

    @Test func `neighbours reach each other directly by their inside addresses`() {
        var laboratory = Laboratory(.symmetric)
        let address = TransportAddress(ip: laboratory.network.address(of: laboratory.inside), port: 9)
        let met = laboratory.probe(from: laboratory.neighbour, port: 8, to: address)
        #expect(met?.host == laboratory.inside)
        #expect(met?.source == TransportAddress(ip: laboratory.network.address(of: laboratory.neighbour), port: 8))
    }

    @Test func `preserves a port that is free, and takes another when it is not`() throws {
        var laboratory = Laboratory(NATBehavior(preservesPorts: true))
        let mineSeen = laboratory.mapping(of: 4000, towards: Laboratory.firstAddress, port: 1)
        let mine = try #require(mineSeen)
        let target = TransportAddress(ip: Laboratory.firstAddress, port: 1)
        let theirsSeen = laboratory.probe(from: laboratory.neighbour, port: 4000, to: target)?.source
        let theirs = try #require(theirsSeen)
        #expect(mine.port == 4000)
        #expect(theirs.port != 4000)
    }

    @Test func `translators stand behind translators`() throws {
        var network = SimulatedNetwork(seed: 1)
        let carrier = network.addNAT(.symmetric, external: Laboratory.external)
        let home = network.addNAT(.fullCone, external: .v4(0x6440_0001), behind: carrier)
        let inside = network.addHost(.v4(0xc0a8_0002), behind: home)
        let outside = network.addHost(Laboratory.firstAddress)
        network.send([1], from: inside, port: 1, to: TransportAddress(ip: Laboratory.firstAddress, port: 2), at: .zero)
        let later = Instant.zero + .seconds(1)
        guard case .datagram(outside, 2, let source, _) = network.poll(at: later) else {
            Issue.record("nothing arrived")
            return
        }
        #expect(source.ip == Laboratory.external)
        network.send([2], from: outside, port: 2, to: source, at: later)
        let answer = network.poll(at: later + .seconds(1))
        let sender = TransportAddress(ip: Laboratory.firstAddress, port: 2)
        #expect(answer == .datagram(at: inside, port: 1, source: sender, payload: [2]))
    }
}
