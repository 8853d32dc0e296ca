import Base
import SIP
import Testing

@Suite struct NonInviteServerTransactionTests {
    typealias Machine = NonInviteServerTransaction

    private func machine(in state: Machine.State = .trying, reliable: Bool = false) -> Machine {
        var machine = Machine(reliable: reliable)
        switch state {
        case .trying: break
        case .proceeding: _ = machine.respond(response(100, to: "BYE"), at: ms(0))
        case .completed: _ = machine.respond(response(200, to: "BYE"), at: ms(0))
        case .terminated:
            _ = machine.respond(response(200, to: "BYE"), at: ms(0))
            _ = machine.run()
        }
        return machine
    }

    @Test func `timer J answers copies for 64 T1 over UDP, and ends at once over TCP`() {
        var machine = machine(in: .completed)
        #expect(machine.end() == 32_000)
        #expect(machine.run().isEmpty)
        #expect(self.machine(in: .completed, reliable: true).isTerminated)
    }

    @Test func `nothing runs before the final response`() {
        #expect(machine().nextTimeout == nil)
        #expect(machine(in: .proceeding).nextTimeout == nil)
    }

    @Test(arguments: [
        (Machine.State.trying, 100, true, Machine.State.proceeding),
        (.trying, 200, true, .completed),
        (.proceeding, 100, true, .proceeding),
        (.proceeding, 481, true, .completed),
        (.completed, 100, false, .completed),
        (.completed, 500, false, .completed),
        (.terminated, 200, false, .terminated),
    ])
    func `follows figure 8`(state: Machine.State, status: Int, sends: Bool, next: Machine.State) {
        var machine = machine(in: state)
        let answer = response(status, to: "BYE")
        let action = machine.respond(answer, at: ms(0))
        #expect(action == (sends ? .send(answer.bytes) : .none))
        #expect(machine.state == next)
    }

    @Test func `a copy of the request gets the latest response, or nothing before the first`() {
        #expect(machine().receiveRetransmission() == .none)
        #expect(machine(in: .proceeding).receiveRetransmission() == .send(response(100, to: "BYE").bytes))
        #expect(machine(in: .completed).receiveRetransmission() == .send(response(200, to: "BYE").bytes))
        #expect(machine(in: .terminated).receiveRetransmission() == .none)
    }

    @Test func `a transport error is told and leaves the state`() {
        var machine = machine(in: .proceeding)
        let action = machine.transportFailed()
        #expect(action == .unreachable)
        #expect(machine.state == .proceeding)
    }
}
