import Base
import SIP
import Testing

@testable import CallControl

/// RFC 3261 §10.3, RFC 5626 §6, RFC 5627 §5, RFC 3327.
@Suite struct RegistrarTests {
    @Test func `a page that is signed in registers without a password`() {
        let house = House()
        let page = house.page("anna")
        let sent = house.receive(House.register("anna", on: page, parameters: ";expires=600"), on: page)
        #expect(sent.map(\.status) == [200])
        #expect(sent[0].text(.contact) == "<\(House.contact("anna", page))>;expires=600")
        #expect(house.stores.count == 1)
        #expect(house.controller.bindingCount == 1)
        #expect(house.controller.reachableDevices(of: [UInt8](ascii: "anna")) == 1)
    }

    @Test(arguments: [DigestAlgorithm.md5, .sha256])
    func `a phone registers with the password it was given`(_ algorithm: DigestAlgorithm) {
        let house = House { $0.digestAlgorithms = [.sha256, .md5] }
        let phone = House.phone(20)
        let register = House.register("anna", on: phone)
        let challenge = house.receive(register, on: phone)
        #expect(challenge.map(\.status) == [401])
        #expect(challenge[0].texts(.wwwAuthenticate).count == 2)
        let answer = House.answer(challenge[0], to: register, user: "anna", algorithm: algorithm)
        let sent = house.receive(answer, on: phone)
        #expect(sent.map(\.status) == [200])
        #expect(house.stores.first?.change.saved.first?.phone == [UInt8](ascii: "desk"))
    }

    @Test func `MD5 alone is offered as long as nobody asks for more, since baresip 1.0 bears nothing else`() {
        let house = House()
        let challenge = house.receive(House.register("anna", on: House.phone(20)), on: House.phone(20))
        #expect(challenge[0].texts(.wwwAuthenticate).count == 1)
        #expect(challenge[0].text(.wwwAuthenticate).contains("algorithm=MD5"))
    }

