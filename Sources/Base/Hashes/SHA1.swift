extension MessageDigest {
    /// SHA-1 (FIPS 180-4): no longer a signature, still what STUN's MESSAGE-INTEGRITY is made of.
    package struct SHA1: BlockHash {
        static let size = 20
        static let isBigEndian = true
        private var state: [5 of UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]

        init() {}

        /// 20 bytes.
        package static func hash(_ message: [UInt8]) -> [UInt8] { MessageDigest.hash(message, with: SHA1()) }

        func word(_ index: Int) -> UInt32 { state[index] }

        mutating func compress(_ block: borrowing [16 of UInt32]) {
            var schedule = [80 of UInt32](repeating: 0)
            for index in 0..<16 { schedule[index] = block[index] }
            for index in 16..<80 {
                let mixed =
                    schedule[index - 3] ^ schedule[index - 8] ^ schedule[index - 14] ^ schedule[index - 16]
                schedule[index] = Self.rotate(mixed, 1)
            }
            var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
            for step in 0..<80 {
                let (mixed, constant) = Self.mix(step, b, c, d)
                let next = Self.rotate(a, 5) &+ mixed &+ e &+ constant &+ schedule[step]
                (e, d, c, b, a) = (d, c, Self.rotate(b, 30), a, next)
            }
            state[0] &+= a
            state[1] &+= b
            state[2] &+= c
            state[3] &+= d
            state[4] &+= e
        }

        /// The function and the constant of a step (FIPS 180-4 §4.1.1, §4.2.1).
        @inline(__always)
        private static func mix(_ step: Int, _ b: UInt32, _ c: UInt32, _ d: UInt32) -> (UInt32, UInt32) {
            switch step {
            case ..<20: (b & c ^ ~b & d, 0x5a82_7999)
            case ..<40: (b ^ c ^ d, 0x6ed9_eba1)
            case ..<60: (b & c ^ b & d ^ c & d, 0x8f1b_bcdc)
            default: (b ^ c ^ d, 0xca62_c1d6)
            }
        }

        @inline(__always)
        private static func rotate(_ word: UInt32, _ bits: UInt32) -> UInt32 { word << bits | word >> (32 - bits) }
    }
}
