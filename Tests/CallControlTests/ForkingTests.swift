import Base
import SIP
import Testing

@testable import CallControl

/// Several devices of one person: RFC 3261 §16.6 to §16.8 and §16.10.
@Suite struct ForkingTests {
    /// A call to Bob's devices that has just begun.
    struct Ringing {
        let house: House
        var anna: Flow
        var branches: [House.Sent]

        init(
            _ count: Int, parameters: [String] = [], configure: (inout CallController.Configuration) -> Void = { _ in }
        ) {
            house = House(configure: configure)
            anna = house.registeredPage("anna")
            for index in 0..<count {
                _ = house.registeredPage("bob", parameters: index < parameters.count ? parameters[index] : "")
            }
            branches = house.receive(CallTests.invite(on: anna), on: anna).filter { $0.method == .invite }
        }

        mutating func answer(_ branch: Int, _ status: Int, _ reason: String = "Because", headers: [String] = [])
            -> [House.Sent]
        {
            house.receive(
                House.response(status, reason, to: branches[branch], tag: "b\(branch)", headers: headers),
                on: branches[branch].flow)
        }
    }

    @Test func `all devices ring, one answers, the others hear that`() {
        var call = Ringing(3)
        #expect(call.branches.count == 3)
        #expect(Set(call.branches.map(\.flow)).count == 3)
        for branch in 0..<3 { #expect(call.answer(branch, 180).map(\.status) == [180]) }
        let sent = call.answer(1, 200)
        #expect(sent.filter { $0.status == 200 }.map(\.flow) == [call.anna])
        let cancels = sent.filter { $0.method == .cancel }
        #expect(Set(cancels.map(\.flow)) == Set([call.branches[0].flow, call.branches[2].flow]))
        for cancel in cancels {
            #expect(cancel.text(.reason) == "SIP;cause=200;text=\"Call completed elsewhere\"")
            #expect(cancel.text(.cseq) == "1 CANCEL")
            // §9.1: same branch and Request-URI as the INVITE.
            let invite = call.branches.first { $0.flow == cancel.flow }
            #expect(cancel.texts(.via) == [invite?.texts(.via)[0]])
            #expect(cancel.uri == invite?.uri)
        }
        // The 487s are acknowledged and go no further.
        for branch in [0, 2] {
            let late = call.answer(branch, 487)
            #expect(late.map(\.method) == [.ack])
            #expect(late[0].flow == call.branches[branch].flow)
        }
    }

    @Test func `a telephone that could not be rung says more than a closed tab, and less than that nobody answered`() {
        let ranks = [LocalResponse.nobodyAnswered, .mediaMismatch, .notReachable].map { BestResponse.rank(.local($0)) }
        #expect(ranks == ranks.sorted())
        #expect(Set(ranks).count == 3)
    }

    @Test func `two devices that answer at once both reach the caller`() {
        var call = Ringing(2)
        #expect(call.answer(0, 200).contains { $0.status == 200 && $0.flow == call.anna })
        #expect(call.answer(1, 200).map(\.status) == [200])
    }

    @Test func `a device that has not said anything yet is cancelled when it does`() {
        var call = Ringing(2)
        var sent = call.answer(0, 200)
        #expect(!sent.contains { $0.method == .cancel })
        sent = call.answer(1, 180)
        #expect(sent.map(\.method) == [.cancel])
        #expect(sent[0].text(.reason).contains("completed elsewhere"))
    }

    struct Choice: Sendable, CustomTestStringConvertible {
        var answers: [Int]
        var best: Int
        var testDescription: String { "\(answers)" }
    }

    @Test(arguments: [
        Choice(answers: [486, 480], best: 486), Choice(answers: [480, 486], best: 486),
        Choice(answers: [408, 480], best: 480),
        Choice(answers: [500, 404], best: 404), Choice(answers: [404, 302], best: 302),
        Choice(answers: [486, 407], best: 407),
        Choice(answers: [415, 486], best: 415), Choice(answers: [484, 404], best: 484),
        Choice(answers: [488, 486], best: 486),
        Choice(answers: [487, 408], best: 408), Choice(answers: [500, 503], best: 500),
        Choice(answers: [503], best: 500),
        Choice(answers: [501], best: 501), Choice(answers: [420, 404, 500], best: 420),
        Choice(answers: [481, 480], best: 480),
    ])
    func `the best response is chosen`(_ row: Choice) {
        var call = Ringing(row.answers.count)
        var upstream: [House.Sent] = []
        for (branch, status) in row.answers.enumerated() {
            let sent = call.answer(branch, status)
            #expect(sent.filter { $0.method == .ack }.count == 1)
            upstream += sent.filter { $0.flow == call.anna }
            if branch < row.answers.count - 1 { #expect(upstream.isEmpty) }
        }
        #expect(upstream.map(\.status) == [row.best])
    }

    @Test func `a refusal by the person ends the call everywhere`() {
        var call = Ringing(2)
        _ = call.answer(1, 180)
        var sent = call.answer(0, 603, "Decline")
        #expect(sent.filter { $0.method == .cancel }.map(\.flow) == [call.branches[1].flow])
        #expect(!sent.contains { $0.flow == call.anna })
        sent = call.answer(1, 487)
        #expect(sent.filter { $0.flow == call.anna }.map(\.status) == [603])
    }

    @Test func `after 6xx a 2xx that was under way still wins`() {
        var call = Ringing(2)
        _ = call.answer(1, 180)
        _ = call.answer(0, 603)
        #expect(call.answer(1, 200).filter { $0.flow == call.anna }.map(\.status) == [200])
    }

    @Test func `challenges of all branches are given to the caller`() {
        var call = Ringing(3)
        _ = call.answer(0, 401, headers: ["WWW-Authenticate: Digest realm=\"a\", nonce=\"1\""])
        _ = call.answer(1, 407, headers: ["Proxy-Authenticate: Digest realm=\"b\", nonce=\"2\""])
        let sent = call.answer(2, 401, headers: ["WWW-Authenticate: Digest realm=\"c\", nonce=\"3\""]).filter {
            $0.flow == call.anna
        }
        #expect(sent.map(\.status) == [401])
        #expect(
            sent[0].texts(.wwwAuthenticate) == ["Digest realm=\"a\", nonce=\"1\"", "Digest realm=\"c\", nonce=\"3\""])
        #expect(sent[0].texts(.proxyAuthenticate) == ["Digest realm=\"b\", nonce=\"2\""])
    }

    @Test func `devices of lower q ring when those before them failed`() {
        var call = Ringing(3, parameters: [";q=0.5", ";q=0.9", ";q=0.9"])
        #expect(call.branches.count == 2)
        #expect(call.answer(0, 486).filter { $0.method == .invite }.isEmpty)
        let next = call.answer(1, 480).filter { $0.method == .invite }
        #expect(next.count == 1)
        call.branches += next
        #expect(call.answer(2, 200).contains { $0.status == 200 && $0.flow == call.anna })
    }

    // MARK: CANCEL

    static func cancel(on flow: Flow, headers: [String] = []) -> String {
        House.request(
            "CANCEL", "sip:bob@family.test", from: "anna", on: flow, branch: "z9hG4bK-anna-call-1-1-INVITE",
            headers: headers)
    }

    @Test(arguments: [
        ("", ["30", "30"]), ("Max-Breadth: 9", ["4", "4"]), ("Max-Breadth: 2", ["1", "1"]),
        ("Max-Breadth: 1000", ["30", "30"]), ("Max-Breadth: many", ["30", "30"]),
    ])
    func `breadth is limited and shared among the branches`(_ header: String, _ shares: [String]) {
        let house = House()
        let anna = house.registeredPage("anna")
        for _ in 0..<2 { _ = house.registeredPage("bob") }
        let headers = header.isEmpty ? [] : [header]
        let sent = house.receive(CallTests.invite(on: anna, headers: headers), on: anna)
        #expect(sent.filter { $0.method == .invite }.map { $0.text(.maxBreadth) } == shares)
        #expect(sent.filter { $0.method == .invite }.allSatisfy { $0.texts(.maxBreadth).count == 1 })
    }

    @Test func `groups that ring one after the other have all of the breadth each`() {
        let house = House()
        let anna = house.registeredPage("anna")
        for q in ["1.0", "0.5", "0.5"] { _ = house.registeredPage("bob", parameters: ";q=\(q)") }
        let first = house.receive(CallTests.invite(on: anna, headers: ["Max-Breadth: 2"]), on: anna)
        #expect(first.filter { $0.method == .invite }.map { $0.text(.maxBreadth) } == ["2"])
        let second = house.receive(House.response(486, to: first[1]), on: first[1].flow)
        #expect(second.filter { $0.method == .invite }.map { $0.text(.maxBreadth) } == ["1", "1"])
    }

    @Test func `within a dialog there is one way and no breadth to share`() {
        var call = Ringing(1)
        let answer = call.answer(0, 200)[0]
        let bye = House.request(
            "BYE", "sip:bob@y.invalid", from: "anna", on: call.anna, cseq: 2, toTag: "b0",
            headers: answer.texts(.recordRoute).map { "Route: \($0)" })
        #expect(call.house.receive(bye, on: call.anna).map { $0.text(.maxBreadth) } == [""])
    }

    @Test func `the caller gives up`() {
        var call = Ringing(2)
        _ = call.answer(0, 180)
        let sent = call.house.receive(
            Self.cancel(on: call.anna, headers: ["Reason: SIP;cause=487;text=\"Gave up\""]), on: call.anna)
        #expect(sent.filter { $0.flow == call.anna }.map(\.status) == [200])
        // The silent branch gets its CANCEL later; the caller is not kept waiting for it.
        let cancels = sent.filter { $0.method == .cancel }
        #expect(cancels.map(\.flow) == [call.branches[0].flow])
        #expect(cancels[0].text(.reason) == "SIP;cause=487;text=\"Gave up\"")
        let last = call.answer(0, 487)
        #expect(last.filter { $0.flow == call.anna }.map(\.status) == [487])
        #expect(call.answer(1, 180).map(\.method) == [.cancel])
        #expect(call.answer(1, 487).map(\.method) == [.ack])
        let ack = House.request(
            "ACK", "sip:bob@family.test", from: "anna", on: call.anna, branch: "z9hG4bK-anna-call-1-1-INVITE",
            toTag: "x")
        #expect(call.house.receive(ack, on: call.anna).isEmpty)
        _ = call.house.advance(.seconds(100))
        #expect(call.house.controller.transactionCount == 0)
        #expect(call.house.controller.branches.count == 0)
    }

    @Test func `an answer that crosses the CANCEL wins`() {
        var call = Ringing(1)
        _ = call.answer(0, 180)
        _ = call.house.receive(Self.cancel(on: call.anna), on: call.anna)
        #expect(call.answer(0, 200).map(\.status) == [200])
    }

    @Test func `CANCEL of nothing is told so`() {
        let house = House()
        let anna = house.registeredPage("anna")
        #expect(house.receive(Self.cancel(on: anna), on: anna).map(\.status) == [481])
    }

    @Test func `CANCEL is repeated over UDP until it is answered`() {
        let house = House()
        let anna = house.registeredPhone("anna", host: 20)
        let bob = house.registeredPhone("bob", host: 21)
        let text = House.request("INVITE", "sip:bob@family.test", from: "anna", on: anna)
        let sent = house.authenticated(text, user: "anna", on: anna)
        let invite = sent.first { $0.method == .invite }
        guard let invite else { return #expect(Bool(false), "no INVITE") }
        _ = house.receive(House.response(180, to: invite), on: bob)
        let branch = invite.texts(.via)[1].split(separator: ";").first { $0.hasPrefix("branch=") }.map {
            String($0.dropFirst(7))
        }
        var cancelled = house.receive(
            House.request("CANCEL", "sip:bob@family.test", from: "anna", on: anna, branch: branch), on: anna)
        #expect(cancelled.map(\.status).contains(200))
        cancelled = house.advance(.seconds(2)).filter { $0.method == .cancel }
        #expect(cancelled.count == 2)
        _ = house.receive(House.response(200, to: cancelled[0]), on: bob)
        #expect(house.advance(.seconds(10)).filter { $0.method == .cancel }.isEmpty)
    }

    // MARK: Time

    @Test func `after 45 seconds the caller hears that nobody answered`() {
        var call = Ringing(2)
        _ = call.answer(0, 180)
        _ = call.answer(1, 180)
        var sent = call.house.advance(.seconds(44))
        #expect(sent.isEmpty)
        sent = call.house.advance(.seconds(2))
        #expect(sent.map(\.method) == [.cancel, .cancel])
        #expect(sent[0].text(.reason).contains("cause=408"))
        _ = call.answer(0, 487)
        let last = call.answer(1, 487).filter { $0.flow == call.anna }
        #expect(last.map(\.status) == [408])
        #expect(last[0].reason == "Nobody Answered")
    }

    @Test func `a device that says nothing at all counts as 408 after 32 seconds`() {
        let call = Ringing(1)
        #expect(call.house.advance(.milliseconds(31_900)).isEmpty)
        let sent = call.house.advance(.milliseconds(200))
        #expect(sent.map(\.status) == [408])
    }

    @Test func `a device that answers neither 180 nor CANCEL is given up`() {
        var call = Ringing(1)
        _ = call.answer(0, 180)
        _ = call.house.advance(.seconds(45))
        let sent = call.house.advance(.seconds(33))
        #expect(sent.filter { $0.flow == call.anna }.map(\.status) == [408])
    }

    @Test func `nobody waits for a 408 to anything but INVITE`() {
        let house = House()
        let anna = house.registeredPage("anna")
        _ = house.registeredPage("bob")
        _ = house.receive(House.request("MESSAGE", "sip:bob@family.test", from: "anna", on: anna), on: anna)
        #expect(house.advance(.seconds(60)).map(\.status) == [100])
        #expect(house.controller.transactionCount == 0)
    }

    /// A MESSAGE to Bob's devices, which are pages or telephones.
    private func message(_ devices: Int) -> (house: House, anna: Flow, copies: [House.Sent]) {
        let house = House()
        let anna = house.registeredPage("anna")
        for _ in 0..<devices { _ = house.registeredPage("bob") }
        return (
            house, anna,
            house.receive(House.request("MESSAGE", "sip:bob@family.test", from: "anna", on: anna), on: anna)
        )
    }

    @Test func `a device's 408 to anything but INVITE goes no further`() {
        let (house, _, copies) = message(1)
        #expect(house.receive(House.response(408, to: copies[0]), on: copies[0].flow).isEmpty)
        #expect(house.controller.transactionCount == 0)
        // What another device said does, even if it is less than a person would like.
        let (other, anna, both) = message(2)
        #expect(other.receive(House.response(480, to: both[0]), on: both[0].flow).isEmpty)
        let sent = other.receive(House.response(408, to: both[1]), on: both[1].flow)
        #expect(sent.map(\.flow) == [anna])
        #expect(sent.map(\.status) == [480])
    }

    @Test func `of provisional responses to anything but INVITE only 100 is sent, and only when the answer is late`() {
        let (house, anna, copies) = message(1)
        #expect(house.receive(House.response(183, to: copies[0]), on: copies[0].flow).isEmpty)
        #expect(house.receive(House.response(100, to: copies[0]), on: copies[0].flow).isEmpty)
        #expect(house.advance(.milliseconds(3_400)).isEmpty)
        let late = house.advance(.milliseconds(200))
        #expect(late.map(\.flow) == [anna])
        #expect(late.map(\.status) == [100])
        #expect(late.first?.text(.to).contains("tag=") == false)
        #expect(house.receive(House.response(200, to: copies[0]), on: copies[0].flow).map(\.status) == [200])
        #expect(house.advance(.seconds(60)).isEmpty)
    }

    @Test func `an answer to anything but INVITE that comes too late goes nowhere`() {
        let (house, _, copies) = message(1)
        _ = house.advance(.seconds(40))
        #expect(house.receive(House.response(200, to: copies[0]), on: copies[0].flow).isEmpty)
    }

    // MARK: Connections

    @Test func `a device whose connection breaks and stays away is out, the others ring on`() {
        var call = Ringing(2)
        _ = call.answer(0, 180)
        #expect(call.house.close(call.branches[0].flow).isEmpty)
        #expect(call.house.advance(.seconds(10)).isEmpty)
        #expect(call.house.close(call.branches[1].flow).isEmpty)
        #expect(call.house.advance(.seconds(5)).map(\.status) == [480])
        _ = call.house.advance(.seconds(100))
        #expect(call.house.controller.transactionCount == 0)
        #expect(call.house.controller.waitingCount == 0)
    }

    static let outbound = (RegistrarTests.instance + ";reg-id=1", ["Supported: outbound"])

    @Test func `a page that comes back while it rings gets the same INVITE again`() {
        let house = House()
        let anna = house.registeredPage("anna")
        let bob = house.registeredPage("bob", parameters: Self.outbound.0, headers: Self.outbound.1)
        let invite = house.receive(CallTests.invite(on: anna), on: anna)[1]
        _ = house.receive(House.response(180, to: invite), on: bob)
        #expect(house.close(bob).isEmpty)
        _ = house.advance(.seconds(1))
        let again = house.page("bob")
        let sent = house.receive(
            House.register("bob", on: again, parameters: Self.outbound.0, headers: Self.outbound.1), on: again)
        let copy = sent.first { $0.method == .invite }
        #expect(copy?.flow == again)
        #expect(copy?.message == invite.message)
        #expect(house.receive(House.response(200, to: invite), on: again).map(\.status) == [200])
    }

    @Test func `a CANCEL that was lost with a connection is repeated on the next`() {
        let house = House()
        let anna = house.registeredPage("anna")
        let bob = house.registeredPage("bob", parameters: Self.outbound.0, headers: Self.outbound.1)
        let invite = house.receive(CallTests.invite(on: anna), on: anna)[1]
        _ = house.receive(House.response(180, to: invite), on: bob)
        #expect(house.receive(Self.cancel(on: anna), on: anna).contains { $0.method == .cancel })
        #expect(house.close(bob).isEmpty)
        let again = house.page("bob")
        let sent = house.receive(
            House.register("bob", on: again, parameters: Self.outbound.0, headers: Self.outbound.1), on: again)
        #expect(sent.filter { $0.method == .cancel }.map(\.flow) == [again])
        #expect(
            house.receive(House.response(487, to: invite), on: again).filter { $0.flow == anna }.map(\.status) == [487])
    }

    @Test func `a caller whose connection stays away stops the ringing`() {
        var call = Ringing(1)
        _ = call.answer(0, 180)
        #expect(call.house.close(call.anna).isEmpty)
        let sent = call.house.advance(.seconds(5))
        #expect(sent.map(\.method) == [.cancel])
        #expect(sent[0].text(.reason).contains("Caller lost the connection"))
    }

    @Test func `a caller who is back in time gets her answer over the new connection`() {
        let house = House()
        let parameters = RegistrarTests.instance + ";reg-id=1"
        let headers = ["Supported: outbound"]
        let anna = house.registeredPage("anna", parameters: parameters, headers: headers)
        let bob = house.registeredPage("bob")
        let sent = house.receive(CallTests.invite(on: anna), on: anna)
        _ = house.close(anna)
        let again = house.page("anna")
        _ = house.receive(House.register("anna", on: again, parameters: parameters, headers: headers), on: again)
        #expect(house.advance(.seconds(10)).isEmpty)
        #expect(house.receive(House.response(200, to: sent[1]), on: bob).map(\.flow) == [again])
    }

    // MARK: Media

    struct Mix: Sendable, CustomTestStringConvertible {
        var callerIsPage: Bool
        var calleeIsPage: Bool
        var offer: String
        var passes: Bool
        var testDescription: String { "\(callerIsPage) \(calleeIsPage) \(offer.count)" }
    }

    @Test(arguments: [
        Mix(callerIsPage: true, calleeIsPage: true, offer: House.webOffer, passes: true),
        Mix(callerIsPage: true, calleeIsPage: false, offer: House.webOffer, passes: false),
        Mix(callerIsPage: true, calleeIsPage: false, offer: "", passes: true),
        Mix(callerIsPage: false, calleeIsPage: true, offer: House.plainOffer, passes: false),
        Mix(callerIsPage: false, calleeIsPage: false, offer: House.plainOffer, passes: true),
        Mix(callerIsPage: false, calleeIsPage: true, offer: House.webOffer, passes: true),
        Mix(callerIsPage: false, calleeIsPage: false, offer: House.webOffer, passes: true),
    ])
    func `a browser and a plain telephone are kept apart in words`(_ row: Mix) {
        let house = House()
        let anna = row.callerIsPage ? house.registeredPage("anna") : house.registeredPhone("anna", host: 20)
        let bob = row.calleeIsPage ? house.registeredPage("bob") : house.registeredPhone("bob", host: 21)
        let sent = house.authenticated(CallTests.invite(on: anna, body: row.offer), user: "anna", on: anna)
        if row.passes {
            #expect(sent.contains { $0.method == .invite && $0.flow == bob })
        } else {
            #expect(sent.map(\.status) == [100, 488])
            #expect(sent[1].text(.warning).hasPrefix("305 family.test \"A Browser And A Telephone"))
        }
    }

    @Test func `a telephone among browsers does not keep them from ringing, nor hide that nobody answered`() {
        let house = House()
        let anna = house.registeredPage("anna")
        _ = house.registeredPhone("bob", host: 21)
        let page = house.registeredPage("bob")
        var sent = house.receive(CallTests.invite(on: anna), on: anna)
        #expect(sent.filter { $0.method == .invite }.map(\.flow) == [page])
        sent = house.receive(House.response(486, to: sent.first { $0.method == .invite }!), on: page)
        #expect(sent.filter { $0.flow == anna }.map(\.status) == [486])
    }

    // MARK: Nobody there

    @Test func `a person without devices is not connected, one who does not exist is unknown`() {
        let house = House()
        let anna = house.registeredPage("anna")
        let offline = house.receive(CallTests.invite(on: anna), on: anna)
        #expect(offline.map(\.status) == [480])
        #expect(offline[0].reason == "Not Connected At The Moment")
        let unknown = house.receive(CallTests.invite("sip:zoe@family.test", on: anna, cseq: 2), on: anna)
        #expect(unknown.map(\.status) == [404])
    }

    @Test func `calling oneself rings the other devices`() {
        let house = House()
        let (first, second) = (house.registeredPage("anna"), house.registeredPage("anna"))
        let sent = house.receive(CallTests.invite("sip:anna@family.test", on: first), on: first)
        #expect(sent.filter { $0.method == .invite }.map(\.flow) == [second])
    }

    @Test func `a limit keeps one person from calling without end`() {
        let house = House { $0.limits.pendingCallsPerPerson = 2 }
        let anna = house.registeredPage("anna")
        let bob = house.registeredPage("bob")
        var first: House.Sent?
        for number in 1...3 {
            let sent = house.receive(
                House.request("INVITE", "sip:bob@family.test", from: "anna", on: anna, callID: "c\(number)"), on: anna)
            if number == 1 { first = sent[1] }
            #expect(sent[0].status == (number < 3 ? 100 : 486))
        }
        _ = house.receive(House.response(486, to: first!), on: bob)
        let sent = house.receive(
            House.request("INVITE", "sip:bob@family.test", from: "anna", on: anna, callID: "c9"), on: anna)
        #expect(sent[0].status == 100)
    }
}
