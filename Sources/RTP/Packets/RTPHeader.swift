/// The header of one RTP packet as values, and where its parts lie in the packet (RFC 3550 §5.1, RFC 8285 §4).
///
/// ```
///  0                   1                   2                   3
/// |V=2|P|X|  CC   |M|     PT      |       sequence number         |
/// |                           timestamp                           |
/// |           synchronization source (SSRC) identifier            |
/// |            contributing sources (CSRC), CC of them             |
/// |      header extension: profile, length in words, elements      |
/// |                    payload … padding, its count                |
/// ```
/// Forwarding is: read the header, change its fields, `write(into:)` the same packet. The payload is not touched.
package struct RTPHeader: Equatable, Sendable {
    /// Length in bytes of the part that every packet has.
    package static let fixedCount = 12
    /// What a UDP datagram can carry.
    package static let maximumCount = 65_535

    package var marker: Bool
    package var payloadType: PayloadType
    package var sequenceNumber: SequenceNumber
    package var timestamp: RTPTimestamp
    package var ssrc: SSRC

    // Lengths and offsets in few bits: the whole value is passed in registers.
    private let contributors: UInt8
    private var hasExtension: Bool
    private var profile: UInt16
    private var offset: UInt32
    private var count: UInt32
    private var padding: UInt8

    /// How many contributing sources follow the fixed part, 0 to 15.
    package var contributorCount: Int { Int(contributors) }
    /// The "defined by profile" word of the header extension, nil without extension.
    package var extensionProfile: UInt16? { hasExtension ? profile : nil }
    /// Where the payload begins, in bytes from the start of the packet.
    package var payloadOffset: Int { Int(offset) }
    /// Length of the payload in bytes, without padding. Zero in packets that only probe the path.
    package var payloadCount: Int { Int(count) }
    /// Length of the padding in bytes, its count byte included.
    package var paddingCount: Int { Int(padding) }

    /// Where the payload lies in the packet.
    package var payload: Range<Int> { payloadOffset..<payloadOffset + payloadCount }
    /// Where the elements of the header extension lie; empty without extension.
    package var extensionElements: Range<Int> {
        let start = Self.fixedCount + 4 * contributorCount + 4
        return extensionProfile == nil ? payloadOffset..<payloadOffset : start..<payloadOffset
    }
    /// Length of the whole packet in bytes.
    package var packetCount: Int { payloadOffset + payloadCount + paddingCount }

    /// A header for a packet of our own: no contributors, no extension, no padding.
    package init(
        marker: Bool = false, payloadType: PayloadType, sequenceNumber: SequenceNumber, timestamp: RTPTimestamp,
        ssrc: SSRC, payloadCount: Int
    ) {
        (self.marker, self.payloadType, self.sequenceNumber) = (marker, payloadType, sequenceNumber)
        (self.timestamp, self.ssrc) = (timestamp, ssrc)
        (contributors, hasExtension, profile, padding) = (0, false, 0, 0)
        (offset, count) = (UInt32(Self.fixedCount), UInt32(payloadCount))
    }

    /// Reads the header of a packet in the clear and checks that all it announces is there (RFC 3550 §5.1, §A.1).
    package init(parsing packet: RawSpan) throws(RTPError) {
        let total = packet.byteCount
        guard total >= Self.fixedCount, total <= Self.maximumCount else { throw .truncated }
        let first = packet.uint8(at: 0)
        let second = packet.uint8(at: 1)
        guard first >> 6 == 2 else { throw .wrongVersion }
        contributors = first & 0x0f
        var end = Self.fixedCount + 4 * Int(contributors)
        hasExtension = first & 0x10 != 0
        if hasExtension {
            guard total >= end + 4 else { throw .truncated }
            let word = packet.uint32(at: end)
            profile = UInt16(truncatingIfNeeded: word >> 16)
            end += 4 + 4 * Int(word & 0xffff)
        } else {
            profile = 0
        }
        guard total >= end else { throw .truncated }
        padding = first & 0x20 != 0 ? packet.uint8(at: total - 1) : 0
        if first & 0x20 != 0 {
            guard total > end, padding > 0, Int(padding) <= total - end else { throw .badPadding }
        }
        marker = second & 0x80 != 0
        payloadType = PayloadType(second)
        sequenceNumber = SequenceNumber(packet.uint16(at: 2))
        timestamp = RTPTimestamp(packet.uint32(at: 4))
        ssrc = SSRC(packet.uint32(at: 8))
        offset = UInt32(truncatingIfNeeded: end)
        count = UInt32(truncatingIfNeeded: total - end - Int(padding))
    }

    /// One contributing source; `index` is below `contributorCount`.
    package func contributor(_ index: Int, in packet: RawSpan) -> SSRC {
        precondition(index >= 0 && index < contributorCount, "no such contributor")
        return SSRC(packet.uint32(at: Self.fixedCount + 4 * index))
    }

    /// Writes marker, payload type, sequence number, timestamp and SSRC into the packet this header was read from.
    package func write(into packet: inout MutableRawSpan) {
        packet.set((marker ? 0x80 : 0) | payloadType.rawValue, at: 1)
        packet.set(sequenceNumber.rawValue, at: 2)
        packet.set(timestamp.rawValue, at: 4)
        packet.set(ssrc.rawValue, at: 8)
    }

    /// Writes the twelve bytes of a header made by the memberwise initializer to the start of a buffer.
    package func writeWhole(into packet: inout MutableRawSpan) {
        precondition(payloadOffset == Self.fixedCount && paddingCount == 0, "this header was read from another packet")
        packet.set(0x80 as UInt8, at: 0)
        write(into: &packet)
    }

    /// Takes the header extension out by moving what stands before it towards the payload (RFC 8285 §4.1.2 lets a
    /// receiver ignore it; plain phones never asked for one).
    ///
    /// - Returns: how many bytes further on the packet begins from now on. The header speaks of that packet.
    package mutating func removeExtension(from packet: inout MutableRawSpan) -> Int {
        guard hasExtension else { return 0 }
        let kept = Self.fixedCount + 4 * contributorCount
        let removed = payloadOffset - kept
        packet.move(0..<kept, to: removed)
        packet.set(packet.uint8(at: removed) & ~0x10, at: removed)
        (hasExtension, profile) = (false, 0)
        offset = UInt32(kept)
        return removed
    }

    /// Puts an extension of one element, in the one-byte form, before a packet's payload, by moving what stands before the
    /// payload into the room in front of the packet (RFC 8285 §4.2). Browsers know by `mid` (RFC 9143) what a packet of an
    /// unannounced source belongs to.
    ///
    /// - Parameters:
    ///   - id: 1 to 14.
    ///   - data: 1 to 16 bytes.
    ///   - start: where the packet begins in `buffer`; at most twenty bytes before it are used.
    /// - Returns: where the packet begins from now on; nil when it has an extension already, or there is no room.
    package mutating func addExtension(
        id: UInt8, data: RawSpan, in buffer: inout MutableRawSpan, start: Int
    ) -> Int? {
        precondition((1...14).contains(id) && (1...16).contains(data.byteCount), "not of the one-byte form")
        let words = (1 + data.byteCount + 3) / 4
        let added = 4 + 4 * words
        guard !hasExtension, start >= added, start + packetCount <= buffer.byteCount else { return nil }
        let (from, kept) = (start - added, payloadOffset)
        buffer.move(start..<start + kept, to: from)
        buffer.set(buffer.uint8(at: from) | 0x10, at: from)
        buffer.set(0xbede << 16 | UInt32(words), at: from + kept)
        buffer.set(id << 4 | UInt8(data.byteCount - 1), at: from + kept + 4)
        buffer.copy(data, at: from + kept + 5)
        for pad in from + kept + 5 + data.byteCount..<start + kept { buffer.set(0 as UInt8, at: pad) }
        (hasExtension, profile, offset) = (true, 0xbede, offset + UInt32(added))
        return from
    }

    /// Takes the padding off (RFC 3550 §5.1). The packet's new length is `packetCount`.
    package mutating func removePadding(from packet: inout MutableRawSpan) {
        guard padding > 0 else { return }
        packet.set(packet.uint8(at: 0) & ~0x20, at: 0)
        padding = 0
    }

    /// The payload lost bytes at its beginning, and what stands before it moved up to it.
    mutating func dropPayloadPrefix(_ dropped: Int) { count -= UInt32(dropped) }

    /// The payload was made shorter or longer in place, at its end; there must be no padding.
    package mutating func setPayloadCount(_ count: Int) {
        precondition(padding == 0 && count >= 0, "padding is taken off before the payload changes")
        self.count = UInt32(count)
    }
}
