import Base
import NetSimulation
import Testing
import UserAgent

/// Bob has several devices, and all of them ring.
@Suite struct ForkingScenarios {
    private func household(_ world: World, devices: Int, _ access: Phone.Access) -> (anna: Phone, bobs: [Phone])? {
        let anna = world.add("anna", access)
        let bobs = (0..<devices).map { _ in world.add("bob", access) }
        return world.startAll() ? (anna, bobs) : nil
    }

    @Test(arguments: [Phone.Access.udp, .page])
    func `two answer at once, one keeps the call`(access: Phone.Access) {
        var collisions = 0
        let successes = Seeds.play(75) { world in
            guard let (anna, bobs) = household(world, devices: 3, access) else { return false }
            for bob in bobs.prefix(2) {
                bob.onIncoming = { phone, call in
                    phone.answer(call, after: .seconds(2) + world.someTime(upTo: .milliseconds(60)))
                }
            }
            bobs[2].onIncoming = { _, _ in }
            anna.call("bob")
            world.run(for: .seconds(60)) { !anna.established.isEmpty }
            if bobs.prefix(2).allSatisfy({ !$0.established.isEmpty }) { collisions += 1 }
            world.run(for: .seconds(60)) { world.establishedEnds == 2 && bobs.allSatisfy(\.ringing.isEmpty) }
            let one = anna.established.count == 1 && bobs.filter { !$0.established.isEmpty }.count == 1
            anna.hangUpAll()
            world.settle()
            return one
        }
        #expect(collisions > 0, "never did two answers cross")
        if let successes { #expect(successes >= 71) }
    }

    @Test func `one answers and the others hear that it was answered elsewhere`() {
        let successes = Seeds.play(40) { world in
            guard let (anna, bobs) = household(world, devices: 3, .udp) else { return false }
            for bob in bobs.dropFirst() { bob.onIncoming = { _, _ in } }
            anna.call("bob")
            world.run(for: .seconds(60)) { world.establishedEnds == 2 && bobs.allSatisfy(\.ringing.isEmpty) }
            let elsewhere = bobs.dropFirst().allSatisfy { $0.endings.allSatisfy { $0 == .answeredElsewhere } }
            bobs[0].hangUpAll()
            anna.hangUpAll(after: .seconds(60))
            world.settle()
            return elsewhere && bobs[0].endings == [.hungUp]
        }
        if let successes { #expect(successes >= 36) }
    }

    @Test func `one declines for all`() {
        let successes = Seeds.play(40) { world in
            guard let (anna, bobs) = household(world, devices: 3, .udp) else { return false }
            bobs[0].onIncoming = { phone, call in phone.reject(call, status: 603, after: .seconds(1)) }
            for bob in bobs.dropFirst() { bob.onIncoming = { _, _ in } }
            let call = anna.call("bob")
            world.run(for: .seconds(44)) { anna.ending(of: call) != nil }
            let declined = anna.ending(of: call) == .declined
            world.settle()
            return declined
        }
        if let successes { #expect(successes >= 36) }
    }

    @Test func `one is busy and another still rings`() {
        let successes = Seeds.play(40) { world in
            guard let (anna, bobs) = household(world, devices: 2, .udp) else { return false }
            bobs[0].onIncoming = { phone, call in phone.reject(call, status: 486) }
            bobs[1].onIncoming = { phone, call in phone.answer(call, after: .seconds(3)) }
            anna.call("bob")
            let met = world.run(for: .seconds(60)) { world.establishedEnds == 2 }
            anna.hangUpAll()
            world.settle()
            return met
        }
        if let successes { #expect(successes >= 36) }
    }

    @Test func `all are busy`() {
        let successes = Seeds.play(30) { world in
            guard let (anna, bobs) = household(world, devices: 2, .udp) else { return false }
            for bob in bobs { bob.onIncoming = { phone, call in phone.reject(call, status: 486) } }
            let call = anna.call("bob")
            world.run(for: .seconds(60)) { anna.ending(of: call) != nil }
            let busy = anna.ending(of: call) == .busy
            world.settle()
            return busy
        }
        if let successes { #expect(successes >= 27) }
    }

    @Test func `nobody answers`() {
        let successes = Seeds.play(30) { world in
            guard let (anna, bobs) = household(world, devices: 2, .udp) else { return false }
            for bob in bobs { bob.onIncoming = { _, _ in } }
            let call = anna.call("bob")
            world.run(for: .seconds(100)) { anna.ending(of: call) != nil }
            let unanswered = anna.ending(of: call) == .noAnswer
            world.settle()
            return unanswered
        }
        if let successes { #expect(successes >= 27) }
    }
}
