/// Why bytes are not what they claim to be. The reaction is the same to all: drop the packet and count the reason.
package enum RTPError: Error, Equatable, Sendable {
    /// Shorter than the fields it announces.
    case truncated
    /// Not version 2 (RFC 3550 §5.1).
    case wrongVersion
    /// The padding count is zero or reaches into the header (RFC 3550 §5.1).
    case badPadding
    /// The first packet of a compound is neither SR nor RR (RFC 3550 §6.1), and reduced size was not agreed on.
    case notCompound
    /// More RTCP packets in one datagram than `RTCPReader.maximumPackets`.
    case tooManyPackets
    /// A payload that its format's specification does not allow.
    case badPayload
}
