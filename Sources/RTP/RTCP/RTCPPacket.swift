/// One packet of a compound RTCP packet, as far as a gateway acts on it (RFC 3550 §6, RFC 4585 §6, RFC 5104 §4.3).
///
/// Lists stay in the datagram: a case carries where they lie, and reads an entry when asked.
package enum RTCPPacket: Equatable, Sendable {
    case senderReport(ssrc: SSRC, SenderInformation, RTCPList<ReportBlock>)
    case receiverReport(ssrc: SSRC, RTCPList<ReportBlock>)
    case sourceDescription(SourceDescription)
    case goodbye(RTCPList<SSRC>)
    case application(ApplicationPacket)
    /// Which packets of `media` are missing (RFC 4585 §6.2.1).
    case nack(FeedbackSources, RTCPList<NackEntry>)
    /// `media` is wanted anew from a picture that needs no other (RFC 4585 §6.3.1).
    case pictureLoss(FeedbackSources)
    /// Macroblocks that were lost (RFC 4585 §6.3.2).
    case sliceLoss(FeedbackSources, RTCPList<SliceLoss>)
    /// Which picture the receiver has; the bits mean what the codec says (RFC 4585 §6.3.3).
    case referencePicture(FeedbackSources, bits: Range<Int>)
    /// A decoder refresh is wanted from each source of the list (RFC 5104 §4.3.1).
    case fullIntraRequest(FeedbackSources, RTCPList<FullIntraRequest>)
    /// The sources of the list are asked to send no more than this (RFC 5104 §4.2.1).
    case temporaryMaximumBitrate(FeedbackSources, RTCPList<BitrateLimit>)
    /// Which limits the media sender keeps to (RFC 5104 §4.2.2).
    case bitrateNotification(FeedbackSources, RTCPList<BitrateLimit>)
    /// A receiver's estimate of the path's bandwidth (draft-alvestrand-rmcat-remb-03).
    case estimatedMaximumBitrate(BitrateEstimate)
    /// When which packet arrived (draft-holmer-rmcat-transport-wide-cc-extensions-01).
    case transportFeedback(TransportFeedback)
    /// The full intra request of H.261 phones, RFC 2032 §5.2.1, which some still send.
    case legacyFullIntraRequest(media: SSRC)
    /// Any other type; receivers ignore what they do not know (RFC 3550 §6.1).
    case unknown(type: UInt8)
}

/// Who sends feedback, and about whose media (RFC 4585 §6.1).
package struct FeedbackSources: Equatable, Sendable {
    package let sender: SSRC
    package let media: SSRC
    package init(sender: SSRC, media: SSRC) { (self.sender, self.media) = (sender, media) }
}

/// An entry of fixed length in an RTCP packet.
package protocol RTCPEntry: Equatable, Sendable {
    /// Length in bytes.
    static var count: Int { get }
    /// Reads the entry at `offset`; `count` bytes are there.
    init(at offset: Int, in datagram: RawSpan)
}

/// Entries of fixed length, one after the other, in the datagram they were found in.
package struct RTCPList<Entry: RTCPEntry>: Equatable, Sendable {
    package let count: Int
    private let start: Int

    init(start: Int, count: Int) { (self.start, self.count) = (start, count) }

    /// The entry at `index`, which is below `count`; `datagram` is the one the list was read from.
    package func entry(_ index: Int, in datagram: RawSpan) -> Entry {
        precondition(index >= 0 && index < count, "no such entry")
        return Entry(at: start + index * Entry.count, in: datagram)
    }
}

extension SSRC: RTCPEntry {
    package static let count = 4
    package init(at offset: Int, in datagram: RawSpan) { self.init(datagram.uint32(at: offset)) }
}

/// What a sender says of its own stream (RFC 3550 §6.4.1).
package struct SenderInformation: Equatable, Sendable {
    /// When the report was sent, and the same moment on the stream's clock.
    package var time: NTPTimestamp
    package var timestamp: RTPTimestamp
    /// Packets and payload bytes since the start; both wrap.
    package var packetCount: UInt32
    package var octetCount: UInt32

    package init(time: NTPTimestamp, timestamp: RTPTimestamp, packetCount: UInt32, octetCount: UInt32) {
        (self.time, self.timestamp, self.packetCount, self.octetCount) = (time, timestamp, packetCount, octetCount)
    }

    init(at offset: Int, in datagram: RawSpan) {
        time = NTPTimestamp(datagram.uint64(at: offset))
        timestamp = RTPTimestamp(datagram.uint32(at: offset + 8))
        packetCount = datagram.uint32(at: offset + 12)
        octetCount = datagram.uint32(at: offset + 16)
    }
}

