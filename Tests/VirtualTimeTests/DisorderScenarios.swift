import Base
import NetSimulation
import Testing
import UserAgent

/// A bad afternoon: everybody does anything at any time.
@Suite struct DisorderScenarios {
    @Test func `phones do anything in any order`() {
        Seeds.play(60) { world in
            disorder(world, [("anna", .udp), ("anna", .udp), ("bob", .udp), ("carla", .udp)], outages: false)
        }
    }

    @Test func `pages do anything in any order, and lose their connections`() {
        Seeds.play(60) { world in
            disorder(world, [("anna", .page), ("anna", .page), ("bob", .page), ("carla", .page)], outages: true)
        }
    }

    @Test func `phones and pages do anything in any order, and the server dies`() {
        Seeds.play(60) { world in
            disorder(world, [("anna", .udp), ("anna", .page), ("bob", .udp), ("carla", .page)], outages: true)
        }
    }

    private func disorder(_ world: World, _ devices: [(String, Phone.Access)], outages: Bool) -> Bool {
        for (user, access) in devices {
            let phone = world.add(user, access)
            phone.onIncoming = { phone, call in self.react(phone, to: call, in: world) }
        }
        guard world.startAll() else { return false }
        for _ in 0..<25 {
            world.run(for: world.someTime(upTo: .seconds(3)))
            act(world, outages: outages)
        }
        for phone in world.phones { phone.onIncoming = { phone, call in phone.reject(call, status: 486) } }
        world.run(for: .seconds(20))
        // Twice: a call that was being set up may have been answered meanwhile.
        world.everybodyHangsUp()
        world.run(for: .seconds(70))
        world.everybodyHangsUp()
        world.settle()
        return true
    }

    private func react(_ phone: Phone, to call: CallID, in world: World) {
        let delay = world.someTime(upTo: .seconds(6))
        switch Int.random(in: 0..<6, using: &world.random) {
        case 0...2: phone.answer(call, after: delay)
        case 3: phone.reject(call, status: 486, after: delay)
        case 4: phone.reject(call, status: 603, after: delay)
        default: break
        }
    }

    private func act(_ world: World, outages: Bool) {
        guard let phone = world.phones.randomElement(using: &world.random) else { return }
        let call = phone.unended.randomElement(using: &world.random)
        switch Int.random(in: 0..<16, using: &world.random) {
        case 0...4:
            let others = ["anna", "bob", "carla", "nobody"].filter { $0 != phone.user }
            phone.call(others.randomElement(using: &world.random) ?? "bob")
        case 5, 6: if let call { phone.hangUp(call) }
        case 7, 8: if let call { phone.offer(call) }
        case 9: if let call { phone.perform(.dtmf(call, signal: 0x35, milliseconds: 160)) }
        case 10:
            let text = Array("good morning".utf8)
            let target = Array("sip:bob@\(World.domain)".utf8)
            phone.perform(.message(id: 1, to: target, contentType: Array("text/plain".utf8), body: text))
        case 11: phone.perform(.register)
        case 12 where outages && phone.access == .page: world.cut(phone)
        case 13 where outages: world.restartServer(after: world.someTime(upTo: .seconds(3)))
        default: break
        }
    }
}
