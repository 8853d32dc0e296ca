import Base
import CallControl
import NetSimulation
import Testing
import UserAgent

@Suite struct RegistrationScenarios {
    @Test func `phones and pages register through loss and translators, and leave`() {
        let successes = Seeds.play(80) { world in
            let kinds: [NATBehavior?] = [nil, .fullCone, .restrictedCone, .portRestrictedCone, .symmetric]
            for kind in kinds.shuffled(using: &world.random).prefix(3) { world.add("anna", .udp, nat: kind) }
            world.add("bob", .page, nat: .symmetric)
            for phone in world.phones { world.after(world.someTime(upTo: .seconds(1))) { phone.start() } }
            let all = world.run(for: .seconds(70)) { world.phones.allSatisfy(\.isRegistered) }
            world.check(world.controller.bindingCount <= 4, "\(world.controller.bindingCount) bindings of 4 devices")
            for phone in world.phones where phone.isRegistered { phone.perform(.unregister) }
            let none = world.run(for: .seconds(70)) { world.controller.bindingCount == 0 }
            world.settle()
            return all && none
        }
        if let successes { #expect(successes >= 76) }
    }

    @Test func `a registration is renewed for hours`() {
        let successes = Seeds.play(10) { world in
            let phone = world.add("anna", .udp)
            let page = world.add("bob", .page)
            world.phones.forEach { $0.start() }
            world.run(for: .seconds(7200))
            return phone.isRegistered && page.isRegistered && world.controller.bindingCount == 2
        }
        if let successes { #expect(successes >= 9) }
    }
}
