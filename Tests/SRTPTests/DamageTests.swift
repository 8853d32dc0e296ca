import Base
import Testing

@testable import SRTP

struct DamageTests {
    @Test(arguments: SRTPSuite.allCases)
    func `one bit anywhere, and nothing can be read`(suite: SRTPSuite) throws {
        let (here, there) = try pair(suite)
        let (packet, compound) = (media(9), report())
        let (sealed, reported) = (here.protecting(packet).bytes, here.protectingReport(compound).bytes)
        for bit in 0..<sealed.count * 8 { try damaged(sealed, bit, of: packet) { there.unprotect($0, count: $1) } }
        for bit in 0..<reported.count * 8 {
            try damaged(reported, bit, of: compound) { there.unprotectReport($0, count: $1) }
        }
        #expect(there.unprotecting(sealed) == .packet(packet))
        #expect(there.unprotectingReport(reported) == .packet(compound))
    }

    private func damaged(
        _ sealed: [UInt8], _ bit: Int, of packet: [UInt8],
        _ unprotect: (UnsafeMutableRawBufferPointer, Int) -> SRTPOutcome
    ) throws {
        var bytes = sealed
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        let count = bytes.count
        let outcome = bytes.withUnsafeMutableBytes { unprotect($0, count) }
        #expect(outcome == .notAuthentic || outcome == .malformed, "bit \(bit)")
        // Neither the payload nor a part of it: eight bytes in a row are no chance.
        let secret = Array(packet[12..<20])
        for start in 12..<max(12, count - 8) { #expect(!bytes[start..<start + 8].elementsEqual(secret), "bit \(bit)") }
    }

    @Test(arguments: SRTPSuite.allCases)
    func `any bytes give an outcome`(suite: SRTPSuite) throws {
        var random = RandomSource(seed: 5)
        for _ in 0..<1_500 {
            var bytes = random.bytes(count: Int(random.next() % 80))
            if !bytes.isEmpty, random.next() % 4 != 0 { bytes[0] = 0x80 | bytes[0] & 0x1f }
            fuzzSRTP(bytes, suite: suite)
        }
    }

    @Test(arguments: SRTPSuite.allCases)
    func `packets cut short are refused`(suite: SRTPSuite) throws {
        let (here, there) = try pair(suite)
        let (sealed, reported) = (here.protecting(media(9)).bytes, here.protectingReport(report()).bytes)
        for count in 0..<sealed.count {
            #expect(there.unprotecting(Array(sealed.prefix(count))).bytes.isEmpty)
        }
        for count in 0..<reported.count {
            #expect(there.unprotectingReport(Array(reported.prefix(count))).bytes.isEmpty)
        }
    }
}
