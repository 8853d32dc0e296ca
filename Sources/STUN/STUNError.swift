/// Why bytes are not a STUN message. None of these is answered: whatever it is, it is not STUN (RFC 8489 §6.3).
package enum STUNError: Error, Equatable {
    /// Fewer than the header's 20 bytes.
    case tooShort(count: Int)
    /// The first two bits are not zero: RTP, DTLS, ChannelData or text.
    case notSTUN
    /// No magic cookie: something else, or a client of RFC 3489, which is not served.
    case noMagicCookie
    /// The length field is no multiple of four, or does not say how many bytes there are.
    case wrongLength(claimed: Int, count: Int)
    /// An attribute at this offset reaches beyond the message, or has a length its type does not allow.
    case malformedAttribute(offset: Int)
    /// Something follows FINGERPRINT, which is the last attribute (§14.7).
    case afterFingerprint(offset: Int)
}
