/// One sub-band of ITU-T Recommendation G.722: its adaptive predictor and quantizer scale (§3.5, §3.6, §6.2).
///
/// Arithmetic is that of §6.2.1: 16-bit values that saturate, products shifted right by 15 and truncated. Names are the
/// recommendation's, without its final L or H.
struct G722Band: Sendable {
    /// Quantizer scale factor (DET) and its logarithm (NB).
    private(set) var scale: Int32
    private var logScale: Int32 = 0
    /// Prediction for the next sample (S), and the part of it that the zeros make (SZ).
    private(set) var prediction: Int32 = 0
    private var zeroPrediction: Int32 = 0
    /// Pole coefficients (A), reconstructed samples (R) and partly reconstructed ones (P), newest first.
    private var (pole1, pole2) = (Int32(0), Int32(0))
    private var (reconstructed1, reconstructed2) = (Int32(0), Int32(0))
    private var (partial1, partial2) = (Int32(0), Int32(0))
    /// Zero coefficients (B) and twice the six quantized differences before (D), newest first; two lanes are unused.
    private var zeros = SIMD8<Int32>()
    private var doubles = SIMD8<Int32>()

    /// The low band starts with a scale of 32, the high band with 8 (§6.2.1.3, §6.2.2.3).
    init(initialScale: Int32) { scale = initialScale }

    /// LOGSCL, LOGSCH, SCALEL, SCALEH (§3.5): the scale follows the size of the code words.
    ///
    /// - Parameters:
    ///   - step: what this code word adds to the logarithm.
    ///   - limit: the largest logarithm.
    ///   - exponent: the power of two that belongs to the logarithm's zero, ten for the high and eight for the low band.
    mutating func adaptScale(step: Int32, limit: Int32, exponent: Int32) {
        logScale = min(limit, max(0, (logScale * 32_512) >> 15 + step))
        let mantissa = Int32(G722Tables.inverseLog[Int(logScale >> 6 & 31)])
        let shift = exponent - logScale >> 11
        scale = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2
    }

    /// Blocks 4 (§3.6): takes the quantized difference of a sample, predicts the next.
    ///
    /// - Returns: the reconstructed sample.
    @discardableResult
    mutating func adaptPredictor(_ difference: Int32) -> Int32 {
        let reconstructed = saturate(prediction + difference)
        let partial = saturate(difference + zeroPrediction)
        adaptPoles(partial)
        adaptZeros(difference)
        zeroPrediction = filterZeros()
        (reconstructed2, reconstructed1) = (reconstructed1, reconstructed)
        (partial2, partial1) = (partial1, partial)
        let first = (pole1 * saturate(reconstructed1 * 2)) >> 15
        let second = (pole2 * saturate(reconstructed2 * 2)) >> 15
        prediction = saturate(saturate(first + second) + zeroPrediction)
        return reconstructed
    }

    /// UPPOL2 and UPPOL1: signs of the partly reconstructed signal pull at the poles, which stay inside the unit circle.
    private mutating func adaptPoles(_ partial: Int32) {
        let isSameAsLast = (partial ^ partial1) >= 0
        let isSameAsBefore = (partial ^ partial2) >= 0
        let quadruple = saturate(pole1 * 4)
        let pull = saturate(isSameAsLast ? -quadruple : quadruple) >> 7 + (isSameAsBefore ? 128 : -128)
        pole2 = min(12_288, max(-12_288, pull + (pole2 * 32_512) >> 15))
        let bound = 15_360 - pole2
        let moved = saturate((isSameAsLast ? 192 : -192) + (pole1 * 32_640) >> 15)
        pole1 = min(bound, max(-bound, moved))
    }

    /// UPZERO, and the delay line. 255/256 of a coefficient and 128 are never more than 16 bits.
    private mutating func adaptZeros(_ difference: Int32) {
        let gain = SIMD8<Int32>(repeating: difference == 0 ? 0 : 128)
        // All ones where the signs differ: there the gain counts negative.
        let isOpposite = (doubles ^ difference) &>> 31
        zeros = zeros &+ (SIMD8() &- zeros) &>> 8 &+ (gain ^ isOpposite) &- isOpposite
        doubles = SIMD8(
            saturate(2 * difference), doubles[0], doubles[1], doubles[2], doubles[3], doubles[4], 0, 0)
    }

    /// FILTEZ: the oldest first, each sum saturated.
    private func filterZeros() -> Int32 {
        let products = (doubles &* zeros) &>> 15
        var sum = saturate(products[5] + products[4])
        sum = saturate(sum + products[3])
        sum = saturate(sum + products[2])
        sum = saturate(sum + products[1])
        return saturate(sum + products[0])
    }
}

/// A number as 16 bits hold it.
@inline(__always) func saturate(_ value: Int32) -> Int32 { min(32_767, max(-32_768, value)) }

