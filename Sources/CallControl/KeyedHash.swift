import Base

/// SipHash-2-4 (Aumasson, Bernstein 2012) over several parts, keyed with the server's secret.
///
/// Tables are indexed with it, so that no peer can choose names that collide, and what the server writes into messages
/// to find again (branches, Record-Route tokens) is sealed with it. Every part ends with a word that holds its length,
/// so that moving bytes between neighbouring parts gives another hash.
struct KeyedHash: Sendable {
    /// What a hash is for; the same bytes hash differently for each.
    enum Purpose: UInt8 {
        case user = 1, binding, contact, branchID, transaction, loop, branch, route, tag, accountFailures,
            addressFailures
    }

    private let k0, k1: UInt64

    /// - Parameter secret: at least 16 bytes.
    init(secret: [UInt8]) {
        precondition(secret.count >= 16, "the secret has 32 bytes")
        func word(_ start: Int) -> UInt64 {
            (0..<8).reduce(0) { $0 | UInt64(secret[start + $1]) << UInt64($1 * 8) }
        }
        (k0, k1) = (word(0), word(8))
    }

    func begin(_ purpose: Purpose) -> State {
        var state = State(
            v0: k0 ^ 0x736f_6d65_7073_6575, v1: k1 ^ 0x646f_7261_6e64_6f6d, v2: k0 ^ 0x6c79_6765_6e65_7261,
            v3: k1 ^ 0x7465_6462_7974_6573)
        state.add(UInt64(purpose.rawValue))
        return state
    }

    func callAsFunction(_ purpose: Purpose, _ part: ArraySlice<UInt8>) -> UInt64 {
        var state = begin(purpose)
        state.add(part)
        return state.finish()
    }

    func callAsFunction(_ purpose: Purpose, _ first: ArraySlice<UInt8>, _ second: ArraySlice<UInt8>) -> UInt64 {
        var state = begin(purpose)
        state.add(first)
        state.add(second)
        return state.finish()
    }

    struct State {
        fileprivate var v0, v1, v2, v3: UInt64

        @inline(__always)
        private mutating func round() {
            v0 &+= v1
            v1 = v1 << 13 | v1 >> 51
            v1 ^= v0
            v0 = v0 << 32 | v0 >> 32
            v2 &+= v3
            v3 = v3 << 16 | v3 >> 48
            v3 ^= v2
            v0 &+= v3
            v3 = v3 << 21 | v3 >> 43
            v3 ^= v0
            v2 &+= v1
            v1 = v1 << 17 | v1 >> 47
            v1 ^= v2
            v2 = v2 << 32 | v2 >> 32
        }

        @inline(__always)
        mutating func add(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        mutating func add(_ part: ArraySlice<UInt8>) {
            part.withUnsafeBytes { bytes in
                var state = self
                var index = 0
                while index &+ 8 <= bytes.count {
                    state.add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
                    index &+= 8
                }
                var last = UInt64(truncatingIfNeeded: bytes.count) << 56
                if index > 0, index < bytes.count {
                    // The bytes that are left are the upper ones of the last eight.
                    let end = bytes.loadUnaligned(fromByteOffset: bytes.count &- 8, as: UInt64.self)
                    last |= UInt64(littleEndian: end) >> UInt64((8 &- (bytes.count &- index)) &* 8)
                } else {
                    for place in index..<bytes.count { last |= UInt64(bytes[place]) << UInt64(place &* 8) }
                }
                state.add(last)
                self = state
            }
        }

        consuming func finish() -> UInt64 {
            v2 ^= 0xff
            for _ in 0..<4 { round() }
            return v0 ^ v1 ^ v2 ^ v3
        }
    }
}
