/// The padding MD5 and SHA-256 share: a one bit, zeros, and the length in bits in the last eight of 64 bytes
/// (RFC 1321 §3.1, FIPS 180-4 §5.1.1).
enum Block {
    /// Gives each block of a message as sixteen words read with the most significant byte first.
    static func forEach(
        of message: [UInt8], lengthIsBigEndian: Bool, _ body: (borrowing [16 of UInt32]) -> Void
    ) {
        let length = UInt64(message.count) &* 8
        let blocks = (message.count + 8) / 64 + 1
        message.withUnsafeBytes { bytes in
            for block in 0..<blocks {
                var words = Self.words(of: bytes, from: block * 64)
                if block == blocks - 1 {
                    let swapped = lengthIsBigEndian ? length : length.byteSwapped
                    words[14] = UInt32(truncatingIfNeeded: swapped >> 32)
                    words[15] = UInt32(truncatingIfNeeded: swapped)
                }
                body(words)
            }
        }
    }

    /// Sixteen words, zero where the message has ended, but for the one bit after its last byte.
    @inline(__always)
    private static func words(of message: UnsafeRawBufferPointer, from start: Int) -> [16 of UInt32] {
        var words = [16 of UInt32](repeating: 0)
        let whole = max(0, min(16, (message.count - start) / 4))
        for word in 0..<whole {
            words[word] = UInt32(
                bigEndian: message.loadUnaligned(fromByteOffset: start + word * 4, as: UInt32.self))
        }
        let rest = start + whole * 4
        // The message ended in an earlier block, or does not end in this one.
        guard whole < 16, rest <= message.count else { return words }
        var last = UInt32(0x8000_0000) >> UInt32((message.count - rest) * 8)
        for place in rest..<message.count { last |= UInt32(message[place]) << UInt32(24 - (place - rest) * 8) }
        words[whole] = last
        return words
    }
}
