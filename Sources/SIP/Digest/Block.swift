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
            for word in 0..<16 {
                var value = UInt32(0)
                for offset in 0..<4 {
                    value = value << 8 | UInt32(byte(at: block * 64 + word * 4 + offset, of: message))
                }
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
