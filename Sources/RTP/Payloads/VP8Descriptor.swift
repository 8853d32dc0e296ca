/// The payload descriptor of VP8, and what of the frame's own header a forwarder needs (RFC 7741 §4.2, §4.3).
package struct VP8Descriptor: Equatable, Sendable {
    /// The packet begins a partition, and which (S, PID).
    package let startsPartition: Bool
    package let partition: UInt8
    /// No other frame needs this one (N).
    package let isDiscardable: Bool
    /// 7 or 15 bits, nil when absent.
    package let pictureID: UInt16?
    package let hasWidePictureID: Bool
    package let temporalZeroIndex: UInt8?
    package let temporalLayer: UInt8?
    /// Where the VP8 payload begins, in bytes from the start of the RTP payload.
    package let count: Int
    /// The first packet of a frame that needs no other (P bit of §4.3 is zero).
    package let startsKeyframe: Bool

    package init(parsing payload: RawSpan) throws(RTPError) {
        guard payload.byteCount >= 1 else { throw .truncated }
        let first = payload.uint8(at: 0)
        (startsPartition, partition, isDiscardable) = (first & 0x10 != 0, first & 0x07, first & 0x20 != 0)
        var reader = VP8DescriptorReader(payload: payload.byteCount)
        var picture: UInt16?
        var (isWide, zeroIndex, layer) = (false, UInt8?.none, UInt8?.none)
        if first & 0x80 != 0 {
            let flags = payload.uint8(at: try reader.take())
            if flags & 0x80 != 0 {
                let high = payload.uint8(at: try reader.take())
                isWide = high & 0x80 != 0
                picture = UInt16(high & 0x7f)
                if isWide { picture = UInt16(high & 0x7f) << 8 | UInt16(payload.uint8(at: try reader.take())) }
            }
            if flags & 0x40 != 0 { zeroIndex = payload.uint8(at: try reader.take()) }
            if flags & 0x30 != 0 {
                let byte = payload.uint8(at: try reader.take())
                if flags & 0x20 != 0 { layer = byte >> 6 }
            }
        }
        (pictureID, hasWidePictureID, temporalZeroIndex, temporalLayer) = (picture, isWide, zeroIndex, layer)
        count = reader.offset
        startsKeyframe =
            first & 0x17 == 0x10 && payload.byteCount > count && payload.uint8(at: count) & 0x01 == 0
    }
}

/// Takes the descriptor's optional bytes one by one.
private struct VP8DescriptorReader {
    let payload: Int
    private(set) var offset = 1

    init(payload: Int) { self.payload = payload }

    mutating func take() throws(RTPError) -> Int {
        guard offset < payload else { throw .truncated }
        defer { offset += 1 }
        return offset
    }
}
