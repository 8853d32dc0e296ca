import Base
import SIP
import Testing

@testable import CallControl

@Suite struct RequestLatencyTests {
    private func counts(_ house: House, _ kind: RequestLatency.Kind) -> [Int64: UInt64] {
        let bounds = RequestLatency.bounds + [.max]
        return Dictionary(
            uniqueKeysWithValues: zip(bounds, house.controller.latency.buckets(kind)).filter { $0.1 > 0 })
    }

    @Test func `what is answered at once took as long as its batch`() {
        let house = House()
        let phone = House.phone(20)
        for _ in 0..<3 { _ = house.receive(House.register("anna", on: phone), on: phone) }
        #expect(counts(house, .register).isEmpty)
        house.controller.endBatch(after: .microseconds(180))
        #expect(counts(house, .register) == [250: 3])
        #expect(house.controller.latency.sum(.register) == 540)
        house.controller.endBatch(after: .seconds(1))
        #expect(counts(house, .register) == [250: 3])
    }

    @Test func `a registration took until it was on disk, a call until somebody answered`() {
        let house = House()
        let (anna, bob) = (house.registeredPage("anna"), house.registeredPage("bob"))
        house.diskIsFast = false
        let page = house.page("carl")
        _ = house.receive(House.register("carl", on: page), on: page)
        guard let ticket = house.stores.last?.ticket else { return #expect(Bool(false), "no ticket") }
        _ = house.advance(.milliseconds(4))
        house.controller.stored(ticket, succeeded: true, at: house.now)
        #expect(house.drain().map(\.status) == [200])
        #expect(counts(house, .register) == [5_000: 1])

        let invite = house.receive(CallTests.invite(on: anna), on: anna)[1]
        _ = house.receive(House.response(180, "Ringing", to: invite), on: bob)
        #expect(counts(house, .invite).isEmpty)
        _ = house.advance(.seconds(9))
        let ok = House.response(
            200, "OK", to: invite, headers: ["Contact: <sip:bob@y.invalid;transport=ws>"], body: House.webOffer)
        #expect(house.receive(ok, on: bob).map(\.status) == [200])
        _ = house.receive(ok, on: bob)
        #expect(counts(house, .invite) == [10_000_000: 1])
    }
}
