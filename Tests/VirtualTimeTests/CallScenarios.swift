import Base
import NetSimulation
import Testing
import UserAgent

/// Two people and one call.
@Suite struct CallScenarios {
    /// Anna with one device and Bob with one, behind translators or not, registered; nil when the network was too bad for
    /// that.
    private func pair(_ world: World, _ access: Phone.Access) -> (anna: Phone, bob: Phone)? {
        let kinds: [NATBehavior?] = [nil, .fullCone, .restrictedCone, .portRestrictedCone, .symmetric]
        let anna = world.add("anna", access, nat: kinds.randomElement(using: &world.random) ?? nil)
        let bob = world.add("bob", access, nat: kinds.randomElement(using: &world.random) ?? nil)
        return world.startAll() ? (anna, bob) : nil
    }

    @Test(arguments: [Phone.Access.udp, .page])
    func `one calls, the other answers, either hangs up`(access: Phone.Access) {
        let successes = Seeds.play(80) { world in
            guard let (anna, bob) = pair(world, access) else { return false }
            let call = anna.call("bob")
            let met = world.run(for: .seconds(40)) { world.establishedEnds == 2 }
            guard met else {
                world.everybodyHangsUp()
                world.settle()
                return false
            }
            world.run(for: .seconds(5))
            let trickled = access == .udp || (anna.candidatesHeard == 3 && bob.candidatesHeard == 3)
            (Bool.random(using: &world.random) ? anna : bob).hangUpAll()
            world.settle()
            world.check(anna.ending(of: call) != nil, "the call never ended")
            return trickled && bob.endings.count == 1
        }
        if let successes { #expect(successes >= 76) }
    }

    @Test func `both hang up at once`() {
        let successes = Seeds.play(100) { world in
            guard let (anna, bob) = pair(world, .udp) else { return false }
            anna.call("bob")
            let met = world.run(for: .seconds(40)) { world.establishedEnds == 2 }
            anna.hangUpAll(after: .seconds(2) + world.someTime(upTo: .milliseconds(80)))
            bob.hangUpAll(after: .seconds(2) + world.someTime(upTo: .milliseconds(80)))
            if !met { world.everybodyHangsUp() }
            world.settle()
            return met
        }
        if let successes { #expect(successes >= 95) }
    }

    @Test(arguments: [Phone.Access.udp, .page])
    func `a CANCEL crosses the 200`(access: Phone.Access) {
        var crossed = 0
        Seeds.play(80) { world in
            guard let (anna, bob) = pair(world, access) else { return false }
            bob.onIncoming = { phone, call in
                phone.answer(call, after: .seconds(2))
                anna.hangUpAll(after: .milliseconds(1900) + world.someTime(upTo: .milliseconds(200)))
            }
            anna.call("bob")
            world.run(for: .seconds(60)) { anna.pending.isEmpty }
            world.everybodyHangsUp(except: bob)
            world.settle()
            if bob.endings != [.cancelled] { crossed += 1 }
            return true
        }
        #expect(crossed > 0, "the answer was never faster")
    }

    @Test(arguments: [Phone.Access.udp, .page])
    func `the caller gives up while it rings`(access: Phone.Access) {
        let successes = Seeds.play(40) { world in
            guard let (anna, bob) = pair(world, access) else { return false }
            bob.onIncoming = { _, _ in }
            let call = anna.call("bob")
            world.run(for: .seconds(20)) { !bob.ringing.isEmpty }
            anna.hangUp(call, after: world.someTime(upTo: .seconds(3)))
            world.settle()
            return bob.endings == [.cancelled] && anna.ending(of: call) == .cancelled
        }
        if let successes { #expect(successes >= 36) }
    }

    @Test func `both offer at once`() {
        let successes = Seeds.play(80) { world in
            guard let (anna, bob) = pair(world, .udp) else { return false }
            anna.call("bob")
            guard world.run(for: .seconds(40), until: { world.establishedEnds == 2 }) else {
                world.everybodyHangsUp()
                world.settle()
                return false
            }
            world.run(for: .seconds(2))
            for phone in [anna, bob] {
                for call in phone.established { phone.offer(call, after: world.someTime(upTo: .milliseconds(60))) }
            }
            world.run(for: .seconds(40))
            let stayed = world.establishedEnds == 2
            let outcomes = world.phones.flatMap(\.events).filter {
                switch $0 {
                case .offerAnswered, .offerFailed: true
                default: false
                }
            }
            anna.hangUpAll()
            world.settle()
            return stayed && outcomes.count == 2
        }
        if let successes { #expect(successes >= 70) }
    }

    @Test func `everything arrives twice or thrice or late`() {
        let link = Link(
            loss: 0.3, delay: .milliseconds(50), jitter: .milliseconds(400), reordering: 0.3,
            reorderingDelay: .milliseconds(800), duplication: 0.6)
        let successes = Seeds.play(60, link: link) { world in
            guard let (anna, bob) = pair(world, .udp) else { return false }
            anna.call("bob")
            let met = world.run(for: .seconds(60)) { world.establishedEnds == 2 }
            if met {
                world.run(for: .seconds(3))
                bob.hangUpAll()
            } else {
                world.everybodyHangsUp()
            }
            world.settle()
            return met && bob.calls.count == 1
        }
        if let successes { #expect(successes >= 48) }
    }
}

extension World {
    /// Switches every device on and waits until all are registered.
    func startAll() -> Bool {
        phones.forEach { $0.start() }
        return run(for: .seconds(100)) { self.phones.allSatisfy(\.isRegistered) }
    }

    func everybodyHangsUp(except other: Phone? = nil) {
        for phone in phones where phone !== other { phone.hangUpAll() }
    }
}
