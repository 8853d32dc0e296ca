import Base
import SIP
import Testing

@testable import CallControl

/// How each end of a dialog is found again (RFC 3261 §16.12, RFC 5626 §5.3), and what a proxy repeats (§17).
@Suite struct PassageTests {
    /// Anna calls without being registered, over a flow of her own; Bob's telephone answers.
    private func answered(over anna: Flow, in house: House) -> (bob: Flow, routes: [String]) {
        let bob = house.registeredPhone("bob", host: 21)
        let sent = house.authenticated(
            House.request(
                "INVITE", "sip:bob@family.test", from: "anna", on: anna,
                headers: ["Contact: <sip:anna@nowhere.invalid>"]),
            user: "anna", on: anna)
        let invite = sent.first { $0.method == .invite }
        let answer = invite.map { house.receive(House.response(200, to: $0), on: bob) }?.first
        return (bob, (answer?.texts(.recordRoute) ?? []).map { "Route: \($0)" })
    }

    private func bye(to uri: String, from bob: Flow, _ routes: [String], in house: House) -> [House.Sent] {
        house.receive(
            House.request(
                "BYE", uri, from: "bob", on: bob, cseq: 1, fromTag: "to-1", toTag: "from-1",
                to: "sip:anna@family.test", headers: routes.reversed()), on: bob)
    }

    @Test func `a caller who is not registered is found over the stream she called by, and not over another`() {
        let house = House()
        let anna = house.stream(.tcp, remote: TransportAddress(ip: .v4(0xc0a8_0120), port: 50_000))
        let (bob, routes) = answered(over: anna, in: house)
        #expect(bye(to: "sip:anna@nowhere.invalid", from: bob, routes, in: house).map(\.flow) == [anna])
        _ = house.close(anna)
        let gone = House.request(
            "INFO", "sip:anna@nowhere.invalid", from: "bob", on: bob, cseq: 2, fromTag: "to-1", toTag: "from-1",
            to: "sip:anna@family.test", headers: routes.reversed())
        #expect(house.receive(gone, on: bob).map(\.status) == [430])
    }

    @Test func `over UDP she is found where her datagrams came from`() {
        let house = House()
        let anna = House.phone(33, port: 40_404)
        let (bob, routes) = answered(over: anna, in: house)
        #expect(bye(to: "sip:anna@nowhere.invalid", from: bob, routes, in: house).map(\.flow) == [anna])
    }

    @Test func `a GRUU in a dialog leads to the device wherever it is now`() {
        let house = House()
        let anna = house.registeredPage("anna")
        let headers = ["Supported: gruu, outbound"]
        let parameters = RegistrarTests.instance + ";reg-id=1"
        let bob = house.registeredPage("bob", parameters: parameters, headers: headers)
        let invite = house.receive(CallTests.invite(on: anna), on: anna)[1]
        let route = house.receive(House.response(200, to: invite), on: bob)[0].texts(.recordRoute)
        _ = house.close(bob)
        let next = house.registeredPage("bob", parameters: parameters, headers: headers)
        let sent = house.receive(
            House.request(
                "BYE", "sip:bob@family.test;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", from: "anna", on: anna,
                cseq: 2, toTag: "to-1", headers: route.map { "Route: \($0)" }), on: anna)
        #expect(sent.map(\.flow) == [next])
        #expect(sent.first?.uri == House.contact("bob", next))
    }

