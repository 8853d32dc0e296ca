import Base
import STUN
import Testing

struct PropertyTests {
    private static let vectors = [
        RFC5769.request, RFC5769.responseV4, RFC5769.responseV6, RFC5769.longTermRequest, RFC8489.request,
    ]

    @Test func `any bytes give a message or a typed error`() {
        var random = RandomSource(seed: 1)
        for _ in 0..<5_000 {
            var bytes = random.bytes(count: Int.random(in: 0..<96, using: &random))
            // Past the header, or nothing would be seen but it.
            if bytes.count >= 20 {
                let length = bytes.count - 20
                bytes.replaceSubrange(
                    0..<8, with: [bytes[0] & 0x3f, bytes[1], 0, UInt8(length), 0x21, 0x12, 0xa4, 0x42])
            }
            fuzzSTUN(bytes)
        }
    }

    @Test(arguments: vectors)
    func `damaged messages give a message or a typed error`(vector: [UInt8]) {
        var random = RandomSource(seed: 2)
        for _ in 0..<2_000 {
            var bytes = vector
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            fuzzSTUN(bytes)
            fuzzSTUN(Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random))))
        }
    }

    @Test func `what is written is read again`() throws {
        var random = RandomSource(seed: 3)
        for _ in 0..<500 {
            let transaction = TransactionID(high: UInt32(truncatingIfNeeded: random.next()), low: random.next())
            let port = UInt16(truncatingIfNeeded: random.next())
            let mapped = TransportAddress(ip: .v6(high: random.next(), low: random.next()), port: port)
            let peer = TransportAddress(ip: .v4(UInt32(truncatingIfNeeded: random.next())), port: port)
            let data = random.bytes(count: Int.random(in: 0..<40, using: &random))
            let key = random.bytes(count: Int.random(in: 0..<80, using: &random))
            let bytes = try #require(
                writing(STUNType(.indication, .data), transaction) { writer in
                    writer.add(.xorMappedAddress, xor: mapped)
                    writer.add(.xorPeerAddress, xor: peer)
                    writer.add(.data, data)
                    writer.add(IntegrityKey(sha1: key))
                    writer.add(IntegrityKey(sha256: key))
                    writer.addFingerprint()
                })
            try reading(bytes) { message in
                #expect(message.transactionID == transaction)
                #expect(message.xorAddress(.xorMappedAddress) == mapped)
                #expect(message.xorAddress(.xorPeerAddress) == peer)
                #expect(message.value(of: .data).map(Array.init) == data)
                #expect(IntegrityKey(sha1: key).protects(message))
                #expect(IntegrityKey(sha256: key).protects(message))
                #expect(message.isFingerprintRight)
            }
        }
    }
}
