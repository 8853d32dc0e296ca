import Base
import SIP
import Testing

@testable import CallControl

/// RFC 3263 §4, as far as Hearth goes: SRV, A and AAAA; and calls that leave the household.
@Suite struct NextHopTests {
    static let address = IPAddress.v4(0x0a00_0001)

    @Test func `a call to another domain asks SRV, then addresses, and goes out`() {
        let house = House()
        let anna = house.registeredPhone("anna", host: 20)
        var sent = house.authenticated(
            House.request(
                "INVITE", "sip:dora@else.test", from: "anna", on: anna, headers: ["Contact: <sip:anna@192.168.1.20>"]),
            user: "anna", on: anna)
        #expect(sent.map(\.status) == [100])
        #expect(house.questions.map(\.question) == [.services(name: [UInt8](ascii: "_sip._udp.else.test"))])
        house.controller.resolved(
            house.questions[0].number,
            with: .services([ServiceRecord(priority: 1, weight: 0, port: 5070, target: [UInt8](ascii: "sip.else.test"))]
            ), at: house.now)
        _ = house.drain()
        #expect(house.questions.last?.question == .addresses(host: [UInt8](ascii: "sip.else.test")))
        house.controller.resolved(house.questions[1].number, with: .addresses([Self.address]), at: house.now)
        sent = house.drain()
        #expect(sent.map(\.flow.remote) == [TransportAddress(ip: Self.address, port: 5070)])
        #expect(sent[0].uri == "sip:dora@else.test")
        let answer = house.receive(
            House.response(200, to: sent[0], headers: ["Contact: <sip:dora@10.0.0.1>"]), on: sent[0].flow)
        #expect(answer.map(\.flow) == [anna])
        // In the dialog the way out is the token's, the address the Contact's.
        let ack = House.request(
            "ACK", "sip:dora@10.0.0.1", from: "anna", on: anna, toTag: "to-1",
            headers: answer[0].texts(.recordRoute).map { "Route: \($0)" })
        #expect(house.receive(ack, on: anna).map(\.flow.remote) == [TransportAddress(ip: Self.address, port: 5060)])
        // Dora's side comes in unauthenticated, but with the token.
        let bye = """
            BYE sip:anna@192.168.1.20 SIP/2.0
            Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKdora
            From: <sip:dora@else.test>;tag=to-1
            To: <sip:anna@family.test>;tag=from-1
            Call-ID: call-1
            CSeq: 1 BYE
            Max-Forwards: 70
            Route: \(answer[0].text(.recordRoute))
            """
        #expect(house.receive(bye, on: sent[0].flow).map(\.flow) == [anna])
    }

    @Test func `strangers cannot use the server as a relay`() {
        let house = House()
        let sent = house.receive(
            House.request("INVITE", "sip:dora@else.test", from: "eve", on: House.phone(66)), on: House.phone(66))
        #expect(sent.map(\.status) == [407])
        let routed = House.request(
            "INVITE", "sip:dora@else.test", from: "eve", on: House.phone(66), cseq: 2,
            headers: ["Route: <sip:else.test;lr>"])
        #expect(house.receive(routed, on: House.phone(66)).map(\.status) == [407])
        #expect(house.questions.isEmpty)
    }

    @Test func `the next address takes over when one fails`() {
        let house = House()
        let anna = house.registeredPage("anna")
        _ = house.receive(House.request("MESSAGE", "sip:dora@else.test:5066", from: "anna", on: anna), on: anna)
        #expect(house.questions.map(\.question) == [.addresses(host: [UInt8](ascii: "else.test"))])
        house.controller.resolved(
            house.questions[0].number, with: .addresses([Self.address, .v4(0x0a00_0002)]), at: house.now)
        var sent = house.drain()
        #expect(sent.map(\.flow.remote.ip) == [Self.address])
        sent = house.receive(House.response(503, to: sent[0]), on: sent[0].flow)
        #expect(sent.map(\.flow.remote.ip) == [.v4(0x0a00_0002)])
        sent = house.receive(House.response(503, to: sent[0]), on: sent[0].flow)
        #expect(sent.map(\.status) == [500])
    }

    @Test func `a name nobody knows is told`() {
        let house = House()
        let anna = house.registeredPage("anna")
        _ = house.receive(
            House.request("MESSAGE", "sip:dora@else.test;transport=tcp", from: "anna", on: anna), on: anna)
        for _ in 0..<2 {
            guard let last = house.questions.last else { break }
            house.controller.resolved(last.number, with: .failed, at: house.now)
            let sent = house.drain()
            if let answer = sent.first { #expect(answer.status == 502) }
        }
        #expect(
            house.questions.map(\.question) == [
                .services(name: [UInt8](ascii: "_sip._tcp.else.test")), .addresses(host: [UInt8](ascii: "else.test")),
            ])
        #expect(house.controller.waitingCount == 0)
    }

    @Test func `a name server that never answers does not hold the caller for ever`() {
        let house = House()
        let anna = house.registeredPage("anna")
        _ = house.receive(House.request("MESSAGE", "sip:dora@else.test", from: "anna", on: anna), on: anna)
        #expect(house.advance(.seconds(9)).map(\.status) == [100, 500])
    }

