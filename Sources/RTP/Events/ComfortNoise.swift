/// A comfort noise payload: the level of the noise while nobody speaks (RFC 3389 §3).
package struct ComfortNoise: Equatable, Sendable {
    /// Level without its sign in dBov: 0 is the loudest the codec can make, 127 silence.
    package let level: UInt8
    /// How many bytes of spectral information follow. We make white noise and read no further.
    package let spectrumCount: Int

    package init(parsing payload: RawSpan) throws(RTPError) {
        guard payload.byteCount >= 1 else { throw .truncated }
        level = payload.uint8(at: 0) & 0x7f
        spectrumCount = payload.byteCount - 1
    }

    /// The loudest sample of white noise at this level: the square root of three times the noise's effective value.
    ///
    /// 0 dBov is a square wave of full scale (RFC 3389 §3).
    package var peak: Int16 {
        var amplitude = 32_767.0 * 1.732
        for _ in 0..<level { amplitude *= 0.891_250_938 }
        return Int16(min(32_767, amplitude))
    }
}