/// How well a source is received (RFC 3550 §6.4.1).
package struct ReportBlock: RTCPEntry {
    package static let count = 24

    package var ssrc: SSRC
    /// Lost since the previous report, in 256ths of what was expected.
    package var fractionLost: UInt8
    /// Lost since the start, negative with duplicates; 24 bits.
    package var cumulativeLost: Int32
    /// Cycles in the upper half, the highest sequence number received in the lower.
    package var extendedHighestSequence: UInt32
    /// In ticks of the source's clock.
    package var jitter: UInt32
    /// The middle 32 bits of the latest sender report's time, zero before the first.
    package var lastSenderReport: UInt32
    /// How long ago that was, in 1/65 536 s.
    package var delaySinceLastSenderReport: UInt32

    package init(
        ssrc: SSRC, fractionLost: UInt8, cumulativeLost: Int32, extendedHighestSequence: UInt32, jitter: UInt32,
        lastSenderReport: UInt32, delaySinceLastSenderReport: UInt32
    ) {
        (self.ssrc, self.fractionLost, self.cumulativeLost) = (ssrc, fractionLost, cumulativeLost)
        (self.extendedHighestSequence, self.jitter) = (extendedHighestSequence, jitter)
        (self.lastSenderReport, self.delaySinceLastSenderReport) = (lastSenderReport, delaySinceLastSenderReport)
    }

    package init(at offset: Int, in datagram: RawSpan) {
        ssrc = SSRC(datagram.uint32(at: offset))
        fractionLost = datagram.uint8(at: offset + 4)
        // Shifted up and down again to extend the sign of 24 bits.
        cumulativeLost = Int32(bitPattern: datagram.uint24(at: offset + 5) << 8) >> 8
        extendedHighestSequence = datagram.uint32(at: offset + 8)
        jitter = datagram.uint32(at: offset + 12)
        lastSenderReport = datagram.uint32(at: offset + 16)
        delaySinceLastSenderReport = datagram.uint32(at: offset + 20)
    }
}

/// A packet that is missing, and a mask of the sixteen after it (RFC 4585 §6.2.1).
package struct NackEntry: RTCPEntry {
    package static let count = 4
    package var packetID: SequenceNumber
    /// Bit i stands for `packetID` + i + 1.
    package var followingLost: UInt16

    package init(packetID: SequenceNumber, followingLost: UInt16) {
        (self.packetID, self.followingLost) = (packetID, followingLost)
    }

    package init(at offset: Int, in datagram: RawSpan) {
        packetID = SequenceNumber(datagram.uint16(at: offset))
        followingLost = datagram.uint16(at: offset + 2)
    }

    /// The first missing packet, which is then no longer part of the entry; nil at the end.
    ///
    /// - Parameter position: zero at the start; seventeen steps at most.
    package func next(_ position: inout Int) -> SequenceNumber? {
        while position <= 16 {
            defer { position += 1 }
            if position == 0 || followingLost >> UInt16(position - 1) & 1 == 1 { return packetID + position }
        }
        return nil
    }
}

/// Macroblocks lost in a picture (RFC 4585 §6.3.2).
package struct SliceLoss: RTCPEntry {
    package static let count = 4
    package let first: UInt16
    package let lost: UInt16
    package let pictureID: UInt8

    package init(at offset: Int, in datagram: RawSpan) {
        let word = datagram.uint32(at: offset)
        first = UInt16(truncatingIfNeeded: word >> 19)
        lost = UInt16(truncatingIfNeeded: word >> 6) & 0x1fff
        pictureID = UInt8(truncatingIfNeeded: word) & 0x3f
    }
}

/// A request for a decoder refresh point (RFC 5104 §4.3.1.1).
package struct FullIntraRequest: RTCPEntry {
    package static let count = 8
    package var ssrc: SSRC
    /// The same number is the same request, sent once more.
    package var sequence: UInt8

    package init(ssrc: SSRC, sequence: UInt8) { (self.ssrc, self.sequence) = (ssrc, sequence) }

    package init(at offset: Int, in datagram: RawSpan) {
        self.init(ssrc: SSRC(datagram.uint32(at: offset)), sequence: datagram.uint8(at: offset + 4))
    }
}

/// A limit for one source's bit rate (RFC 5104 §4.2.1.1).
package struct BitrateLimit: RTCPEntry {
    package static let count = 8
    package var ssrc: SSRC
    /// Bits per second, network overhead included; saturates.
    package var bitsPerSecond: UInt64
    /// Bytes per packet of that overhead.
    package var overhead: UInt16

    package init(ssrc: SSRC, bitsPerSecond: UInt64, overhead: UInt16) {
        (self.ssrc, self.bitsPerSecond, self.overhead) = (ssrc, bitsPerSecond, overhead)
    }

    package init(at offset: Int, in datagram: RawSpan) {
        let word = datagram.uint32(at: offset + 4)
        ssrc = SSRC(datagram.uint32(at: offset))
        bitsPerSecond = scaled(mantissa: word >> 9 & 0x1ffff, exponent: word >> 26)
        overhead = UInt16(truncatingIfNeeded: word) & 0x1ff
    }
}

/// Mantissa times two to the power of `exponent` (0 to 63), or the largest number.
func scaled(mantissa: UInt32, exponent: UInt32) -> UInt64 {
    guard mantissa > 0 else { return 0 }
    let wide = UInt64(mantissa)
    return Int(exponent) < wide.leadingZeroBitCount ? wide << UInt64(exponent) : .max
}
