import Base
import Testing

@testable import RTP

/// Any bytes give a value or a typed error, and no check of ours fires.
struct DamageTests {
    static let seeds: [[UInt8]] = [
        RTPHeaderTests.full, RTPHeaderTests.oneByte,
        hex(
            "81 c8 000c 00000001 83aa7e80 80000000 00000400 00000010 00000a00 00000002 40 ffffff 00010005 00000020 7e808000 00010000 81 ca 0004 00000001 01 05 6861726c61 08 00 000000"
        ),
        hex("80 c9 0001 00000001 8f ce 0006 00000001 00000000 52454d42 02 2b ffff 01020304 00000006"),
        hex("80 c9 0001 00000001 81 cd 0003 00000001 01020304 0001ffff 84 ce 0004 00000001 00000000 01020304 05000000"),
        hex("80 c9 0001 00000001 8f cd 0005 00000001 00000002 0010 000a 00000105 200a 0000"),
        hex("90 80 81 23 45 10 02 00 9d012a"), hex("78 0004 67420001 0002 68ce"), hex("7c 85 8888"), hex("0b 8a 0320"),
    ]

    @Test func `mutated packets`() {
        var random = RandomSource(seed: 20)
        for round in 0..<30_000 {
            var bytes = Self.seeds[round % Self.seeds.count]
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch random.next() % 4 {
                case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes[index] ^= 1 << (random.next() % 8)
                case 2: bytes.removeLast(min(bytes.count, Int(random.next() % 5)))
                default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: index)
                }
            }
            fuzzRTP(bytes)
        }
    }

    @Test func `every truncation`() {
        for seed in Self.seeds { for count in 0...seed.count { fuzzRTP(Array(seed[..<count])) } }
    }

    @Test func `random bytes`() {
        var random = RandomSource(seed: 21)
        for _ in 0..<10_000 {
            var bytes = random.bytes(count: Int.random(in: 0...80, using: &random))
            if !bytes.isEmpty { bytes[0] = bytes[0] & 0x3f | 0x80 }
            if bytes.count > 1, random.next() & 1 == 0 { bytes[1] = UInt8(192 + random.next() % 20) }
            fuzzRTP(bytes)
        }
    }
}
