/// A message hashed piece by piece, from wherever the pieces lie, without memory of its own on the heap.
struct HashStream<Hash: BlockHash> {
    private var hash: Hash
    /// The bytes of a block that is not full yet.
    private var pending = [64 of UInt8](repeating: 0)
    private var length: UInt64

    /// - Parameter length: bytes already in `hash`, whole blocks.
    init(_ hash: Hash = Hash(), length: UInt64 = 0) { (self.hash, self.length) = (hash, length) }

    private var pendingCount: Int { Int(truncatingIfNeeded: length & 63) }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if pendingCount == 0, rest.count >= 64 {
                let block = UnsafeRawBufferPointer(rebasing: rest.prefix(64))
                hash.compress(Self.words(of: block))
                rest = rest.dropFirst(64)
                length &+= 64
            } else {
                add(rest.removeFirst())
            }
        }
    }

    mutating func add(_ byte: UInt8) {
        pending[pendingCount] = byte
        length &+= 1
        if pendingCount == 0 { compressPending() }
    }

    private mutating func compressPending() {
        var words = [16 of UInt32](repeating: 0)
        for index in 0..<64 { words[index / 4] = words[index / 4] << 8 | UInt32(pending[index]) }
        hash.compress(words)
    }

    private static func words(of block: UnsafeRawBufferPointer) -> [16 of UInt32] {
        [16 of UInt32] { UInt32(bigEndian: block.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)) }
    }

    /// The hash of everything so far, padded as RFC 1321 §3.1 and FIPS 180-4 §5.1.1 ask.
    consuming func finish() -> Hash {
        let bits = Hash.isBigEndian ? length &* 8 : (length &* 8).byteSwapped
        add(0x80)
        while pendingCount != 56 { add(0) }
        for shift in [56, 48, 40, 32, 24, 16, 8, 0] as [UInt64] { add(UInt8(truncatingIfNeeded: bits >> shift)) }
        return hash
    }
}

/// HMAC (RFC 2104): the key's two blocks are hashed once, messages then start from there.
struct KeyedDigest<Hash: BlockHash> {
    private let inner: Hash
    private let outer: Hash
    private var stream: HashStream<Hash>

    init(key: UnsafeRawBufferPointer) {
        var block = [64 of UInt8](repeating: 0)
        if key.count > 64 {
            var long = HashStream<Hash>()
            long.update(key)
            let digest = long.finish()
            for index in 0..<Hash.size { block[index] = digest.byte(index) }
        } else {
            for index in 0..<key.count { block[index] = key[index] }
        }
        inner = Self.keyed(block, 0x36)
        outer = Self.keyed(block, 0x5c)
        stream = HashStream(inner, length: 64)
    }

    private static func keyed(_ key: borrowing [64 of UInt8], _ pad: UInt8) -> Hash {
        var words = [16 of UInt32](repeating: 0)
        for index in 0..<64 { words[index / 4] = words[index / 4] << 8 | UInt32(key[index] ^ pad) }
        var hash = Hash()
        hash.compress(words)
        return hash
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) { stream.update(bytes) }

    /// The code of everything since the start or the last `finish`.
    mutating func finish() -> Hash {
        let digest = stream.finish()
        var last = HashStream(outer, length: 64)
        for index in 0..<Hash.size { last.add(digest.byte(index)) }
        stream = HashStream(inner, length: 64)
        return last.finish()
    }
}

extension BlockHash {
    /// One byte of the digest.
    func byte(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: word(index / 4) >> UInt32(24 - index % 4 * 8)) }
}

/// HMAC-SHA-1 (RFC 2104): 20 bytes that only a holder of the key can make.
package struct HMACSHA1: Sendable {
    private var digest: KeyedDigest<MessageDigest.SHA1>

    package init(key: UnsafeRawBufferPointer) { digest = KeyedDigest(key: key) }
    package init(key: [UInt8]) { self = key.withUnsafeBytes { Self(key: $0) } }

    /// Takes in the next piece of the message.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) { digest.update(bytes) }

    /// The code of everything taken in; the next piece begins another message.
    package mutating func finish() -> [20 of UInt8] {
        let code = digest.finish()
        return [20 of UInt8] { code.byte($0) }
    }
}

/// HMAC-SHA-256 (RFC 2104, FIPS 180-4): 32 bytes that only a holder of the key can make.
package struct HMACSHA256: Sendable {
    private var digest: KeyedDigest<MessageDigest.SHA256>

    package init(key: UnsafeRawBufferPointer) { digest = KeyedDigest(key: key) }
    package init(key: [UInt8]) { self = key.withUnsafeBytes { Self(key: $0) } }

    /// Takes in the next piece of the message.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) { digest.update(bytes) }

    /// The code of everything taken in; the next piece begins another message.
    package mutating func finish() -> [32 of UInt8] {
        let code = digest.finish()
        return [32 of UInt8] { code.byte($0) }
    }
}
