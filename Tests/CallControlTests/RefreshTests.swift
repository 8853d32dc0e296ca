import Base
import SIP
import Testing

@testable import CallControl

/// A REGISTER whose Contact is written as it is stored is known by its bytes, and is a mere refresh only when it also
/// comes the way the device is called.
@Suite struct RefreshTests {
    /// What a phone behind a NAT says of itself.
    static let inside = "<sip:anna@10.0.0.7:5060>"

    private static func register(_ house: House, from flow: Flow, cseq: Int, contact: String = inside) -> [House.Sent] {
        house.authenticated(
            House.register("anna", on: flow, contact: contact, callID: "refresh", cseq: cseq), user: "anna", on: flow)
    }

    /// Where a call to anna goes.
    private static func reached(_ house: House) -> [TransportAddress] {
        let page = house.registeredPage("bob")
        let invite = House.request("INVITE", "sip:anna@family.test", from: "bob", on: page)
        return house.receive(invite, on: page).filter { $0.method == .invite }.map(\.flow.remote)
    }

    @Test func `the same port refreshes, and nothing is stored at once`() {
        let house = House()
        let flow = House.phone(20, port: 33_333)
        #expect(Self.register(house, from: flow, cseq: 1).map(\.status) == [200])
        #expect(Self.register(house, from: flow, cseq: 3).map(\.status) == [200])
        #expect(house.stores.count == 1)
        #expect(Self.reached(house) == [flow.remote])
    }

    @Test func `another source port is where the device is called from then on, and is stored before the answer`() {
        let house = House()
        let (before, after) = (House.phone(20, port: 33_333), House.phone(20, port: 44_444))
        #expect(Self.register(house, from: before, cseq: 1).map(\.status) == [200])
        house.diskIsFast = false
        #expect(Self.register(house, from: after, cseq: 3).isEmpty)
        guard house.stores.count == 2, let ticket = house.stores[1].ticket else {
            return #expect(Bool(false), "not stored")
        }
        #expect(house.stores[1].change.saved.map(\.flow.remote) == [after.remote])
        house.controller.stored(ticket, succeeded: true, at: house.now)
        #expect(house.drain().map(\.status) == [200])
        #expect(house.controller.bindingCount == 1)
        house.diskIsFast = true
        #expect(Self.reached(house) == [after.remote])
    }

    @Test func `another address of the same port is another way as well`() {
        let house = House()
        #expect(Self.register(house, from: House.phone(20), cseq: 1).map(\.status) == [200])
        #expect(Self.register(house, from: House.phone(21), cseq: 3).map(\.status) == [200])
        #expect(house.stores.count == 2)
        #expect(Self.reached(house) == [House.phone(21).remote])
    }

    @Test func `a phone that is called at its Contact may send from any port`() {
        let house = House()
        let contact = "<sip:anna@192.168.1.20:5362>"
        let flows = [House.phone(20, port: 33_333), House.phone(20, port: 44_444)]
        for (number, flow) in flows.enumerated() {
            #expect(Self.register(house, from: flow, cseq: 1 + 2 * number, contact: contact).map(\.status) == [200])
        }
        #expect(house.stores.count == 1)
        #expect(Self.reached(house).map(\.port) == [5362])
    }

    @Test func `a page that comes back over another stream takes the binding with it`() {
        let house = House()
        let contact = "<sip:anna@x.invalid;transport=ws>"
        let (first, second) = (house.page("anna"), house.page("anna"))
        _ = house.receive(House.register("anna", on: first, contact: contact), on: first)
        _ = house.receive(House.register("anna", on: second, contact: contact), on: second)
        #expect(house.stores.count == 2)
        #expect(house.controller.bindingCount == 1)
        #expect(Self.reached(house) == [second.remote])
    }
}
