import Base
import Testing

@testable import RTP

struct SoundTests {
    private func tone(_ frequency: Double, rate: Int, count: Int, amplitude: Double = 12_000) -> [Int16] {
        (0..<count).map { Int16(amplitude * Resampler.sine(2 * .pi * frequency * Double($0) / Double(rate))) }
    }

    private func resample(_ samples: [Int16], from: Int, to: Int, frame: Int = 20) -> [Int16] {
        var resampler = Resampler(from: from, to: to)
        var all: [Int16] = []
        var room = [Int16](repeating: 0, count: to * frame / 1000 + 1)
        for start in stride(from: 0, to: samples.count, by: from * frame / 1000) {
            var span = room.mutableSpan
            let end = min(samples.count, start + from * frame / 1000)
            let count = resampler.process(samples.span.extracting(start..<end), into: &span)
            all += room[..<count]
        }
        return all
    }

    static let rates = [
        (8000, 16_000), (16_000, 8000), (8000, 48_000), (48_000, 8000), (16_000, 48_000), (48_000, 16_000),
    ]

    /// Clean up to 3300 and 6600 Hz, wherever the tone lies.
    @Test(arguments: rates)
    func `resampling keeps a tone clean`(from: Int, to: Int) {
        for share in [0.01, 0.1, 0.25, 0.41] {
            // Whole periods in what is measured, so that the measurement itself is clean.
            let frequency = 50 * Double(Int(Double(min(from, to)) * share / 50 + 0.5))
            let result = resample(tone(frequency, rate: from, count: from / 2), from: from, to: to)
            #expect(result.count == to / 2)
            let ratio = signalToNoise(result, frequency: frequency, rate: Double(to), skip: to / 50)
            #expect(ratio > 65, "\(frequency) Hz: \(ratio) dB")
        }
    }

    /// What does not fit the lower rate does not come back as something else.
    @Test(arguments: [(16_000, 8000), (48_000, 8000), (48_000, 16_000)])
    func `resampling downwards leaves no mirror image`(from: Int, to: Int) {
        let result = resample(tone(Double(to) * 0.6, rate: from, count: from / 2), from: from, to: to)
        let loudest = result[(to / 50)...].map { abs(Int($0)) }.max() ?? 0
        #expect(loudest < 8, "\(loudest)")
    }

    @Test(arguments: rates)
    func `frames of any length give the same sound`(from: Int, to: Int) {
        let samples = tone(440, rate: from, count: from / 10)
        #expect(resample(samples, from: from, to: to, frame: 10) == resample(samples, from: from, to: to, frame: 50))
    }

    @Test func `a constant stays a constant, full scale does not wrap`() {
        let loud = resample([Int16](repeating: .min, count: 800), from: 8000, to: 48_000)
        #expect(loud[400...].allSatisfy { $0 <= -32_700 })
    }

    /// Plays a tone through concealment, losing the given frames of 20 ms; gives what was heard.
    private func play(_ samples: [Int16], rate: Int, losing lost: Set<Int>) -> [Int16] {
        var concealment = LossConcealment(sampleRate: rate)
        var heard: [Int16] = []
        let size = rate / 50
        for frame in 0..<samples.count / size {
            var buffer = Array(samples[frame * size..<(frame + 1) * size])
            var span = buffer.mutableSpan
            if lost.contains(frame) { concealment.conceal(&span) } else { concealment.receive(&span) }
            heard += buffer
        }
        return heard
    }

    @Test(arguments: [8000, 16_000])
    func `without loss the sound is only delayed`(rate: Int) {
        let samples = CodecTests.signal
        let heard = play(samples, rate: rate, losing: [])
        let delay = LossConcealment(sampleRate: rate).delay
        #expect(Array(heard[delay...]) == Array(samples[..<(samples.count - delay)]))
    }

    @Test(arguments: [8000, 16_000])
    func `a lost frame of a vowel is hardly heard`(rate: Int) {
        // A voice of 125 Hz with harmonics: the pitch is exact, so the repetition nearly is.
        let samples = (0..<rate).map { index in
            var sum = 0.0
            for harmonic in 1...6 {
                let angle: Double = 2 * .pi * 125 * Double(harmonic * index) / Double(rate)
                sum += 4000 / Double(harmonic) * Resampler.sine(angle)
            }
            return Int16(sum)
        }
        let delay = LossConcealment(sampleRate: rate).delay
        let heard = play(samples, rate: rate, losing: [10, 25])
        var (signal, noise) = (0.0, 1.0)
        for index in (10 * rate / 50)..<(12 * rate / 50) {
            let expected = Double(samples[index - delay])
            signal += expected * expected
            noise += (Double(heard[index]) - expected) * (Double(heard[index]) - expected)
        }
        // The second half of the frame is a tenth softer on average, by design.
        #expect(decibels(signal / noise) > 16, "\(decibels(signal / noise)) dB")
    }

    @Test func `a long loss fades to silence and comes back whole`() {
        let samples = tone(200, rate: 8000, count: 8000)
        let heard = play(samples, rate: 8000, losing: Set(20..<30))
        let delay = 30
        #expect(heard[(20 * 160 + 480 + delay)..<(30 * 160)].allSatisfy { $0 == 0 })
        #expect(heard[(20 * 160)..<(20 * 160 + 80)].contains { abs(Int($0)) > 8000 })
        #expect(Array(heard[(31 * 160 + delay)...]) == Array(samples[(31 * 160)..<(8000 - delay)]))
    }

    @Test func `no loss pattern makes a sample that was not there`() {
        var random = RandomSource(seed: 4)
        for _ in 0..<5 {
            let lost = Set((0..<50).filter { _ in random.next() % 3 == 0 })
            let heard = play(tone(313, rate: 8000, count: 8000, amplitude: 9000), rate: 8000, losing: lost)
            #expect(heard.allSatisfy { abs(Int($0)) <= 13_000 })
        }
    }
}
