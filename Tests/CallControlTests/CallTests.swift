import Base
import SIP
import Testing

@testable import CallControl

/// One call through the proxy: RFC 3261 §16, from the INVITE to the BYE.
@Suite struct CallTests {
    static let contactHeader = "Contact: <sip:anna@x.invalid;transport=ws>"

    static func invite(
        _ uri: String = "sip:bob@family.test", from user: String = "anna", on flow: Flow, cseq: Int = 1,
        headers: [String] = [], body: String = House.webOffer
    ) -> String {
        House.request("INVITE", uri, from: user, on: flow, cseq: cseq, headers: [contactHeader] + headers, body: body)
    }

    @Test func `a call rings, is answered, acknowledged and hung up`() throws {
        let house = House()
        let (anna, bob) = (house.registeredPage("anna"), house.registeredPage("bob"))
        var sent = house.receive(Self.invite(on: anna), on: anna)
        #expect(sent.count == 2)
        #expect(sent[0].status == 100)
        #expect(sent[0].flow == anna)
        let invite = sent[1]
        #expect(invite.flow == bob)
        #expect(invite.uri == House.contact("bob", bob))
        #expect(invite.texts(.via).count == 2)
        #expect(invite.texts(.via)[0].hasPrefix("SIP/2.0/WSS 192.168.1.5:8443;branch=z9hG4bK"))
        #expect(
            invite.texts(.via)[1].contains("received=192.168.1.100;rport=") || invite.texts(.via)[1].contains("rport="))
        #expect(invite.text(.maxForwards) == "69")
        #expect(invite.texts(.recordRoute).count == 1)
        #expect(String(decoding: invite.message.body, as: UTF8.self) == House.webOffer.replacing("\n", with: "\r\n"))
        // §16.6 step 9: the page's frame had none.
        #expect(invite.text(.contentLength) == String(invite.message.body.count))

        // A retransmission gets the 100 again, and rings nobody twice.
        sent = house.receive(Self.invite(on: anna), on: anna)
        #expect(sent.map(\.status) == [100])

        sent = house.receive(House.response(180, "Ringing", to: invite), on: bob)
        #expect(sent.map(\.status) == [180])
        #expect(sent[0].flow == anna)
        #expect(sent[0].texts(.via).count == 1)
        #expect(sent[0].texts(.recordRoute).count == 1)

        let ok = House.response(
            200, "OK", to: invite, headers: ["Contact: <sip:bob@y.invalid;transport=ws>"], body: House.webOffer)
        sent = house.receive(ok, on: bob)
        #expect(sent.map(\.status) == [200])
        let answer = sent[0]
        #expect(answer.text(.contentLength) == String(answer.message.body.count))
        // Every copy of the 200 goes to the caller (RFC 6026).
        #expect(house.receive(ok, on: bob).map(\.status) == [200])

        let route = answer.texts(.recordRoute)
        let ack = House.request(
            "ACK", "sip:bob@y.invalid;transport=ws", from: "anna", on: anna, toTag: "to-1", to: "sip:bob@family.test",
            headers: route.map { "Route: \($0)" })
        sent = house.receive(ack, on: anna)
        #expect(sent.map(\.method) == [.ack])
        #expect(sent[0].flow == bob)
        #expect(sent[0].uri == "sip:bob@y.invalid;transport=ws")
        #expect(sent[0].texts(.route).isEmpty)

        // Bob hangs up: From and To change sides.
        let bye = """
            BYE sip:anna@x.invalid;transport=ws SIP/2.0
            Via: \(House.via(bob, "z9hG4bKbye"))
            From: <sip:bob@family.test>;tag=to-1
            To: <sip:anna@family.test>;tag=from-1
            Call-ID: call-1
            CSeq: 1 BYE
            Max-Forwards: 70
            \(route.map { "Route: \($0)" }.joined(separator: "\n"))
            """
        sent = house.receive(bye, on: bob)
        #expect(sent.map(\.method) == [.bye])
        #expect(sent[0].flow == anna)
        #expect(sent[0].texts(.route).isEmpty)
        sent = house.receive(House.response(200, "OK", to: sent[0]), on: anna)
        #expect(sent.map(\.status) == [200])
        #expect(sent[0].flow == bob)
        #expect(house.events.contains(.callAnswered(from: [UInt8](ascii: "anna"), to: [UInt8](ascii: "bob"))))
        #expect(house.events.contains(.callEnded))

