/// A-law and µ-law of ITU-T Recommendation G.711: eight bits for a sample of 8 kHz sound.
///
/// Samples are linear PCM that fills 16 bits. The segment of a sample is its highest bit, so no tables are needed.
package enum G711: Sendable {
    case aLaw, muLaw

    /// What silence is in this law: the positive zero.
    package var silence: UInt8 { self == .aLaw ? 0xd5 : 0xff }

    /// Appends nothing: writes one byte per sample at `offset`.
    ///
    /// - Returns: how many bytes were written, fewer than samples when the packet ends before.
    package func encode(_ samples: Span<Int16>, into packet: inout MutableRawSpan, at offset: Int) -> Int {
        let count = max(0, min(samples.count, packet.byteCount - offset))
        switch self {
        case .aLaw: for index in 0..<count { packet.set(Self.aLaw(samples[index]), at: offset + index) }
        case .muLaw: for index in 0..<count { packet.set(Self.muLaw(samples[index]), at: offset + index) }
        }
        return count
    }

    /// Decodes a payload.
    ///
    /// - Returns: how many samples were written, fewer than bytes when there is no room.
    package func decode(_ payload: RawSpan, into samples: inout MutableSpan<Int16>) -> Int {
        let count = min(payload.byteCount, samples.count)
        switch self {
        case .aLaw: for index in 0..<count { samples[index] = Self.linear(aLaw: payload.uint8(at: index)) }
        case .muLaw: for index in 0..<count { samples[index] = Self.linear(muLaw: payload.uint8(at: index)) }
        }
        return count
    }

    /// G.711 table 1: thirteen segments on twelve bits and sign; even bits are inverted.
    package static func aLaw(_ sample: Int16) -> UInt8 {
        // The one's complement gives each negative interval the limits of its positive twin.
        let magnitude = UInt16(bitPattern: sample < 0 ? ~sample : sample) >> 4
        let segment = UInt16(max(0, 12 - magnitude.leadingZeroBitCount))
        let mantissa = segment < 2 ? magnitude & 0x1f : magnitude >> (segment - 1) & 0xf | segment << 4
        return UInt8(truncatingIfNeeded: mantissa | (sample < 0 ? 0 : 0x80)) ^ 0x55
    }

    /// The middle of an A-law interval.
    package static func linear(aLaw code: UInt8) -> Int16 {
        let plain = code ^ 0x55
        let segment = Int16(plain >> 4 & 7)
        let mantissa = Int16(plain & 0xf) << 4 + 8
        let magnitude = segment == 0 ? mantissa : (mantissa + 0x100) << (segment - 1)
        return plain & 0x80 != 0 ? magnitude : -magnitude
    }

    /// G.711 table 2: fifteen segments on thirteen bits and sign, 33 added; all bits are inverted.
    package static func muLaw(_ sample: Int16) -> UInt8 {
        let magnitude = min(0x1fff, UInt16(bitPattern: sample < 0 ? ~sample : sample) >> 2 + 33)
        let segment = UInt16(10 - magnitude.leadingZeroBitCount)
        let code = segment << 4 | magnitude >> (segment + 1) & 0xf
        return ~UInt8(truncatingIfNeeded: code | (sample < 0 ? 0x80 : 0))
    }

    /// The middle of a µ-law interval.
    package static func linear(muLaw code: UInt8) -> Int16 {
        let plain = ~code
        let magnitude = (Int16(plain & 0xf) << 3 + 0x84) << Int16(plain >> 4 & 7) - 0x84
        return plain & 0x80 != 0 ? -magnitude : magnitude
    }
}
