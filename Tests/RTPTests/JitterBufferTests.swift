import Base
import Testing

@testable import RTP

/// Whole calls in virtual time: packets of 20 ms with a delay each, a pull every 20 ms.
struct JitterBufferTests {
    struct Call {
        var played: [(time: Int, number: Int)] = []
        var lost = 0
        var waits = 0
        var buffer = JitterBuffer(clockRate: 8000)
    }

    /// - Parameters:
    ///   - delay: of a packet in milliseconds, nil when it is lost.
    ///   - interval: the sender's real time between packets, in microseconds: other than 20 000 its clock drifts.
    ///   - timestamp: of a packet, when it is not 160 more than the one before.
    private func call(
        packets: Int, interval: Int = 20_000, first: UInt16 = 65_000, timestamp: (Int) -> Int = { $0 * 160 },
        delay: (Int) -> Int?
    ) -> Call {
        var arrivals: [(time: Int, index: Int)] = []
        for index in 0..<packets {
            if let delay = delay(index) { arrivals.append((timestamp(index) / 160 * interval + delay * 1000, index)) }
        }
        arrivals.sort { $0.time < $1.time }
        var call = Call()
        var next = 0
        var room = [UInt8](repeating: 0, count: 1280)
        let end = timestamp(packets - 1) / 160 * interval + 2_000_000
        for now in stride(from: 0, to: end, by: 20_000) {
            while next < arrivals.count, arrivals[next].time <= now {
                let (time, index) = arrivals[next]
                let packet = header(number: first &+ UInt16(index), timestamp: UInt32(timestamp(index)) &+ 0xffff_0000)
                let payload = [UInt8(truncatingIfNeeded: index >> 8), UInt8(truncatingIfNeeded: index)]
                _ = call.buffer.insert(
                    packet, payload: payload.span.bytes, at: Instant(nanoseconds: Int64(time) * 1000))
                next += 1
            }
            let pull = edit(&room) { call.buffer.pull(into: &$0, at: Instant(nanoseconds: Int64(now) * 1000)) }
            switch pull {
            case .frame: call.played.append((now, Int(room[0]) << 8 | Int(room[1])))
            case .lost: call.lost += 1
            case .wait: call.waits += 1
            }
        }
        return call
    }