        // Nothing stays.
        _ = house.advance(.seconds(120))
        #expect(house.controller.transactionCount == 0)
        #expect(house.controller.branches.count == 0)
        #expect(house.controller.nextTimeout != nil)  // the bindings
    }

    @Test func `between UDP and WebSocket there are two Record-Routes, and both directions work`() {
        let house = House()
        let phone = house.registeredPhone("anna", host: 20)
        let bob = house.registeredPage("bob")
        var sent = house.authenticated(
            House.request(
                "INVITE", "sip:bob@family.test", from: "anna", on: phone, headers: ["Contact: <sip:anna@192.168.1.20>"]),
            user: "anna", on: phone)
        #expect(sent.map(\.status).first == 100)
        let invite = sent[1]
        let routes = invite.texts(.recordRoute)
        #expect(routes.count == 2)
        #expect(routes[0].hasSuffix("@192.168.1.5:8443;transport=ws;lr>"))
        #expect(routes[1].hasSuffix("@192.168.1.5:5060;lr>"))
        #expect(!invite.message.contains(.proxyAuthorization))
        sent = house.receive(House.response(200, to: invite), on: bob)
        #expect(sent[0].flow == phone)
        // The caller's route set is the reverse of the list, the callee's the list as it is.
        let ack = House.request(
            "ACK", "sip:bob@y.invalid", from: "anna", on: phone, toTag: "to-1",
            headers: routes.reversed().map { "Route: \($0)" })
        sent = house.receive(ack, on: phone)
        #expect(sent.map(\.flow) == [bob])
        #expect(sent[0].texts(.route).isEmpty)
        let info = House.request(
            "INFO", "sip:anna@192.168.1.20", from: "bob", on: bob, fromTag: "to-1", toTag: "from-1",
            to: "sip:anna@family.test",
            headers: ["Route: \(routes.joined(separator: ", "))"])
        sent = house.receive(info, on: bob)
        #expect(sent.map(\.flow) == [phone])
        #expect(sent[0].method == .info)
    }

    @Test func `a dialog finds a page again that came back over another connection`() {
        let house = House()
        let parameters = RegistrarTests.instance + ";reg-id=1"
        let headers = ["Supported: outbound"]
        let anna = house.registeredPage("anna")
        let bob = house.registeredPage("bob", parameters: parameters, headers: headers)
        var sent = house.receive(Self.invite(on: anna), on: anna)
        sent = house.receive(House.response(200, to: sent[1]), on: bob)
        let route = sent[0].texts(.recordRoute).map { "Route: \($0)" }
        _ = house.close(bob)
        let bye = House.request(
            "BYE", "sip:bob@y.invalid", from: "anna", on: anna, cseq: 2, toTag: "to-1", to: "sip:bob@family.test",
            headers: route)
        // The page is not back yet: the request waits for it.
        #expect(house.receive(bye, on: anna).isEmpty)
        let again = house.page("bob")
        sent = house.receive(House.register("bob", on: again, parameters: parameters, headers: headers), on: again)
        #expect(sent.map { $0.method ?? .other([]) }.contains(.bye))
        #expect(sent.first { $0.method == .bye }?.flow == again)
    }

    @Test func `a page that does not come back is answered for`() {
        let house = House()
        let anna = house.registeredPage("anna")
        let bob = house.registeredPage("bob")
        var sent = house.receive(Self.invite(on: anna), on: anna)
        sent = house.receive(House.response(200, to: sent[1]), on: bob)
        let route = sent[0].texts(.recordRoute).map { "Route: \($0)" }
        _ = house.close(bob)
        _ = house.receive(
            House.request("BYE", "sip:bob@y.invalid", from: "anna", on: anna, cseq: 2, toTag: "to-1", headers: route),
            on: anna)
        #expect(house.advance(.milliseconds(3_900)).map(\.status) == [100])
        #expect(house.advance(.milliseconds(200)).map(\.status) == [480])
    }

    @Test func `a dialog goes on after the server was started anew`() throws {
        let house = House()
        let (anna, bob) = (house.registeredPhone("anna", host: 20), house.registeredPhone("bob", host: 21))
        var sent = house.authenticated(
            House.request(
                "INVITE", "sip:bob@family.test", from: "anna", on: anna,
                headers: ["Contact: <sip:anna@192.168.1.20:5060>"],
                body: House.plainOffer), user: "anna", on: anna)
        let invite = sent[1]
        sent = house.receive(
            House.response(200, to: invite, headers: ["Contact: <sip:bob@192.168.1.21:5060>"]), on: bob)
        let route = sent[0].texts(.recordRoute).map { "Route: \($0)" }
        let kept = house.stores.flatMap(\.change.saved)
        #expect(kept.count == 2)

        let next = House(bindings: kept, seed: 99)
        #expect(next.controller.bindingCount == 2)
        let hold = House.request(
            "INVITE", "sip:bob@192.168.1.21:5060", from: "anna", on: anna, cseq: 3, toTag: "to-1",
            to: "sip:bob@family.test",
            headers: route, body: House.plainOffer)
        sent = next.receive(hold, on: anna)
        #expect(sent.map(\.status).first == 100)
        #expect(sent[1].flow.remote == bob.remote)
        #expect(sent[1].texts(.route).isEmpty)
        // A call that was answered while the server was away.
        let late = next.receive(House.response(200, to: invite), on: bob)
        #expect(late.map(\.status) == [200])
        #expect(late[0].flow.remote == anna.remote)
    }

    @Test func `after a restart a page is waited for, and then reached`() {
        let house = House()
        let parameters = RegistrarTests.instance + ";reg-id=1"
        let headers = ["Supported: outbound"]
        let bob = house.registeredPage("bob", parameters: parameters, headers: headers)
        _ = bob
        let kept = house.stores.flatMap(\.change.saved)
        let next = House(bindings: kept, seed: 7)
        let anna = next.registeredPage("anna")
        var sent = next.receive(Self.invite(on: anna), on: anna)
        #expect(sent.map(\.status) == [100])
        let again = next.page("bob")
        sent = next.receive(House.register("bob", on: again, parameters: parameters, headers: headers), on: again)
        #expect(sent.contains { $0.method == .invite && $0.flow == again })
    }

    @Test func `a request that is sent again after a restart keeps its branch, so that the device knows it`() {
        let house = House()
        let anna = house.registeredPhone("anna", host: 20)
        _ = house.registeredPhone("bob", host: 21)
        let text = House.request("INVITE", "sip:bob@family.test", from: "anna", on: anna)
        let challenge = house.receive(text, on: anna)
        let authorized = House.answer(challenge[0], to: text, user: "anna")
        let before = house.receive(authorized, on: anna)[1]
        // The nonce is older than the new server's life: the caller is asked again, and asks again with another branch.
        // A page needs no digest, and repeats what it sent.
        let first = House()
        let page = first.registeredPage("anna")
        _ = first.registeredPhone("bob", host: 21)
        let invite = CallTests.invite(on: page, body: "")
        let sent = first.receive(invite, on: page)[1]
        let second = House(bindings: first.stores.flatMap(\.change.saved), seed: 5)
        let again = second.page("anna")
        let copy = second.receive(invite, on: again)[1]
        #expect(copy.texts(.via)[0] == sent.texts(.via)[0])
        #expect(before.texts(.via)[0] != sent.texts(.via)[0])
    }

    @Test(arguments: ["no token", "other call", "altered"])
    func `a token that does not fit gives no way through`(_ kind: String) {
        let house = House()
        let (anna, bob) = (house.registeredPhone("anna", host: 20), house.registeredPhone("bob", host: 21))
        var sent = house.authenticated(
            House.request(
                "INVITE", "sip:bob@family.test", from: "anna", on: anna,
                headers: ["Contact: <sip:anna@192.168.1.20:5060>"]),
            user: "anna", on: anna)
        sent = house.receive(House.response(200, to: sent[1]), on: bob)
        var route = sent[0].text(.recordRoute)
        if kind == "no token" { route = "<sip:192.168.1.5:5060;lr>" }
        if kind == "altered" {
            // One digit of the callee's way.
            let place = route.index(route.startIndex, offsetBy: 30)
            route.replaceSubrange(place...place, with: route[place] == "0" ? "1" : "0")
        }
        let bye = House.request(
            "BYE", "sip:bob@192.168.1.21:5060", from: "anna", on: anna,
            callID: kind == "other call" ? "call-2" : "call-1", cseq: 2,
            toTag: "to-1", to: "sip:bob@family.test", headers: ["Route: \(route)"])
        sent = house.receive(bye, on: House.phone(66))
        #expect(sent.map(\.status) == [407])
    }

    @Test func `a GRUU reaches its device and no other`() {
        let house = House()
        let anna = house.registeredPage("anna")
        _ = house.registeredPage("bob")
        let chosen = house.registeredPage("bob", parameters: RegistrarTests.instance, headers: ["Supported: gruu"])
        let sent = house.receive(
            Self.invite("sip:bob@family.test;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", on: anna), on: anna)
        #expect(sent.count == 2)
        #expect(sent[1].flow == chosen)
        #expect(sent[1].uri == House.contact("bob", chosen))
        // RFC 5627 §5.4: one that we never gave, and one whose device is not there.
        for (gruu, status) in [("gr", 404), ("gr=urn:uuid:00000000-0000-4000-8000-000000000000", 480)] {
            let refused = house.receive(
                House.request(
                    "MESSAGE", "sip:bob@family.test;\(gruu)", from: "anna", on: anna, callID: "gruu-\(status)"),
                on: anna)
            #expect(refused.map(\.status) == [status], "\(gruu)")
        }
    }

    @Test func `the Contact of a device leads to it over its connection`() {
        let house = House()
        let (anna, bob) = (house.registeredPage("anna"), house.registeredPage("bob"))
        let sent = house.receive(
            House.request("OPTIONS", House.contact("bob", bob), from: "anna", on: anna), on: anna)
        #expect(sent.map(\.flow) == [bob])
    }

    @Test func `sequence of a strict router before us is repaired`() {
        let house = House()
        let (anna, bob) = (house.registeredPage("anna"), house.registeredPage("bob"))
        var sent = house.receive(Self.invite(on: anna), on: anna)
        sent = house.receive(House.response(200, to: sent[1]), on: bob)
        let ours = sent[0].text(.recordRoute).dropFirst().dropLast()
        let bye = House.request(
            "BYE", String(ours), from: "anna", on: anna, cseq: 2, toTag: "to-1", to: "sip:bob@family.test",
            headers: ["Route: <sip:bob@y.invalid;transport=ws>"])
        sent = house.receive(bye, on: anna)
        #expect(sent.map(\.flow) == [bob])
        #expect(sent[0].uri == "sip:bob@y.invalid;transport=ws")
        #expect(sent[0].texts(.route).isEmpty)
    }

    @Test func `an ACK that belongs to nothing is dropped in silence`() {
        let house = House()
        let anna = house.registeredPage("anna")
        _ = house.registeredPage("bob")
        #expect(
            house.receive(House.request("ACK", "sip:bob@family.test", from: "anna", on: anna, toTag: "x"), on: anna)
                .isEmpty)
        #expect(house.controller.statistics.dropped == 1)
    }

    @Test func `every method passes`() {
        let house = House()
        let (anna, bob) = (house.registeredPage("anna"), house.registeredPage("bob"))
        for (number, method) in [
            "MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER", "INFO", "UPDATE", "PRACK", "OPTIONS", "WINK",
        ].enumerated() {
            var sent = house.receive(
                House.request(
                    method, "sip:bob@family.test", from: "anna", on: anna, callID: "c\(number)",
                    headers: ["Event: presence"]), on: anna)
            #expect(sent.count == 1)
            #expect(sent.first?.flow == bob)
            #expect(sent.first?.message.contains(.recordRoute) == ["SUBSCRIBE", "REFER", "NOTIFY"].contains(method))
            sent = house.receive(House.response(202, to: sent[0]), on: bob)
            #expect(sent.map(\.status) == [202])
        }
    }

    @Test func `identities asserted by devices are removed`() {
        let house = House()
        let (anna, bob) = (house.registeredPage("anna"), house.registeredPage("bob"))
        let sent = house.receive(
            House.request(
                "MESSAGE", "sip:bob@family.test", from: "anna", on: anna,
                headers: ["P-Asserted-Identity: <sip:carl@family.test>"]), on: anna)
        #expect(!sent[0].message.contains(.pAssertedIdentity))
        let answer = house.receive(
            House.response(200, to: sent[0], headers: ["P-Asserted-Identity: <sip:carl@family.test>"]), on: bob)
        #expect(!answer[0].message.contains(.pAssertedIdentity))
    }
}
