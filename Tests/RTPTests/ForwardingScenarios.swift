import Base
import Testing

@testable import RTP

/// A video stream crosses a bridge in virtual time: rewritten, kept, lost on its way, asked for and sent again.
struct ForwardingScenarios {
    /// Something on its way, and when it arrives.
    private struct Flight {
        let at: Int
        let bytes: [UInt8]
    }

    private struct Bridge {
        var rewriter: ContinuityRewriter
        var buffer = RetransmissionBuffer(capacity: 256)
        var translator = FeedbackTranslator(media: SSRC(99), method: .pictureLoss, limitsBitrate: false)
    }

    /// The receiver misses nothing in the end although one packet in ten is lost both ways, and no packet comes changed.
    @Test(arguments: 1...8)
    func `what is lost behind the bridge is sent again from its buffer`(seed: Int) throws {
        var random = RandomSource(seed: UInt64(seed))
        var numbers = RandomSource(seed: 7)
        var bridge = Bridge(
            rewriter: ContinuityRewriter(
                ssrc: SSRC(99), clockRate: 90_000, marksStart: false, random: &numbers, at: .zero))
        var tracker = LossTracker()
        var (forwards, backwards): ([Flight], [Flight]) = ([], [])
        var received: [UInt16: [UInt8]] = [:]
        var sent: [UInt16: [UInt8]] = [:]
        for now in 0..<6000 {
            let time = milliseconds(now)
            if now % 5 == 0, now < 5000 {
                let index = now / 5
                var bytes = rtp(
                    type: 96, number: UInt16(truncatingIfNeeded: 65_000 + index), timestamp: UInt32(now * 90),
                    payload: random.bytes(count: Int(random.next() % 1200)))
                let number = try forward(&bytes, through: &bridge, at: time)
                sent[number.rawValue] = bytes
                if random.next() % 10 != 0 {
                    forwards.append(Flight(at: now + 20 + Int(random.next() % 8), bytes: bytes))
                }
            }
            for flight in forwards where flight.at == now {
                let header = try RTPHeader(parsing: flight.bytes.span.bytes)
                tracker.receive(header.sequenceNumber, at: time)
                received[header.sequenceNumber.rawValue] = flight.bytes
            }
            if let report = feedback(&tracker, at: time), random.next() % 10 != 0 {
                backwards.append(Flight(at: now + 20, bytes: report))
            }
            for flight in backwards where flight.at == now {
                for bytes in try answers(to: flight.bytes, from: &bridge, at: time) where random.next() % 10 != 0 {
                    forwards.append(Flight(at: now + 20, bytes: bytes))
                }
            }
            forwards.removeAll { $0.at <= now }
        }
        #expect(tracker.takeKeyframeNeed() == false)
        // Before the first that arrived nobody knew of any; behind the last there is none to show a gap.
        let missing = sent.keys.filter { received[$0] == nil }
        #expect(missing.count <= 4, "\(missing.count) are missing for ever, seed \(seed)")
        for (number, bytes) in received { #expect(sent[number] == bytes) }
    }

    private func forward(
        _ bytes: inout [UInt8], through bridge: inout Bridge, at now: Instant
    ) throws -> SequenceNumber {
        var header = try RTPHeader(parsing: bytes.span.bytes)
        let outcome = bridge.rewriter.rewrite(&header, at: now)
        #expect(outcome == .forward || outcome == .forwardFirst)
        edit(&bytes) { header.write(into: &$0) }
        bridge.buffer.store(bytes.span.bytes, number: header.sequenceNumber, at: now)
        return header.sequenceNumber
    }

    private func feedback(_ tracker: inout LossTracker, at now: Instant) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 400)
        let count = edit(&buffer) { raw in
            var writer = RTCPWriter()
            _ = tracker.write(
                &writer, sources: FeedbackSources(sender: SSRC(1), media: SSRC(99)), roundTrip: .milliseconds(48),
                into: &raw, at: now)
            return writer.count
        }
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    private func answers(to report: [UInt8], from bridge: inout Bridge, at now: Instant) throws -> [[UInt8]] {
        var reader = try RTCPReader(report.span.bytes, allowsReducedSize: true)
        var packets: [[UInt8]] = []
        var room = [UInt8](repeating: 0, count: 1500)
        while let packet = reader.next(in: report.span.bytes) {
            guard case .retransmit(let entries) = bridge.translator.receive(packet, in: report.span.bytes, at: now)
            else { continue }
            for index in 0..<entries.count {
                let entry = entries.entry(index, in: report.span.bytes)
                var position = 0
                while let number = entry.next(&position), bridge.translator.mayRetransmit(at: now) {
                    let count = edit(&room) {
                        bridge.buffer.retrieve(number, into: &$0, quiet: .milliseconds(20), at: now)
                    }
                    if let count { packets.append(Array(room[..<count])) }
                }
            }
        }
        return packets
    }
}
