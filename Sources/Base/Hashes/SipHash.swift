/// SipHash-2-4 (Aumasson, Bernstein 2012): a short keyed hash for nonces and tokens of our own that nobody else checks.
public struct SipHash: Sendable {
    private let key0: UInt64
    private let key1: UInt64

    /// - Parameter key: 16 bytes; missing ones count as zero.
    package init(key: some Collection<UInt8>) {
        var bytes = key.makeIterator()
        func word() -> UInt64 {
            var value = UInt64(0)
            for shift in stride(from: UInt64(0), to: 64, by: 8) { value |= UInt64(bytes.next() ?? 0) << shift }
            return value
        }
        key0 = word()
        key1 = word()
    }

    package func hash(_ message: some Collection<UInt8>) -> UInt64 {
        var state = State(key0, key1)
        var word = UInt64(0)
        var filled = UInt64(0)
        var count = UInt8(0)
        for byte in message {
            word |= UInt64(byte) << filled
            filled += 8
            count &+= 1
            guard filled == 64 else { continue }
            state.add(word)
            (word, filled) = (0, 0)
        }
        state.add(word | UInt64(count) << 56)
        return state.finish()
    }

    /// The hash of sixteen bytes: two words, most significant byte first.
    package func hash(_ first: UInt64, _ second: UInt64) -> UInt64 {
        var state = State(key0, key1)
        state.add(first.byteSwapped)
        state.add(second.byteSwapped)
        state.add(16 << 56)
        return state.finish()
    }

    /// A hash that is being made, eight bytes at a time. Public and inlinable like `ASCII`: tables are indexed with it.
    public struct State: Sendable {
        @usableFromInline var v0: UInt64
        @usableFromInline var v1: UInt64
        @usableFromInline var v2: UInt64
        @usableFromInline var v3: UInt64

        @inlinable public init(_ key0: UInt64, _ key1: UInt64) {
            v0 = key0 ^ 0x736f_6d65_7073_6575
            v1 = key1 ^ 0x646f_7261_6e64_6f6d
            v2 = key0 ^ 0x6c79_6765_6e65_7261
            v3 = key1 ^ 0x7465_6462_7974_6573
        }

        /// - Parameter word: the next eight bytes, the first of them least significant.
        @inlinable @inline(__always)
        public mutating func add(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        @inlinable public consuming func finish() -> UInt64 {
            v2 ^= 0xff
            for _ in 0..<4 { round() }
            return v0 ^ v1 ^ v2 ^ v3
        }

        @inlinable @inline(__always)
        mutating func round() {
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
    }
}
