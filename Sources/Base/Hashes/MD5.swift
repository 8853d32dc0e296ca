extension MessageDigest {
    /// MD5 (RFC 1321): broken as a signature, still what most phones' digest authentication and STUN's keys speak.
    package struct MD5: BlockHash {
        static let size = 16
        static let isBigEndian = false
        private var state: [4 of UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]

        init() {}

        /// 16 bytes.
        package static func hash(_ message: [UInt8]) -> [UInt8] { MessageDigest.hash(message, with: MD5()) }

        /// The hash in lower-case hexadecimal digits.
        package static func hexadecimal(_ message: [UInt8]) -> [UInt8] {
            MessageDigest.hexadecimal(message, with: MD5())
        }

        func word(_ index: Int) -> UInt32 { state[index].byteSwapped }

        mutating func compress(_ block: borrowing [16 of UInt32]) {
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            // A word is read where it stands: the array's own subscript copies all sixteen first.
            let words = block.span
            // Four steps at a time, so that the words stay where they are and the rotations are constants.
            for step in stride(from: 0, to: 16, by: 4) {
                a = Self.mix(a, b, b & c | ~b & d, words[step], Self.constants[step], 7)
                d = Self.mix(d, a, a & b | ~a & c, words[step + 1], Self.constants[step + 1], 12)
                c = Self.mix(c, d, d & a | ~d & b, words[step + 2], Self.constants[step + 2], 17)
                b = Self.mix(b, c, c & d | ~c & a, words[step + 3], Self.constants[step + 3], 22)
            }
            for step in stride(from: 16, to: 32, by: 4) {
                a = Self.mix(a, b, b & d | c & ~d, words[(5 &* step &+ 1) & 15], Self.constants[step], 5)
                d = Self.mix(d, a, a & c | b & ~c, words[(5 &* step &+ 6) & 15], Self.constants[step + 1], 9)
                c = Self.mix(c, d, d & b | a & ~b, words[(5 &* step &+ 11) & 15], Self.constants[step + 2], 14)
                b = Self.mix(b, c, c & a | d & ~a, words[(5 &* step) & 15], Self.constants[step + 3], 20)
            }
            for step in stride(from: 32, to: 48, by: 4) {
                a = Self.mix(a, b, b ^ c ^ d, words[(3 &* step &+ 5) & 15], Self.constants[step], 4)
                d = Self.mix(d, a, a ^ b ^ c, words[(3 &* step &+ 8) & 15], Self.constants[step + 1], 11)
                c = Self.mix(c, d, d ^ a ^ b, words[(3 &* step &+ 11) & 15], Self.constants[step + 2], 16)
                b = Self.mix(b, c, c ^ d ^ a, words[(3 &* step &+ 14) & 15], Self.constants[step + 3], 23)
            }
            for step in stride(from: 48, to: 64, by: 4) {
                a = Self.mix(a, b, c ^ (b | ~d), words[(7 &* step) & 15], Self.constants[step], 6)
                d = Self.mix(d, a, b ^ (a | ~c), words[(7 &* step &+ 7) & 15], Self.constants[step + 1], 10)
                c = Self.mix(c, d, a ^ (d | ~b), words[(7 &* step &+ 14) & 15], Self.constants[step + 2], 15)
                b = Self.mix(b, c, d ^ (c | ~a), words[(7 &* step &+ 21) & 15], Self.constants[step + 3], 21)
            }
            state[0] &+= a
            state[1] &+= b
            state[2] &+= c
            state[3] &+= d
        }

        /// One step: `word` as the block has it, most significant byte first.
        @inline(__always)
        private static func mix(
            _ a: UInt32, _ b: UInt32, _ mixed: UInt32, _ word: UInt32, _ constant: UInt32, _ shift: UInt32
        ) -> UInt32 {
            let sum = a &+ mixed &+ constant &+ word.byteSwapped
            return b &+ (sum << shift | sum >> (32 - shift))
        }

        /// The integer part of 2^32 · |sin(i + 1)|.
        private static let constants: [64 of UInt32] = [
            0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
            0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
            0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
            0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
            0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
            0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
            0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
            0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
        ]
    }
}
