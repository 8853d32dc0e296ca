import Base
import Testing

@testable import TURN

/// Scripts of the fuzzer's kind, by chance: `fuzzTURN` checks what must hold after any of them.
struct PropertyTests {
    @Test(arguments: 0..<8)
    func `any order of inputs keeps the bounds, and all ends in time`(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var (toClients, notPermitted) = (0, 0)
        for _ in 0..<60 {
            var script: [UInt8] = []
            for _ in 0..<Int.random(in: 1..<60, using: &random) {
                let kind = UInt8.random(in: 0..<16, using: &random)
                let data =
                    switch kind {
                    case 4..<8: attributes(&random)
                    case 0..<4: [0x40, kind, 0, 8] + random.bytes(count: 8)
                    default: random.bytes(count: 12)
                    }
                script += [kind, UInt8(data.count)] + data
            }
            let counters = fuzzTURN(script)
            toClients += counters.toClients
            notPermitted += counters.notPermitted
        }
        #expect(toClients > 0 && notPermitted > 0, "the scripts come past the door")
    }

    /// A method of TURN and attributes it may have, most of them right.
    private func attributes(_ random: inout RandomSource) -> [UInt8] {
        let method = ([3, 3, 4, 8, 9] as [UInt8]).randomElement(using: &random) ?? 3
        var out = [method]
        if method == 3 { out += [0x19, 4, 17, 0, 0, 0] }
        if method == 9 { out += [0x0c, 4, 0x40, UInt8.random(in: 0..<3, using: &random), 0, 0] }
        if method >= 8 {
            // Under the XOR of the cookie these are 8.8.8.8, where the relays are, and 9.9.9.9, where peers are.
            let host: [UInt8] = Bool.random(using: &random) ? [0x29, 0x1a, 0xac, 0x4a] : [0x28, 0x1b, 0xad, 0x4b]
            let port = UInt16.random(in: 50_000..<50_032, using: &random) ^ 0x2112
            out += [0x12, 8, 0, 1, UInt8(port >> 8), UInt8(port & 0xff)] + host
        }
        switch UInt8.random(in: 0..<8, using: &random) {
        case 0: out += [0x18, 1, 0x80]
        case 1: out += [0x80, 4, 2, 0, 0, 0]
        case 2: out += [0x0d, 4, 0, 0, 0, 0]
        case 3: out += [0x22, 8] + random.bytes(count: 8)
        default: break
        }
        return out
    }
}
