import Base
import Foundation
import SDP
import Testing

@testable import Gateway

struct PropertyTests {
    private static let browsers = [
        "chromium-offer", "chromium-audio", "chromium-hold", "chromium-gathered", "firefox-offer", "firefox-audio",
        "firefox-hold", "firefox-gathered",
    ]

    @Test(arguments: 0..<16)
    func `whatever comes in whatever order, what we say is sound`(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let web = try Self.browsers.map { bytes(try sample($0)) }
        let phones = Phones.all.map { bytes($0) } + (try ["baresip-avp", "baresip-srtp"].map { bytes(try sample($0)) })
        for round in 0..<10 {
            let security: [PhoneSecurity] = [.none, .opportunistic, .twoLines, .keys, .dtls]
            var script = GatewayScript(security: security[(round + Int(seed)) % 5], &random)
            for _ in 0..<12 {
                let step = Array("BBPPbpeeeexn".utf8).randomElement(using: &random) ?? 0
                let isWeb = step == UInt8(ascii: "B") || step == UInt8(ascii: "b")
                var input = (isWeb ? web : phones).randomElement(using: &random) ?? []
                if round % 2 == 1 { damage(&input, &random) }
                script.play(step, input, &random)
            }
        }
    }

    @Test(arguments: 0..<20)
    func `bytes of any kind give a value or an error`(seed: UInt64) {
        var random = RandomSource(seed: seed)
        for _ in 0..<50 {
            let count = Int.random(in: 0...400, using: &random)
            fuzzGateway([UInt8(ascii: "B")] + random.bytes(count: count))
            fuzzGateway(Array("Pv=0\no=- 1 1 IN IP4 1.1.1.1\n".utf8) + random.bytes(count: count))
        }
    }

    @Test func `a huge offer costs little`() throws {
        let formats = (0..<8_000).map { String($0 % 128) }.joined(separator: " ")
        let maps = (0..<1_200).map { "a=rtpmap:\($0 % 128) opus/48000/2" }.joined(separator: "\n")
        var bridge = Bridge()
        // Each of the formats looked up in each of the maps would take minutes.
        let offer = try bridge.phoneOffer(phone("m=audio 4000 RTP/AVP \(formats)\n\(maps)"))
        #expect(offer.section(0).filter { $0.hasPrefix("a=rtpmap:") }.count < 10)
    }

    /// Lines lost, doubled, moved, cut, or with a byte changed.
    private func damage(_ input: inout [UInt8], _ random: inout RandomSource) {
        var lines = input.split(separator: 10).map { Array($0) + [10] }
        for _ in 0..<Int.random(in: 1...4, using: &random) where !lines.isEmpty {
            let index = Int.random(in: 0..<lines.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: lines.remove(at: index)
            case 1: lines.insert(lines[index], at: Int.random(in: 0..<lines.count, using: &random))
            case 2: lines.swapAt(index, Int.random(in: 0..<lines.count, using: &random))
            case 3:
                let place = Int.random(in: 0..<lines[index].count, using: &random)
                lines[index][place] = UInt8.random(in: 32...126, using: &random)
            case 4:
                let directions = ["sendonly", "recvonly", "inactive", "sendrecv"]
                let direction = directions.randomElement(using: &random) ?? ""
                lines.insert(Array("a=\(direction)\r\n".utf8), at: index)
            default:
                if let port = lines[index].firstIndex(of: 0x20), lines[index].first == UInt8(ascii: "m") {
                    lines[index].replaceSubrange((port + 1)..<(port + 2), with: [0x30])
                }
            }
        }
        input = Array(lines.joined())
    }
}
