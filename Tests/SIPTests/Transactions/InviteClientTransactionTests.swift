import Base
import SIP
import Testing

@Suite struct InviteClientTransactionTests {
    typealias Machine = InviteClientTransaction
    let invite = request("INVITE")

    private func machine(reliable: Bool = false) -> Machine { Machine(request: invite, reliable: reliable, at: ms(0)) }

    /// A machine in the state, reached by responses at 100 ms.
    private func machine(in state: Machine.State, reliable: Bool = false) -> Machine {
        var machine = machine(reliable: reliable)
        switch state {
        case .calling: break
        case .proceeding: _ = machine.receive(response(180), at: ms(100))
        case .completed: _ = machine.receive(response(486), at: ms(100))
        case .accepted: _ = machine.receive(response(200), at: ms(100))
        case .terminated: _ = machine.transportFailed()
        }
        return machine
    }

    // MARK: Timers

    @Test func `timer A doubles without end and timer B gives up after 64 T1`() {
        var machine = machine()
        let expected = [500, 1500, 3500, 7500, 15_500, 31_500].map {
            Timed(at: $0, action: Machine.Action.send(invite.bytes))
        }
        #expect(machine.run() == expected + [Timed(at: 32_000, action: .timedOut)])
        #expect(machine.isTerminated && machine.nextTimeout == nil)
    }

    @Test func `over a reliable transport nothing is sent again`() {
        var machine = machine(reliable: true)
        #expect(machine.run() == [Timed(at: 32_000, action: .timedOut)])
    }

    @Test func `other timers move everything`() {
        let timers = Timers(t1: .milliseconds(100), t2: .seconds(4), t4: .seconds(5))
        var machine = Machine(request: invite, reliable: false, timers: timers, at: ms(1000))
        let log = machine.run()
        #expect(log.map { $0.at } == [1100, 1300, 1700, 2500, 4100, 7300, 7400])
        #expect(log.last?.action == .timedOut)
    }

    @Test func `a ringing callee may take as long as it likes`() {
        let machine = machine(in: .proceeding)
        #expect(machine.state == .proceeding)
        #expect(machine.nextTimeout == nil)
    }

    @Test(arguments: [(false, 32_100), (true, 32_100)])
    func `timer M ends an accepted INVITE in silence`(reliable: Bool, end: Int) {
        var machine = machine(in: .accepted, reliable: reliable)
        #expect(machine.end() == end)
        #expect(machine.run().isEmpty)
    }

    @Test func `timer D keeps the ACK for 32 s over UDP and not at all over TCP`() {
        var machine = machine(in: .completed)
        #expect(machine.end() == 32_100)
        #expect(machine.run().isEmpty)
        #expect(self.machine(in: .completed, reliable: true).isTerminated)
    }

    @Test func `a late wake-up sends one copy and goes on from there`() {
        var machine = machine()
        let late = machine.handleTimeout(at: ms(9000))
        #expect(late == .send(invite.bytes))
        #expect(machine.nextTimeout == ms(10_000))
    }

    @Test func `an early wake-up does nothing`() {
        var machine = machine()
        let early = machine.handleTimeout(at: ms(499))
        #expect(early == .none)
        #expect(machine.nextTimeout == ms(500))
    }

    // MARK: Transitions

    /// What a response does in a state: the kind of action and the next state.
    struct Row: CustomTestStringConvertible, Sendable {
        var state: Machine.State, status: Int, gives: String, next: Machine.State
        var testDescription: String { "\(state) \(status)" }
    }

    static let table: [Row] = [
        Row(state: .calling, status: 100, gives: "deliver", next: .proceeding),
        Row(state: .calling, status: 183, gives: "deliver", next: .proceeding),
        Row(state: .calling, status: 200, gives: "deliver", next: .accepted),
        Row(state: .calling, status: 302, gives: "acknowledge", next: .completed),
        Row(state: .calling, status: 487, gives: "acknowledge", next: .completed),
        Row(state: .calling, status: 699, gives: "acknowledge", next: .completed),
        Row(state: .proceeding, status: 180, gives: "deliver", next: .proceeding),
        Row(state: .proceeding, status: 299, gives: "deliver", next: .accepted),
        Row(state: .proceeding, status: 300, gives: "acknowledge", next: .completed),
        Row(state: .proceeding, status: 600, gives: "acknowledge", next: .completed),
        Row(state: .completed, status: 180, gives: "none", next: .completed),
        Row(state: .completed, status: 200, gives: "none", next: .completed),
        Row(state: .completed, status: 486, gives: "send", next: .completed),
        Row(state: .accepted, status: 180, gives: "none", next: .accepted),
        Row(state: .accepted, status: 200, gives: "deliver", next: .accepted),
        Row(state: .accepted, status: 486, gives: "none", next: .accepted),
        Row(state: .terminated, status: 180, gives: "none", next: .terminated),
        Row(state: .terminated, status: 200, gives: "none", next: .terminated),
        Row(state: .terminated, status: 486, gives: "none", next: .terminated),
    ]

