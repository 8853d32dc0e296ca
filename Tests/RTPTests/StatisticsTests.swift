import Base
import Testing

@testable import RTP

struct StatisticsTests {
    /// Feeds numbers at 20 ms intervals of 160 ticks.
    private func feed(
        _ statistics: inout ReceptionStatistics, _ numbers: [UInt16], from index: Int = 0
    ) -> [ReceptionStatistics.Verdict] {
        numbers.enumerated().map { place, number in
            statistics.receive(
                sequence: SequenceNumber(number), timestamp: RTPTimestamp(UInt32(index + place) * 160),
                at: milliseconds((index + place) * 20))
        }
    }

    /// RFC 3550 §A.1.
    @Test func `a source is believed after two packets in order`() {
        var statistics = ReceptionStatistics(clockRate: 8000)
        #expect(feed(&statistics, [10, 500, 501, 502]) == [.probation, .probation, .newest, .newest])
        #expect(statistics.receivedCount == 2 && statistics.expectedCount == 2)
        var authenticated = ReceptionStatistics(clockRate: 8000, probation: 0)
        #expect(feed(&authenticated, [10]) == [.newest])
    }

    @Test func `counts loss, copies and wraps`() {
        var statistics = ReceptionStatistics(clockRate: 8000, probation: 0)
        #expect(
            feed(&statistics, [0xfffd, 0xfffe, 1, 0xffff, 1, 2]) == [.newest, .newest, .newest, .late, .late, .newest])
        #expect(statistics.extendedHighest == 0x1_0002)
        #expect(statistics.expectedCount == 6)
        // 0 is missing, 1 came twice: the RFC's arithmetic lets the copy hide the loss.
        #expect(statistics.lostCount == 0)
    }

    @Test func `a jump is believed when it goes on`() {
        var statistics = ReceptionStatistics(clockRate: 8000, probation: 0)
        #expect(
            feed(&statistics, [1, 2, 40_000, 3, 40_001, 40_002]) == [
                .newest, .newest, .jumped, .newest, .jumped, .restarted,
            ])
        #expect(statistics.receivedCount == 1)
    }

    /// RFC 3550 §A.3: the fraction is of the interval, the count of all.
    @Test func `tells the loss of each interval`() throws {
        var statistics = ReceptionStatistics(clockRate: 8000, probation: 0)
        _ = feed(&statistics, [0, 1, 2, 4])
        let block = statistics.reportBlock(ssrc: SSRC(1), at: milliseconds(100))
        let first = try #require(block)
        #expect(first.fractionLost == 51 && first.cumulativeLost == 1 && first.extendedHighestSequence == 4)
        _ = feed(&statistics, [5, 6], from: 5)
        let next = statistics.reportBlock(ssrc: SSRC(1), at: milliseconds(200))
        let second = try #require(next)
        #expect(second.fractionLost == 0 && second.cumulativeLost == 1)
    }

    /// RFC 3550 §A.8 by hand: packets 5 ms late every second time are 40 ticks each way.
    @Test func `estimates jitter as the RFC does`() {
        var statistics = ReceptionStatistics(clockRate: 8000, probation: 0)
        var expected = 0.0
        for index in 0..<50 {
            let late = index % 2 == 0 ? 0 : 5
            _ = statistics.receive(
                sequence: SequenceNumber(UInt16(index)), timestamp: RTPTimestamp(UInt32(index * 160)),
                at: milliseconds(index * 20 + late))
            if index > 0 { expected += (40 - expected) / 16 }
        }
        #expect(abs(Double(statistics.jitter) - expected) <= 1.5, "\(statistics.jitter) instead of \(expected)")
    }

    @Test func `a steady stream has no jitter, also after days`() {
        for start in [0, 90_000_000_000] {
            var statistics = ReceptionStatistics(clockRate: 90_000, probation: 0)
            for index in 0..<100 {
                _ = statistics.receive(
                    sequence: SequenceNumber(UInt16(index)), timestamp: RTPTimestamp(UInt32(index * 3000)),
                    at: Instant(nanoseconds: Int64(start) * 1_000_000 + Int64(index) * 100_000_000 / 3))
            }
            #expect(statistics.jitter <= 1)
        }
    }

    @Test(arguments: [8000, 16_000, 48_000, 90_000] as [UInt32])
    func `counts ticks of durations exactly`(rate: UInt32) {
        let ticks = TickCounter(clockRate: rate)
        for count in [0, 10, 20, 60, 1000, 3_600_000] {
            #expect(ticks.count(in: .milliseconds(count)) == count * Int(rate) / 1000)
        }
        #expect(ticks.count(in: .milliseconds(-5)) == 0)
    }

    private func reporter(_ ssrc: UInt32, seed: UInt64) -> RTCPReporter {
        let clock = NTPClock(origin: NTPTimestamp(0xe000_0000_0000_0000), at: .zero)
        return RTCPReporter(
            ssrc: SSRC(ssrc), canonicalName: Array("name".utf8), clockRate: 8000, clock: clock,
            schedule: ReportSchedule(random: RandomSource(seed: seed), at: .zero), at: .zero)
    }

    private func report(_ reporter: inout RTCPReporter, at now: Instant) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = edit(&buffer) { raw in
            var writer = RTCPWriter()
            #expect(reporter.write(&writer, into: &raw, at: now))
            return writer.count
        }
        return Array(buffer[..<count])
    }

    private func deliver(_ bytes: [UInt8], to reporter: inout RTCPReporter, at now: Instant) throws {
        var reader = try RTCPReader(bytes.span.bytes, allowsReducedSize: false)
        while let packet = reader.next(in: bytes.span.bytes) { reporter.receive(packet, in: bytes.span.bytes, at: now) }
    }

    /// RFC 3550 §6.4.1, figure 2, in virtual time: 40 ms one way, 30 ms back.
    @Test func `two reporters measure the round trip`() throws {
        var (anna, bob) = (reporter(1, seed: 1), reporter(2, seed: 2))
        for index in 0..<10 {
            let packet = header(number: UInt16(index), timestamp: UInt32(index * 160), ssrc: 1)
            anna.send(packet, at: milliseconds(index * 20))
            _ = bob.receive(packet, at: milliseconds(index * 20 + 40))
        }
        try deliver(report(&anna, at: milliseconds(1000)), to: &bob, at: milliseconds(1040))
        try deliver(report(&bob, at: milliseconds(3000)), to: &anna, at: milliseconds(3030))
        let roundTrip = try #require(anna.roundTrip)
        #expect(abs(roundTrip.wholeNanoseconds - 70_000_000) < 50_000)
        #expect(anna.remote?.cumulativeLost == 0 && anna.remote?.extendedHighestSequence == 9)
        #expect(bob.roundTrip == nil)
    }

    @Test func `a report says sender only when something was sent since the last`() throws {
        var anna = reporter(1, seed: 1)
        #expect(report(&anna, at: milliseconds(10))[1] == 201)
        anna.send(header(number: 1, timestamp: 80), at: milliseconds(20))
        let bytes = report(&anna, at: milliseconds(120))
        var reader = try RTCPReader(bytes.span.bytes, allowsReducedSize: false)
        guard case .senderReport(_, let information, _) = reader.next(in: bytes.span.bytes) else {
            Issue.record("no sender report")
            return
        }
        #expect(information.timestamp == RTPTimestamp(80 + 800) && information.packetCount == 1)
        #expect(report(&anna, at: milliseconds(5000))[1] == 201)
    }

    @Test func `the last words are a report, the name and BYE`() {
        var anna = reporter(1, seed: 1)
        var buffer = [UInt8](repeating: 0, count: 100)
        let count = edit(&buffer) { anna.writeGoodbye(into: &$0, at: milliseconds(1)) }
        #expect(count == 8 + 16 + 8 && buffer[1] == 201 && buffer[9] == 202 && buffer[25] == 203)
        var small = [UInt8](repeating: 0, count: 20)
        #expect(edit(&small) { anna.writeGoodbye(into: &$0, at: milliseconds(1)) } == nil)
    }

    /// RFC 3550 §6.3.1: between 0.5 and 1.5 times the interval over 1.21828, half of that first.
    @Test func `reports are spread around the interval`() {
        var gaps: [Double] = []
        for seed in 0..<200 {
            var schedule = ReportSchedule(random: RandomSource(seed: UInt64(seed)), at: .zero)
            let first = Double(schedule.nextTimeout.nanoseconds) / 1e9
            #expect((1.0...3.1).contains(first))
            #expect(
                !schedule.isDue(at: schedule.nextTimeout - .nanoseconds(1)) && schedule.isDue(at: schedule.nextTimeout))
            schedule.sent(at: .zero)
            gaps.append(Double(schedule.nextTimeout.nanoseconds) / 1e9)
        }
        #expect(gaps.allSatisfy { (2.05...6.16).contains($0) })
        #expect(abs(gaps.reduce(0, +) / 200 - 4.1) < 0.25)
    }
}
