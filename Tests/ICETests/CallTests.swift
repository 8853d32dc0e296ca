import Base
import NetSimulation
import Testing

@testable import ICE

/// Calls that last: restarts, lost consent and networks that go away.
struct CallTests {
    /// We and a phone behind its router, connected.
    private func call(seed: UInt64, link: Link = .clean) -> (world: World, server: Side, phone: Side) {
        let world = World(seed: seed)
        let nat = world.network.addNAT(.portRestrictedCone, external: address("203.0.113.1", 0).ip)
        let server = world.add("198.51.100.1", port: 3_478, isControlling: seed % 2 == 0)
        let phone = world.add("192.168.1.20", port: 50_000, behind: nat, link: link, isControlling: seed % 2 == 1)
        describe(world, server, phone)
        world.run(for: .seconds(30)) { server.selected != nil && phone.selected != nil }
        #expect(server.selected != nil && phone.selected != nil, "seed \(seed)")
        return (world, server, phone)
    }

    private func describe(_ world: World, _ server: Side, _ phone: Side) {
        let late = Duration.milliseconds(Int.random(in: 0...300, using: &world.random))
        world.signal(server, to: phone, delay: late, spread: .milliseconds(200))
        world.signal(phone, to: server, delay: .milliseconds(300) - late, spread: .milliseconds(200))
    }

    @Test(arguments: UInt64(0)..<8)
    func `consent keeps a call and the router's mapping, over a bad link`(seed: UInt64) {
        let link = Link(loss: 0.05, delay: .milliseconds(40), jitter: .milliseconds(30), duplication: 0.05)
        let (world, server, phone) = call(seed: seed, link: link)
        let (ours, theirs) = (server.selected, phone.selected)
        world.run(for: .seconds(600))
        #expect(server.selected == ours && phone.selected == theirs, "seed \(seed)")
        #expect(!server.events.contains { if case .consentLost = $0 { true } else { false } }, "seed \(seed)")
    }

    @Test(arguments: UInt64(0)..<20)
    func `a restart loses no packet, and both end in the new session`(seed: UInt64) {
        let (world, server, phone) = call(seed: seed)
        world.run(for: .seconds(7))
        for side in [server, phone] {
            side.agent.restart()
            side.announce()
            side.events = []
            side.heard = [:]
        }
        describe(world, server, phone)
        for _ in 0..<150 {
            world.sendMedia(from: server)
            world.sendMedia(from: phone)
            world.run(for: .milliseconds(20))
        }
        world.run(for: .seconds(1))
        for side in [server, phone] {
            #expect(side.heard.values.reduce(0, +) == 150, "seed \(seed)")
            #expect(side.agent.state == .connected && side.agent.session.selected == side.selected, "seed \(seed)")
        }
    }

    @Test(arguments: UInt64(0)..<6)
    func `a network that goes away ends consent, and a restart brings the call back`(seed: UInt64) {
        let (world, server, phone) = call(seed: seed)
        world.network.setLink(of: phone.host, up: Link(loss: 1), down: Link(loss: 1))
        world.run(for: .seconds(36))
        for side in [server, phone] {
            #expect(side.selected == nil && side.agent.state == .disconnected, "seed \(seed)")
            side.agent.restart()
            side.announce()
        }
        world.network.setLink(of: phone.host, up: .clean, down: .clean)
        describe(world, server, phone)
        world.run(for: .seconds(5))
        #expect(server.agent.state == .connected && phone.agent.state == .connected, "seed \(seed)")
    }

    @Test func `one direction that is lost is noticed by whoever is not answered`() {
        let (world, server, phone) = call(seed: 3)
        world.network.setLink(of: phone.host, up: .clean, down: Link(loss: 1))
        world.run(for: .seconds(36))
        #expect(phone.selected == nil && server.selected == nil)
    }
}
