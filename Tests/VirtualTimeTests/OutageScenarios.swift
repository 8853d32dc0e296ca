import Base
import NetSimulation
import Testing
import UserAgent

/// The server dies, connections break, and calls go on.
@Suite struct OutageScenarios {
    private func conversation(_ world: World, _ access: Phone.Access) -> (anna: Phone, bob: Phone)? {
        let (anna, bob) = (world.add("anna", access), world.add("bob", access))
        guard world.startAll() else { return nil }
        anna.call("bob")
        guard world.run(for: .seconds(60), until: { world.establishedEnds == 2 }) else { return nil }
        world.run(for: .seconds(3))
        return (anna, bob)
    }

    @Test(arguments: [Phone.Access.udp, .page])
    func `the server restarts in a conversation, which is then re-offered and hung up`(access: Phone.Access) {
        let successes = Seeds.play(50) { world in
            guard let (anna, bob) = conversation(world, access) else { return false }
            let down = Duration.milliseconds(200) + world.someTime(upTo: .seconds(5))
            world.restartServer(after: down)
            world.run(for: down + .seconds(20)) { access == .page && world.phones.allSatisfy(\.isRegistered) }
            world.check(world.establishedEnds == 2, "the restart ended the conversation")
            for call in bob.established { bob.offer(call) }
            world.run(for: .seconds(30))
            let renewed = bob.events.contains { if case .offerAnswered = $0 { true } else { false } }
            anna.hangUpAll()
            world.settle()
            return renewed
        }
        if let successes { #expect(successes >= 46) }
    }

    @Test func `the other side hangs up while the server is away`() {
        let successes = Seeds.play(40) { world in
            guard let (anna, _) = conversation(world, .udp) else { return false }
            world.restartServer(after: .seconds(4))
            anna.hangUpAll(after: world.someTime(upTo: .seconds(4)))
            world.run(for: .seconds(50)) { world.establishedEnds == 0 }
            let over = world.establishedEnds == 0
            world.settle()
            return over
        }
        if let successes { #expect(successes >= 36) }
    }

    @Test func `a page loses its connection in a conversation and is found again`() {
        let successes = Seeds.play(60) { world in
            guard let (anna, bob) = conversation(world, .page) else { return false }
            let loser = Bool.random(using: &world.random) ? anna : bob
            let other = loser === anna ? bob : anna
            world.cut(loser)
            world.run(for: .milliseconds(1))
            world.run(for: .seconds(20)) { loser.isRegistered }
            world.check(world.establishedEnds == 2, "the cut ended the conversation")
            other.hangUpAll()
            world.run(for: .seconds(40)) { world.establishedEnds == 0 }
            let reached = loser.endings == [.remoteHungUp]
            world.settle()
            return reached
        }
        if let successes { #expect(successes >= 57) }
    }

    @Test func `a page hangs up the moment its connection breaks`() {
        let successes = Seeds.play(40) { world in
            guard let (anna, bob) = conversation(world, .page) else { return false }
            world.after(world.someTime(upTo: .milliseconds(40))) { world.cut(anna) }
            anna.hangUpAll(after: world.someTime(upTo: .milliseconds(40)))
            world.run(for: .seconds(50)) { world.establishedEnds == 0 }
            let over = bob.endings == [.remoteHungUp]
            world.settle()
            return over
        }
        if let successes { #expect(successes >= 36) }
    }

    @Test func `a page loses its connection while it rings or calls`() {
        let successes = Seeds.play(60) { world in
            let (anna, bob) = (world.add("anna", .page), world.add("bob", .page))
            guard world.startAll() else { return false }
            let loser = Bool.random(using: &world.random) ? anna : bob
            bob.onIncoming = { phone, call in
                world.after(world.someTime(upTo: .seconds(2))) { world.cut(loser) }
                phone.answer(call, after: .seconds(1) + world.someTime(upTo: .seconds(3)))
            }
            anna.call("bob")
            world.run(for: .seconds(70)) { anna.pending.isEmpty && bob.pending.isEmpty }
            let met = world.run(for: .seconds(5)) { world.establishedEnds == 2 }
            world.run(for: .seconds(40)) { world.establishedEnds != 1 }
            world.check(world.establishedEnds != 1, "somebody talks to nobody")
            world.everybodyHangsUp()
            world.settle()
            return met
        }
        if let successes { #expect(successes >= 54) }
    }

    @Test func `one hangs up while the other's connection breaks`() {
        let successes = Seeds.play(40) { world in
            guard let (anna, bob) = conversation(world, .page) else { return false }
            world.after(world.someTime(upTo: .milliseconds(500))) { world.cut(bob) }
            anna.hangUpAll(after: world.someTime(upTo: .milliseconds(1000)))
            world.run(for: .seconds(50)) { world.establishedEnds == 0 }
            let over = bob.endings == [.remoteHungUp]
            bob.hangUpAll()
            world.settle()
            return over
        }
        if let successes { #expect(successes >= 36) }
    }

    @Test func `the server restarts while it rings`() {
        let successes = Seeds.play(60) { world in
            let access: Phone.Access = Bool.random(using: &world.random) ? .udp : .page
            let (anna, bob) = (world.add("anna", access), world.add("bob", access))
            guard world.startAll() else { return false }
            bob.onIncoming = { phone, call in
                world.after(world.someTime(upTo: .seconds(2))) {
                    world.restartServer(after: world.someTime(upTo: .seconds(2)))
                }
                phone.answer(call, after: .seconds(1) + world.someTime(upTo: .seconds(4)))
            }
            anna.call("bob")
            world.run(for: .seconds(120)) { anna.pending.isEmpty && bob.pending.isEmpty }
            let met = world.run(for: .seconds(5)) { world.establishedEnds == 2 }
            world.run(for: .seconds(40)) { world.establishedEnds != 1 }
            world.check(world.establishedEnds != 1, "somebody talks to nobody")
            world.everybodyHangsUp()
            world.settle()
            return met
        }
        if let successes { #expect(successes >= 54) }
    }
    @Test func `the caller gives up after the server restarted, and the phone stops ringing`() {
        let successes = Seeds.play(50) { world in
            let (anna, bob) = (world.add("anna", .udp), world.add("bob", .udp))
            guard world.startAll() else { return false }
            bob.onIncoming = { _, _ in }
            anna.call("bob")
            guard world.run(for: .seconds(30), until: { !bob.ringing.isEmpty }) else { return false }
            world.run(for: .seconds(3))
            let down = Duration.milliseconds(200) + world.someTime(upTo: .seconds(3))
            world.restartServer(after: down)
            world.run(for: down + world.someTime(upTo: .seconds(10)))
            anna.hangUpAll()
            world.run(for: .seconds(40)) { bob.ringing.isEmpty && anna.pending.isEmpty }
            let stopped = bob.endings == [.cancelled] && anna.endings == [.cancelled]
            world.everybodyHangsUp()
            world.settle()
            return stopped
        }
        if let successes { #expect(successes >= 47) }
    }
}
