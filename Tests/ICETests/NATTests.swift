import Base
import NetSimulation
import Testing

@testable import ICE

/// Every kind of translator of RFC 4787 between two agents, over links that lose, reorder and duplicate.
struct NATTests {
    static let kinds: [NATBehavior] = NATBehavior.Dependence.allCases.flatMap { mapping in
        NATBehavior.Dependence.allCases.map { NATBehavior(mapping: mapping, filtering: $0) }
    }

    private static func link(_ random: inout RandomSource) -> Link {
        Link(
            loss: Double.random(in: 0...0.2, using: &random),
            delay: .milliseconds(Int.random(in: 1...150, using: &random)),
            jitter: .milliseconds(Int.random(in: 0...60, using: &random)), reordering: 0.1, duplication: 0.1)
    }

    /// Our side with a public address or behind a router that forwards the port; a phone or browser behind any router.
    /// Roles may conflict, descriptions and candidates come in any order.
    @Test(arguments: 0..<50)
    func `a peer behind any router reaches us, over bad links, with any roles and any order of signalling`(
        batch: UInt64
    ) {
        for seed in batch * 20..<batch * 20 + 20 {
            var random = RandomSource(seed: seed)
            let world = World(seed: seed)
            let kind = Self.kinds[Int(seed) % Self.kinds.count]
            let nat = world.network.addNAT(kind, external: address("203.0.113.1", 0).ip)
            let (conflict, offering) = (seed % 5, seed % 2 == 0)
            let server = addServer(world, isForwarded: seed % 3 == 0, isControlling: conflict == 0 || offering)
            let phone = world.add(
                "192.168.1.20", port: 50_000, behind: nat, link: Self.link(&random),
                isControlling: conflict == 0 || (conflict != 1 && !offering))
            for (sender, receiver) in [(server, phone), (phone, server)] {
                world.signal(
                    sender, to: receiver, delay: .milliseconds(Int.random(in: 0...400, using: &random)),
                    spread: .milliseconds(600))
            }
            let say = Comment(rawValue: "seed \(seed), \(kind)")
            world.run(for: .seconds(40)) { server.agent.state == .connected && phone.agent.state == .connected }
            #expect(server.agent.state == .connected && phone.agent.state == .connected, say)
            #expect(server.agent.isControlling != phone.agent.isControlling, say)
            exchange(world, server, phone, say)
        }
    }

    /// Behind a router that forwards the port, for which `preservesPorts` and a long life stand in.
    private func addServer(_ world: World, isForwarded: Bool, isControlling: Bool) -> Side {
        guard isForwarded else { return world.add("198.51.100.1", port: 3_478, isControlling: isControlling) }
        let router = world.network.addNAT(
            NATBehavior(preservesPorts: true, lifetime: .seconds(100_000)), external: address("198.51.100.1", 0).ip)
        let side = world.add(
            "10.0.0.2", port: 3_478, behind: router, external: address("198.51.100.1", 3_478),
            isControlling: isControlling)
        world.send([0xff], from: side, to: address("198.51.100.77", 9))
        return side
    }

    /// Media both ways along what was selected arrives, and only there.
    private func exchange(_ world: World, _ a: Side, _ b: Side, _ say: Comment) {
        for _ in 0..<40 {
            world.sendMedia(from: a)
            world.sendMedia(from: b)
            world.run(for: .milliseconds(20))
        }
        world.run(for: .seconds(1))
        #expect(!a.heard.isEmpty && !b.heard.isEmpty, say)
    }

    /// Both behind routers, with the addresses a STUN server told them.
    @Test(arguments: kinds.indices, kinds.indices)
    func `two peers behind any two routers: both connect or neither, and those connect that can`(left: Int, right: Int)
    {
        let world = World(seed: UInt64(left * 9 + right))
        let a = addHome(world, Self.kinds[left], "203.0.113.1", isControlling: true)
        let b = addHome(world, Self.kinds[right], "203.0.113.2", isControlling: false)
        world.signal(a, to: b, delay: .milliseconds(50), spread: .milliseconds(50))
        world.signal(b, to: a, delay: .milliseconds(80), spread: .milliseconds(50))
        world.run(for: .seconds(50)) { a.selected != nil && b.selected != nil }
        let connected = a.selected != nil
        #expect(connected == (b.selected != nil))
        #expect(connected == Self.canMeet(Self.kinds[left], Self.kinds[right]))
        // Routers that let everything in and show each packet from another port keep both trying for longer.
        let isEndless = [left, right].contains { Self.kinds[$0].filtering == .endpointIndependent }
        if !connected, !isEndless { #expect(a.has(.failed) && b.has(.failed)) }
    }

    /// Whether one can be reached at the address it was told, or finds out where the other really is.
    private static func canMeet(_ a: NATBehavior, _ b: NATBehavior) -> Bool {
        func isOpen(_ to: NATBehavior, from: NATBehavior) -> Bool {
            // A mapping per destination has heard of nobody but the STUN server.
            guard to.mapping == .endpointIndependent else { return to.filtering == .endpointIndependent }
            return to.filtering != .addressAndPortDependent || from.mapping == .endpointIndependent
        }
        // A request that comes in at one end shows where it comes from; the other end must let in what goes back there,
        // and then show the same port again.
        func meets(_ to: NATBehavior, from: NATBehavior) -> Bool {
            guard isOpen(to, from: from) else { return false }
            if to.mapping == .endpointIndependent { return true }
            return from.filtering != .addressAndPortDependent
                && (to.mapping == .addressDependent || from.mapping != .addressAndPortDependent)
        }
        return meets(a, from: b) || meets(b, from: a)
    }

    private func addHome(_ world: World, _ kind: NATBehavior, _ external: String, isControlling: Bool) -> Side {
        let nat = world.network.addNAT(kind, external: address(external, 0).ip)
        let stun = world.network.addHost(address("198.51.100.\(world.sides.count + 50)", 0).ip)
        // The mapping towards the STUN server, from a socket of the same address and port.
        let inside = world.network.addHost(address("192.168.1.20", 0).ip, behind: nat)
        world.network.send(
            [0], from: inside, port: 50_000, to: address("198.51.100.\(world.sides.count + 50)", 3_478), at: world.now)
        var mapped: TransportAddress?
        while let due = world.network.nextTimeout {
            world.now = max(world.now, due)
            while let arrival = world.network.poll(at: world.now) {
                if case .datagram(stun, _, let source, _) = arrival { mapped = source }
            }
        }
        let side = Side(
            inside, address("192.168.1.20", 50_000), external: mapped, isControlling: isControlling,
            random: &world.random)
        world.sides.append(side)
        return side
    }

    @Test func `two peers in one home meet inside it`() {
        let world = World(seed: 5)
        let nat = world.network.addNAT(.symmetric, external: address("203.0.113.1", 0).ip)
        let a = world.add("192.168.1.20", port: 50_000, behind: nat, isControlling: true)
        let b = world.add("192.168.1.21", port: 50_000, behind: nat, isControlling: false)
        world.signal(a, to: b, delay: .milliseconds(10), spread: .milliseconds(10))
        world.signal(b, to: a, delay: .milliseconds(10), spread: .milliseconds(10))
        world.run(for: .seconds(2))
        #expect(a.selected == path("192.168.1.21", 50_000) && b.selected == path("192.168.1.20", 50_000))
    }
}