    @Test func `nothing is confirmed before it is on disk, and a repeated request waits as well`() {
        let house = House()
        house.diskIsFast = false
        let page = house.page("anna")
        let register = House.register("anna", on: page)
        #expect(house.receive(register, on: page).isEmpty)
        #expect(house.receive(register, on: page).isEmpty)
        guard let ticket = house.stores.first?.ticket else { return #expect(Bool(false), "no ticket") }
        house.controller.stored(ticket, succeeded: true, at: house.now)
        #expect(house.drain().map(\.status) == [200])
        house.controller.stored(ticket, succeeded: true, at: house.now)
        #expect(house.drain().isEmpty)
    }

    @Test func `a full disk is told to the phone`() {
        let house = House()
        house.diskIsFast = false
        let page = house.page("anna")
        _ = house.receive(House.register("anna", on: page), on: page)
        guard let ticket = house.stores.first?.ticket else { return #expect(Bool(false), "no ticket") }
        house.controller.stored(ticket, succeeded: false, at: house.now)
        #expect(house.drain().map(\.status) == [500])
    }

    @Test func `a refresh is confirmed at once and written later`() {
        let house = House()
        let page = house.registeredPage("anna")
        let sent = house.receive(House.register("anna", on: page, cseq: 2), on: page)
        #expect(sent.map(\.status) == [200])
        #expect(house.stores.count == 1)
        _ = house.advance(.seconds(20))
        #expect(house.stores.count == 2)
        #expect(house.stores[1].ticket == nil)
        #expect(house.stores[1].change.saved.first?.cseq == 2)
        #expect(house.stores[1].change.saved.first?.remaining == .seconds(3580))
    }

    @Test func `another Call-ID is a refresh like any other, and many of them cost one write`() {
        let house = House()
        let page = house.registeredPage("anna")
        for number in 2...50 {
            let again = House.register("anna", on: page, callID: "again-\(number)", cseq: 1)
            #expect(house.receive(again, on: page).map(\.status) == [200])
        }
        #expect(house.stores.count == 1)
        _ = house.advance(.seconds(20))
        #expect(house.stores.count == 2)
        #expect(house.stores[1].ticket == nil)
        #expect(house.stores[1].change.saved.map(\.callID) == [[UInt8](ascii: "again-50")])
        #expect(house.stores[1].change.saved.first?.remaining == .seconds(3580))
    }

    @Test func `registrations are ordered within the Call-ID that came last`() {
        let house = House()
        let page = house.page("anna")
        let statuses = [("a", 5), ("b", 3), ("b", 2), ("b", 3), ("a", 4), ("a", 3)].map { callID, cseq in
            house.receive(House.register("anna", on: page, callID: callID, cseq: cseq), on: page)[0].status
        }
        #expect(statuses == [200, 200, 500, 200, 200, 500])
    }

    @Test func `a refresh of what is not on disk waits for the disk`() {
        let house = House()
        house.diskIsFast = false
        let page = house.page("anna")
        _ = house.receive(House.register("anna", on: page), on: page)
        #expect(house.receive(House.register("anna", on: page, callID: "again"), on: page).isEmpty)
        let tickets = house.stores.compactMap(\.ticket)
        #expect(tickets.count == 2)
        house.controller.stored(tickets[0], succeeded: false, at: house.now)
        #expect(house.drain().map(\.status) == [500])
        house.controller.stored(tickets[1], succeeded: true, at: house.now)
        #expect(house.drain().map(\.status) == [200])
        #expect(house.receive(House.register("anna", on: page, cseq: 2), on: page).map(\.status) == [200])
        #expect(house.stores.count == 2)
    }

    @Test func `what could not be written is written by the next try`() {
        let house = House()
        house.diskIsFast = false
        let page = house.page("anna")
        _ = house.receive(House.register("anna", on: page), on: page)
        house.controller.stored(house.stores[0].ticket ?? 0, succeeded: false, at: house.now)
        #expect(house.drain().map(\.status) == [500])
        #expect(house.receive(House.register("anna", on: page, cseq: 2), on: page).isEmpty)
        #expect(house.stores.count == 2)
        #expect(house.stores.last?.ticket != nil)
    }

    struct Lifetime: Sendable, CustomTestStringConvertible {
        var contact: String
        var headers: [String] = []
        var status: Int
        var granted: Int?
        var testDescription: String { "\(contact) \(headers)" }
    }

    @Test(arguments: [
        Lifetime(contact: ";expires=59", status: 423),
        Lifetime(contact: ";expires=60", status: 200, granted: 60),
        Lifetime(contact: ";expires=3600", status: 200, granted: 3600),
        Lifetime(contact: ";expires=86400", status: 200, granted: 3600),
        Lifetime(contact: ";expires=99999999999", status: 200, granted: 3600),
        Lifetime(contact: "", status: 200, granted: 3600),
        Lifetime(contact: "", headers: ["Expires: 120"], status: 200, granted: 120),
        Lifetime(contact: ";expires=90", headers: ["Expires: 120"], status: 200, granted: 90),
        Lifetime(contact: "", headers: ["Expires: 10"], status: 423),
    ])
    func `lifetimes are kept within the limits`(_ row: Lifetime) {
        let house = House()
        let page = house.page("anna")
        let sent = house.receive(
            House.register("anna", on: page, parameters: row.contact, headers: row.headers), on: page)
        #expect(sent.map(\.status) == [row.status])
        if let granted = row.granted { #expect(sent[0].text(.contact).hasSuffix(";expires=\(granted)")) }
        if row.status == 423 { #expect(sent[0].text(.minExpires) == "60") }
    }

    @Test func `a binding ends with its lifetime`() {
        let house = House()
        _ = house.registeredPage("anna", parameters: ";expires=60")
        _ = house.advance(.seconds(59))
        #expect(house.controller.bindingCount == 1)
        _ = house.advance(.seconds(1))
        #expect(house.controller.bindingCount == 0)
        #expect(house.stores.last?.change.removed.count == 1)
        #expect(house.stores.last?.ticket == nil)
    }

    @Test func `expires 0 removes one binding, a star all of them`() {
        let house = House()
        let first = house.registeredPage("anna")
        let second = house.registeredPage("anna")
        var sent = house.receive(House.register("anna", on: first, parameters: ";expires=0", cseq: 2), on: first)
        #expect(sent.map(\.status) == [200])
        #expect(sent[0].texts(.contact).count == 1)
        #expect(house.stores.last?.ticket != nil)
        sent = house.receive(
            House.register("anna", on: second, contact: "*", cseq: 3, headers: ["Expires: 0"]), on: second)
        #expect(sent.map(\.status) == [200])
        #expect(sent[0].texts(.contact).isEmpty)
        #expect(house.controller.bindingCount == 0)
    }

    @Test(arguments: ["*", "*;expires=0", "*, <sip:anna@x.invalid>"])
    func `a star without Expires 0, or in company, is refused`(_ contact: String) {
        let house = House()
        let page = house.registeredPage("anna")
        let sent = house.receive(House.register("anna", on: page, contact: contact, cseq: 2), on: page)
        #expect(sent.map(\.status) == [400])
        #expect(house.controller.bindingCount == 1)
    }

    @Test func `a registration that was overtaken changes nothing`() {
        let house = House()
        let page = house.page("anna")
        _ = house.receive(House.register("anna", on: page, parameters: ";expires=600", cseq: 5), on: page)
        let late = house.receive(House.register("anna", on: page, parameters: ";expires=0", cseq: 4), on: page)
        #expect(late.map(\.status) == [500])
        #expect(house.controller.bindingCount == 1)
    }

    @Test func `the same Contact written differently is the same binding`() {
        let house = House()
        let page = house.page("anna")
        _ = house.receive(House.register("anna", on: page, contact: "<sip:anna@Host.Invalid;transport=ws>"), on: page)
        let sent = house.receive(
            House.register("anna", on: page, contact: "<sip:anna@host.invalid;transport=WS>", cseq: 2), on: page)
        #expect(sent[0].texts(.contact).count == 1)
    }

    @Test func `a Contact that stands twice makes one binding`() {
        let house = House()
        let page = house.page("anna")
        let contacts = "<sip:anna@x.invalid>;q=0.2, <sip:anna@x.invalid>;q=0.7, <sip:anna@X.INVALID>"
        let sent = house.receive(House.register("anna", on: page, contact: contacts), on: page)
        #expect(sent.map(\.status) == [200])
        #expect(sent[0].texts(.contact).count == 1)
        #expect(house.controller.bindingCount == 1)
        let gone = house.receive(
            House.register(
                "anna", on: page, contact: "<sip:anna@x.invalid>, <sip:anna@y.invalid>", parameters: ";expires=0",
                cseq: 2, headers: ["Expires: 0"]), on: page)
        #expect(gone[0].texts(.contact).isEmpty)
        #expect(house.controller.bindingCount == 0)
    }

    @Test func `a query lists the bindings and changes nothing`() {
        let house = House()
        let page = house.registeredPage("anna", parameters: ";expires=600")
        _ = house.advance(.milliseconds(100_500))
        let query = House.request(
            "REGISTER", "sip:family.test", from: "anna", on: page, cseq: 7, to: "sip:anna@family.test")
        let sent = house.receive(query, on: page)
        #expect(sent.map(\.status) == [200])
        #expect(sent[0].text(.contact).hasSuffix(";expires=500"))
        #expect(house.stores.count == 1)
    }

    @Test func `an unknown extension is named`() {
        let house = House()
        let page = house.page("anna")
        let sent = house.receive(House.register("anna", on: page, headers: ["Require: path, teleport"]), on: page)
        #expect(sent.map(\.status) == [420])
        #expect(sent[0].text(.unsupported) == "teleport")
    }

    @Test func `nobody registers for somebody else`() {
        let house = House()
        let page = house.page("anna")
        let text = House.request(
            "REGISTER", "sip:family.test", from: "anna", on: page, to: "sip:bob@family.test",
            headers: ["Contact: <sip:anna@x.invalid;transport=ws>"])
        #expect(house.receive(text, on: page).map(\.status) == [403])
        #expect(house.receive(House.register("bob", on: page), on: page).map(\.status) == [403])
        let foreign = House.request(
            "REGISTER", "sip:family.test", from: "anna", on: page, cseq: 2, to: "sip:anna@elsewhere.test",
            headers: ["Contact: <sip:anna@x.invalid;transport=ws>"])
        #expect(house.receive(foreign, on: page).map(\.status) == [404])
        #expect(house.controller.bindingCount == 0)
    }

    // MARK: Limits

    @Test func `devices and contacts have limits`() {
        let house = House { $0.limits.bindingsPerPerson = 3 }
        for _ in 0..<3 { _ = house.registeredPage("anna") }
        let page = house.page("anna")
        #expect(house.receive(House.register("anna", on: page), on: page).map(\.status) == [403])
        #expect(house.receive(House.register("bob", on: page), on: page).map(\.status) == [403])
        let long = "<sip:\(String(repeating: "a", count: 600))@x.invalid>"
        #expect(
            house.receive(House.register("anna", on: page, contact: long, cseq: 2), on: page).map(\.status) == [400])
        let many = (0..<9).map { "<sip:a\($0)@x.invalid>" }.joined(separator: ", ")
        #expect(
            house.receive(House.register("anna", on: page, contact: many, cseq: 3), on: page).map(\.status) == [403])
        #expect(house.controller.bindingCount == 3)
    }

    // MARK: Outbound and GRUU

    static let instance = ";+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\""

    @Test func `the same instance and reg-id replace the flow, another reg-id adds one`() {
        let house = House()
        let parameters = Self.instance + ";reg-id=1"
        let headers = ["Supported: outbound, path, gruu"]
        _ = house.registeredPage("anna", parameters: parameters, headers: headers)
        let second = house.page("anna")
        var sent = house.receive(
            House.register("anna", on: second, parameters: parameters, headers: headers), on: second)
        #expect(sent[0].texts(.contact).count == 1)
        #expect(sent[0].text(.contact).contains("x\(second.id).invalid"))
        #expect(sent[0].text(.require) == "outbound")
        #expect(sent[0].text(.flowTimer) == "25")
        let third = house.page("anna")
        sent = house.receive(
            House.register("anna", on: third, parameters: Self.instance + ";reg-id=2", headers: headers), on: third)
        #expect(sent[0].texts(.contact).count == 2)
    }

    @Test func `a public GRUU is given to whoever asks for it`() {
        let house = House()
        let page = house.page("anna")
        let plain = house.receive(House.register("anna", on: page, parameters: Self.instance), on: page)
        #expect(!plain[0].text(.contact).contains("pub-gruu"))
        let sent = house.receive(
            House.register("anna", on: page, parameters: Self.instance, cseq: 2, headers: ["Supported: gruu"]), on: page
        )
        #expect(
            sent[0].text(.contact).contains(
                "pub-gruu=\"sip:anna@family.test;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6\""))
    }

    @Test func `a device without reg-id that comes back leaves no ghost`() {
        let house = House()
        let first = house.registeredPage("anna", parameters: Self.instance)
        _ = house.close(first)
        let second = house.registeredPage("anna", parameters: Self.instance)
        #expect(house.controller.bindingCount == 1)
        #expect(house.stores.last?.change.saved.first?.flow == second)
        #expect(house.stores.last?.change.removed.count == 1)
    }

    @Test func `a first hop that keeps no flows is refused for outbound`() {
        let house = House()
        let page = house.page("anna")
        let headers = ["Supported: outbound, path", "Via: SIP/2.0/TCP edge.test;branch=z9hG4bKlower"]
        var sent = house.receive(
            House.register("anna", on: page, parameters: Self.instance + ";reg-id=1", headers: headers), on: page)
        #expect(sent.map(\.status) == [439])
        sent = house.receive(
            House.register(
                "anna", on: page, parameters: Self.instance + ";reg-id=1", cseq: 2,
                headers: headers + ["Path: <sip:edge.test;lr;ob>"]), on: page)
        #expect(sent.map(\.status) == [200])
        #expect(sent[0].text(.path) == "<sip:edge.test;lr;ob>")
    }

    @Test func `requests follow the Path of a binding`() {
        let house = House()
        let bob = house.registeredPage("bob", headers: ["Path: <sip:edge.test;lr>, <sip:far.test;lr>"])
        let anna = house.registeredPage("anna")
        let sent = house.receive(
            House.request("MESSAGE", "sip:bob@family.test", from: "anna", on: anna), on: anna)
        #expect(sent.map(\.flow) == [bob])
        #expect(sent[0].texts(.route) == ["<sip:edge.test;lr>", "<sip:far.test;lr>"])
    }

    @Test func `a phone that listens on another port than it sends from is called where it listens`() {
        let house = House()
        // Two people behind one sending port, as load generators have them.
        let source = House.phone(20, port: 5361)
        for (name, port) in [("anna", 5362), ("bob", 5363)] {
            let text = House.register(
                name, on: source, contact: "<sip:\(name)@192.168.1.20:\(port)>", callID: "r-\(name)")
            #expect(house.authenticated(text, user: name, on: source).map(\.status) == [200])
        }
        let sent = house.authenticated(
            House.request(
                "INVITE", "sip:bob@family.test", from: "anna", on: source,
                headers: ["Contact: <sip:anna@192.168.1.20:5362>"]),
            user: "anna", on: source)
        #expect(sent.map(\.status).first == 100)
        #expect(sent[1].flow.remote.port == 5363)
        let answer = house.receive(House.response(200, to: sent[1]), on: sent[1].flow)
        #expect(answer.map(\.flow.remote.port) == [5361])
        let bye = House.request(
            "BYE", "sip:anna@192.168.1.20:5362", from: "bob", on: sent[1].flow, fromTag: "to-1", toTag: "from-1",
            headers: answer[0].texts(.recordRoute).map { "Route: \($0)" })
        #expect(house.receive(bye, on: sent[1].flow).map(\.flow.remote.port) == [5362])
    }

    @Test func `a phone behind NAT is called where its requests come from`() {
        let house = House()
        let source = House.phone(20, port: 33_333)
        let text = House.register("bob", on: source, contact: "<sip:bob@10.9.9.9:5060>")
        #expect(house.authenticated(text, user: "bob", on: source).map(\.status) == [200])
        let anna = house.registeredPage("anna")
        let sent = house.receive(House.request("MESSAGE", "sip:bob@family.test", from: "anna", on: anna), on: anna)
        #expect(sent.map(\.flow) == [source])
    }

    // MARK: People

    @Test func `a phone that is disabled loses its bindings and its connection`() {
        let house = House()
        let address = TransportAddress(ip: .v4(0xc0a8_0114), port: 40_000)
        let flow = house.stream(.tls, remote: address)
        let sent = house.authenticated(House.register("anna", on: flow), user: "anna", on: flow)
        #expect(sent.map(\.status) == [200])
        house.controller.set(account: House.account("anna", phones: ["kitchen"]), at: house.now)
        _ = house.drain()
        #expect(house.controller.bindingCount == 0)
        #expect(house.closed.map(\.flow) == [flow])
        #expect(house.closed.map(\.reason) == [.phoneRemoved])
        #expect(house.stores.last?.change.removed.count == 1)
    }

    @Test func `a person who is removed is gone with everything`() {
        let house = House()
        let page = house.registeredPage("anna")
        house.controller.remove(user: [UInt8](ascii: "anna"), at: house.now)
        _ = house.drain()
        #expect(house.controller.bindingCount == 0)
        #expect(house.closed.contains { $0.flow == page && $0.reason == .personRemoved })
        #expect(house.receive(House.register("anna", on: page, cseq: 2), on: page).map(\.status) == [401])
    }
}
