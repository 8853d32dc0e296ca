import Base
import SIP
import Testing

@Suite struct InviteServerTransactionTests {
    typealias Machine = InviteServerTransaction

    private func machine(in state: Machine.State = .proceeding, reliable: Bool = false) -> Machine {
        var machine = Machine(reliable: reliable)
        switch state {
        case .proceeding: break
        case .completed: _ = machine.respond(response(486), at: ms(0))
        case .accepted: _ = machine.respond(response(200), at: ms(0))
        case .confirmed:
            _ = machine.respond(response(486), at: ms(0))
            _ = machine.receiveAcknowledgement(at: ms(0))
        case .terminated:
            _ = machine.respond(response(486), at: ms(0))
            _ = machine.run()
        }
        return machine
    }

    @Test func `timer G repeats a refusal, doubling up to T2, and timer H gives up after 64 T1`() {
        var machine = machine(in: .completed)
        let times = [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
        let copies = times.map { Timed(at: $0, action: Machine.Action.send(response(486).bytes)) }
        #expect(machine.run() == copies + [Timed(at: 32_000, action: .timedOut)])
        #expect(machine.isTerminated)
    }

    @Test func `over a reliable transport timer H alone runs`() {
        var machine = machine(in: .completed, reliable: true)
        #expect(machine.run() == [Timed(at: 32_000, action: .timedOut)])
    }

    @Test func `an ACK silences timer G, and timer I ends it after T4`() {
        var machine = machine(in: .completed)
        _ = machine.run(until: 600)
        let action = machine.receiveAcknowledgement(at: ms(700))
        #expect(action == .none)
        #expect(machine.state == .confirmed)
        #expect(machine.end() == 5700)
        #expect(machine.run().isEmpty)
    }

    @Test func `an ACK over a reliable transport ends it at once`() {
        #expect(machine(in: .confirmed, reliable: true).isTerminated)
    }

    @Test(arguments: [false, true])
    func `timer L ends an accepted INVITE after 64 T1, in silence`(reliable: Bool) {
        var machine = machine(in: .accepted, reliable: reliable)
        #expect(machine.end() == 32_000)
        #expect(machine.run().isEmpty)
    }

    @Test func `nothing runs while the callee thinks`() { #expect(machine().nextTimeout == nil) }

    @Test(arguments: [
        (Machine.State.proceeding, 180, true, Machine.State.proceeding),
        (.proceeding, 200, true, .accepted),
        (.proceeding, 302, true, .completed),
        (.proceeding, 603, true, .completed),
        (.accepted, 200, true, .accepted),
        (.accepted, 180, false, .accepted),
        (.accepted, 486, false, .accepted),
        (.completed, 180, false, .completed),
        (.completed, 200, false, .completed),
        (.completed, 500, false, .completed),
        (.confirmed, 200, false, .confirmed),
        (.terminated, 200, false, .terminated),
    ])
    func `follows figure 7 for responses of its user`(
        state: Machine.State, status: Int, sends: Bool, next: Machine.State
    ) {
        var machine = machine(in: state)
        let action = machine.respond(response(status), at: ms(0))
        #expect(action == (sends ? .send(response(status).bytes) : .none))
        #expect(machine.state == next)
    }

    @Test func `a copy of the INVITE gets the latest provisional, or the refusal, or nothing`() {
        #expect(machine().receiveRetransmission() == .none)
        var ringing = machine()
        _ = ringing.respond(response(100), at: ms(0))
        _ = ringing.respond(response(180), at: ms(5))
        #expect(ringing.receiveRetransmission() == .send(response(180).bytes))
        #expect(machine(in: .completed).receiveRetransmission() == .send(response(486).bytes))
        #expect(machine(in: .confirmed).receiveRetransmission() == .none)
        #expect(machine(in: .accepted).receiveRetransmission() == .none)
    }

    @Test(arguments: [
        (Machine.State.proceeding, Machine.Action.none, Machine.State.proceeding),
        (.completed, .none, .confirmed),
        (.confirmed, .none, .confirmed),
        (.accepted, .deliver, .accepted),
        (.terminated, .none, .terminated),
    ])
    func `an ACK is news only after a 2xx`(state: Machine.State, gives: Machine.Action, next: Machine.State) {
        var machine = machine(in: state)
        let action = machine.receiveAcknowledgement(at: ms(100))
        #expect(action == gives)
        #expect(machine.state == next)
    }

    @Test(arguments: [Machine.State.proceeding, .completed, .confirmed, .accepted])
    func `a transport error is told and leaves the state`(state: Machine.State) {
        var machine = machine(in: state)
        let action = machine.transportFailed()
        #expect(action == .unreachable)
        #expect(machine.state == state)
    }
}
