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

    typealias State = SipHash.State

    func begin(_ purpose: Purpose) -> State {
        var state = State(k0, k1)
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
}

extension SipHash.State {
    /// Adds a part, and a last word with its length.
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
}
