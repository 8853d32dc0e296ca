/// Walks the packets of one RTCP datagram (RFC 3550 §6.1, reduced size RFC 5506).
///
/// The whole is checked first: a datagram with a broken tail does nothing at all. Single packets whose inside is too
/// short for their type come out as `.unknown`.
package struct RTCPReader: Sendable {
    /// Real compounds have up to six packets. More in one datagram is somebody who wants us to work.
    package static let maximumPackets = 32

    private var offset = 0
    private let end: Int

    /// Checks versions, lengths, padding (in the last packet alone) and the first type (RFC 3550 §A.2).
    package init(_ datagram: RawSpan, allowsReducedSize: Bool) throws(RTPError) {
        let count = datagram.byteCount
        guard count >= 4 else { throw .truncated }
        if !allowsReducedSize {
            let first = datagram.uint8(at: 1)
            guard first == RTCPType.senderReport || first == RTCPType.receiverReport else { throw .notCompound }
        }
        var (start, packets) = (0, 0)
        while start < count {
            guard start + 4 <= count else { throw .truncated }
            let first = datagram.uint8(at: start)
            guard first >> 6 == 2 else { throw .wrongVersion }
            let next = start + 4 + 4 * Int(datagram.uint16(at: start + 2))
            guard next <= count else { throw .truncated }
            if first & 0x20 != 0 {
                let padding = Int(datagram.uint8(at: next - 1))
                guard next == count, padding > 0, padding & 3 == 0, padding <= next - start - 4 else {
                    throw .badPadding
                }
            }
            packets += 1
            guard packets <= Self.maximumPackets else { throw .tooManyPackets }
            start = next
        }
        end = count
    }

    /// The next packet of the datagram this reader was made for.
    package mutating func next(in datagram: RawSpan) -> RTCPPacket? {
        guard offset + 4 <= end, end <= datagram.byteCount else { return nil }
        let first = datagram.uint8(at: offset)
        let start = offset + 4
        offset += 4 + 4 * Int(datagram.uint16(at: offset + 2))
        let padding = first & 0x20 != 0 ? Int(datagram.uint8(at: offset - 1)) : 0
        let type = datagram.uint8(at: start - 3)
        return Self.packet(type, count: first & 0x1f, body: start..<offset - padding, in: datagram)
            ?? .unknown(type: type)
    }

    /// Reads what stands after the common header; nil when it is too short.
    private static func packet(_ type: UInt8, count: UInt8, body: Range<Int>, in datagram: RawSpan) -> RTCPPacket? {
        let start = body.lowerBound
        switch type {
        case RTCPType.senderReport:
            guard body.count >= 24 + ReportBlock.count * Int(count) else { return nil }
            return .senderReport(
                ssrc: SSRC(datagram.uint32(at: start)), SenderInformation(at: start + 4, in: datagram),
                RTCPList(start: start + 24, count: Int(count)))
        case RTCPType.receiverReport:
            guard body.count >= 4 + ReportBlock.count * Int(count) else { return nil }
            return .receiverReport(
                ssrc: SSRC(datagram.uint32(at: start)), RTCPList(start: start + 4, count: Int(count)))
        case RTCPType.sourceDescription:
            return .sourceDescription(SourceDescription(body: body, chunks: Int(count)))
        case RTCPType.goodbye:
            guard body.count >= 4 * Int(count) else { return nil }
            return .goodbye(RTCPList(start: start, count: Int(count)))
        case RTCPType.application:
            guard body.count >= 8 else { return nil }
            return .application(
                ApplicationPacket(
                    ssrc: SSRC(datagram.uint32(at: start)), subtype: count, name: datagram.uint32(at: start + 4),
                    data: start + 8..<body.upperBound))
        case RTCPType.legacyFullIntraRequest:
            guard body.count >= 4 else { return nil }
            return .legacyFullIntraRequest(media: SSRC(datagram.uint32(at: start)))
        case RTCPType.transportFeedback, RTCPType.payloadFeedback:
            guard body.count >= 8 else { return nil }
            return feedback(type, format: count, body: body, in: datagram)
        default: return nil
        }
    }

    /// Transport layer and payload specific feedback (RFC 4585 §6.2, §6.3; RFC 5104 §4.2, §4.3).
    private static func feedback(_ type: UInt8, format: UInt8, body: Range<Int>, in datagram: RawSpan) -> RTCPPacket? {
        let start = body.lowerBound
        let sources = FeedbackSources(
            sender: SSRC(datagram.uint32(at: start)), media: SSRC(datagram.uint32(at: start + 4)))
        switch (type, format) {
        case (RTCPType.transportFeedback, 1): return .nack(sources, list(body))
        case (RTCPType.transportFeedback, 3): return .temporaryMaximumBitrate(sources, list(body))
        case (RTCPType.transportFeedback, 4): return .bitrateNotification(sources, list(body))
        case (RTCPType.transportFeedback, 15):
            return TransportFeedback(body: body, in: datagram).map { .transportFeedback($0) }
        case (RTCPType.payloadFeedback, 1): return .pictureLoss(sources)
        case (RTCPType.payloadFeedback, 2): return .sliceLoss(sources, list(body))
        case (RTCPType.payloadFeedback, 3): return .referencePicture(sources, bits: start + 8..<body.upperBound)
        case (RTCPType.payloadFeedback, 4): return .fullIntraRequest(sources, list(body))
        case (RTCPType.payloadFeedback, 15):
            return BitrateEstimate(body: body, in: datagram).map { .estimatedMaximumBitrate($0) }
        default: return nil
        }
    }

    /// As many whole entries as follow the two sources.
    private static func list<Entry>(_ body: Range<Int>) -> RTCPList<Entry> {
        RTCPList(start: body.lowerBound + 8, count: (body.count - 8) / Entry.count)
    }
}

/// RTCP packet types (RFC 3550 §12.1, RFC 4585 §9, RFC 2032 §5.2).
enum RTCPType {
    static var legacyFullIntraRequest: UInt8 { 192 }
    static var senderReport: UInt8 { 200 }
    static var receiverReport: UInt8 { 201 }
    static var sourceDescription: UInt8 { 202 }
    static var goodbye: UInt8 { 203 }
    static var application: UInt8 { 204 }
    static var transportFeedback: UInt8 { 205 }
    static var payloadFeedback: UInt8 { 206 }
}
