import Base
import Testing

@testable import RTP

struct ContinuityTests {
    private func rewriter(marks: Bool = true, seed: UInt64 = 1, clockRate: UInt32 = 8000) -> ContinuityRewriter {
        var random = RandomSource(seed: seed)
        return ContinuityRewriter(ssrc: SSRC(99), clockRate: clockRate, marksStart: marks, random: &random, at: .zero)
    }

    /// Sends one packet; gives what went out, nil when it was dropped.
    private func send(
        _ rewriter: inout ContinuityRewriter, _ number: UInt16, timestamp: UInt32, ssrc: UInt32 = 1, at time: Int
    ) -> RTPHeader? {
        var packet = header(number: number, timestamp: timestamp, ssrc: ssrc)
        switch rewriter.rewrite(&packet, at: milliseconds(time)) {
        case .forward, .forwardFirst: return packet
        case .drop, .retired: return nil
        }
    }

    @Test func `loss stays a gap, reordering stays reordering`() throws {
        var rewriter = rewriter()
        let first = try #require(send(&rewriter, 0xfffe, timestamp: 0, at: 0))
        #expect(first.ssrc == SSRC(99) && first.marker)
        #expect(first.sequenceNumber.rawValue <= 0x8000)
        let later = try #require(send(&rewriter, 1, timestamp: 480, at: 60))
        #expect(later.sequenceNumber.distance(from: first.sequenceNumber) == 3 && !later.marker)
        #expect(later.timestamp.distance(from: first.timestamp) == 480)
        let late = try #require(send(&rewriter, 0xffff, timestamp: 160, at: 61))
        #expect(late.sequenceNumber == first.sequenceNumber + 1)
        #expect(late.timestamp.distance(from: first.timestamp) == 160)
    }

    @Test func `a new source goes on where the old one stopped, by the clock`() throws {
        var rewriter = rewriter()
        let old = try #require(send(&rewriter, 10, timestamp: 1000, at: 0))
        let new = try #require(send(&rewriter, 60_000, timestamp: 77, ssrc: 2, at: 60_000))
        #expect(new.sequenceNumber == old.sequenceNumber + 1)
        #expect(new.timestamp.distance(from: old.timestamp) == 480_000)
        #expect(new.marker)
        // What was still under way from the old source does not turn the stream back.
        #expect(send(&rewriter, 11, timestamp: 1160, at: 60_500) == nil)
        #expect(send(&rewriter, 60_001, timestamp: 237, ssrc: 2, at: 60_020)?.sequenceNumber == new.sequenceNumber + 1)
        // After a while it may come back.
        #expect(send(&rewriter, 12, timestamp: 1320, at: 61_100)?.sequenceNumber == new.sequenceNumber + 2)
    }

    @Test func `numbers that begin anew under one SSRC are believed with the second packet`() throws {
        var rewriter = rewriter()
        _ = send(&rewriter, 100, timestamp: 0, at: 0)
        let before = try #require(send(&rewriter, 101, timestamp: 160, at: 20))
        #expect(send(&rewriter, 40_000, timestamp: 9_999_999, at: 40) == nil)
        let after = try #require(send(&rewriter, 40_001, timestamp: 10_000_159, at: 60))
        #expect(after.sequenceNumber == before.sequenceNumber + 1)
        #expect(after.timestamp.distance(from: before.timestamp) == 320)
        // One wild packet changes nothing.
        #expect(send(&rewriter, 5, timestamp: 1, at: 70) == nil)
        #expect(send(&rewriter, 40_002, timestamp: 10_000_319, at: 80)?.sequenceNumber == after.sequenceNumber + 1)
    }

    @Test func `timestamps that begin anew within one numbering go on`() throws {
        var rewriter = rewriter()
        let before = try #require(send(&rewriter, 1, timestamp: 4_000_000_000, at: 0))
        let after = try #require(send(&rewriter, 2, timestamp: 5, at: 20))
        #expect(after.timestamp.distance(from: before.timestamp) == 160)
    }

    @Test func `silence in one stream is its own affair`() throws {
        var rewriter = rewriter()
        let before = try #require(send(&rewriter, 1, timestamp: 0, at: 0))
        let after = try #require(send(&rewriter, 2, timestamp: 40 * 8000, at: 40_000))
        #expect(after.timestamp.distance(from: before.timestamp) == 40 * 8000)
    }

