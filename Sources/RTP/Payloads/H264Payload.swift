/// What one RTP packet of H.264 carries, as far as a forwarder needs it (RFC 6184 §5.2 to §5.8).
package struct H264Payload: Equatable, Sendable {
    package enum Structure: Equatable, Sendable {
        /// One NAL unit, in every packetization mode.
        case single
        /// STAP-A, mode 1.
        case aggregation
        /// FU-A, mode 1.
        case fragment
        /// STAP-B, MTAP or FU-B, mode 2, which nobody we know offers.
        case interleaved
    }

    /// NAL unit types (ITU-T H.264 table 7-1).
    package static let instantRefresh: UInt8 = 5
    package static let sequenceParameters: UInt8 = 7
    package static let pictureParameters: UInt8 = 8

    package let structure: Structure
    /// The packet begins a slice of an IDR picture.
    package let startsKeyframe: Bool
    /// Where parameter sets lie in the payload, the NAL unit header included; the last of each kind.
    package let sequenceParameters: Range<Int>?
    package let pictureParameters: Range<Int>?

    /// Whether a receiver of this packetization mode can read the packet (RFC 6184 §6.2, §6.3).
    package func isAllowed(packetizationMode mode: Int) -> Bool {
        switch structure {
        case .single: true
        case .aggregation, .fragment: mode == 1
        case .interleaved: mode == 2
        }
    }

    package init(parsing payload: RawSpan) throws(RTPError) {
        guard payload.byteCount >= 1 else { throw .truncated }
        let type = payload.uint8(at: 0) & 0x1f
        var found = Found()
        switch type {
        case 1...23:
            structure = .single
            found.note(type, 0..<payload.byteCount)
        case 24:
            structure = .aggregation
            try found.aggregated(payload)
        case 28:
            structure = .fragment
            guard payload.byteCount >= 2 else { throw .truncated }
            let header = payload.uint8(at: 1)
            // Parameter sets are far too short to be fragmented: only the picture counts here.
            found.startsKeyframe = header & 0x80 != 0 && header & 0x1f == Self.instantRefresh
        case 25, 26, 27, 29: structure = .interleaved
        default: throw .badPayload
        }
        (startsKeyframe, sequenceParameters, pictureParameters) = (found.startsKeyframe, found.sequence, found.picture)
    }

    private struct Found {
        var startsKeyframe = false
        var sequence: Range<Int>?
        var picture: Range<Int>?

        mutating func note(_ type: UInt8, _ range: Range<Int>) {
            switch type {
            case H264Payload.instantRefresh: startsKeyframe = true
            case H264Payload.sequenceParameters: sequence = range
            case H264Payload.pictureParameters: picture = range
            default: break
            }
        }

        /// STAP-A: units behind their lengths of two bytes (RFC 6184 §5.7.1).
        mutating func aggregated(_ payload: RawSpan) throws(RTPError) {
            var offset = 1
            while offset < payload.byteCount {
                guard offset + 3 <= payload.byteCount else { throw .truncated }
                let unit = offset + 2..<offset + 2 + Int(payload.uint16(at: offset))
                guard !unit.isEmpty else { throw .badPayload }
                guard unit.upperBound <= payload.byteCount else { throw .truncated }
                note(payload.uint8(at: unit.lowerBound) & 0x1f, unit)
                offset = unit.upperBound
            }
        }
    }
}

/// The parameter sets that went by last, to be sent again before a keyframe for a receiver that came later.
///
/// Some phones send them once at the start of a call; a decoder that missed them shows nothing, whatever keyframes come.
package struct H264ParameterSets: Sendable {
    /// Real sets have ten to sixty bytes. One that is longer is not kept.
    package static let maximumCount = 256

    private var sequence: [UInt8] = []
    private var picture: [UInt8] = []
    /// The timestamp of the access unit that has its sets already.
    private var satisfied: RTPTimestamp?

    package init() {
        sequence.reserveCapacity(Self.maximumCount)
        picture.reserveCapacity(Self.maximumCount)
    }

    package var isComplete: Bool { !sequence.isEmpty && !picture.isEmpty }

    /// The sets of a session description (`sprop-parameter-sets`, RFC 6184 §8.1), decoded.
    package mutating func set(sequence: [UInt8], picture: [UInt8]) {
        guard sequence.count <= Self.maximumCount, picture.count <= Self.maximumCount else { return }
        (self.sequence, self.picture) = (sequence, picture)
    }

    /// Keeps the sets of a packet that goes through.
    ///
    /// - Returns: true when the sets should be sent before this packet: it begins a keyframe that came without them.
    package mutating func observe(_ packet: H264Payload, in payload: RawSpan, timestamp: RTPTimestamp) -> Bool {
        if let range = packet.sequenceParameters { Self.keep(payload, range, in: &sequence) }
        if let range = packet.pictureParameters { Self.keep(payload, range, in: &picture) }
        if packet.sequenceParameters != nil { satisfied = timestamp }
        guard packet.startsKeyframe, satisfied != timestamp, isComplete else { return false }
        satisfied = timestamp
        return true
    }

    private static func keep(_ payload: RawSpan, _ range: Range<Int>, in set: inout [UInt8]) {
        guard range.count <= maximumCount else { return }
        set.removeAll(keepingCapacity: true)
        for offset in range { set.append(payload.uint8(at: offset)) }
    }

    /// Writes both sets as one STAP-A payload (RFC 6184 §5.7.1) at `offset`.
    ///
    /// - Returns: its length, nil when a set is missing or there is no room.
    package func writeAggregation(into packet: inout MutableRawSpan, at offset: Int) -> Int? {
        let count = 1 + 2 + sequence.count + 2 + picture.count
        guard isComplete, packet.byteCount - offset >= count else { return nil }
        // The importance of a STAP-A is the highest of its units.
        packet.set(max(sequence[0] & 0x60, picture[0] & 0x60) | 24, at: offset)
        packet.set(UInt16(sequence.count), at: offset + 1)
        packet.copy(sequence.span.bytes, at: offset + 3)
        packet.set(UInt16(picture.count), at: offset + 3 + sequence.count)
        packet.copy(picture.span.bytes, at: offset + 5 + sequence.count)
        return count
    }
}
