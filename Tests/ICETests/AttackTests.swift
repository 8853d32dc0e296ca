import Base
import NetSimulation
import STUN
import Testing

@testable import ICE

/// Somebody who sees every packet and may write any, from any address, but knows no password.
struct AttackTests {
    private let forger = address("203.0.113.66", 666)

    /// What the attacker does with a packet it saw: copies, damage, forgeries; each from an address of its own, from the
    /// receiver's peer, and from a neighbour.
    private func attack(_ world: World, _ packet: [UInt8], _ side: Side, _ source: TransportAddress) {
        var damaged = packet
        damaged[Int.random(in: 0..<packet.count, using: &world.random)] ^= 0x10
        let noise = [packet[0]] + world.random.bytes(count: packet.count)
        var forgeries = [packet, damaged, noise]
        if let seen = Seen(packet) {
            forgeries.append(forge(STUNType(.success, .binding), seen, to: source))
            forgeries.append(forge(STUNType(.error, .binding), seen, to: source))
            forgeries.append(forge(STUNType(.request, .binding), seen, to: source))
        }
        let neighbour = TransportAddress(ip: source.ip, port: source.port &+ 1)
        for forgery in forgeries {
            for origin in [forger, source, neighbour] where forgery != packet || origin != source {
                world.receive(forgery, side, from: origin)
            }
        }
    }

    private func forge(_ type: STUNType, _ seen: Seen, to source: TransportAddress) -> [UInt8] {
        Bench().write(type, seen.id) { writer in
            if let username = seen.username { writer.add(.username, username) }
            writer.add(.priority, UInt32(Int32.max))
            // The greatest of tie-breakers, and the other role.
            writer.add(seen.controlling == nil ? .iceControlled : .iceControlling, UInt64.max)
            writer.add(.useCandidate)
            if type.messageClass == .success { writer.add(.xorMappedAddress, xor: source) }
            if type.messageClass == .error { writer.add(.roleConflict, hasPhrase: false) }
            writer.add(IntegrityKey(sha1: Array("I do not know this password".utf8)))
            writer.addFingerprint()
        }
    }

    @Test(arguments: UInt64(0)..<18)
    func `copies, damage and forgeries stop no call and move none`(seed: UInt64) {
        let world = World(seed: seed)
        let nat = world.network.addNAT(NATTests.kinds[Int(seed) % 9], external: address("203.0.113.1", 0).ip)
        let server = world.add("198.51.100.1", port: 3_478, isControlling: seed % 2 == 0)
        let phone = world.add(
            "192.168.1.20", port: 50_000, behind: nat, link: Link(loss: 0.05), isControlling: seed % 2 == 1)
        world.signal(server, to: phone, delay: .milliseconds(100), spread: .milliseconds(100))
        world.signal(phone, to: server, delay: .milliseconds(150), spread: .milliseconds(100))
        world.tap = { [self] in attack(world, $0, $1, $2) }
        world.run(for: .seconds(30)) { server.selected != nil && phone.selected != nil }
        let (ours, theirs) = (server.selected, phone.selected)
        #expect(ours?.remote.ip == address("203.0.113.1", 0).ip, "seed \(seed)")
        #expect(theirs == path("198.51.100.1", 3_478), "seed \(seed)")
        #expect(server.agent.isControlling == (seed % 2 == 0), "seed \(seed)")
        world.run(for: .seconds(40))
        #expect(server.selected == ours && phone.selected == theirs, "seed \(seed)")
        #expect(server.agent.isControlling != phone.agent.isControlling, "seed \(seed)")
        #expect(server.agent.refusals[.wrongPassword] > 0 && server.agent.refusals[.malformed] > 0)
        for side in [server, phone] {
            #expect(side.agent.session.checklist.pairs.count <= ICELimits.pairs)
            #expect(!side.events.contains { if case .proven(let path) = $0 { path.remote == forger } else { false } })
        }
    }

    @Test func `whoever has an account and forges addresses does not get another's path`() throws {
        var random = RandomSource(seed: 1)
        var table = Demultiplexer()
        let (first, second) = (table.add(using: &random), table.add(using: &random))
        let (anna, mallory) = (try #require(first), try #require(second))
        let place = path("203.0.113.7", 40_000)
        // Before Anna's call has come that far, Mallory claims her address as hers.
        table.bind(place, to: mallory, isProven: false, at: .zero)
        table.bind(place, to: anna, isProven: true, at: .zero)
        for second in 0..<600 {
            let now = Instant.zero + .seconds(second)
            if second % 5 == 0 { table.bind(place, to: anna, isProven: true, at: now) }
            let isTaken = table.bind(place, to: mallory, isProven: false, at: now)
            #expect(!isTaken)
        }
        let media: [UInt8] = [0x80, 96, 0, 1]
        let route = media.withUnsafeBytes { table.route($0, along: place) }
        #expect(route == .agent(anna, .rtp))
    }
}
