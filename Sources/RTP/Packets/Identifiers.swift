/// A synchronization source identifier (RFC 3550 §5.1): one stream of one sender.
package struct SSRC: Hashable, Sendable {
    package var rawValue: UInt32
    package init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// An RTP payload type, 0 to 127 (RFC 3551 §6 lists the static ones).
package struct PayloadType: Hashable, Sendable {
    package var rawValue: UInt8
    package init(_ rawValue: UInt8) { self.rawValue = rawValue & 0x7f }

    /// G.711 µ-law, 8 kHz.
    package static let pcmu = PayloadType(0)
    /// G.711 A-law, 8 kHz.
    package static let pcma = PayloadType(8)
    /// G.722. The clock rate is 8000 although 16 000 samples are made each second (RFC 3551 §4.5.2).
    package static let g722 = PayloadType(9)
    /// Comfort noise at 8 kHz (RFC 3389 §4).
    package static let comfortNoise = PayloadType(13)
}

/// A 16-bit sequence number that wraps (RFC 3550 §5.1).
///
/// `<` means "sent before" while the two are less than half the circle apart. That is no total order, hence not
/// `Comparable`.
package struct SequenceNumber: Hashable, Sendable {
    package var rawValue: UInt16
    package init(_ rawValue: UInt16) { self.rawValue = rawValue }

    /// How many packets this one was sent after `other`; negative when before, -32 768 when nobody can say.
    package func distance(from other: SequenceNumber) -> Int { Int(Int16(bitPattern: rawValue &- other.rawValue)) }

    package static func < (left: SequenceNumber, right: SequenceNumber) -> Bool { right.distance(from: left) > 0 }

    package static func + (number: SequenceNumber, count: Int) -> SequenceNumber {
        SequenceNumber(number.rawValue &+ UInt16(truncatingIfNeeded: count))
    }

    package static func - (number: SequenceNumber, count: Int) -> SequenceNumber {
        SequenceNumber(number.rawValue &- UInt16(truncatingIfNeeded: count))
    }
}

/// A media timestamp in ticks of the payload format's clock rate, 32 bits that wrap (RFC 3550 §5.1).
package struct RTPTimestamp: Hashable, Sendable {
    package var rawValue: UInt32
    package init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// Ticks from `other` to this one; negative when this one is earlier.
    package func distance(from other: RTPTimestamp) -> Int { Int(Int32(bitPattern: rawValue &- other.rawValue)) }

    package static func + (timestamp: RTPTimestamp, ticks: Int) -> RTPTimestamp {
        RTPTimestamp(timestamp.rawValue &+ UInt32(truncatingIfNeeded: ticks))
    }
}
