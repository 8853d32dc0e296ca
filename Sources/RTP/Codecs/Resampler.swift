/// Changes the sampling rate of a stream of sound between 8, 16 and 48 kHz, or any rates of a small ratio.
///
/// One low-pass filter, cut into phases: raising by L and lowering by M computes each output sample from the inputs
/// around it with the phase that belongs to its place. The filter is a sinc under a Kaiser window: flat to 0.85 of the
/// lower rate's half, 70 dB down where the mirror image begins. It delays by `delay`.
package struct Resampler: Sendable {
    /// The most samples one call takes: 60 ms of 48 kHz.
    package static let maximumFrame = 2880
    /// Taps per phase for each step of the wider rate: what the transition between 0.85 and 1.15 needs.
    private static let tapsPerPhase = 32
    /// Kaiser's shape for side lobes 80 dB down.
    private static let beta = 7.857

    private let raise: Int
    private let lower: Int
    private let taps: Int
    /// Phase after phase, `taps` each, the newest sample's coefficient last.
    private let coefficients: [Float]
    private var history: [Float]
    /// Place of the next output in the input, in units of an input sample divided by `raise`.
    private var position = 0

    /// - Parameters: samples per second; their ratio in lowest terms is at most 16 on either side.
    package init(from input: Int, to output: Int) {
        precondition(input > 0 && output > 0, "a rate is positive")
        let divisor = Self.greatestCommonDivisor(input, output)
        (raise, lower) = (output / divisor, input / divisor)
        precondition(raise <= 16 && lower <= 16, "no filter is made for such a ratio")
        taps = Self.tapsPerPhase * ((lower + raise - 1) / raise)
        coefficients = Self.phases(raise: raise, lower: lower, taps: taps)
        history = Array(repeating: 0, count: taps - 1 + Self.maximumFrame)
    }

    /// By how much the sound comes later, in output samples.
    package var delay: Double { Double(raise * taps - 1) / 2 / Double(lower) }

    /// Converts one frame.
    ///
    /// - Returns: how many samples were written: the frame's length times the ratio when that is a whole number. Samples
    ///   of the frame beyond `maximumFrame`, and outputs without room, are dropped.
    package mutating func process(_ input: Span<Int16>, into output: inout MutableSpan<Int16>) -> Int {
        let count = min(input.count, Self.maximumFrame)
        for index in 0..<count { history[taps - 1 + index] = Float(input[index]) }
        var written = 0
        while position < count * raise {
            if written < output.count {
                let sum = dot(phase: position % raise, from: position / raise)
                output[written] = nearestSample(sum)
                written += 1
            }
            position += lower
        }
        position -= count * raise
        for index in 0..<taps - 1 { history[index] = history[count + index] }
        return written
    }

    /// Eight products at a time: the number of taps is a multiple of eight.
    @inline(__always) private func dot(phase: Int, from start: Int) -> Float {
        history.withUnsafeBufferPointer { history in
            coefficients.withUnsafeBufferPointer { coefficients in
                precondition(start + taps <= history.count && (phase + 1) * taps <= coefficients.count, "out of place")
                let samples = UnsafeRawBufferPointer(history), filter = UnsafeRawBufferPointer(coefficients)
                var sums = SIMD8<Float>()
                var (here, there) = (4 * start, 4 * phase * taps)
                let end = here &+ 4 &* taps
                while here < end {
                    sums +=
                        samples.loadUnaligned(fromByteOffset: here, as: SIMD8<Float>.self)
                        * filter.loadUnaligned(fromByteOffset: there, as: SIMD8<Float>.self)
                    (here, there) = (here &+ 32, there &+ 32)
                }
                return sums.sum()
            }
        }
    }

    private static func phases(raise: Int, lower: Int, taps: Int) -> [Float] {
        let count = raise * taps
        let cutoff = 1 / Double(max(raise, lower))
        let middle = Double(count - 1) / 2
        var prototype = (0..<count).map { index in
            let offset = Double(index) - middle
            let ratio = offset / (middle + 0.5)
            return sinc(offset * cutoff) * bessel(square: beta * beta * (1 - ratio * ratio))
        }
        // Every phase gives a constant back as it came.
        for phase in 0..<raise {
            let sum = stride(from: phase, to: count, by: raise).reduce(0) { $0 + prototype[$1] }
            for index in stride(from: phase, to: count, by: raise) { prototype[index] /= sum }
        }
        return (0..<raise).flatMap { phase in
            (0..<taps).map { Float(prototype[phase + (taps - 1 - $0) * raise]) }
        }
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }

    /// sin(πx) / πx.
    static func sinc(_ x: Double) -> Double { x.magnitude < 1e-9 ? 1 : sine(.pi * x) / (.pi * x) }

    /// The sine by its series, after the angle is brought to half a turn: exact to 1e-12.
    static func sine(_ angle: Double) -> Double {
        let turns = Double(Int(angle / (2 * .pi) + (angle < 0 ? -0.5 : 0.5)))
        let x = angle - turns * 2 * .pi
        var (term, sum, step) = (x, x, 1.0)
        while step < 15 {
            term *= -x * x / ((2 * step) * (2 * step + 1))
            sum += term
            step += 1
        }
        return sum
    }

    /// The modified Bessel function of the first kind and order zero, of the root of `square`.
    private static func bessel(square: Double) -> Double {
        var (term, sum, step) = (1.0, 1.0, 1.0)
        while step < 40 {
            term *= square / (4 * step * step)
            sum += term
            step += 1
        }
        return sum
    }
}
