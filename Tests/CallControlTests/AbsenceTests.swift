import Base
import SIP
import Testing

@testable import CallControl

/// Devices whose connection is gone: they ring again when they come back soon, and are forgotten when they do not.
struct AbsenceTests {
    @Test func `a page that was closed without a word is forgotten after half a minute`() {
        let house = House()
        let page = house.registeredPage("bob")
        _ = house.close(page)
        _ = house.advance(.milliseconds(29_900))
        #expect(house.controller.bindingCount == 1)
        let stores = house.stores.count
        _ = house.advance(.milliseconds(200))
        #expect(house.controller.bindingCount == 0)
        #expect(house.stores.dropFirst(stores).map(\.change.removed.count) == [1])
        #expect(house.events.contains { if case .unregistered(_, _, .gone) = $0 { true } else { false } })
    }

    @Test func `a page that comes back in time stays, over its new connection`() {
        let house = House()
        let parameters = RegistrarTests.instance + ";reg-id=1", headers = ["Supported: outbound"]
        _ = house.close(house.registeredPage("bob", parameters: parameters, headers: headers))
        _ = house.advance(.seconds(20))
        _ = house.registeredPage("bob", parameters: parameters, headers: headers)
        _ = house.advance(.seconds(300))
        #expect(house.controller.bindingCount == 1)
        #expect(house.controller.reachableDevices(of: [UInt8](ascii: "bob")) == 1)
    }

    @Test func `another page of the same person does not keep the closed one`() {
        let house = House()
        let closed = house.registeredPage("bob")
        _ = house.registeredPage("bob")
        _ = house.close(closed)
        _ = house.advance(.seconds(31))
        #expect(house.controller.bindingCount == 1)
    }

    @Test func `a telephone over UDP, and one that can be called where it listens, stay for their lifetime`() {
        let house = House()
        _ = house.registeredPhone("anna", host: 20)
        let stream = house.stream(.tcp, remote: TransportAddress(ip: .v4(0xc0a8_0115), port: 40_000))
        let text = House.register("bob", on: stream, contact: "<sip:bob@192.168.1.21:5060;transport=tcp>")
        #expect(house.authenticated(text, user: "bob", on: stream).map(\.status) == [200])
        _ = house.close(stream)
        _ = house.advance(.seconds(300))
        #expect(house.controller.bindingCount == 2)
    }

    @Test func `a telephone behind a connection that closed is forgotten as well`() {
        let house = House()
        let stream = house.stream(.tls, remote: TransportAddress(ip: .v4(0xc0a8_0115), port: 40_000))
        let text = House.register("bob", on: stream, contact: "<sip:bob@10.0.0.9:5061;transport=tls>")
        #expect(house.authenticated(text, user: "bob", on: stream).map(\.status) == [200])
        _ = house.close(stream)
        _ = house.advance(.seconds(31))
        #expect(house.controller.bindingCount == 0)
    }

    @Test func `after a restart pages have two minutes to come back, and telephones over UDP are simply there`() {
        let house = House()
        _ = house.registeredPage("bob")
        _ = house.registeredPhone("anna", host: 20)
        let next = House(bindings: house.stores.flatMap(\.change.saved), seed: 7)
        _ = next.advance(.seconds(119))
        #expect(next.controller.bindingCount == 2)
        _ = next.advance(.seconds(2))
        #expect(next.controller.bindingCount == 1)
        #expect(next.controller.reachableDevices(of: [UInt8](ascii: "anna")) == 1)
    }
}