    private func name(_ action: Machine.Action) -> String {
        switch action {
        case .none: "none"
        case .send: "send"
        case .deliver: "deliver"
        case .deliverAndAcknowledge: "acknowledge"
        case .deliverAndCancel: "cancel"
        case .timedOut: "timed out"
        case .unreachable: "unreachable"
        }
    }

    @Test(arguments: table)
    func `follows figure 5`(row: Row) {
        var machine = machine(in: row.state)
        let action = machine.receive(response(row.status), at: ms(200))
        #expect(name(action) == row.gives)
        #expect(machine.state == row.next)
    }

    @Test(arguments: [
        (Machine.State.calling, Machine.Action.unreachable, Machine.State.terminated),
        (.proceeding, .unreachable, .terminated),
        (.completed, .none, .terminated),
        (.accepted, .none, .accepted),
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

    // MARK: ACK

    @Test func `the ACK of a refusal has what section 17 1 1 3 lists and nothing else`() {
        var machine = machine(in: .proceeding)
        let expected = message(
            "ACK sip:bob@biloxi.com SIP/2.0",
            "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds",
            "Route: <sip:p1.atlanta.com;lr>, <sip:p2.biloxi.com;lr>",
            "Max-Forwards: 70",
            "From: Alice <sip:alice@atlanta.com>;tag=1928301774",
            "To: Bob <sip:bob@biloxi.com>;tag=a6c85cf",
            "Call-ID: a84b4c76e66710@pc33.atlanta.com",
            "CSeq: 314159 ACK",
            "Content-Length: 0")
        let action = machine.receive(response(486), at: ms(200))
        #expect(action == .deliverAndAcknowledge(expected.bytes))
        let again = machine.receive(response(486), at: ms(300))
        #expect(again == .send(expected.bytes))
    }

    @Test func `a refusal without To changes nothing`() {
        var machine = machine()
        let broken = message("SIP/2.0 486 Busy Here", "CSeq: 314159 INVITE", "Content-Length: 0")
        let action = machine.receive(broken, at: ms(100))
        #expect(action == .none)
        #expect(machine.state == .calling)
    }

    // MARK: CANCEL

    @Test func `the CANCEL has the INVITE's target, top Via, Route, To and number`() throws {
        let cancel = try #require(machine(in: .proceeding).makeCancel())
        #expect(
            cancel
                == message(
                    "CANCEL sip:bob@biloxi.com SIP/2.0",
                    "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds",
                    "Route: <sip:p1.atlanta.com;lr>, <sip:p2.biloxi.com;lr>",
                    "Max-Forwards: 70",
                    "From: Alice <sip:alice@atlanta.com>;tag=1928301774",
                    "To: Bob <sip:bob@biloxi.com>",
                    "Call-ID: a84b4c76e66710@pc33.atlanta.com",
                    "CSeq: 314159 CANCEL",
                    "Content-Length: 0"))
    }

    @Test func `a CANCEL waits for the first provisional response`() {
        var machine = machine()
        let now = machine.cancel(at: ms(50))
        #expect(!now)
        let first = machine.receive(response(100), at: ms(80))
        #expect(first == .deliverAndCancel)
        let second = machine.receive(response(180), at: ms(90))
        #expect(second == .deliver)
        let again = machine.cancel(at: ms(95))
        #expect(!again)
    }

    @Test func `a cancelled INVITE without an answer counts as cancelled after 64 T1`() {
        var machine = machine(in: .proceeding)
        let now = machine.cancel(at: ms(1000))
        #expect(now)
        #expect(machine.run() == [Timed(at: 33_000, action: .timedOut)])
    }

    @Test(arguments: [Machine.State.completed, .accepted, .terminated])
    func `what was answered cannot be cancelled`(state: Machine.State) {
        var machine = machine(in: state)
        let cancelled = machine.cancel(at: ms(200))
        #expect(!cancelled)
        #expect(machine.makeCancel() == nil)
    }

    @Test func `an INVITE that waits to be cancelled still times out without any response`() {
        var machine = machine(reliable: true)
        _ = machine.cancel(at: ms(50))
        #expect(machine.run() == [Timed(at: 32_000, action: .timedOut)])
    }
}