/// The quadrature mirror filter of §3.1 and §4.4: 24 coefficients (table 11), each symmetric pair standing once.
///
/// Two delay lines of twelve, written twice so that a window over them never wraps.
struct G722Filter: Sendable {
    private static let coefficients: [Int32] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11]

    private var even = [Int32](repeating: 0, count: 24)
    private var odd = [Int32](repeating: 0, count: 24)
    /// Where the next pair goes; the oldest pair stands there.
    private var position = 0

    /// Puts a pair in, and gives both sums of the recommendation's XA and XB.
    mutating func push(_ first: Int32, _ second: Int32) -> (Int32, Int32) {
        (even[position], even[position + 12]) = (first, first)
        (odd[position], odd[position + 12]) = (second, second)
        position = position == 11 ? 0 : position + 1
        var (a, b) = (Int32(0), Int32(0))
        for tap in 0..<12 {
            a &+= even[position + tap] &* Self.coefficients[tap]
            b &+= odd[position + tap] &* Self.coefficients[11 - tap]
        }
        return (a, b)
    }
}

/// The numbers of the recommendation's tables.
enum G722Tables {
    /// Two to the power of 11 + i/32, rounded: ILA of table 13 with its implied steps (§3.5).
    static let inverseLog: [Int16] = [
        2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960,
        3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
    ]
    /// Decision levels of the six-bit quantizer (Q6).
    static let decisionLevels: [Int32] = [
        35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339,
        1458, 1612, 1765, 1980, 2195, 2557, 2919,
    ]
    /// Output levels of the six-bit quantizer (OQ6), by magnitude.
    static let outputLevels6: [Int32] = [
        17, 54, 91, 130, 170, 211, 254, 300, 347, 396, 447, 501, 558, 618, 682, 750, 822, 899, 982, 1072, 1170, 1279,
        1399, 1535, 1689, 1873, 2088, 2376, 2738, 3101,
    ]
    /// Output levels of the four-bit quantizer (OQ4), and what each adds to the scale (WL), by magnitude.
    static let outputLevels4: [Int32] = [0, 150, 323, 530, 786, 1121, 1612, 2557]
    static let scaleSteps: [Int32] = [-60, -30, 58, 172, 334, 538, 1198, 3042]
}

/// What a code word means, both bands (§3.3, §3.4, tables 17 to 21).
enum G722Code {
    /// The magnitude of the upper four bits of a low band code word: 0 to 7.
    @inline(__always) static func magnitude4(_ code: Int32) -> Int {
        let four = Int(code >> 2)
        // 1 to 7 are negative and 8 to 15 positive, each with the large ones first; 0 and 15 are the smallest.
        return four == 0 ? 0 : four < 8 ? 8 - four : 15 - four
    }

    /// The difference that the low band's predictors see (INVQAL): four bits, since the others may be data.
    @inline(__always) static func difference4(_ code: Int32, scale: Int32) -> Int32 {
        let level = G722Tables.outputLevels4[magnitude4(code)] << 3
        return (scale * (code >> 2 < 8 ? -level : level)) >> 15
    }

    /// The difference that the low band's listener hears (INVQBL): all six bits.
    @inline(__always) static func difference6(_ code: Int32, scale: Int32) -> Int32 {
        let index: Int
        let isNegative: Bool
        switch code {
        case ..<4: (index, isNegative) = (0, true)
        case ..<32: (index, isNegative) = (Int(33 - code), true)
        case ..<62: (index, isNegative) = (Int(61 - code), false)
        default: (index, isNegative) = (Int(63 - code), true)
        }
        let level = G722Tables.outputLevels6[index] << 3
        return (scale * (isNegative ? -level : level)) >> 15
    }

    /// The high band's difference (INVQAH): 0 and 1 are negative, 0 and 2 are large.
    @inline(__always) static func differenceHigh(_ code: Int32, scale: Int32) -> Int32 {
        let level: Int32 = (code & 1 == 0 ? 926 : 202) << 3
        return (scale * (code < 2 ? -level : level)) >> 15
    }
}

extension G722Band {
    /// Adapts the low band to a code word of six bits.
    @inline(__always) mutating func advanceLow(_ code: Int32) {
        let difference = G722Code.difference4(code, scale: scale)
        adaptScale(step: G722Tables.scaleSteps[G722Code.magnitude4(code)], limit: 18_432, exponent: 8)
        adaptPredictor(difference)
    }

    /// Adapts the high band to a code word of two bits; returns the reconstructed sample.
    @inline(__always) mutating func advanceHigh(_ code: Int32) -> Int32 {
        let difference = G722Code.differenceHigh(code, scale: scale)
        adaptScale(step: code & 1 == 0 ? 798 : -214, limit: 22_528, exponent: 10)
        return adaptPredictor(difference)
    }
}