    @Test func `packets taken out and put in leave no gap and no double`() throws {
        var rewriter = rewriter()
        let first = try #require(send(&rewriter, 1, timestamp: 0, at: 0))
        rewriter.skip(header(number: 2, timestamp: 160, ssrc: 1))
        rewriter.skip(header(number: 3, timestamp: 320, ssrc: 1))
        let fourth = try #require(send(&rewriter, 4, timestamp: 480, at: 60))
        #expect(fourth.sequenceNumber == first.sequenceNumber + 1)
        let own = rewriter.insert(payloadType: PayloadType(101), payloadCount: 4, at: milliseconds(70))
        #expect(own.sequenceNumber == first.sequenceNumber + 2 && own.ssrc == SSRC(99))
        #expect(own.timestamp.distance(from: fourth.timestamp) == 80)
        let fifth = try #require(send(&rewriter, 5, timestamp: 640, at: 80))
        #expect(fifth.sequenceNumber == first.sequenceNumber + 3)
        // A copy of the fourth, late, keeps the number it had.
        #expect(send(&rewriter, 4, timestamp: 480, at: 90)?.sequenceNumber == fourth.sequenceNumber)
    }

    @Test func `a codec with another clock goes on at its rate`() throws {
        var rewriter = rewriter()
        let before = try #require(send(&rewriter, 1, timestamp: 0, at: 0))
        rewriter.setClockRate(48_000)
        let after = try #require(send(&rewriter, 2, timestamp: 123_456, at: 20))
        #expect(after.timestamp.distance(from: before.timestamp) == 960)
        #expect(after.sequenceNumber == before.sequenceNumber + 1)
    }

    /// Whatever comes, no outgoing number is used for two packets, and the newest rises by less than half the circle.
    @Test(arguments: 0..<20)
    func `any order of packets gives one stream`(seed: Int) {
        var random = RandomSource(seed: UInt64(seed))
        var rewriter = rewriter(seed: UInt64(seed))
        var (base, ssrc, now) = (UInt16(truncatingIfNeeded: random.next()), UInt32(1), 0)
        var used: [Int: String] = [:]
        var newest: (number: SequenceNumber, extended: Int)?
        for index in 0..<3000 {
            now += 20
            let jitter = UInt16(truncatingIfNeeded: random.next() % 4)
            let number = base &+ UInt16(truncatingIfNeeded: index) &- jitter
            var packet = header(number: number, timestamp: UInt32(number) &* 160, ssrc: ssrc)
            switch random.next() % 100 {
            case 0: (base, ssrc) = (UInt16(truncatingIfNeeded: random.next()), ssrc + 1)
            case 1: base = UInt16(truncatingIfNeeded: random.next())
            case 2: rewriter.skip(packet)
            case 3: rewriter.expectNewSource()
            default: break
            }
            let origin: String
            if random.next() % 20 == 0 {
                packet = rewriter.insert(payloadType: PayloadType(101), payloadCount: 4, at: milliseconds(now))
                origin = "own \(index)"
            } else {
                origin = "\(packet.ssrc) \(packet.sequenceNumber)"
                let outcome = rewriter.rewrite(&packet, at: milliseconds(now))
                guard outcome == .forward || outcome == .forwardFirst else { continue }
            }
            let step = newest.map { packet.sequenceNumber.distance(from: $0.number) } ?? 0
            let extended = (newest?.extended ?? 0) + step
            #expect(step < ReceptionStatistics.maximumDropout, "a jump of \(step)")
            // The same packet may come twice; two packets may not share a number.
            if let other = used[extended] { #expect(other == origin, "number \(extended) twice, seed \(seed)") }
            used[extended] = origin
            if step >= 0 { newest = (packet.sequenceNumber, extended) }
        }
    }

    @Test func `feedback finds its way back`() {
        var map = SequenceMap()
        for index in 0..<3000 {
            map.record(outgoing: SequenceNumber(64_000) + index, incoming: SequenceNumber(100) + 2 * index)
        }
        #expect(map.incoming(of: SequenceNumber(64_000) + 2999) == SequenceNumber(100) + 5998)
        #expect(map.incoming(of: SequenceNumber(64_000) + 1976) == SequenceNumber(100) + 3952)
        #expect(map.incoming(of: SequenceNumber(64_000) + 1975) == nil)
        #expect(SequenceMap().incoming(of: SequenceNumber(0)) == nil)
    }

    @Test func `packets are sent again once per round trip`() {
        var buffer = RetransmissionBuffer(capacity: 16)
        for index in 0..<20 {
            let packet = rtp(number: UInt16(index), payload: [UInt8](repeating: UInt8(index), count: index))
            buffer.store(packet.span.bytes, number: SequenceNumber(UInt16(index)), at: milliseconds(index))
        }
        var out = [UInt8](repeating: 0, count: 40)
        let quiet = Duration.milliseconds(30)
        func ask(_ number: UInt16, at time: Int) -> Int? {
            edit(&out) { buffer.retrieve(SequenceNumber(number), into: &$0, quiet: quiet, at: milliseconds(time)) }
        }
        #expect(ask(3, at: 100) == nil)
        #expect(ask(10, at: 39) == nil)
        #expect(ask(10, at: 100) == 22)
        #expect(Array(out[..<22]) == rtp(number: 10, payload: [UInt8](repeating: 10, count: 10)))
        #expect(ask(10, at: 110) == nil && ask(10, at: 130) == 22)
        #expect(ask(26, at: 200) == nil)
        var small = [UInt8](repeating: 0, count: 13)
        #expect(
            edit(&small) { buffer.retrieve(SequenceNumber(19), into: &$0, quiet: quiet, at: milliseconds(300)) } == nil)
        buffer.store([UInt8](repeating: 0, count: 1473).span.bytes, number: SequenceNumber(40), at: .zero)
        #expect(ask(40, at: 400) == nil)
    }

