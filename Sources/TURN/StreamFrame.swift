import STUN

/// Cuts a TCP or TLS stream into messages: STUN by its length field, ChannelData padded to four bytes (RFC 8656 §12.5).
package enum StreamFrame: Equatable, Sendable {
    /// More bytes are needed to tell.
    case incomplete
    /// A message of `length` bytes stands at the start and takes `padded` bytes of the stream.
    case message(length: Int, padded: Int)
    /// Neither STUN nor ChannelData: the stream is lost.
    case broken

    /// The longest message: ChannelData has four bytes of header, STUN twenty, and both 16 bits of length.
    package static let maximumSize = STUNMessage.headerSize + 0xffff

    /// What stands at the start of `bytes`.
    package init(at bytes: UnsafeRawBufferPointer) {
        guard let first = bytes.uint8(at: 0) else {
            self = .incomplete
            return
        }
        let isChannelData = ChannelData.mayBegin(with: first)
        guard isChannelData || STUNMessage.mayBegin(with: first) else {
            self = .broken
            return
        }
        guard let length = bytes.uint16(at: 2) else {
            self = .incomplete
            return
        }
        guard isChannelData || length & 3 == 0 else {
            self = .broken
            return
        }
        let size = Int(length) + (isChannelData ? ChannelData.headerSize : STUNMessage.headerSize)
        let padded = (size + 3) & ~3
        self = bytes.count < padded ? .incomplete : .message(length: size, padded: padded)
    }
}

/// Application data with four bytes before it (RFC 8656 §12.4).
package enum ChannelData {
    package static let headerSize = 4
    /// RFC 8656 §12 has clients choose up to 0x4fff. Those of RFC 5766, coturn's among them, go up to 0x7fff, and
    /// nothing else on the port begins so.
    package static let numbers = UInt16(0x4000)...UInt16(0x7fff)

    /// Whether a packet that begins so may be ChannelData (RFC 5766 §11, RFC 7983 §7).
    package static func mayBegin(with byte: UInt8) -> Bool { byte >> 6 == 1 }
}
