/// The checksum that tells STUN from other protocols on the same port (RFC 8489 §14.7): CRC-32 of ITU V.42.
enum Fingerprint {
    /// Lets a STUN message in another protocol's packet with a CRC-32 of its own be told apart.
    private static let mask = UInt32(0x5354_554e)

    /// Over everything before the attribute; the header's length counts it already.
    static func value(of bytes: UnsafeRawBufferPointer) -> UInt32 {
        var remainder = UInt32.max
        for byte in bytes { remainder = table[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)] ^ remainder >> 8 }
        return ~remainder ^ mask
    }

    private static let table = [256 of UInt32] { index in
        var remainder = UInt32(index)
        for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xedb8_8320 : remainder >> 1 }
        return remainder
    }
}

extension STUNMessage {
    package var hasFingerprint: Bool { fingerprintOffset > 0 }

    /// Whether FINGERPRINT is there and right. A message whose fingerprint is wrong is no STUN message.
    package var isFingerprintRight: Bool {
        guard fingerprintOffset > 0, let protected = bytes.slice(0, fingerprintOffset) else { return false }
        return bytes.uint32(at: fingerprintOffset + 4) == Fingerprint.value(of: protected)
    }
}