    @Test func `when the registration is over, a telephone with an address is still reached, a page is not`() {
        for isPage in [true, false] {
            let house = House()
            let anna = house.registeredPage("anna")
            let bob = isPage ? house.registeredPage("bob") : house.registeredPhone("bob", host: 21)
            let invite = house.receive(CallTests.invite(on: anna, body: ""), on: anna)[1]
            let route = house.receive(House.response(200, to: invite), on: bob)[0].texts(.recordRoute)
            _ = house.authenticated(
                House.register("bob", on: bob, parameters: ";expires=0", cseq: 2), user: "bob", on: bob)
            let sent = house.receive(
                House.request(
                    "BYE", House.contact("bob", bob), from: "anna", on: anna, cseq: 2, toTag: "to-1",
                    to: "sip:bob@family.test", headers: route.map { "Route: \($0)" }), on: anna)
            if isPage { #expect(sent.map(\.status) == [430]) } else { #expect(sent.map(\.flow.remote) == [bob.remote]) }
        }
    }

    @Test func `a strict router in a Path gets its own address as Request-URI`() {
        let house = House()
        _ = house.registeredPage("bob", headers: ["Path: <sip:edge.test>"])
        let anna = house.registeredPage("anna")
        let invite = house.receive(CallTests.invite(on: anna), on: anna)[1]
        #expect(invite.uri == "sip:edge.test")
        #expect(invite.texts(.route).count == 1)
        #expect(invite.text(.route).hasPrefix("<sip:bob@"))
    }

    @Test(arguments: [true, false])
    func `a telephone whose TCP connection is closed is connected to where it listens`(_ answers: Bool) {
        let house = House()
        let anna = house.registeredPage("anna")
        let bob = house.stream(.tcp, remote: TransportAddress(ip: .v4(0xc0a8_0115), port: 50_001))
        let registered = house.authenticated(
            House.register("bob", on: bob, contact: "<sip:bob@192.168.1.21:5062;transport=tcp>"), user: "bob", on: bob)
        #expect(registered.map(\.status) == [200])
        _ = house.close(bob)
        _ = house.advance(.seconds(30))
        _ = house.receive(CallTests.invite(on: anna, body: ""), on: anna)
        let listening = TransportAddress(ip: .v4(0xc0a8_0115), port: 5062)
        #expect(house.connections.map(\.target.address) == [listening])
        guard let asked = house.connections.first else { return }
        let flow = Flow(transport: .tcp, id: 9_100, remote: listening, local: House.server)
        house.controller.connected(asked.number, flow: answers ? flow : nil, at: house.now)
        let sent = house.drain()
        if answers {
            #expect(sent.map(\.flow) == [flow])
        } else {
            #expect(sent.map(\.status) == [480])
        }
    }

    // MARK: What is repeated

    @Test func `a refusal is acknowledged each time it comes, and repeated upstream until it is`() {
        let house = House()
        let (anna, bob) = (house.registeredPhone("anna", host: 20), house.registeredPhone("bob", host: 21))
        let sent = house.authenticated(
            House.request("INVITE", "sip:bob@family.test", from: "anna", on: anna), user: "anna", on: anna)
        let busy = House.response(486, to: sent[1])
        #expect(house.receive(busy, on: bob).compactMap(\.method) == [.ack])
        let again = house.receive(busy, on: bob)
        #expect(again.map(\.method) == [.ack])
        // Timer G: 0.5, 1.5 and 3.5 s.
        #expect(house.advance(.seconds(4)).filter { $0.flow == anna }.map(\.status) == [486, 486, 486])
    }

    @Test func `a copy of a request that was answered gets the answer again, and goes no further`() {
        let house = House()
        let (anna, bob) = (house.registeredPhone("anna", host: 20), house.registeredPage("bob"))
        let text = House.request("MESSAGE", "sip:bob@family.test", from: "anna", on: anna)
        let authorized = House.answer(house.receive(text, on: anna)[0], to: text, user: "anna")
        let copy = house.receive(authorized, on: anna)[0]
        #expect(house.receive(House.response(200, to: copy), on: bob).map(\.status) == [200])
        #expect(house.receive(authorized, on: anna).map(\.status) == [200])
    }

    @Test func `outside of the household a provisional response starts timer C again`() {
        let house = House()
        let anna = house.registeredPage("anna")
        let sent = house.receive(CallTests.invite("sip:dora@10.0.0.1:5060;transport=udp", on: anna, body: ""), on: anna)
        guard let invite = sent.first(where: { $0.method == .invite }) else { return #expect(Bool(false), "not sent") }
        for _ in 0..<3 {
            #expect(house.receive(House.response(180, to: invite), on: invite.flow).map(\.status) == [180])
            #expect(!house.advance(.seconds(120)).contains { $0.method == .cancel })
        }
        #expect(house.advance(.seconds(70)).contains { $0.method == .cancel })
    }

    @Test func `a caller who gives up while a name server is asked is told at once`() {
        let house = House()
        let anna = house.registeredPage("anna")
        _ = house.receive(CallTests.invite("sip:dora@else.test", on: anna), on: anna)
        let sent = house.receive(
            House.request(
                "CANCEL", "sip:dora@else.test", from: "anna", on: anna, branch: "z9hG4bK-anna-call-1-1-INVITE"),
            on: anna)
        #expect(sent.map(\.status) == [200, 487])
        house.controller.resolved(house.questions[0].number, with: .failed, at: house.now)
        #expect(house.drain().isEmpty)
    }

    // MARK: Refusals

    @Test(
        arguments: [
            ("<mailto:anna@family.test>", [], 400, "Contact Is No SIP Address"),
            (
                "<sip:anna@x.invalid>", [String](repeating: "Path: <sip:edge.test;lr>", count: 9), 400,
                "Path Too Long"
            ),
            ("<sip:anna@x.invalid>", ["Authorization: Digest realm="], 400, "Malformed Credentials"),
        ] as [(String, [String], Int, String)])
    func `a registration that cannot be kept says why`(
        _ contact: String, _ headers: [String], _ status: Int, _ reason: String
    ) {
        let house = House()
        let isPage = !reason.hasSuffix("Credentials")
        let flow = isPage ? house.page("anna") : House.phone(20)
        let sent = house.receive(House.register("anna", on: flow, contact: contact, headers: headers), on: flow)
        #expect(sent.map(\.status) == [status])
        #expect(sent.first?.reason == reason)
        #expect(house.controller.bindingCount == 0)
    }
}
