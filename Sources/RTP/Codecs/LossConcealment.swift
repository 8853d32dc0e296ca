/// Hides lost frames of G.711 and G.722 by going on with the pitch (the way of ITU-T G.711 Appendix I).
///
/// All sound passes through, delayed by `delay`, so that the seam where a loss begins can still be smoothed. A loss
/// repeats the last pitch period, after 10 ms the last two, after 20 ms the last three, and fades out over 60 ms; the
/// first good frame is blended with what would have gone on. Numbers of samples are those of 8 kHz, times the rate.
package struct LossConcealment: Sendable {
    /// Everything is silent after this many steps of 10 ms.
    private static let longestLoss = 6

    /// The appendix works in steps of 10 ms.
    private let step: Int
    private let pitches: ClosedRange<Int>
    /// A quarter of the longest pitch: how far the output is behind, in samples.
    package let delay: Int
    /// The latest 48.75 ms, the newest last; the last `delay` of them have not been played.
    private var history: [Float]
    /// The history as it was when the loss began.
    private var pitchBuffer: [Float]
    /// The pitch, how much of the pitch buffer's end is repeated, and where in that the next sample is.
    private var (pitch, period, offset) = (1, 1, 0)
    /// Steps lost so far; zero while all is well.
    private var lostSteps = 0
    /// The step at hand, and the beginning of what the shorter period would have gone on with.
    private var current: [Float]
    private var tail: [Float]

    /// - Parameter sampleRate: 8000 for G.711, 16 000 for G.722.
    package init(sampleRate: Int) {
        precondition(sampleRate >= 8000 && sampleRate % 8000 == 0 && sampleRate <= 48_000, "a multiple of 8 kHz")
        let scale = sampleRate / 8000
        (step, pitches, delay) = (80 * scale, 40 * scale...120 * scale, 30 * scale)
        history = Array(repeating: 0, count: 390 * scale)
        pitchBuffer = history
        (current, tail) = (Array(repeating: 0, count: step), Array(repeating: 0, count: delay))
    }

    /// Takes a good frame, whole steps of 10 ms, and replaces it by what is to be played.
    package mutating func receive(_ frame: inout MutableSpan<Int16>) {
        var start = 0
        while start + step <= frame.count {
            for index in 0..<step { current[index] = Float(frame[start + index]) }
            if lostSteps > 0 { blendIntoGood() }
            lostSteps = 0
            play(into: &frame, at: start)
            start += step
        }
    }

    /// Fills a frame, whole steps of 10 ms, in place of one that never came.
    package mutating func conceal(_ frame: inout MutableSpan<Int16>) {
        var start = 0
        while start + step <= frame.count {
            concealStep()
            play(into: &frame, at: start)
            start += step
        }
    }

    private mutating func concealStep() {
        defer { lostSteps = min(lostSteps + 1, Self.longestLoss) }
        guard lostSteps < Self.longestLoss else {
            for index in current.indices { current[index] = 0 }
            return
        }
        if lostSteps == 0 { beginLoss() }
        let isLonger = (1...2).contains(lostSteps)
        if isLonger { lengthenPeriod() }
        for index in current.indices { current[index] = nextPeriodic() }
        if isLonger { blend(over: pitch / 4) }
        // A fifth less every step after the first.
        let (from, to) = (gain(lostSteps), gain(lostSteps + 1))
        for index in current.indices { current[index] *= from + (to - from) * Float(index) / Float(step) }
    }

    /// How loud the repetition is when `steps` of it have been played.
    private func gain(_ steps: Int) -> Float { max(0, 1 - 0.2 * Float(max(0, steps - 1))) }

    private mutating func beginLoss() {
        for index in history.indices { pitchBuffer[index] = history[index] }
        pitch = findPitch()
        (period, offset) = (pitch, 0)
        // What is not played yet flows into the repetition already.
        let overlap = pitch / 4
        for index in 0..<overlap { history[history.count - overlap + index] = periodic(period - overlap + index) }
    }

    /// One more pitch period is repeated, so that a long loss does not hum.
    private mutating func lengthenPeriod() {
        let saved = offset
        for index in 0..<pitch / 4 { tail[index] = nextPeriodic() }
        offset = saved % pitch
        period += pitch
    }

    /// The tail of what was played before fades into the step at hand.
    private mutating func blend(over overlap: Int) {
        for index in 0..<overlap {
            let weight = Float(index + 1) / Float(overlap + 1)
            current[index] = tail[index] * (1 - weight) + current[index] * weight
        }
    }

    /// A quarter pitch, and 4 ms more for each step lost, up to a whole step.
    private mutating func blendIntoGood() {
        let overlap = min(step, pitch / 4 + (lostSteps - 1) * step * 2 / 5)
        let loudness = lostSteps >= Self.longestLoss ? 0 : gain(lostSteps)
        for index in 0..<overlap {
            let weight = Float(index + 1) / Float(overlap + 1)
            current[index] = nextPeriodic() * loudness * (1 - weight) + current[index] * weight
        }
    }

    private mutating func nextPeriodic() -> Float {
        let sample = periodic(offset)
        offset = offset + 1 == period ? 0 : offset + 1
        return sample
    }

    /// One sample of the repeated part, whose last quarter pitch fades into what stands before its beginning.
    private func periodic(_ index: Int) -> Float {
        let (start, overlap) = (pitchBuffer.count - period, pitch / 4)
        let sample = pitchBuffer[start + index]
        let place = index - (period - overlap)
        guard place >= 0 else { return sample }
        let weight = Float(place + 1) / Float(overlap + 1)
        return sample * (1 - weight) + pitchBuffer[start - overlap + place] * weight
    }

    /// The lag at which the last 20 ms look most like what was before them: coarse first, then around the best.
    private func findPitch() -> Int {
        let stride = 2 * step / 80
        let coarse = bestLag(pitches, by: stride)
        let around = coarse - stride + 1...coarse + stride - 1
        return bestLag(around.clamped(to: pitches), by: 1)
    }

    private func bestLag(_ lags: ClosedRange<Int>, by stride: Int) -> Int {
        let (end, window) = (pitchBuffer.count, 2 * step)
        var (best, bestLag) = (-Float.infinity, lags.lowerBound)
        var lag = lags.lowerBound
        while lag <= lags.upperBound {
            var (correlation, energy) = (Float(0), Float(0))
            var index = end - window
            while index < end {
                correlation += pitchBuffer[index] * pitchBuffer[index - lag]
                energy += pitchBuffer[index - lag] * pitchBuffer[index - lag]
                index += stride
            }
            // The sign of the correlation, and the square of what the appendix compares.
            let likeness = correlation * correlation.magnitude / max(energy, 1)
            if likeness > best { (best, bestLag) = (likeness, lag) }
            lag += stride
        }
        return bestLag
    }

    /// Puts the step at hand into the history and plays what is due.
    private mutating func play(into frame: inout MutableSpan<Int16>, at start: Int) {
        let kept = history.count - step
        for index in 0..<kept { history[index] = history[index + step] }
        for index in 0..<step { history[kept + index] = current[index] }
        for index in 0..<step {
            frame[start + index] = nearestSample(history[kept - delay + index])
        }
    }
}
