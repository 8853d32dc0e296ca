/// Where a core takes its random numbers from: the system's generator at the edge, a seed in tests.
///
/// The seeded generator is SplitMix64 (Steele, Lea, Flood 2014): reproducible, not secret.
package struct RandomSource: RandomNumberGenerator, Sendable {
    private enum Kind: Sendable {
        case system
        case seeded(UInt64)
    }

    private var kind: Kind

    /// Cryptographically secure numbers of the operating system, or of the browser's `crypto.getRandomValues`.
    package static var system: RandomSource { RandomSource(kind: .system) }

    package init(seed: UInt64) { kind = .seeded(seed) }

    private init(kind: Kind) { self.kind = kind }

    package mutating func next() -> UInt64 {
        guard case .seeded(let state) = kind else {
            var system = SystemRandomNumberGenerator()
            return system.next()
        }
        let advanced = state &+ 0x9e37_79b9_7f4a_7c15
        kind = .seeded(advanced)
        var mixed = advanced
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// `count` random bytes.
    package mutating func bytes(count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        while result.count < count {
            var word = next()
            for _ in 0..<min(8, count - result.count) {
                result.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        return result
    }

    /// `length` characters of a-z2-7 (RFC 4648 §6 alphabet in lower case), five random bits each: a SIP `token`.
    package mutating func token(length: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(length)
        while result.count < length {
            var word = next()
            for _ in 0..<min(12, length - result.count) {
                let digit = UInt8(word & 31)
                result.append(digit < 26 ? 0x61 + digit : 0x32 + digit - 26)
                word >>= 5
            }
        }
        return result
    }
}
