import Base
import Testing

struct SipHashTests {
    /// The first of the reference implementation's vectors: key 00 to 0f, messages of 0, 1, 2 … bytes counting up.
    @Test func `SipHash-2-4 as its reference`() {
        let expected: [(Int, UInt64)] = [
            (0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (2, 0x0d6c_8009_d9a9_4f5a),
            (3, 0x8567_6696_d7fb_7e2d), (4, 0xcf27_94e0_2771_87b7), (5, 0x1876_5564_cd99_a68d),
            (6, 0xcbc9_466e_58fe_e3ce), (7, 0xab02_00f5_8b01_d137), (8, 0x93f5_f579_9a93_2462),
            (15, 0xa129_ca61_49be_45e5),
        ]
        let hash = SipHash(key: 0..<16)
        for (length, value) in expected { #expect(hash.hash((0..<length).map { UInt8($0) }) == value) }
    }
}
