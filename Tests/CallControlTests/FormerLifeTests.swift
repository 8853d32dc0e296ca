import Base
import SIP
import Testing

@testable import CallControl

/// INVITEs that the server forwarded before it was started anew: RFC 3261 §16.10 and §16.11.
@Suite struct FormerLifeTests {
    /// Anna's phone calls Bob, whose phones ring; then another server takes over, with the bindings that were on disk.
    struct Restarted {
        let anna: Flow
        let invites: [House.Sent]
        let headers: [String]
        var house: House

        init(phones: ClosedRange<UInt32> = 21...21, headers: [String] = [], hold: Bool = false) {
            let before = House()
            anna = before.registeredPhone("anna", host: 20)
            for host in phones { _ = before.registeredPhone("bob", host: host) }
            let text = House.request(
                "INVITE", "sip:bob@family.test", from: "anna", on: anna,
                headers: ["Contact: <sip:anna@192.168.1.20:5060>"] + headers)
            invites = before.authenticated(text, user: "anna", on: anna).filter { $0.method == .invite }
            for invite in invites { _ = before.receive(House.response(180, to: invite), on: invite.flow) }
            self.headers = headers
            house = House(bindings: before.stores.flatMap(\.change.saved), seed: 77)
        }

        /// The branch of the INVITE that got through.
        var branch: String {
            invites[0].texts(.via)[1].split(separator: ";").first { $0.hasPrefix("branch=") }.map {
                String($0.dropFirst(7))
            } ?? ""
        }

        func send(_ method: String, on flow: Flow? = nil, branch: String? = nil, toTag: String? = nil) -> [House.Sent] {
            let flow = flow ?? anna
            return house.receive(
                House.request(
                    method, "sip:bob@family.test", from: "anna", on: flow, branch: branch ?? self.branch, toTag: toTag,
                    headers: method == "CANCEL" ? ["Reason: SIP;cause=487"] : []), on: flow)
        }
    }

    @Test func `CANCEL takes the branches of its INVITE, and the answers find back`() {
        let call = Restarted(phones: 21...22)
        let cancels = call.send("CANCEL")
        #expect(cancels.map(\.method) == [.cancel, .cancel])
        for cancel in cancels {
            guard let invite = call.invites.first(where: { $0.flow == cancel.flow }) else {
                #expect(Bool(false), "no INVITE went to \(cancel.flow)")
                continue
            }
            #expect(cancel.texts(.via)[0] == invite.texts(.via)[0])
            #expect(cancel.uri == invite.uri)
            #expect(cancel.text(.cseq) == "1 CANCEL")
            #expect(cancel.text(.reason) == "SIP;cause=487")
            let ok = call.house.receive(House.response(200, to: cancel), on: cancel.flow)
            #expect(ok.map(\.flow.remote) == [call.anna.remote])
            #expect(ok.first?.texts(.via).count == 1)
            let terminated = call.house.receive(
                House.response(487, "Request Terminated", to: invite, tag: "b"), on: invite.flow)
            #expect(terminated.map(\.status) == [487])
        }
        // The phones hear that it arrived, else they would repeat it.
        let acks = call.send("ACK", toTag: "b")
        #expect(acks.map(\.method) == [.ack, .ack])
        #expect(Set(acks.map { $0.texts(.via)[0] }) == Set(call.invites.map { $0.texts(.via)[0] }))
        #expect(call.house.controller.transactionCount == 0)
    }

    @Test func `a device with two flows gets the CANCEL by the one that its INVITE took`() {
        let before = House()
        let anna = before.registeredPhone("anna", host: 20)
        for regID in 1...2 {
            let flow = House.phone(20 + UInt32(regID))
            let text = House.register(
                "bob", on: flow, contact: "<sip:bob@device.invalid>",
                parameters: RegistrarTests.instance + ";reg-id=\(regID)", headers: ["Supported: outbound, path"])
            _ = before.advance(.seconds(1))
            _ = before.authenticated(text, user: "bob", on: flow)
        }
        let text = House.request("INVITE", "sip:bob@device.invalid", from: "anna", on: anna)
        let invites = before.authenticated(text, user: "anna", on: anna).filter { $0.method == .invite }
        #expect(invites.count == 1)
        guard let invite = invites.first else { return }
        let branch = invite.texts(.via)[1].split(separator: ";").first { $0.hasPrefix("branch=") }?.dropFirst(7)
        let house = House(bindings: before.stores.flatMap(\.change.saved), seed: 79)
        let cancels = house.receive(
            House.request("CANCEL", "sip:bob@device.invalid", from: "anna", on: anna, branch: branch.map(String.init)),
            on: anna)
        // Which of the flows was the better one is forgotten, so both are told; the branch fits on one of them.
        #expect(cancels.count == 2)
        #expect(
            cancels.filter { $0.texts(.via)[0] == invite.texts(.via)[0] }.map(\.flow.remote) == [invite.flow.remote])
    }

    @Test func `CANCEL of a stranger reaches nobody`() {
        let call = Restarted()
        #expect(call.send("CANCEL", on: House.phone(66)).map(\.status) == [481])
        #expect(call.send("ACK", on: House.phone(66), toTag: "b").isEmpty)
    }

    @Test func `CANCEL with another branch cancels nothing at the phone`() {
        let call = Restarted()
        let sent = call.send("CANCEL", branch: "z9hG4bKother")
        #expect(sent.map(\.method) == [.cancel])
        #expect(sent.first?.texts(.via)[0] != call.invites[0].texts(.via)[0])
    }

    @Test func `when no INVITE of the former life can ring any more, CANCEL of nothing is told so`() {
        let call = Restarted()
        _ = call.house.advance(.seconds(186))
        #expect(call.send("CANCEL").map(\.status) == [481])
        #expect(call.send("ACK", toTag: "b").isEmpty)
    }

    @Test func `CANCEL of a re-INVITE goes to the device of the dialog`() {
        let before = House()
        let (anna, bob) = (before.registeredPhone("anna", host: 20), before.registeredPhone("bob", host: 21))
        let first = before.authenticated(
            House.request(
                "INVITE", "sip:bob@family.test", from: "anna", on: anna,
                headers: ["Contact: <sip:anna@192.168.1.20:5060>"]), user: "anna", on: anna)[1]
        let answer = before.receive(House.response(200, to: first), on: bob)[0]
        func request(_ method: String) -> String {
            House.request(
                method, "sip:bob@192.168.1.21:5060", from: "anna", on: anna, cseq: 3, branch: "z9hG4bKhold",
                toTag: "to-1", to: "sip:bob@family.test", headers: answer.texts(.recordRoute).map { "Route: \($0)" })
        }
        let hold = before.receive(request("INVITE"), on: anna)[1]
        let house = House(bindings: before.stores.flatMap(\.change.saved), seed: 78)
        for method in ["CANCEL", "ACK"] {
            let sent = house.receive(request(method), on: anna)
            #expect(sent.map(\.flow.remote) == [bob.remote])
            #expect(sent.first?.texts(.via)[0] == hold.texts(.via)[0])
            #expect(sent.first?.uri == hold.uri)
        }
    }
}
