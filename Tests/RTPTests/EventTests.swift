import Base
import Testing

@testable import RTP

struct EventTests {
    @Test func `keys and codes`() {
        for key in Array("0123456789*#ABCD".utf8) {
            #expect(TelephoneEvent.code(of: key).flatMap { TelephoneEvent.key(of: $0) } == key)
        }
        #expect(TelephoneEvent.code(of: 0x61) == 12 && TelephoneEvent.code(of: 0x78) == nil)
        #expect(TelephoneEvent.key(of: 16) == nil)
    }

    /// RFC 4733 §5, table 6: the end of the "1" of "911" has a duration of 1760 at volume 10... and its bits.
    @Test func `reads and writes the payload`() throws {
        let event = try TelephoneEvent(parsing: hex("01 8a 06e0").span.bytes)
        #expect(event == TelephoneEvent(code: 1, isEnd: true, volume: 10, duration: 1760))
        var bytes = [UInt8](repeating: 0, count: 6)
        edit(&bytes) { event.write(into: &$0, at: 1) }
        #expect(bytes == hex("00 018a06e0 00"))
        #expect(throws: RTPError.truncated) { try TelephoneEvent(parsing: [UInt8]([1, 2, 3]).span.bytes) }
    }

    /// Every packet of one event with its time.
    private func run(_ sender: inout TelephoneEventSender, until end: Int) -> [(Int, TelephoneEventSender.Packet)] {
        var packets: [(Int, TelephoneEventSender.Packet)] = []
        while let due = sender.nextTimeout, due <= milliseconds(end), packets.count < 10_000 {
            if let packet = sender.poll(at: due) { packets.append((Int(due.nanoseconds / 1_000_000), packet)) }
        }
        return packets
    }

    @Test func `a key of 200 ms, as RFC 4733 section 2 5 1 wants it`() {
        var sender = TelephoneEventSender(clockRate: 8000)
        sender.start(code: 5, duration: .milliseconds(200), timestamp: RTPTimestamp(1000), at: .zero)
        let packets = run(&sender, until: 5000)
        #expect(packets.map(\.0) == [0, 50, 100, 150, 200, 220, 240])
        #expect(packets.map(\.1.event.duration) == [400, 400, 800, 1200, 1600, 1600, 1600])
        #expect(packets.map(\.1.event.isEnd) == [false, false, false, false, true, true, true])
        #expect(packets.map(\.1.marker) == [true, false, false, false, false, false, false])
        #expect(packets.allSatisfy { $0.1.timestamp == RTPTimestamp(1000) && $0.1.event.code == 5 })
        #expect(sender.isIdle)
    }

    @Test func `a key that is let go at once is still heard`() {
        var sender = TelephoneEventSender(clockRate: 8000)
        sender.start(code: 5, duration: nil, timestamp: RTPTimestamp(0), at: .zero)
        _ = sender.poll(at: .zero)
        sender.stop(at: milliseconds(10))
        let packets = run(&sender, until: 5000)
        #expect(packets.last?.1.event == TelephoneEvent(code: 5, isEnd: true, duration: 800))
        #expect(packets.last?.0 == 140)
    }

    @Test func `a long event is told in segments that join`() throws {
        var sender = TelephoneEventSender(clockRate: 48_000)
        sender.start(code: 1, duration: .seconds(5), timestamp: RTPTimestamp(0xffff_0000), at: .zero)
        let packets = run(&sender, until: 9000)
        var starts: [RTPTimestamp] = []
        for (_, packet) in packets where starts.last != packet.timestamp { starts.append(packet.timestamp) }
        #expect(starts.count == 4)
        for (first, second) in zip(starts, starts.dropFirst()) { #expect(second.distance(from: first) == 0xffff) }
        let last = try #require(packets.last?.1)
        #expect(last.timestamp.distance(from: RTPTimestamp(0xffff_0000)) + Int(last.event.duration) == 240_000)
        #expect(packets.filter(\.1.marker).count == 1 && packets.filter(\.1.event.isEnd).count == 3)
    }

    @Test func `a key nobody lets go ends by itself`() {
        var sender = TelephoneEventSender(clockRate: 8000)
        sender.start(code: 1, duration: nil, timestamp: RTPTimestamp(0), at: .zero)
        #expect(run(&sender, until: 100_000).last?.0 == 30_040)
    }

    private func outcomes(_ packets: [TelephoneEventSender.Packet]) -> [TelephoneEventReceiver.Outcome] {
        var receiver = TelephoneEventReceiver()
        return packets.enumerated().map { index, packet in
            receiver.receive(packet.event, timestamp: packet.timestamp, at: milliseconds(index * 50))
        }.filter { $0 != .none }
    }

    @Test func `whatever is lost of an event, it is heard once`() {
        var sender = TelephoneEventSender(clockRate: 8000)
        sender.start(code: 7, duration: .milliseconds(200), timestamp: RTPTimestamp(160), at: .zero)
        let packets = run(&sender, until: 5000).map(\.1)
        for mask in 1..<1 << packets.count {
            let kept = packets.indices.filter { mask >> $0 & 1 == 1 }.map { packets[$0] }
            let found = outcomes(kept)
            let begins = found.filter { if case .began = $0 { true } else { false } }
            if kept.allSatisfy(\.event.isEnd) {
                #expect(found == [.whole(code: 7, ticks: 1600)])
            } else {
                #expect(begins == [.began(code: 7)])
                #expect(found.contains(.ended(code: 7, ticks: 1600)) == kept.contains(where: \.event.isEnd))
            }
        }
    }

    @Test func `a long event is one event`() {
        var sender = TelephoneEventSender(clockRate: 48_000)
        sender.start(code: 1, duration: .seconds(5), timestamp: RTPTimestamp(7), at: .zero)
        let packets = run(&sender, until: 9000).map(\.1)
        #expect(outcomes(packets) == [.began(code: 1), .ended(code: 1, ticks: 240_000)])
    }

    @Test func `the same key twice is two events, also when all ends are lost`() {
        var receiver = TelephoneEventReceiver()
        func hear(_ duration: UInt16, _ timestamp: UInt32, end: Bool = false, at time: Int)
            -> TelephoneEventReceiver.Outcome
        {
            let event = TelephoneEvent(code: 3, isEnd: end, duration: duration)
            return receiver.receive(event, timestamp: RTPTimestamp(timestamp), at: milliseconds(time))
        }
        #expect(hear(400, 0, at: 0) == .began(code: 3))
        #expect(hear(800, 0, at: 50) == .none)
        #expect(hear(400, 4000, at: 500) == .replaced(ended: 3, ticks: 800, began: 3))
        // Reordered, of the first.
        #expect(hear(1200, 0, end: true, at: 510) == .none)
        #expect(receiver.nextTimeout == milliseconds(800))
        #expect(receiver.handleTimeout(at: milliseconds(799)) == .none)
        #expect(receiver.handleTimeout(at: milliseconds(800)) == .ended(code: 3, ticks: 400))
        #expect(receiver.nextTimeout == nil)
        #expect(hear(800, 4000, end: true, at: 900) == .none)
    }

    @Test func `comfort noise has a level`() throws {
        #expect(try ComfortNoise(parsing: [UInt8]([0]).span.bytes).peak == 32_767)
        let quiet = try ComfortNoise(parsing: hex("c0 01 02").span.bytes)
        #expect(quiet.level == 64 && quiet.spectrumCount == 2)
        // 64 dB down: 1/1585.
        #expect((34...37).contains(quiet.peak))
        #expect(throws: RTPError.truncated) { try ComfortNoise(parsing: [UInt8]().span.bytes) }
    }
}