    @Test func `TCP and TLS are connected, and used again`() {
        let house = House()
        let anna = house.registeredPage("anna")
        _ = house.receive(House.request("MESSAGE", "sips:dora@10.0.0.1", from: "anna", on: anna), on: anna)
        #expect(house.connections.map(\.target.transport) == [.tls])
        #expect(house.connections.map(\.target.address.port) == [5061])
        let flow = Flow(transport: .tls, id: 9_000, remote: house.connections[0].target.address, local: House.server)
        house.controller.connected(house.connections[0].number, flow: flow, at: house.now)
        #expect(house.drain().map(\.flow) == [flow])
        let sent = house.receive(
            House.request("MESSAGE", "sips:dora@10.0.0.1", from: "anna", on: anna, cseq: 2), on: anna)
        #expect(sent.map(\.flow) == [flow])
        #expect(house.connections.count == 1)
    }

    /// Anna sends Dora more than a datagram bears.
    private func sendLarge(_ uri: String) -> (house: House, anna: Flow) {
        let house = House()
        let anna = house.registeredPage("anna")
        let body = String(repeating: "x", count: 1_500)
        _ = house.receive(House.request("MESSAGE", uri, from: "anna", on: anna, body: body), on: anna)
        return (house, anna)
    }

    private static let dora = TransportAddress(ip: address, port: 5060)

    @Test func `a large request goes by TCP where it can`() {
        let (house, _) = sendLarge("sip:dora@10.0.0.1")
        #expect(
            house.connections.map(\.target) == [ConnectionTarget(transport: .tcp, address: Self.dora, serverName: [])])
        let flow = Flow(transport: .tcp, id: 9_001, remote: Self.dora, local: House.server)
        house.controller.connected(house.connections[0].number, flow: flow, at: house.now)
        let sent = house.drain()
        #expect(sent.map(\.flow) == [flow])
        #expect(sent.first?.text(.via).hasPrefix("SIP/2.0/TCP ") == true)
        #expect(house.receive(House.response(200, to: sent[0]), on: flow).map(\.status) == [200])
    }

    @Test(arguments: [true, false])
    func `and by UDP where no TCP is spoken, or nobody says so in time`(_ isRefused: Bool) {
        let (house, _) = sendLarge("sip:dora@10.0.0.1")
        var sent: [House.Sent] = []
        if isRefused {
            house.controller.connected(house.connections[0].number, flow: nil, at: house.now)
            sent = house.drain()
        } else {
            sent = house.advance(.milliseconds(2_100))
        }
        #expect(sent.map(\.flow.transport) == [.udp])
        #expect(sent.map(\.flow.remote) == [Self.dora])
        #expect(house.controller.waitingCount == 0)
        // The connection that came too late serves the next one.
        let late = Flow(transport: .tcp, id: 9_002, remote: Self.dora, local: House.server)
        house.controller.connected(house.connections[0].number, flow: late, at: house.now)
        #expect(house.drain().isEmpty)
        #expect(house.receive(House.response(200, to: sent[0]), on: sent[0].flow).map(\.status) == [200])
    }

    @Test func `a connection that breaks before the answer gives way to UDP as well`() {
        let (house, anna) = sendLarge("sip:dora@10.0.0.1")
        let flow = Flow(transport: .tcp, id: 9_003, remote: Self.dora, local: House.server)
        house.controller.connected(house.connections[0].number, flow: flow, at: house.now)
        _ = house.drain()
        let sent = house.close(flow)
        #expect(sent.map(\.flow.transport) == [.udp])
        #expect(house.receive(House.response(486, to: sent[0]), on: sent[0].flow).map(\.flow) == [anna])
        _ = house.advance(.seconds(60))
        #expect(house.controller.transactionCount == 0)
    }

    @Test func `who asks for UDP gets UDP, and a small request too`() {
        let (house, _) = sendLarge("sip:dora@10.0.0.1;transport=udp")
        #expect(house.connections.isEmpty)
        let small = House()
        let anna = small.registeredPage("anna")
        let sent = small.receive(House.request("MESSAGE", "sip:dora@10.0.0.1", from: "anna", on: anna), on: anna)
        #expect(sent.map(\.flow.transport) == [.udp])
    }

    @Test func `a host that is found and does not answer is not one that does not exist`() {
        let house = House()
        let anna = house.registeredPage("anna")
        _ = house.receive(
            House.request("MESSAGE", "sip:dora@10.0.0.1;transport=tcp", from: "anna", on: anna), on: anna)
        house.controller.connected(house.connections[0].number, flow: nil, at: house.now)
        let sent = house.drain()
        #expect(sent.map(\.status) == [500])
        #expect(sent.first?.reason == "Next Hop Failed")
    }

    @Test func `records are ordered by priority, and by chance within one`() {
        var random = RandomSource(seed: 4)
        let records = [
            ServiceRecord(priority: 20, weight: 1, port: 1, target: []),
            ServiceRecord(priority: 10, weight: 90, port: 2, target: []),
            ServiceRecord(priority: 10, weight: 10, port: 3, target: []),
        ]
        var firsts: [UInt16: Int] = [:]
        for _ in 0..<1_000 {
            let ordered = NextHop.ordered(records, random: &random)
            #expect(ordered.last?.port == 1)
            firsts[ordered[0].port, default: 0] += 1
        }
        #expect((850...950).contains(firsts[2] ?? 0))
    }
}
