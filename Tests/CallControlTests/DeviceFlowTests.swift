import Base
import SIP
import Testing

@testable import CallControl

/// Several flows of one device: RFC 5626 §5.3 and §7.
@Suite struct DeviceFlowTests {
    /// Bob's one device, registered over two connections, and Anna.
    struct TwoFlows {
        let house: House
        let anna: Flow
        let first: Flow
        let second: Flow
        static let headers = ["Supported: outbound, path, gruu"]
        static let contact = "<sip:bob@device.invalid;transport=ws>"

        init(udp: Bool = false) {
            house = House()
            anna = house.registeredPage("anna")
            first = udp ? House.phone(21) : house.page("bob")
            second = udp ? House.phone(22) : house.page("bob")
            register(1)
            register(2)
        }

        static func text(_ regID: Int, on flow: Flow, cseq: Int) -> String {
            House.register(
                "bob", on: flow, contact: contact, parameters: RegistrarTests.instance + ";reg-id=\(regID)", cseq: cseq,
                headers: headers)
        }

        func register(_ regID: Int, cseq: Int = 1) {
            _ = house.advance(.seconds(1))
            let flow = regID == 1 ? first : second
            let answer = house.authenticated(Self.text(regID, on: flow, cseq: cseq), user: "bob", on: flow)
            #expect(answer.first?.status == 200)
        }

        func call(_ uri: String = "sip:bob@family.test", cseq: Int = 1, body: String = "") -> [House.Sent] {
            house.receive(CallTests.invite(uri, on: anna, cseq: cseq, body: body), on: anna).filter {
                $0.method == .invite
            }
        }
    }

    @Test(arguments: [
        "sip:bob@family.test", "sip:bob@family.test;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "sip:bob@device.invalid;transport=ws",
    ])
    func `a device with two flows rings once, over the one it refreshed last`(_ uri: String) {
        let device = TwoFlows()
        #expect(device.call(uri).map(\.flow) == [device.second])
        device.register(1, cseq: 2)
        #expect(device.call(uri, cseq: 2).map(\.flow) == [device.first])
    }

    @Test func `other devices of the person ring as well`() {
        let device = TwoFlows()
        let other = device.house.registeredPage("bob")
        #expect(Set(device.call().map(\.flow)) == [device.second, other])
    }

    @Test func `430 moves the request to the other flow, any other answer is the device's`() {
        let device = TwoFlows()
        let invite = device.call()[0]
        var sent = device.house.receive(House.response(430, "Flow Failed", to: invite), on: device.second)
        let next = sent.first { $0.method == .invite }
        #expect(next?.flow == device.first)
        #expect(next?.texts(.via).first != invite.texts(.via).first)
        guard let next else { return }
        sent = device.house.receive(House.response(486, "Busy Here", to: next), on: device.first)
        #expect(sent.map(\.status).contains(486))
        // No third flow, no second try.
        let again = device.call(cseq: 2)[0]
        sent = device.house.receive(House.response(503, to: again), on: again.flow)
        #expect(!sent.contains { $0.method == .invite })
        #expect(sent.last?.status == 500)
    }

    @Test func `430 of every flow is told to the caller`() {
        let device = TwoFlows()
        let invite = device.call()[0]
        var sent = device.house.receive(House.response(430, to: invite), on: invite.flow)
        guard let next = sent.first(where: { $0.method == .invite }) else { return #expect(Bool(false), "not tried") }
        sent = device.house.receive(House.response(430, to: next), on: next.flow)
        #expect(sent.filter { $0.flow == device.anna }.map(\.status) == [430])
        _ = device.house.advance(.seconds(60))
        #expect(device.house.controller.transactionCount == 0)
    }

    @Test func `silence on one flow leads to the other`() {
        let device = TwoFlows(udp: true)
        let invite = device.call()[0]
        #expect(invite.flow == device.second)
        let sent = device.house.advance(.milliseconds(32_100)).filter { $0.flow == device.first }
        #expect(sent.map(\.method) == [.invite])
        guard let next = sent.first else { return }
        let answer = device.house.receive(House.response(200, "OK", to: next), on: device.first)
        #expect(answer.map(\.status) == [200])
    }

    @Test func `a flow that closes while the device rings goes on over the other, in the same transaction`() {
        let device = TwoFlows()
        let invite = device.call(body: House.webOffer)[0]
        _ = device.house.receive(House.response(180, "Ringing", to: invite), on: device.second)
        var sent = device.house.close(device.second)
        #expect(sent.map(\.flow) == [device.first])
        #expect(sent.first?.texts(.via).first == invite.texts(.via).first)
        sent = device.house.receive(House.response(200, "OK", to: invite), on: device.first)
        #expect(sent.map(\.status) == [200])
        _ = device.house.advance(.seconds(60))
        #expect(device.house.controller.transactionCount == 0)
    }

    @Test func `a flow that is closed already is not the one to try`() {
        let device = TwoFlows()
        _ = device.house.close(device.second)
        #expect(device.call().map(\.flow) == [device.first])
    }

    @Test func `within a dialog the flow that made it is kept, and the other takes over when it is gone`() {
        let device = TwoFlows()
        let invite = device.call()[0]
        let answer = device.house.receive(House.response(200, "OK", to: invite), on: device.second)[0]
        device.register(1, cseq: 2)
        func ask(_ cseq: Int) -> [House.Sent] {
            device.house.receive(
                House.request(
                    "INFO", "sip:bob@device.invalid;transport=ws", from: "anna", on: device.anna, cseq: cseq,
                    toTag: "to-1", headers: answer.texts(.recordRoute).map { "Route: \($0)" }), on: device.anna)
        }
        #expect(ask(2).map(\.flow) == [device.second])
        _ = device.house.close(device.second)
        #expect(ask(3).map(\.flow) == [device.first])
    }

    @Test func `calling oneself does not ring the calling device over its other flow`() {
        let device = TwoFlows()
        let other = device.house.registeredPage("bob")
        let sent = device.house.receive(
            CallTests.invite("sip:bob@family.test", from: "bob", on: device.first), on: device.first)
        #expect(sent.filter { $0.method == .invite }.map(\.flow) == [other])
    }

    @Test func `a flow that is gone keeps its binding when another flow of the device is refreshed`() {
        let device = TwoFlows()
        _ = device.house.close(device.first)
        device.register(2, cseq: 2)
        #expect(device.house.controller.bindingCount == 3)
    }
}
