/// What shares our UDP port, told apart by the first byte (RFC 7983 §7, RFC 9443 §3).
package enum PacketClass: Equatable, Sendable {
    case stun
    case zrtp
    case dtls
    case channelData
    case rtp
    case rtcp

    /// Nil for an empty datagram, QUIC, and what nobody speaks.
    package init?(_ packet: UnsafeRawBufferPointer) {
        guard let first = packet.first else { return nil }
        switch first {
        case 0...3: self = .stun
        case 16...19: self = .zrtp
        case 20...63: self = .dtls
        case 64...79: self = .channelData
        // RFC 5761 §4: the packet types of RTCP stand where RTP has marker and payload type.
        case 128...191: self = packet.count > 1 && (192...223).contains(packet[1]) ? .rtcp : .rtp
        default: return nil
        }
    }
}
