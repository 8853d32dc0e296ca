/// The padding MD5 and SHA-256 share: a one bit, zeros, and the length in bits in the last eight of 64 bytes
/// (RFC 1321 §3.1, FIPS 180-4 §5.1.1).
enum Block {
    /// Gives each block of a message as sixteen words read with the most significant byte first.
    static func forEach(
        of message: [UInt8], lengthIsBigEndian: Bool, _ body: (borrowing [16 of UInt32]) -> Void
    ) {
        let length = UInt64(message.count) &* 8
        let blocks = (message.count + 8) / 64 + 1
        for block in 0..<blocks {
            var words = [16 of UInt32](repeating: 0)
            let start = block * 64
            let whole = max(0, min(16, (message.count - start) / 4))
            message.withUnsafeBytes { bytes in
                for word in 0..<whole {
                    let offset = start + word * 4
                    words[word] = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                }
            }
            for word in whole..<16 {
                var value = UInt32(0)
                for offset in 0..<4 { value = value << 8 | UInt32(byte(at: start + word * 4 + offset, of: message)) }
                words[word] = value
            }
            if block == blocks - 1 {
                let swapped = lengthIsBigEndian ? length : length.byteSwapped
                words[14] = UInt32(truncatingIfNeeded: swapped >> 32)
                words[15] = UInt32(truncatingIfNeeded: swapped)
            }
            body(words)
        }
    }

    @inline(__always)
    private static func byte(at index: Int, of message: [UInt8]) -> UInt8 {
        index < message.count ? message[index] : index == message.count ? 0x80 : 0
    }
}
