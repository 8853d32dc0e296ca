/// ITU-T Recommendation G.722 at 64 kbit/s, encoding: 16 kHz sound, one byte for two samples (§3).
///
/// ```
/// 16 kHz -> QMF -> low band, 8 kHz  -> ADPCM 6 bits \
///               -> high band, 8 kHz -> ADPCM 2 bits -> high, low in one byte
/// ```
package struct G722Encoder: Sendable {
    private var filter = G722Filter()
    private var low = G722Band(initialScale: 32)
    private var high = G722Band(initialScale: 8)

    package init() {}

    /// Writes one byte for each pair of samples at `offset`.
    ///
    /// - Returns: how many bytes were written.
    package mutating func encode(_ samples: Span<Int16>, into packet: inout MutableRawSpan, at offset: Int) -> Int {
        let count = max(0, min(samples.count / 2, packet.byteCount - offset))
        for index in 0..<count {
            packet.set(encode(samples[2 * index], samples[2 * index + 1]), at: offset + index)
        }
        return count
    }

    private mutating func encode(_ first: Int16, _ second: Int16) -> UInt8 {
        let (a, b) = filter.push(Int32(first), Int32(second))
        let lowCode = encodeLow(Self.limit((a &+ b) >> 14))
        let highCode = encodeHigh(Self.limit((b &- a) >> 14))
        return UInt8(truncatingIfNeeded: highCode << 6 | lowCode)
    }

    /// SUBTRA, QUANTL (§3.2, §3.3).
    private mutating func encodeLow(_ sample: Int32) -> Int32 {
        let error = saturate(sample - low.prediction)
        let magnitude = error < 0 ? ~error : error
        // The levels rise, so halving finds the interval in five steps: 0 to 29.
        var (interval, end) = (0, G722Tables.decisionLevels.count)
        while interval < end {
            let middle = (interval + end) / 2
            let level = (G722Tables.decisionLevels[middle] << 3 * low.scale) >> 15
            if magnitude < level { end = middle } else { interval = middle + 1 }
        }
        let code = Int32(error < 0 ? (interval < 2 ? 63 - interval : 33 - interval) : 61 - interval)
        low.advanceLow(code)
        return code
    }

    /// SUBTRA, QUANTH: two intervals on each side, 564 between them.
    private mutating func encodeHigh(_ sample: Int32) -> Int32 {
        let error = saturate(sample - high.prediction)
        let magnitude = error < 0 ? ~error : error
        let isLarge = magnitude >= (564 << 3 * high.scale) >> 15
        let code: Int32 = (error < 0 ? 1 : 3) - (isLarge ? 1 : 0)
        _ = high.advanceHigh(code)
        return code
    }

    /// The sub-band signals have 15 bits.
    static func limit(_ value: Int32) -> Int32 { min(16_383, max(-16_384, value)) }
}

/// ITU-T Recommendation G.722 in mode 1, 64 kbit/s, decoding (§4).
package struct G722Decoder: Sendable {
    private var filter = G722Filter()
    private var low = G722Band(initialScale: 32)
    private var high = G722Band(initialScale: 8)

    package init() {}

    /// Decodes a payload, two samples of 16 kHz for each byte.
    ///
    /// - Returns: how many samples were written.
    package mutating func decode(_ payload: RawSpan, into samples: inout MutableSpan<Int16>) -> Int {
        let count = min(payload.byteCount, samples.count / 2)
        for index in 0..<count {
            let (first, second) = decode(payload.uint8(at: index))
            samples[2 * index] = first
            samples[2 * index + 1] = second
        }
        return 2 * count
    }

    private mutating func decode(_ byte: UInt8) -> (Int16, Int16) {
        let lowCode = Int32(byte & 0x3f)
        let heard = G722Code.difference6(lowCode, scale: low.scale)
        let lowSample = G722Encoder.limit(saturate(low.prediction + heard))
        low.advanceLow(lowCode)
        let highSample = G722Encoder.limit(high.advanceHigh(Int32(byte >> 6)))
        let (a, b) = filter.push(lowSample + highSample, lowSample - highSample)
        return (Int16(saturate(b >> 11)), Int16(saturate(a >> 11)))
    }
}
