import Base
import CallControl
import Foundation
import NetSimulation
import Testing
import UserAgent

/// Somebody on the network listens, and sends what he heard again, changed.
@Suite struct HostileScenarios {
    @Test func `broken copies of real messages harm nobody`() {
        let successes = Seeds.play(60, keepingPayloads: true) { world in
            let (anna, bob) = (world.add("anna", .udp), world.add("bob", .udp))
            world.add("anna", .page)
            guard world.startAll() else { return false }
            anna.call("bob")
            world.run(for: .seconds(20)) { world.establishedEnds == 2 }
            for _ in 0..<150 {
                world.run(for: .milliseconds(20))
                let victim = world.phones.prefix(2).randomElement(using: &world.random)
                world.inject(mangled(in: world), to: Bool.random(using: &world.random) ? nil : victim)
            }
            for phone in world.phones { phone.onIncoming = { phone, call in phone.reject(call, status: 486) } }
            world.run(for: .seconds(60)) { world.phones.allSatisfy { $0.pending.isEmpty } }
            world.everybodyHangsUp()
            world.settle()
            return world.controller.bindingCount <= 3 && bob.calls.count < 20
        }
        if let successes { #expect(successes >= 57) }
    }

    @Test func `a phone that leaves out the Via that leads back leaves nothing behind`() {
        Seeds.play(10) { world in
            let anna = world.add("anna", .udp)
            world.add("bob", .udp)
            guard world.startAll() else { return false }
            anna.call("bob")
            world.run(for: .seconds(40)) { world.establishedEnds == 2 }
            world.tamper = { payload in
                var lines = String(decoding: payload, as: UTF8.self).components(separatedBy: "\r\n")
                guard lines[0].hasPrefix("SIP/2.0 200"), let last = lines.lastIndex(where: { $0.hasPrefix("Via:") })
                else {
                    return payload
                }
                lines.remove(at: last)
                return Array(lines.joined(separator: "\r\n").utf8)
            }
            for call in anna.established { anna.perform(.dtmf(call, signal: 0x35, milliseconds: 160)) }
            world.run(for: .seconds(40))
            world.everybodyHangsUp()
            world.settle()
            return true
        }
    }

    @Test func `a scanner learns nothing and leaves nothing`() {
        Seeds.play(10) { world in
            let bob = world.add("bob", .udp)
            guard world.startAll() else { return false }
            for number in 0..<400 {
                let method =
                    ["INVITE", "REGISTER", "OPTIONS", "SUBSCRIBE"].randomElement(using: &world.random) ?? "INVITE"
                let user = number % 2 == 0 ? "bob" : "user\(number)"
                let lines = [
                    "\(method) sip:\(user)@\(World.domain) SIP/2.0",
                    "Via: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bK\(number);rport", "Max-Forwards: 70",
                    "From: <sip:\(user)@\(World.domain)>;tag=\(number)", "To: <sip:\(user)@\(World.domain)>",
                    "Call-ID: \(number)", "CSeq: 1 \(method)", "Contact: <sip:x@203.0.113.9>", "Content-Length: 0", "",
                    "",
                ]
                world.inject(Array(lines.joined(separator: "\r\n").utf8), to: nil)
                world.run(for: .milliseconds(10))
            }
            world.check(bob.events.allSatisfy { if case .incoming = $0 { false } else { true } }, "it rang")
            world.check(world.controller.bindingCount == 1, "the scanner registered")
            world.settle()
            return true
        }
    }

    /// Something that was sent, with a few bytes or lines changed, taken out or doubled.
    private func mangled(in world: World) -> [UInt8] {
        guard var payload = world.payloads.randomElement(using: &world.random) else { return [] }
        for _ in 0..<Int.random(in: 0...4, using: &world.random) where !payload.isEmpty {
            let place = Int.random(in: 0..<payload.count, using: &world.random)
            let end = min(payload.count, place + Int.random(in: 1...40, using: &world.random))
            switch Int.random(in: 0..<9, using: &world.random) {
            case 0: payload[place] = UInt8.random(in: 0...255, using: &world.random)
            case 1: payload[place] ^= 1 << UInt8.random(in: 0..<8, using: &world.random)
            case 2: payload.removeSubrange(place..<end)
            case 3: payload.insert(contentsOf: payload[place..<end], at: place)
            case 4: payload.removeLast(payload.count - place)
            default:
                // A whole line: the Via that leads back, the tag, the number.
                let start = payload[..<place].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
                let next = payload[place...].firstIndex(of: 0x0a).map { $0 + 1 } ?? payload.count
                payload.removeSubrange(start..<next)
            }
        }
        return payload
    }
}