    /// RFC 4588 §4, there and back, with an extension that stays.
    @Test func `a retransmission stream carries the number and gives the packet back`() throws {
        let original = RTPHeaderTests.full
        var buffer = RetransmissionBuffer(capacity: 16)
        buffer.store(original.span.bytes, number: SequenceNumber(0x1234), at: .zero)
        var out = [UInt8](repeating: 0, count: 60)
        let wanted = header(type: 97, number: 7, ssrc: 0x77)
        let count = edit(&out) {
            buffer.retrieve(SequenceNumber(0x1234), as: wanted, into: &$0, quiet: .zero, at: milliseconds(1))
        }
        #expect(count == original.count + 2)
        var packet = Array(out[..<(try #require(count))])
        var read = try RTPHeader(parsing: packet.span.bytes)
        #expect(
            read.sequenceNumber == SequenceNumber(7) && read.ssrc == SSRC(0x77) && read.payloadType == PayloadType(97))
        #expect(packet[read.payloadOffset..<read.payloadOffset + 2] == [0x12, 0x34])
        let start = edit(&packet) {
            read.restoreRetransmission(payloadType: PayloadType(99), ssrc: SSRC(0xdead_beef), in: &$0)
        }
        #expect(Array(packet[(start ?? 0)...]) == original)
        #expect(try RTPHeader(parsing: packet.span.bytes.extracting(2..<packet.count)) == read)
    }

    private func nack(_ tracker: inout LossTracker, roundTrip: Int = 50, at time: Int) -> [UInt16] {
        var buffer = [UInt8](repeating: 0, count: 600)
        let count = edit(&buffer) { raw in
            var writer = RTCPWriter()
            let sources = FeedbackSources(sender: SSRC(1), media: SSRC(2))
            let wrote = tracker.write(
                &writer, sources: sources, roundTrip: .milliseconds(roundTrip), into: &raw, at: milliseconds(time))
            #expect(wrote == (writer.count > 0))
            return writer.count
        }
        var numbers: [UInt16] = []
        let bytes = Array(buffer[..<count])
        guard var reader = try? RTCPReader(bytes.span.bytes, allowsReducedSize: true),
            case .nack(_, let entries) = reader.next(in: bytes.span.bytes)
        else { return [] }
        for index in 0..<entries.count {
            var position = 0
            let entry = entries.entry(index, in: bytes.span.bytes)
            while let number = entry.next(&position) { numbers.append(number.rawValue) }
        }
        return numbers
    }

    @Test func `missing packets are asked for after a moment, then once per round trip`() {
        var tracker = LossTracker()
        for number: UInt16 in [0xfffc, 0xfffe, 2, 30] { tracker.receive(SequenceNumber(number), at: .zero) }
        #expect(nack(&tracker, at: 5).isEmpty)
        #expect(tracker.nextTimeout == milliseconds(10))
        tracker.receive(SequenceNumber(0xffff), at: milliseconds(6))
        let all = [0xfffd, 0, 1] + Array(3...29)
        #expect(nack(&tracker, at: 10) == all.map { UInt16($0) })
        #expect(nack(&tracker, at: 30).isEmpty)
        for number: UInt16 in 3...29 { tracker.receive(SequenceNumber(number), at: milliseconds(31)) }
        #expect(nack(&tracker, at: 60) == [0xfffd, 0, 1])
        #expect(tracker.takeKeyframeNeed() == false)
    }

    @Test func `what never comes ends in a keyframe`() {
        var tracker = LossTracker()
        for number: UInt16 in [0, 2] { tracker.receive(SequenceNumber(number), at: .zero) }
        var times = 0
        for time in stride(from: 10, through: 2000, by: 10) where !nack(&tracker, at: time).isEmpty { times += 1 }
        #expect(times == LossTracker.maximumTries)
        #expect([tracker.takeKeyframeNeed(), tracker.takeKeyframeNeed()] == [true, false])
        #expect(tracker.missingCount == 0 && tracker.nextTimeout == nil)
        tracker.receive(SequenceNumber(500), at: milliseconds(2001))
        #expect(tracker.takeKeyframeNeed() == true)
        #expect(tracker.missingCount == 0)
    }
}
