/// The hash functions of the protocols we speak, in our own code, because what runs in the browser depends on nothing.
///
/// A name of its own keeps them apart from swift-crypto's where a file has both.
package enum MessageDigest {
    static func hash<Hash: BlockHash>(_ message: [UInt8], with hash: consuming Hash) -> [UInt8] {
        Block.forEach(of: message, lengthIsBigEndian: Hash.isBigEndian) { hash.compress($0) }
        var out: [UInt8] = []
        out.reserveCapacity(Hash.size)
        for index in 0..<Hash.size { out.append(hash.byte(index)) }
        return out
    }

    /// The same in lower-case hexadecimal digits.
    static func hexadecimal<Hash: BlockHash>(_ message: [UInt8], with hash: consuming Hash) -> [UInt8] {
        Block.forEach(of: message, lengthIsBigEndian: Hash.isBigEndian) { hash.compress($0) }
        var out: [UInt8] = []
        out.reserveCapacity(Hash.size * 2)
        var digits = [8 of UInt64](repeating: 0)
        for index in 0..<Hash.size / 4 { digits[index] = [UInt8].eightDigits(hash.word(index)) }
        out.append(copying: digits, 0..<Hash.size * 2)
        return out
    }
}

/// A hash made of a compression function over blocks of 64 bytes (Merkle and Damgård).
protocol BlockHash: Sendable {
    /// Bytes of the digest.
    static var size: Int { get }
    /// How the message's length is written into its last block.
    static var isBigEndian: Bool { get }

    /// The state before the first block.
    init()

    /// Takes in one block: sixteen words read with the most significant byte first.
    mutating func compress(_ block: borrowing [16 of UInt32])

    /// Four bytes of the digest, the most significant first.
    func word(_ index: Int) -> UInt32
}
