import Base
import SIP
import Testing

@testable import CallControl

/// Datagrams that do not get through: RFC 3261 §18.4 and §16.9.
@Suite struct SendFailureTests {
    /// Anna, on a page, asks Bob's telephones something.
    private func ask(_ method: String, telephones: ClosedRange<UInt32>) -> (
        house: House, anna: Flow, copies: [House.Sent]
    ) {
        let house = House()
        let anna = house.registeredPage("anna")
        for host in telephones { _ = house.registeredPhone("bob", host: host) }
        let sent = house.receive(
            House.request(method, "sip:bob@family.test", from: "anna", on: anna, headers: [CallTests.contactHeader]),
            on: anna)
        return (house, anna, sent.filter { $0.message.isRequest })
    }

    private func fail(_ house: House, _ sent: House.Sent, isKnown: Bool = true) -> [House.Sent] {
        house.controller.sendFailed(isKnown ? sent.message.bytes : nil, on: sent.flow, at: house.now)
        return house.drain()
    }

    @Test(arguments: ["INVITE", "MESSAGE"], [true, false])
    func `a telephone that cannot be reached is told at once`(_ method: String, isKnown: Bool) {
        let (house, anna, copies) = ask(method, telephones: 21...21)
        let sent = fail(house, copies[0], isKnown: isKnown)
        #expect(sent.map(\.flow) == [anna])
        #expect(sent.map(\.status) == [480])
        #expect(sent.first?.reason == "Device Cannot Be Reached")
        #expect(house.controller.statistics.sendFailures == 1)
        _ = house.advance(.seconds(60))
        #expect(house.controller.transactionCount == 0)
    }

    @Test func `the others ring on`() {
        let (house, anna, copies) = ask("INVITE", telephones: 21...22)
        #expect(fail(house, copies[0]).isEmpty)
        let sent = house.receive(House.response(486, to: copies[1]), on: copies[1].flow)
        #expect(sent.filter { $0.flow == anna }.map(\.status) == [486])
    }

    @Test func `what ICMP says about a telephone that rings is not believed`() {
        let (house, _, copies) = ask("INVITE", telephones: 21...21)
        _ = house.receive(House.response(180, to: copies[0]), on: copies[0].flow)
        #expect(fail(house, copies[0], isKnown: false).isEmpty)
        #expect(house.receive(House.response(200, to: copies[0]), on: copies[0].flow).map(\.status) == [200])
    }

    @Test func `the next address outside of the household takes over, and the last one's failure is 500`() {
        let house = House()
        let anna = house.registeredPage("anna")
        _ = house.receive(House.request("MESSAGE", "sip:dora@else.test:5066", from: "anna", on: anna), on: anna)
        house.controller.resolved(
            house.questions[0].number, with: .addresses([.v4(0x0a00_0001), .v4(0x0a00_0002)]), at: house.now)
        var sent = fail(house, house.drain()[0])
        #expect(sent.map(\.flow.remote.ip) == [.v4(0x0a00_0002)])
        sent = fail(house, sent[0])
        #expect(sent.map(\.status) == [500])
    }

    @Test func `a CANCEL that cannot be sent is not repeated, and an answer is when it is asked for`() {
        let (house, anna, copies) = ask("INVITE", telephones: 21...21)
        _ = house.receive(House.response(180, to: copies[0]), on: copies[0].flow)
        let cancel = House.request(
            "CANCEL", "sip:bob@family.test", from: "anna", on: anna, branch: "z9hG4bK-anna-call-1-1-INVITE")
        let sent = house.receive(cancel, on: anna).filter { $0.method == .cancel }
        #expect(sent.count == 1)
        #expect(fail(house, sent[0]).isEmpty)
        #expect(house.advance(.seconds(5)).isEmpty)
        // 64*T1 after the CANCEL the INVITE counts as cancelled.
        #expect(house.advance(.seconds(30)).filter { $0.flow == anna }.map(\.status) == [487])
        _ = house.advance(.seconds(60))
        #expect(house.controller.transactionCount == 0)
    }

    @Test func `bytes that no request of ours are change nothing`() {
        let (house, _, copies) = ask("MESSAGE", telephones: 21...21)
        for bytes in [[], [0], House.wire(House.response(200, to: copies[0])), House.wire("OPTIONS sip:a SIP/2.0")] {
            house.controller.sendFailed(bytes, on: copies[0].flow, at: house.now)
        }
        #expect(house.drain().isEmpty)
        #expect(house.receive(House.response(200, to: copies[0]), on: copies[0].flow).map(\.status) == [200])
    }
}
