import Base

/// The packets of one stream sent last, to answer a NACK from (RFC 4585 §6.2.1, RFC 4588).
///
/// A ring of slots of fixed size, allocated once. Packets are kept in the clear, after rewriting and before protection:
/// sent again under the same number, libsrtp must be told to allow it.
package struct RetransmissionBuffer: Sendable {
    /// What a datagram carries on any path we meet, less IP and UDP headers; longer packets are not kept.
    package static let slotCount = 1472

    private struct Slot {
        var number = SequenceNumber(0)
        /// Zero: never used.
        var count: UInt16 = 0
        var sentAt = Instant.zero
    }

    private let mask: Int
    private var slots: [Slot]
    private var bytes: [UInt8]

    /// - Parameter capacity: how many packets, a power of two. 512 are two seconds of video at 3 Mbit/s, 750 KB.
    package init(capacity: Int = 512) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0 && capacity <= 32_768, "a power of two")
        mask = capacity - 1
        slots = Array(repeating: Slot(), count: capacity)
        bytes = Array(repeating: 0, count: capacity * Self.slotCount)
    }

    /// Keeps a copy of a packet that is about to be sent.
    package mutating func store(_ packet: RawSpan, number: SequenceNumber, at now: Instant) {
        guard packet.byteCount <= Self.slotCount else { return }
        let index = Int(number.rawValue) & mask
        slots[index] = Slot(number: number, count: UInt16(packet.byteCount), sentAt: now)
        var span = bytes.mutableSpan
        var raw = span.mutableBytes
        raw.copy(packet, at: index * Self.slotCount)
    }

    /// Copies a packet into `buffer` to be sent again.
    ///
    /// - Parameters:
    ///   - offset: where in the buffer.
    ///   - quiet: a packet sent less than this ago is still on its way; the round-trip time.
    /// - Returns: its length, or nil when it is not there, too fresh, or does not fit.
    package mutating func retrieve(
        _ number: SequenceNumber, into buffer: inout MutableRawSpan, offset: Int = 0, quiet: Duration,
        at now: Instant
    ) -> Int? {
        let index = Int(number.rawValue) & mask
        let slot = slots[index]
        let count = Int(slot.count)
        guard count > 0, slot.number == number, now - slot.sentAt >= quiet, offset + count <= buffer.byteCount else {
            return nil
        }
        slots[index].sentAt = now
        let start = index * Self.slotCount
        buffer.copy(bytes.span.bytes.extracting(start..<start + count), at: offset)
        return count
    }

    /// The same as a packet of the retransmission stream (RFC 4588 §4): its own header, the original number, the payload.
    ///
    /// - Parameter header: payload type, number and SSRC of the retransmission stream; the rest comes from the original.
    package mutating func retrieve(
        _ number: SequenceNumber, as header: RTPHeader, into buffer: inout MutableRawSpan, quiet: Duration,
        at now: Instant
    ) -> Int? {
        // Two bytes further on, so that what stands before the payload can move back over the gap.
        guard let count = retrieve(number, into: &buffer, offset: 2, quiet: quiet, at: now),
            let original = try? RTPHeader(parsing: buffer.bytes.extracting(2..<2 + count))
        else { return nil }
        buffer.move(2..<2 + original.payloadOffset, to: 0)
        buffer.set(number.rawValue, at: original.payloadOffset)
        var changed = original
        (changed.payloadType, changed.sequenceNumber, changed.ssrc) =
            (header.payloadType, header.sequenceNumber, header.ssrc)
        changed.write(into: &buffer)
        return count + 2
    }
}

extension RTPHeader {
    /// Turns a packet of a retransmission stream back into the packet it repeats (RFC 4588 §4), in place.
    ///
    /// - Returns: how many bytes further on the packet begins; the header speaks of that packet. Nil for padding-only
    ///   packets, which carry no number.
    package mutating func restoreRetransmission(
        payloadType: PayloadType, ssrc: SSRC, in packet: inout MutableRawSpan
    ) -> Int? {
        guard payloadCount >= 2 else { return nil }
        let number = SequenceNumber(packet.bytes.uint16(at: payloadOffset))
        (self.payloadType, self.ssrc, sequenceNumber) = (payloadType, ssrc, number)
        write(into: &packet)
        packet.move(0..<payloadOffset, to: 2)
        dropPayloadPrefix(2)
        return 2
    }
}
