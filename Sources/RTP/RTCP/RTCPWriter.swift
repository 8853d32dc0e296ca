/// Writes a compound RTCP packet into a buffer of the caller (RFC 3550 §6.1).
///
/// Each method appends one packet, or one entry to the packet that was begun last, and returns false, having written
/// nothing, when the buffer has no room left. `count` bytes are then the datagram.
package struct RTCPWriter: Sendable {
    /// Bytes written so far.
    package private(set) var count = 0
    /// Where the packet begins that entries are added to.
    private var last = 0

    package init() {}

    /// Begins a sender report; `add(_:into:)` gives it report blocks.
    package mutating func beginSenderReport(
        ssrc: SSRC, _ information: SenderInformation, into buffer: inout MutableRawSpan
    ) -> Bool {
        guard begin(RTCPType.senderReport, format: 0, body: 24, into: &buffer) else { return false }
        buffer.set(ssrc.rawValue, at: last + 4)
        buffer.set(information.time.rawValue, at: last + 8)
        buffer.set(information.timestamp.rawValue, at: last + 16)
        buffer.set(information.packetCount, at: last + 20)
        buffer.set(information.octetCount, at: last + 24)
        return true
    }

    /// Begins a receiver report; `add(_:into:)` gives it report blocks.
    package mutating func beginReceiverReport(ssrc: SSRC, into buffer: inout MutableRawSpan) -> Bool {
        guard begin(RTCPType.receiverReport, format: 0, body: 4, into: &buffer) else { return false }
        buffer.set(ssrc.rawValue, at: last + 4)
        return true
    }

    /// Adds a report block to the report begun last, which has 31 at most.
    package mutating func add(_ block: ReportBlock, into buffer: inout MutableRawSpan) -> Bool {
        guard let start = grow(by: ReportBlock.count, counting: true, into: &buffer) else { return false }
        buffer.set(block.ssrc.rawValue, at: start)
        let lost = UInt32(bitPattern: max(-0x80_0000, min(0x7f_ffff, block.cumulativeLost))) & 0xff_ffff
        buffer.set(UInt32(block.fractionLost) << 24 | lost, at: start + 4)
        buffer.set(block.extendedHighestSequence, at: start + 8)
        buffer.set(block.jitter, at: start + 12)
        buffer.set(block.lastSenderReport, at: start + 16)
        buffer.set(block.delaySinceLastSenderReport, at: start + 20)
        return true
    }

    /// A source description with the canonical name alone (RFC 3550 §6.5.1): the one item that must be there.
    package mutating func sourceDescription(
        ssrc: SSRC, canonicalName: RawSpan, into buffer: inout MutableRawSpan
    ) -> Bool {
        let length = min(canonicalName.byteCount, 255)
        // One to four zero bytes end the chunk.
        let body = (4 + 2 + length + 4) & ~3
        guard begin(RTCPType.sourceDescription, format: 1, body: body, into: &buffer) else { return false }
        buffer.set(ssrc.rawValue, at: last + 4)
        buffer.set(1 as UInt8, at: last + 8)
        buffer.set(UInt8(length), at: last + 9)
        buffer.copy(canonicalName.extracting(first: length), at: last + 10)
        for offset in last + 10 + length..<count { buffer.set(0 as UInt8, at: offset) }
        return true
    }

    /// Says that a source has left (RFC 3550 §6.6).
    package mutating func goodbye(ssrc: SSRC, into buffer: inout MutableRawSpan) -> Bool {
        guard begin(RTCPType.goodbye, format: 1, body: 4, into: &buffer) else { return false }
        buffer.set(ssrc.rawValue, at: last + 4)
        return true
    }

    /// Picture loss indication (RFC 4585 §6.3.1).
    package mutating func pictureLoss(_ sources: FeedbackSources, into buffer: inout MutableRawSpan) -> Bool {
        beginFeedback(RTCPType.payloadFeedback, format: 1, sources, into: &buffer)
    }

    /// Full intra request for one source (RFC 5104 §4.3.1.1); the media source of the header is then zero.
    package mutating func fullIntraRequest(
        sender: SSRC, _ request: FullIntraRequest, into buffer: inout MutableRawSpan
    ) -> Bool {
        let sources = FeedbackSources(sender: sender, media: SSRC(0))
        guard beginFeedback(RTCPType.payloadFeedback, format: 4, sources, room: 8, into: &buffer) else { return false }
        buffer.set(request.ssrc.rawValue, at: last + 12)
        buffer.set(UInt32(request.sequence) << 24, at: last + 16)
        return true
    }

    /// The full intra request of H.261 phones (RFC 2032 §5.2.1).
    package mutating func legacyFullIntraRequest(media: SSRC, into buffer: inout MutableRawSpan) -> Bool {
        guard begin(RTCPType.legacyFullIntraRequest, format: 0, body: 4, into: &buffer) else { return false }
        buffer.set(media.rawValue, at: last + 4)
        return true
    }

    /// Begins a generic NACK (RFC 4585 §6.2.1); without an entry it is not valid, so one is given.
    package mutating func beginNack(
        _ sources: FeedbackSources, _ first: NackEntry, into buffer: inout MutableRawSpan
    ) -> Bool {
        guard beginFeedback(RTCPType.transportFeedback, format: 1, sources, room: 4, into: &buffer) else {
            return false
        }
        buffer.set(first.packetID.rawValue, at: last + 12)
        buffer.set(first.followingLost, at: last + 14)
        return true
    }

    /// Adds an entry to the NACK begun last.
    package mutating func add(_ entry: NackEntry, into buffer: inout MutableRawSpan) -> Bool {
        guard let start = grow(by: NackEntry.count, counting: false, into: &buffer) else { return false }
        buffer.set(entry.packetID.rawValue, at: start)
        buffer.set(entry.followingLost, at: start + 2)
        return true
    }

    /// Asks one source to send no more than a bit rate (RFC 5104 §4.2.1).
    package mutating func temporaryMaximumBitrate(
        sender: SSRC, _ limit: BitrateLimit, into buffer: inout MutableRawSpan
    ) -> Bool { bitrate(format: 3, sender: sender, limit, into: &buffer) }

    /// Says which limit is kept (RFC 5104 §4.2.2).
    package mutating func bitrateNotification(
        sender: SSRC, _ limit: BitrateLimit, into buffer: inout MutableRawSpan
    ) -> Bool { bitrate(format: 4, sender: sender, limit, into: &buffer) }

    /// A receiver's estimate for one source (draft-alvestrand-rmcat-remb-03 §2.2).
    package mutating func estimatedMaximumBitrate(
        sender: SSRC, bitsPerSecond: UInt64, source: SSRC, into buffer: inout MutableRawSpan
    ) -> Bool {
        let sources = FeedbackSources(sender: sender, media: SSRC(0))
        guard beginFeedback(RTCPType.payloadFeedback, format: 15, sources, room: 12, into: &buffer) else {
            return false
        }
        let (mantissa, exponent) = parts(bitsPerSecond, mantissaBits: 18)
        buffer.set(0x5245_4d42 as UInt32, at: last + 12)
        buffer.set(1 << 24 | exponent << 18 | mantissa, at: last + 16)
        buffer.set(source.rawValue, at: last + 20)
        return true
    }

    private mutating func bitrate(
        format: UInt8, sender: SSRC, _ limit: BitrateLimit, into buffer: inout MutableRawSpan
    ) -> Bool {
        let sources = FeedbackSources(sender: sender, media: SSRC(0))
        guard beginFeedback(RTCPType.transportFeedback, format: format, sources, room: 8, into: &buffer) else {
            return false
        }
        let (mantissa, exponent) = parts(limit.bitsPerSecond, mantissaBits: 17)
        buffer.set(limit.ssrc.rawValue, at: last + 12)
        buffer.set(exponent << 26 | mantissa << 9 | UInt32(min(limit.overhead, 0x1ff)), at: last + 16)
        return true
    }

    private mutating func beginFeedback(
        _ type: UInt8, format: UInt8, _ sources: FeedbackSources, room: Int = 0, into buffer: inout MutableRawSpan
    ) -> Bool {
        guard begin(type, format: format, body: 8 + room, into: &buffer) else { return false }
        buffer.set(sources.sender.rawValue, at: last + 4)
        buffer.set(sources.media.rawValue, at: last + 8)
        return true
    }

    /// Writes the common header of a packet whose body has `body` bytes, a multiple of four.
    private mutating func begin(_ type: UInt8, format: UInt8, body: Int, into buffer: inout MutableRawSpan) -> Bool {
        guard buffer.byteCount - count >= 4 + body else { return false }
        last = count
        buffer.set(0x80 | format, at: last)
        buffer.set(type, at: last + 1)
        buffer.set(UInt16(body / 4), at: last + 2)
        count += 4 + body
        return true
    }

    /// Makes the last packet longer, and its count field higher by one if the type has one.
    private mutating func grow(by bytes: Int, counting: Bool, into buffer: inout MutableRawSpan) -> Int? {
        guard count > last, buffer.byteCount - count >= bytes else { return nil }
        let first = buffer.uint8(at: last)
        if counting {
            guard first & 0x1f < 31 else { return nil }
            buffer.set(first + 1, at: last)
        }
        defer { count += bytes }
        buffer.set(UInt16((count + bytes - last) / 4 - 1), at: last + 2)
        return count
    }

    /// A number as mantissa and exponent, rounded down.
    private func parts(_ number: UInt64, mantissaBits: Int) -> (mantissa: UInt32, exponent: UInt32) {
        let exponent = max(0, 64 - number.leadingZeroBitCount - mantissaBits)
        return (UInt32(truncatingIfNeeded: number >> UInt64(exponent)), UInt32(exponent))
    }
}
