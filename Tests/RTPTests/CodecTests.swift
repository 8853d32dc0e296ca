import Base
import Testing

@testable import RTP

/// Sums are those that the ITU-T Software Tool Library (G.191, release of openitu/STL) gives for the same inputs.
struct CodecTests {
    @Test func `G 711 encodes every sample as the ITU's own program does`() {
        var (aLaw, muLaw) = (Checksum(), Checksum())
        for sample in Int16.min...Int16.max {
            aLaw.add(G711.aLaw(sample))
            muLaw.add(G711.muLaw(sample))
        }
        #expect(aLaw.value == 0xf030_666e_b780_cf25)
        #expect(muLaw.value == 0x04ec_1f08_3fd7_8c2d)
    }

    @Test func `G 711 decodes every code as the ITU's own program does`() {
        var (aLaw, muLaw) = (Checksum(), Checksum())
        for code in UInt8.min...UInt8.max {
            aLaw.add(G711.linear(aLaw: code))
            muLaw.add(G711.linear(muLaw: code))
        }
        #expect(aLaw.value == 0x693a_40ca_62a3_d2a5)
        #expect(muLaw.value == 0xb91e_65d6_8481_a1a8)
    }

    /// G.711 table 5: one period of a tone of 1 kHz at 0 dBm0, as code words.
    @Test func `G 711 silence and coding again change nothing`() {
        for code in UInt8.min...UInt8.max {
            #expect(G711.aLaw(G711.linear(aLaw: code)) == code)
            // µ-law has two zeros, and the negative one is written as the positive.
            #expect(G711.muLaw(G711.linear(muLaw: code)) == (code == 0x7f ? 0xff : code))
        }
        #expect(G711.muLaw.silence == G711.muLaw(0) && G711.aLaw.silence == G711.aLaw(0))
    }

    @Test func `G 711 frames end where the room ends`() {
        let samples: [Int16] = [0, 1000, -1000, 32_767]
        for law in [G711.aLaw, .muLaw] {
            var packet = [UInt8](repeating: 0xee, count: 5)
            #expect(edit(&packet) { law.encode(samples.span, into: &$0, at: 2) } == 3)
            #expect(edit(&packet) { law.encode(samples.span, into: &$0, at: 9) } == 0)
            var decoded = [Int16](repeating: 7, count: 2)
            var span = decoded.mutableSpan
            #expect(law.decode(packet.span.bytes.extracting(2..<5), into: &span) == 2)
            #expect(abs(Int(decoded[1]) - 1000) < 40)
        }
    }

    /// Noise, squares, silence, saws, a mixture, soft noise, clicks: half a second of each at 16 kHz and more.
    static let signal: [Int16] = {
        var random = Congruential(state: 1)
        return (0..<32_000).map { index in
            let noise = Int16(truncatingIfNeeded: random.next() >> 16)
            switch index / 4000 {
            case 0: return noise
            case 1: return noise >> 4
            case 2: return index / 10 % 2 == 0 ? 32_767 : -32_768
            case 3: return 0
            case 4: return Int16(truncatingIfNeeded: index * 331)
            case 5: return Int16(truncatingIfNeeded: index * 37) >> 1 + noise >> 6
            case 6: return noise >> 8
            default: return index % 97 == 0 ? 32_767 : 0
            }
        }
    }()

    @Test func `G 722 is bit exact with the ITU's own program`() {
        var encoder = G722Encoder()
        var codes = [UInt8](repeating: 0, count: 16_000)
        #expect(edit(&codes) { encoder.encode(Self.signal.span, into: &$0, at: 0) } == 16_000)
        var sum = Checksum()
        for code in codes { sum.add(code) }
        #expect(sum.value == 0xb41b_c31a_3dc4_4ce4)
        #expect(decoded(codes) == 0x2b12_0555_1790_4715)
    }

    @Test func `G 722 decodes what no encoder sends as the ITU's own program does`() {
        var random = Congruential(state: 7)
        let codes = (0..<16_000).map { _ in UInt8(truncatingIfNeeded: random.next() >> 24) }
        #expect(decoded(codes) == 0xe5ee_9005_73e4_a25e)
    }

    private func decoded(_ codes: [UInt8]) -> UInt64 {
        var decoder = G722Decoder()
        var samples = [Int16](repeating: 0, count: 2 * codes.count)
        // In frames of 20 ms, as they arrive.
        var sum = Checksum()
        for start in stride(from: 0, to: codes.count, by: 160) {
            var span = samples.mutableSpan
            let count = decoder.decode(codes.span.bytes.extracting(start..<start + 160), into: &span)
            for index in 0..<count { sum.add(samples[index]) }
        }
        return sum.value
    }

    /// A tone comes back with little noise: delayed by 22 samples of the two filters.
    @Test(arguments: [300.0, 1000, 3000, 5500])
    func `G 722 carries a tone`(frequency: Double) {
        let tone = (0..<8000).map { Int16(10_000 * Resampler.sine(2 * .pi * frequency * Double($0) / 16_000)) }
        var (encoder, decoder) = (G722Encoder(), G722Decoder())
        var codes = [UInt8](repeating: 0, count: 4000)
        _ = edit(&codes) { encoder.encode(tone.span, into: &$0, at: 0) }
        var samples = [Int16](repeating: 0, count: 8000)
        var span = samples.mutableSpan
        _ = decoder.decode(codes.span.bytes, into: &span)
        let ratio = signalToNoise(samples, frequency: frequency, rate: 16_000, skip: 1000)
        #expect(ratio > (frequency < 4000 ? 25 : 12), "\(ratio) dB")
    }
}

/// The power of a tone of this frequency to the power of all else, in dB: the tone is found by least squares.
func signalToNoise(_ samples: [Int16], frequency: Double, rate: Double, skip: Int) -> Double {
    let range = skip..<samples.count - skip
    var (sine, cosine) = (0.0, 0.0)
    let angle = { (index: Int) in 2 * .pi * frequency * Double(index) / rate }
    for index in range {
        sine += Double(samples[index]) * Resampler.sine(angle(index))
        cosine += Double(samples[index]) * Resampler.sine(angle(index) + .pi / 2)
    }
    let scale = 2 / Double(range.count)
    var (signal, noise) = (0.0, 1e-9)
    for index in range {
        let value = scale * (sine * Resampler.sine(angle(index)) + cosine * Resampler.sine(angle(index) + .pi / 2))
        signal += value * value
        noise += (Double(samples[index]) - value) * (Double(samples[index]) - value)
    }
    return decibels(signal / noise)
}

/// Ten times the logarithm to base ten, by counting halvings and a series for the rest.
func decibels(_ ratio: Double) -> Double {
    guard ratio > 0 else { return -.infinity }
    let rest = (ratio.significand - 1) / (ratio.significand + 1)
    var (term, sum, step) = (rest, rest, 1.0)
    while step < 60 {
        term *= rest * rest
        step += 2
        sum += term / step
    }
    return 10 * (Double(ratio.exponent) * 0.301_029_995_664 + 2 * sum * 0.434_294_481_903)
}
