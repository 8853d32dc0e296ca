import Base
import SIP
import Testing

/// What holds for the machines whatever happens to them, in any order.
@Suite struct TransactionPropertyTests {
    /// Inputs that nobody would choose, at times nobody would choose.
    private struct Fate {
        var random: RandomSource
        var now = Instant.zero

        init(seed: UInt64) { random = RandomSource(seed: seed) }

        mutating func pass() { now += .milliseconds(Int64.random(in: 0...6000, using: &random)) }
        mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
        mutating func response() -> SIPMessage {
            SIPTests.response([100, 180, 183, 200, 202, 302, 404, 486, 503, 603][pick(10)])
        }
    }

    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func `an INVITE tells its user one outcome, and ends`(seed: UInt64) {
        var fate = Fate(seed: seed)
        let reliable = Bool.random(using: &fate.random)
        var machine = InviteClientTransaction(request: request("INVITE"), reliable: reliable, at: fate.now)
        var failures = 0
        var successes = 0
        for _ in 0..<30 {
            fate.pass()
            let wasTerminated = machine.isTerminated
            var action = InviteClientTransaction.Action.none
            var status = 0
            switch fate.pick(8) {
            case 0...3:
                let message = fate.response()
                status = message.status ?? 0
                action = machine.receive(message, at: fate.now)
            case 4...5: action = machine.handleTimeout(at: fate.now)
            case 6: action = machine.cancel(at: fate.now) ? .deliverAndCancel : .none
            default: if fate.pick(4) == 0 { action = machine.transportFailed() }
            }
            if wasTerminated { #expect(action == .none && machine.isTerminated && machine.nextTimeout == nil) }
            switch action {
            case .deliverAndAcknowledge, .timedOut, .unreachable: failures += 1
            case .deliver where status >= 200:
                successes += 1
                #expect(failures == 0, "a 2xx after the end")
            default: break
            }
            if machine.state == .calling { #expect(machine.nextTimeout != nil) }
        }
        #expect(failures <= 1)
        #expect(failures == 0 || successes == 0)
        if machine.state != .proceeding || machine.nextTimeout != nil {
            _ = machine.run()
            #expect(machine.isTerminated)
        }
    }

    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func `any other request tells its user one outcome, and ends within 64 T1 of it`(seed: UInt64) {
        var fate = Fate(seed: seed)
        let reliable = Bool.random(using: &fate.random)
        var machine = NonInviteClientTransaction(request: request("BYE"), reliable: reliable, at: fate.now)
        var outcomes = 0
        for _ in 0..<20 {
            fate.pass()
            let wasTerminated = machine.isTerminated
            var action = NonInviteClientTransaction.Action.none
            var isFinal = false
            switch fate.pick(6) {
            case 0...1:
                let message = fate.response()
                isFinal = (message.status ?? 0) >= 200
                action = machine.receive(message, at: fate.now)
            case 2...4: action = machine.handleTimeout(at: fate.now)
            default: if fate.pick(4) == 0 { action = machine.transportFailed() }
            }
            if wasTerminated { #expect(action == .none && machine.isTerminated && machine.nextTimeout == nil) }
            if action == .timedOut || action == .unreachable || (action == .deliver && isFinal) { outcomes += 1 }
            if !machine.isTerminated { #expect(machine.nextTimeout != nil) }
        }
        #expect(outcomes <= 1)
        _ = machine.run()
        #expect(machine.isTerminated)
    }

    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func `an answered INVITE ends, and repeats nothing but its answer`(seed: UInt64) {
        var fate = Fate(seed: seed)
        var machine = InviteServerTransaction(reliable: Bool.random(using: &fate.random))
        var answers: Set<[UInt8]> = []
        var hasFinal = false
        for _ in 0..<30 {
            fate.pass()
            let wasTerminated = machine.isTerminated
            var action = InviteServerTransaction.Action.none
            switch fate.pick(8) {
            case 0...1:
                let message = fate.response()
                answers.insert(message.bytes)
                action = machine.respond(message, at: fate.now)
                if (message.status ?? 0) >= 200, action != .none { hasFinal = true }
            case 2...3: action = machine.receiveRetransmission()
            case 4: action = machine.receiveAcknowledgement(at: fate.now)
            case 5...6: action = machine.handleTimeout(at: fate.now)
            default: action = machine.transportFailed()
            }
            if wasTerminated { #expect(action == .none && machine.isTerminated && machine.nextTimeout == nil) }
            if case .send(let bytes) = action { #expect(answers.contains(bytes)) }
        }
        #expect(hasFinal || machine.state == .proceeding)
        _ = machine.run()
        #expect(machine.isTerminated == hasFinal)
    }

    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func `any other answered request ends, and repeats nothing but its answer`(seed: UInt64) {
        var fate = Fate(seed: seed)
        var machine = NonInviteServerTransaction(reliable: Bool.random(using: &fate.random))
        var answers: Set<[UInt8]> = []
        var finals = 0
        for _ in 0..<20 {
            fate.pass()
            var action = NonInviteServerTransaction.Action.none
            switch fate.pick(6) {
            case 0...1:
                let message = fate.response()
                answers.insert(message.bytes)
                action = machine.respond(message, at: fate.now)
                if (message.status ?? 0) >= 200, action != .none { finals += 1 }
            case 2...3: action = machine.receiveRetransmission()
            case 4: action = machine.handleTimeout(at: fate.now)
            default: action = machine.transportFailed()
            }
            if case .send(let bytes) = action { #expect(answers.contains(bytes)) }
        }
        #expect(finals <= 1)
        _ = machine.run()
        #expect(machine.isTerminated == (finals == 1))
    }
}
