import Base
import NetSimulation
import Testing
import UserAgent

/// A bad afternoon: everybody does anything at any time.
@Suite struct DisorderScenarios {
    @Test func `phones do anything in any order`() {
        let successes = Seeds.play(60) { world in
            disorder(world, [("anna", .udp), ("anna", .udp), ("bob", .udp), ("carla", .udp)], outages: false)
        }
        if let successes { #expect(successes >= 54) }
    }

    @Test func `pages do anything in any order, and lose their connections`() {
        let successes = Seeds.play(60) { world in
            disorder(world, [("anna", .page), ("anna", .page), ("bob", .page), ("carla", .page)], outages: true)
        }
        if let successes { #expect(successes >= 54) }
    }

    @Test func `phones and pages do anything in any order, and the server dies`() {
        let successes = Seeds.play(60) { world in
            disorder(world, [("anna", .udp), ("anna", .page), ("bob", .udp), ("carla", .page)], outages: true)
        }
        if let successes { #expect(successes >= 54) }
    }

    private func disorder(_ world: World, _ devices: [(String, Phone.Access)], outages: Bool) -> Bool {
        for (user, access) in devices {
            let phone = world.add(user, access)
            phone.onIncoming = { phone, call in self.react(phone, to: call, in: world) }
        }
        guard world.startAll() else { return false }
        for _ in 0..<40 {
            world.run(for: world.someTime(upTo: .seconds(4)))
            act(world, outages: outages)
        }
        for phone in world.phones { phone.onIncoming = { phone, call in phone.reject(call, status: 486) } }
        // Ringing ends after 45 s at most, and an unacknowledged answer 32 s later.
        world.run(for: .seconds(100)) { world.phones.allSatisfy { $0.pending.isEmpty } && world.lonely.isEmpty }
        let soon = world.lonely.isEmpty
        // Where an outage swallowed a BYE, session timers find out (RFC 4028 §10).
        if outages { world.run(for: .seconds(2000)) { world.lonely.isEmpty } }
        world.check(world.lonely.isEmpty, "alone: \(world.lonely)")
        if !outages { world.checkNobodyForgot() }
        world.everybodyHangsUp()
        world.settle()
        return soon
    }

    private func react(_ phone: Phone, to call: CallID, in world: World) {
        let delay = world.someTime(upTo: .seconds(6))
        switch Int.random(in: 0..<8, using: &world.random) {
        case 0...4: phone.answer(call, after: delay)
        case 5: phone.reject(call, status: 486, after: delay)
        case 6: phone.reject(call, status: 603, after: delay)
        default: break
        }
    }

    private func act(_ world: World, outages: Bool) {
        guard let phone = world.phones.randomElement(using: &world.random) else { return }
        let call = phone.unended.randomElement(using: &world.random)
        switch Int.random(in: 0..<16, using: &world.random) {
        case 0...4:
            let others = ["anna", "anna", "bob", "bob", "carla", "carla", "nobody"].filter { $0 != phone.user }
            phone.call(others.randomElement(using: &world.random) ?? "bob")
        case 5, 6: if let call { phone.hangUp(call) }
        case 7, 8: if let call { phone.offer(call) }
        case 9: if let call { phone.perform(.dtmf(call, signal: 0x35, milliseconds: 160)) }
        case 10: phone.write(to: ["anna", "bob", "carla", "nobody"].randomElement(using: &world.random) ?? "bob")
        case 11: phone.perform(.register)
        case 12 where outages && phone.access == .page: world.cut(phone)
        case 13 where outages: world.restartServer(after: world.someTime(upTo: .seconds(3)))
        case 14:
            let target = Array(
                "sip:\(["anna", "bob", "carla"].randomElement(using: &world.random) ?? "bob")@\(World.domain)".utf8)
            if let call { phone.perform(.transfer(call, to: target)) }
        default: break
        }
    }
}
