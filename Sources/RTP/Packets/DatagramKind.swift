/// What a datagram on a shared port is, by its first bytes (RFC 7983 §7, RFC 5761 §4).
package enum DatagramKind: Equatable, Sendable {
    case stun, zrtp, dtls, turnChannel, rtp, rtcp, unknown

    /// Looks at two bytes. The protocol's own reader still has to check the rest.
    package init(of datagram: RawSpan) {
        guard datagram.byteCount >= 2 else {
            self = .unknown
            return
        }
        switch datagram.uint8(at: 0) {
        case 0...3: self = .stun
        case 16...19: self = .zrtp
        case 20...63: self = .dtls
        case 64...79: self = .turnChannel
        case 128...191: self = Self.isRTCP(datagram.uint8(at: 1)) ? .rtcp : .rtp
        default: self = .unknown
        }
    }

    /// RTCP packet types 192 to 223 are RTP payload types 64 to 95 with marker, which a session that multiplexes both
    /// leaves unused (RFC 5761 §4).
    private static func isRTCP(_ second: UInt8) -> Bool { second & 0xe0 == 0xc0 }
}
