import Base
import SIP
import Testing

@Suite struct NonInviteClientTransactionTests {
    typealias Machine = NonInviteClientTransaction
    let register = request("REGISTER")

    private func machine(in state: Machine.State = .trying, reliable: Bool = false) -> Machine {
        var machine = Machine(request: register, reliable: reliable, at: ms(0))
        switch state {
        case .trying: break
        case .proceeding: _ = machine.receive(response(100, to: "REGISTER"), at: ms(100))
        case .completed: _ = machine.receive(response(200, to: "REGISTER"), at: ms(100))
        case .terminated: _ = machine.transportFailed()
        }
        return machine
    }

    private func copies(_ times: [Int]) -> [Timed<Machine.Action>] {
        times.map { Timed(at: $0, action: .send(register.bytes)) }
    }

    @Test func `timer E doubles up to T2 and timer F gives up after 64 T1`() {
        var machine = machine()
        let times = [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
        #expect(machine.run() == copies(times) + [Timed(at: 32_000, action: .timedOut)])
        #expect(machine.isTerminated)
    }

    @Test func `after a provisional response timer E waits T2 each time`() {
        var machine = machine(in: .proceeding)
        let times = [500, 4500, 8500, 12_500, 16_500, 20_500, 24_500, 28_500]
        #expect(machine.run() == copies(times) + [Timed(at: 32_000, action: .timedOut)])
    }

    @Test func `over a reliable transport nothing is sent again`() {
        var machine = machine(reliable: true)
        #expect(machine.run() == [Timed(at: 32_000, action: .timedOut)])
    }

    @Test func `timer K swallows copies of the response for T4, over UDP alone`() {
        #expect(machine(in: .completed).end() == 5100)
        #expect(machine(in: .completed, reliable: true).isTerminated)
    }

    @Test(arguments: [
        (Machine.State.trying, 100, Machine.Action.deliver, Machine.State.proceeding),
        (.trying, 200, .deliver, .completed),
        (.trying, 401, .deliver, .completed),
        (.proceeding, 182, .deliver, .proceeding),
        (.proceeding, 503, .deliver, .completed),
        (.completed, 100, .none, .completed),
        (.completed, 200, .none, .completed),
        (.terminated, 200, .none, .terminated),
    ])
    func `follows figure 6`(state: Machine.State, status: Int, gives: Machine.Action, next: Machine.State) {
        var machine = machine(in: state)
        let action = machine.receive(response(status, to: "REGISTER"), at: ms(200))
        #expect(action == gives)
        #expect(machine.state == next)
    }

    @Test(arguments: [
        (Machine.State.trying, Machine.Action.unreachable, Machine.State.terminated),
        (.proceeding, .unreachable, .terminated),
        (.completed, .none, .completed),
        (.terminated, .none, .terminated),
    ])
    func `a transport error means 503 while somebody waits`(
        state: Machine.State, gives: Machine.Action, next: Machine.State
    ) {
        var machine = machine(in: state)
        let action = machine.transportFailed()
        #expect(action == gives)
        #expect(machine.state == next)
    }
}
