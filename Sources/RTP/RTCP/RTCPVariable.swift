/// Names that sources give themselves: the chunks of an SDES packet (RFC 3550 §6.5).
///
/// The items of all chunks come one after the other. What announces more than is there ends the walk.
package struct SourceDescription: Equatable, Sendable {
    package struct Item: Equatable, Sendable {
        package let ssrc: SSRC
        /// 1 is CNAME (RFC 3550 §6.5.1), 15 is MID (RFC 9143 §15.1); the rest says who a person is.
        package let type: UInt8
        package let text: Range<Int>
    }

    private var offset: Int
    private let end: Int
    private var chunksLeft: Int
    private var ssrc: SSRC?

    init(body: Range<Int>, chunks: Int) { (offset, end, chunksLeft) = (body.lowerBound, body.upperBound, chunks) }

    package mutating func next(in datagram: RawSpan) -> Item? {
        while chunksLeft > 0 || ssrc != nil {
            guard let chunk = ssrc else {
                chunksLeft -= 1
                guard offset + 4 <= end else { break }
                ssrc = SSRC(datagram.uint32(at: offset))
                offset += 4
                continue
            }
            guard offset < end else { break }
            let type = datagram.uint8(at: offset)
            if type == 0 {
                // A null ends the chunk; the next one begins at a multiple of four bytes. Compounds start at such.
                offset = (offset + 4) & ~3
                ssrc = nil
                continue
            }
            guard offset + 2 <= end else { break }
            let text = offset + 2..<offset + 2 + Int(datagram.uint8(at: offset + 1))
            guard text.upperBound <= end else { break }
            offset = text.upperBound
            return Item(ssrc: chunk, type: type, text: text)
        }
        (chunksLeft, ssrc) = (0, nil)
        return nil
    }
}

/// An application's own packet (RFC 3550 §6.7).
package struct ApplicationPacket: Equatable, Sendable {
    package let ssrc: SSRC
    package let subtype: UInt8
    /// Four characters as one number.
    package let name: UInt32
    package let data: Range<Int>
}

/// A receiver's estimate of how much the path carries for some sources (draft-alvestrand-rmcat-remb-03 §2.2).
package struct BitrateEstimate: Equatable, Sendable {
    package let sender: SSRC
    /// Bits per second; saturates.
    package let bitsPerSecond: UInt64
    package let sources: RTCPList<SSRC>

    /// Reads an application layer feedback packet; nil when it is another kind, or lists more than is there.
    init?(body: Range<Int>, in datagram: RawSpan) {
        // SSRC of the sender, zero, "REMB", number of sources, exponent and mantissa.
        guard body.count >= 16, datagram.uint32(at: body.lowerBound + 8) == 0x5245_4d42 else { return nil }
        let word = datagram.uint32(at: body.lowerBound + 12)
        let count = Int(word >> 24)
        guard body.count >= 16 + 4 * count else { return nil }
        sender = SSRC(datagram.uint32(at: body.lowerBound))
        bitsPerSecond = scaled(mantissa: word & 0x3ffff, exponent: word >> 18 & 0x3f)
        sources = RTCPList(start: body.lowerBound + 16, count: count)
    }
}

/// Which packets of a whole transport arrived (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
///
/// Read far enough to count; arrival times stay unread, since congestion control ends at the browser's own leg.
package struct TransportFeedback: Equatable, Sendable {
    package let sources: FeedbackSources
    package let baseSequence: SequenceNumber
    /// How many packets the feedback speaks of.
    package let statusCount: Int
    /// The number of this feedback packet, which wraps.
    package let feedbackCount: UInt8
    private let chunks: Range<Int>

    init?(body: Range<Int>, in datagram: RawSpan) {
        guard body.count >= 16 else { return nil }
        let start = body.lowerBound
        sources = FeedbackSources(sender: SSRC(datagram.uint32(at: start)), media: SSRC(datagram.uint32(at: start + 4)))
        baseSequence = SequenceNumber(datagram.uint16(at: start + 8))
        statusCount = Int(datagram.uint16(at: start + 10))
        feedbackCount = datagram.uint8(at: start + 15)
        chunks = start + 16..<body.upperBound
    }

    /// How many of the packets arrived; nil when the chunks end before `statusCount` packets are told of.
    ///
    /// The work is bounded by the length of the datagram: a run is counted, not walked.
    package func received(in datagram: RawSpan) -> Int? {
        var (left, received, offset) = (statusCount, 0, chunks.lowerBound)
        while left > 0 {
            guard offset + 2 <= chunks.upperBound else { return nil }
            let chunk = datagram.uint16(at: offset)
            offset += 2
            let told: Int
            if chunk >> 15 == 0 {
                // Run length: a status of two bits, thirteen bits of how many. Statuses 1 and 2 mean received.
                told = min(left, Int(chunk & 0x1fff))
                if chunk >> 13 & 3 != 0 { received += told }
            } else if chunk >> 14 & 1 == 0 {
                told = min(left, 14)
                received += (chunk & 0x3fff & ~(UInt16(0x3fff) >> UInt16(told))).nonzeroBitCount
            } else {
                told = min(left, 7)
                for symbol in 0..<told where chunk >> UInt16(12 - 2 * symbol) & 3 != 0 { received += 1 }
            }
            // A run of zero packets says nothing and may not be repeated for ever; the chunks end some time.
            left -= told
        }
        return received
    }
}