    /// Frames only go forwards, and none is held longer than the bounds allow.
    private func check(_ call: Call, timestamp: (Int) -> Int = { $0 * 160 }, interval: Int = 20_000, bound: Int) {
        for (one, other) in zip(call.played, call.played.dropFirst()) { #expect(one.number < other.number) }
        for (time, number) in call.played {
            let age = time - timestamp(number) / 160 * interval
            #expect(age <= bound * 1000, "frame \(number) was played \(age / 1000) ms after it was made")
        }
    }

    @Test func `a steady stream is held for little and plays whole`() {
        let call = call(packets: 500) { _ in 30 }
        check(call, bound: 30 + 70)
        #expect(call.played.count == 500 && call.lost == 0)
    }

    @Test func `loss is told once for each frame`() {
        let call = call(packets: 500) { $0 % 10 == 5 ? nil : 30 }
        check(call, bound: 100)
        #expect(call.played.count == 450)
        #expect((45...50).contains(call.lost))
    }

    @Test(arguments: 1...5)
    func `jitter and reordering cost delay, hardly any frames`(seed: Int) {
        var random = RandomSource(seed: UInt64(seed))
        let delays = (0..<2000).map { _ in 20 + Int(random.next() % 60) }
        let call = call(packets: 2000) { delays[$0] }
        check(call, bound: 20 + 60 + 80)
        #expect(call.played.count > 1900, "\(call.played.count) of 2000")
        // The longest wait between two frames stays what a listener bears.
        #expect(call.buffer.lateCount < 80)
    }

    @Test func `after a storm the delay comes down again`() {
        var random = RandomSource(seed: 9)
        let delays = (0..<3000).map { (1000..<1200).contains($0) ? 20 + Int(random.next() % 250) : 20 }
        let call = call(packets: 3000) { delays[$0] }
        check(call, bound: 20 + 400 + 60)
        let last = call.played.suffix(100)
        for (time, number) in last { #expect(time - number * 20_000 < 120_000) }
    }

    @Test(arguments: [19_990, 20_010, 19_900, 20_100])
    func `a drifting clock is followed for minutes`(interval: Int) {
        let call = call(packets: 6000, interval: interval) { _ in 30 }
        check(call, interval: interval, bound: 120)
        #expect(call.played.count > 5900)
    }

    @Test func `a pause in speech plays on time after it`() {
        let timestamp = { (index: Int) in index < 100 ? index * 160 : (index + 150) * 160 }
        let call = call(packets: 200, timestamp: timestamp) { _ in 30 }
        check(call, timestamp: timestamp, bound: 100)
        #expect(call.played.count == 200 && call.lost == 0)
    }

    @Test func `copies and stale packets are refused`() {
        var buffer = JitterBuffer(clockRate: 8000)
        let payload: [UInt8] = [1]
        func insert(_ number: UInt16, at time: Int) -> Bool {
            buffer.insert(
                header(number: number, timestamp: UInt32(number) * 160), payload: payload.span.bytes,
                at: milliseconds(time))
        }
        #expect([insert(10, at: 0), insert(11, at: 20), insert(11, at: 21)] == [true, true, false])
        var room = [UInt8](repeating: 0, count: 10)
        _ = edit(&room) { buffer.pull(into: &$0, at: milliseconds(100)) }
        _ = edit(&room) { buffer.pull(into: &$0, at: milliseconds(120)) }
        #expect(insert(10, at: 130) == false)
        #expect(buffer.lateCount == 1)
        let long = [UInt8](repeating: 0, count: JitterBuffer.slotCount + 1)
        let isTaken = buffer.insert(header(number: 12), payload: long.span.bytes, at: milliseconds(140))
        #expect(isTaken == false)
        // A wild number is not believed, its successor is.
        #expect(
            [insert(40_000, at: 150), insert(12, at: 160), insert(40_000, at: 170), insert(40_001, at: 190)] == [
                false, true, false, true,
            ])
    }

    /// Any packets in any order: the buffer stays within its slots, and every frame is newer than the one before.
    @Test(arguments: 0..<20)
    func `any input keeps the order`(seed: Int) {
        var random = RandomSource(seed: UInt64(seed))
        var buffer = JitterBuffer(clockRate: 48_000)
        var room = [UInt8](repeating: 0, count: 64)
        var (base, last, now) = (UInt16(0), SequenceNumber?.none, 0)
        for _ in 0..<3000 {
            now += Int(random.next() % 30)
            if random.next() % 3 > 0 {
                if random.next() % 200 == 0 { base = UInt16(truncatingIfNeeded: random.next()) }
                base &+= UInt16(random.next() % 3)
                let number = base &+ UInt16(random.next() % 6)
                let timestamp =
                    random.next() % 50 == 0 ? UInt32(truncatingIfNeeded: random.next()) : UInt32(number) &* 960
                let payload = [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
                _ = buffer.insert(
                    header(number: number, timestamp: timestamp), payload: payload.span.bytes, at: milliseconds(now))
            }
            let pull = edit(&room) { buffer.pull(into: &$0, at: milliseconds(now)) }
            #expect(buffer.count <= JitterBuffer.capacity)
            guard case .frame(2, _, _, _) = pull else { continue }
            let number = SequenceNumber(UInt16(room[0]) << 8 | UInt16(room[1]))
            // A restart of the numbering may go anywhere, but never a little way back.
            if let last {
                let step = number.distance(from: last)
                #expect(step > 0 || step <= -ReceptionStatistics.maximumMisorder, "\(step), seed \(seed)")
            }
            last = number
        }
    }
}
