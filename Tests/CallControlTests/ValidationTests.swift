import Base
import SIP
import Testing

@testable import CallControl

/// RFC 3261 §16.3 and §16.4: what is checked before a request goes anywhere; RFC 3581 and §18.2.2: where answers go.
@Suite struct ValidationTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var change: @Sendable (String) -> String
        var status: Int
        var testDescription: String { name }
    }

    @Test(arguments: [
        Row(name: "Max-Forwards 0", change: { $0.replacing("Max-Forwards: 70", with: "Max-Forwards: 0") }, status: 483),
        Row(
            name: "Max-Forwards 256", change: { $0.replacing("Max-Forwards: 70", with: "Max-Forwards: 256") },
            status: 400),
        Row(
            name: "unknown scheme",
            change: { $0.replacing("INVITE sip:bob@family.test", with: "INVITE mailto:bob@family.test") }, status: 416),
        Row(
            name: "telephone number",
            change: { $0.replacing("INVITE sip:bob@family.test", with: "INVITE tel:+4930123") }, status: 404),
        Row(name: "Proxy-Require", change: { $0 + "\nProxy-Require: teleport" }, status: 420),
        Row(name: "two From", change: { $0 + "\nFrom: <sip:anna@family.test>;tag=2" }, status: 400),
        Row(
            name: "CSeq of another method", change: { $0.replacing("CSeq: 1 INVITE", with: "CSeq: 1 BYE") }, status: 400
        ),
        Row(
            name: "broken Request-URI",
            change: { $0.replacing("INVITE sip:bob@family.test", with: "INVITE sip:bo<b@family.test") }, status: 400),
        Row(name: "SIP/3.0", change: { $0.replacing("test SIP/2.0\n", with: "test SIP/3.0\n") }, status: 505),
        Row(
            name: "too many Routes", change: { $0 + String(repeating: "\nRoute: <sip:a.test;lr>", count: 33) },
            status: 513),
        Row(name: "breadth used up", change: { $0 + "\nMax-Breadth: 1" }, status: 440),
        Row(name: "no breadth at all", change: { $0 + "\nMax-Breadth: 0" }, status: 440),
        Row(
            name: "no Max-Forwards",
            change: { $0.replacing("Max-Forwards: 70\n", with: "").replacing("\nMax-Forwards: 70", with: "") },
            status: 100),
    ])
    func `requests that cannot go on are refused with the RFC's status`(_ row: Row) {
        let house = House()
        let anna = house.registeredPage("anna")
        _ = house.registeredPage("bob")
        _ = house.registeredPage("bob")
        let text = row.change(House.request("INVITE", "sip:bob@family.test", from: "anna", on: anna))
        let sent = house.receive(text, on: anna)
        #expect(sent.first?.status ?? 0 == row.status)
        if row.status == 420 { #expect(sent[0].text(.unsupported) == "teleport") }
        if row.status == 100 { #expect(sent.last?.text(.maxForwards) == "70") }
    }

    @Test func `what a request demands of the server itself, the server must have`() {
        let house = House()
        let anna = house.registeredPage("anna")
        for (method, status) in [("OPTIONS", 200), ("INFO", 405), ("MESSAGE", 404)] {
            let sent = house.receive(
                House.request(method, "sip:family.test", from: "anna", on: anna, headers: ["Require: path, teleport"]),
                on: anna)
            #expect(sent.map(\.status) == [420])
            #expect(sent[0].text(.unsupported) == "teleport")
            let granted = house.receive(
                House.request(
                    method, "sip:family.test", from: "anna", on: anna, cseq: 2, headers: ["Require: path"]), on: anna)
            #expect(granted.map(\.status) == [status])
        }
    }

    @Test func `a loop is found, a spiral is not one`() {
        let house = House()
        let anna = house.registeredPage("anna")
        let bob = house.registeredPage("bob")
        let sent = house.receive(House.request("MESSAGE", "sip:bob@family.test", from: "anna", on: anna), on: anna)
        // Bob's device sends it back to bob@family.test as it came in: first pass differs in nothing but Via.
        let vias = sent[0].texts(.via)
        let back = House.request("MESSAGE", "sip:bob@family.test", from: "anna", on: anna, branch: "z9hG4bKback")
            .replacing("From:", with: vias.map { "Via: \($0)\n" }.joined() + "From:")
        #expect(house.receive(back, on: bob).map(\.status) == [482])
        let spiral = back.replacing("MESSAGE sip:bob@family.test", with: "MESSAGE sip:carl@family.test")
            .replacing("z9hG4bKback", with: "z9hG4bKspiral")
        #expect(house.receive(spiral, on: anna).map(\.status) == [480])
    }

    struct Origin: Sendable, CustomTestStringConvertible {
        var via: String
        var port: UInt16
        var written: String
        var testDescription: String { via }
    }

    @Test(arguments: [
        Origin(via: "192.168.1.66:5062;branch=z9hG4bKx", port: 5062, written: "192.168.1.66:5062;branch=z9hG4bKx"),
        Origin(via: "192.168.1.66;branch=z9hG4bKx", port: 5060, written: "192.168.1.66;branch=z9hG4bKx"),
        Origin(
            via: "10.0.0.1:5062;branch=z9hG4bKx", port: 5062,
            written: "10.0.0.1:5062;branch=z9hG4bKx;received=192.168.1.66"),
        Origin(
            via: "10.0.0.1:5062;branch=z9hG4bKx;rport", port: 4444,
            written: "10.0.0.1:5062;branch=z9hG4bKx;rport=4444;received=192.168.1.66"),
        Origin(
            via: "phone.local;rport;branch=z9hG4bKx;received=1.2.3.4", port: 4444,
            written: "phone.local;branch=z9hG4bKx;rport=4444;received=192.168.1.66"),
    ])
    func `answers go back by received and rport`(_ row: Origin) {
        let house = House()
        let text = House.request("OPTIONS", "sip:family.test", from: "x", on: House.phone(66, port: 4444))
            .replacing(/Via: .*\n/, with: "Via: SIP/2.0/UDP \(row.via)\n")
        let sent = house.receive(text, on: House.phone(66, port: 4444))
        #expect(sent.map(\.flow.remote.port) == [row.port])
        #expect(sent.first?.text(.via) == "SIP/2.0/UDP \(row.written)")
    }

    @Test func `keep-alives and noise get no answer`() {
        let house = House()
        for bytes in [[], Array("\r\n\r\n".utf8), [0, 0, 0, 0], Array("GET / HTTP/1.1\r\n\r\n".utf8)] as [[UInt8]] {
            #expect(house.receive(bytes: bytes, on: House.phone(66)).isEmpty)
        }
    }

    @Test func `event packages the server lacks are refused in words`() {
        let house = House()
        let anna = house.registeredPage("anna")
        for method in ["SUBSCRIBE", "PUBLISH"] {
            let sent = house.receive(
                House.request(
                    method, "sip:family.test", from: "anna", on: anna, callID: method, headers: ["Event: presence"]),
                on: anna)
            #expect(sent.map(\.status) == [489])
            #expect(sent[0].reason == "No Event Package Is Served Here")
        }
        #expect(
            house.receive(House.request("INVITE", "sip:family.test", from: "anna", on: anna), on: anna).map(\.status)
                == [404])
    }

    @Test func `sips goes to encrypted connections only`() {
        let house = House()
        let anna = house.registeredPage("anna")
        _ = house.registeredPhone("bob", host: 21)
        var sent = house.receive(House.request("MESSAGE", "sips:bob@family.test", from: "anna", on: anna), on: anna)
        #expect(sent.map(\.status) == [480])
        // RFC 5630 §6.2.
        #expect(sent[0].text(.warning) == "380 family.test \"No Device With An Encrypted Connection\"")
        let page = house.registeredPage("bob")
        sent = house.receive(
            House.request("MESSAGE", "sips:bob@family.test", from: "anna", on: anna, cseq: 2), on: anna)
        #expect(sent.map(\.flow) == [page])
    }

    @Test func `a full server says so`() {
        let house = House { $0.limits.transactions = 2 }
        let anna = house.registeredPage("anna")
        _ = house.registeredPage("bob")
        for number in 1...3 {
            let sent = house.receive(
                House.request("MESSAGE", "sip:bob@family.test", from: "anna", on: anna, callID: "m\(number)"), on: anna)
            #expect(sent.first?.status == (number < 3 ? 0 : 503))
            if number == 3 { #expect(sent[0].text(.retryAfter) == "5") }
        }
    }

    @Test(arguments: 0..<20)
    func `any order of inputs keeps the bounds`(_ seed: UInt64) {
        var random = RandomSource(seed: seed)
        let house = House(seed: seed) {
            $0.limits.transactions = 30
            $0.limits.waiting = 5
            $0.limits.bindingsPerPerson = 6
        }
        var flows: [Flow] = []
        var seen: [House.Sent] = []
        for step in 0..<300 {
            var sent: [House.Sent] = []
            let user = ["anna", "bob", "carl"].randomElement(using: &random) ?? "anna"
            let flow = flows.randomElement(using: &random) ?? house.page(user)
            switch Int.random(in: 0..<12, using: &random) {
            case 0: flows.append(house.page(user))
            case 1: sent = house.receive(House.register(user, on: flow, cseq: step + 1), on: flow)
            case 2: sent = house.close(flow)
            case 3: sent = house.advance(.milliseconds(Int.random(in: 0..<20_000, using: &random)))
            case 4, 5:
                let method =
                    ["INVITE", "MESSAGE", "BYE", "CANCEL", "ACK", "OPTIONS"].randomElement(using: &random) ?? "INVITE"
                sent = house.receive(
                    House.request(
                        method, "sip:\(user)@family.test", from: "anna", on: flow,
                        callID: "c\(Int.random(in: 0..<5, using: &random))"), on: flow)
            default:
                guard
                    let request = seen.filter({ $0.message.isRequest && $0.method != .ack }).randomElement(
                        using: &random)
                else { continue }
                let status = [100, 180, 200, 302, 407, 480, 486, 487, 503, 603].randomElement(using: &random) ?? 200
                sent = house.receive(House.response(status, to: request), on: request.flow)
            }
            seen = (seen + sent).suffix(40)
            #expect(house.controller.transactionCount <= 30)
            #expect(house.controller.waiting.count <= 5)
            #expect(house.controller.bindingCount <= 18)
        }
        _ = house.advance(.seconds(400))
        #expect(house.controller.transactionCount == 0)
        #expect(house.controller.branches.count == 0)
        #expect(house.controller.waitingCount == 0)
        #expect((0..<3).allSatisfy { house.controller.location.people.elements[$0].pendingCalls == 0 })
    }

    @Test func `any bytes are borne`() {
        var random = RandomSource(seed: 3)
        let house = House()
        let page = house.page("a")
        let seeds = [
            House.request("INVITE", "sip:a@h.test", from: "a", on: page), House.register("b", on: page),
            House.request(
                "BYE", "sip:b@h.test", from: "b", on: page, toTag: "x", headers: ["Route: <sip:h1.2@127.0.0.1;lr>"]),
            House.request("CANCEL", "sip:a@h.test", from: "a", on: page),
        ].map { House.wire($0.replacing("family.test", with: "h.test")) }
        for _ in 0..<100 {
            var bytes: [UInt8] = []
            for _ in 0..<4 {
                bytes.append(UInt8.random(in: 3...250, using: &random))
                var message = seeds.randomElement(using: &random) ?? []
                for _ in 0..<Int.random(in: 0..<4, using: &random) where !message.isEmpty {
                    message[Int.random(in: 0..<message.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
                bytes += message
                bytes.append(0)
            }
            fuzzCallControl(bytes)
        }
    }
}
