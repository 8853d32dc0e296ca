import Base
import Testing

@testable import RTP

struct RTCPTests {
    /// What a compound says, one line for each packet.
    private func describe(_ bytes: [UInt8], reduced: Bool = false) throws -> [RTCPPacket] {
        var reader = try RTCPReader(bytes.span.bytes, allowsReducedSize: reduced)
        var packets: [RTCPPacket] = []
        while let packet = reader.next(in: bytes.span.bytes) { packets.append(packet) }
        return packets
    }

    @Test func `reads a sender report with a block, and names`() throws {
        let bytes = hex(
            """
            81 c8 000c 00000001 83aa7e80 80000000 00000400 00000010 00000a00
            00000002 40 ffffff 00010005 00000020 7e808000 00010000
            81 ca 0004 00000001 01 05 6861726c61 08 00 000000
            """)
        let packets = try describe(bytes)
        guard packets.count == 2, case .senderReport(let ssrc, let information, let blocks) = packets[0],
            case .sourceDescription(var names) = packets[1]
        else {
            Issue.record("read as \(packets)")
            return
        }
        #expect(ssrc == SSRC(1))
        #expect(information.time.middle == 0x7e80_8000)
        #expect(information.packetCount == 16 && information.octetCount == 2560)
        let block = blocks.entry(0, in: bytes.span.bytes)
        #expect(block.fractionLost == 64 && block.cumulativeLost == -1 && block.extendedHighestSequence == 0x1_0005)
        let name = names.next(in: bytes.span.bytes)
        #expect(name?.type == 1 && name.map { Array(bytes[$0.text]) } == Array("harla".utf8))
        // Type 8 with a length of zero follows, then the end.
        #expect(names.next(in: bytes.span.bytes)?.type == 8)
        #expect(names.next(in: bytes.span.bytes) == nil)
    }

    @Test(arguments: [
        ("", RTPError.truncated), ("80c9", .truncated), ("80 c9 0001", .truncated),
        ("80 c9 0001 00000001 80", .truncated),
        ("40 c9 0001 00000001", .wrongVersion), ("81 ca 0000", .notCompound),
        ("a0 c9 0001 00000004 80 cb 0000", .badPadding), ("a0 c9 0001 00000000", .badPadding),
        ("a0 c9 0001 00000008", .badPadding), ("a0 c9 0001 00000003", .badPadding),
    ])
    func `a broken compound does nothing`(text: String, error: RTPError) {
        #expect(throws: error) { try describe(hex(text)) }
    }

    @Test func `bounds the packets of a datagram`() throws {
        let report = hex("80 c9 0001 00000001")
        let many = Array(repeating: report, count: RTCPReader.maximumPackets).flatMap { $0 }
        #expect(try describe(many).count == RTCPReader.maximumPackets)
        #expect(throws: RTPError.tooManyPackets) { try describe(many + report) }
    }

    /// RFC 5506: feedback may come alone where that was agreed on.
    @Test func `reduced size is refused unless agreed on`() throws {
        let alone = hex("81 ce 0002 00000001 00000002")
        #expect(throws: RTPError.notCompound) { try describe(alone) }
        #expect(try describe(alone, reduced: true) == [.pictureLoss(FeedbackSources(sender: SSRC(1), media: SSRC(2)))])
    }

    @Test(arguments: [
        "81 c8 0001 00000001", "81 c9 0001 00000001", "82 cb 0001 00000001", "80 cc 0001 00000001",
        "81 cd 0001 00000001",
        "8f ce 0002 00000001 00000000", "8f cd 0003 00000001 00000002 00000003", "80 cf 0000",
    ])
    func `a packet too short for its type is unknown`(text: String) throws {
        guard case .unknown = try describe(hex(text), reduced: true).first else {
            Issue.record("taken for something")
            return
        }
    }

    @Test func `a NACK names each missing packet`() {
        let entry = NackEntry(packetID: SequenceNumber(0xfffe), followingLost: 0b1000_0000_0000_0101)
        var position = 0
        var numbers: [UInt16] = []
        while let number = entry.next(&position) { numbers.append(number.rawValue) }
        #expect(numbers == [0xfffe, 0xffff, 1, 14])
    }

    @Test func `writes what it reads`() throws {
        var buffer = [UInt8](repeating: 0xee, count: 400)
        let (me, you) = (SSRC(0x0a0b_0c0d), SSRC(0x0102_0304))
        let sources = FeedbackSources(sender: me, media: you)
        let information = SenderInformation(
            time: NTPTimestamp(0x1122_3344_5566_7788), timestamp: RTPTimestamp(9), packetCount: 10, octetCount: 11)
        let block = ReportBlock(
            ssrc: you, fractionLost: 3, cumulativeLost: -5, extendedHighestSequence: 0x2_0001, jitter: 4,
            lastSenderReport: 6, delaySinceLastSenderReport: 7)
        let limit = BitrateLimit(ssrc: you, bitsPerSecond: 1_000_000, overhead: 40)
        let count = edit(&buffer) { raw in
            var writer = RTCPWriter()
            #expect(writer.beginSenderReport(ssrc: me, information, into: &raw))
            #expect(writer.add(block, into: &raw))
            #expect(writer.sourceDescription(ssrc: me, canonicalName: [UInt8]([0x61, 0x62]).span.bytes, into: &raw))
            #expect(writer.beginNack(sources, NackEntry(packetID: SequenceNumber(1), followingLost: 2), into: &raw))
            #expect(writer.add(NackEntry(packetID: SequenceNumber(40), followingLost: 0), into: &raw))
            #expect(writer.pictureLoss(sources, into: &raw))
            #expect(writer.fullIntraRequest(sender: me, FullIntraRequest(ssrc: you, sequence: 200), into: &raw))
            #expect(writer.temporaryMaximumBitrate(sender: me, limit, into: &raw))
            #expect(writer.bitrateNotification(sender: me, limit, into: &raw))
            #expect(writer.estimatedMaximumBitrate(sender: me, bitsPerSecond: 2_500_000, source: you, into: &raw))
            #expect(writer.legacyFullIntraRequest(media: you, into: &raw))
            #expect(writer.goodbye(ssrc: me, into: &raw))
            return writer.count
        }
        let bytes = Array(buffer[..<count])
        let packets = try describe(bytes)
        #expect(packets.count == 10)
        let span = bytes.span.bytes
        for packet in packets {
            switch packet {
            case .senderReport(let ssrc, let read, let blocks):
                #expect(ssrc == me && read == information && blocks.count == 1)
                #expect(blocks.entry(0, in: span) == block)
            case .sourceDescription(var names):
                #expect(names.next(in: span).map { Array(bytes[$0.text]) } == [0x61, 0x62])
                #expect(names.next(in: span) == nil)
            case .nack(sources, let entries):
                #expect(entries.count == 2 && entries.entry(1, in: span).packetID == SequenceNumber(40))
            case .pictureLoss(let read): #expect(read == sources)
            case .fullIntraRequest(_, let requests):
                #expect(requests.entry(0, in: span) == FullIntraRequest(ssrc: you, sequence: 200))
            case .temporaryMaximumBitrate(_, let limits), .bitrateNotification(_, let limits):
                let read = limits.entry(0, in: span)
                #expect(read.ssrc == you && read.overhead == 40)
                #expect((999_900...1_000_000).contains(read.bitsPerSecond))
            case .estimatedMaximumBitrate(let estimate):
                #expect(estimate.sources.count == 1 && estimate.sources.entry(0, in: span) == you)
                #expect((2_499_900...2_500_000).contains(estimate.bitsPerSecond))
            case .legacyFullIntraRequest(let media): #expect(media == you)
            case .goodbye(let left): #expect(left.count == 1 && left.entry(0, in: span) == me)
            default: Issue.record("unexpected \(packet)")
            }
        }
        #expect(buffer[count...].allSatisfy { $0 == 0xee })
    }

    @Test(arguments: [0, 3, 7, 11, 27, 30, 51])
    func `a packet that does not fit leaves nothing behind`(room: Int) {
        var buffer = [UInt8](repeating: 0xee, count: room)
        let information = SenderInformation(
            time: NTPTimestamp(0), timestamp: RTPTimestamp(0), packetCount: 0, octetCount: 0)
        let count = edit(&buffer) { raw in
            var writer = RTCPWriter()
            if writer.beginSenderReport(ssrc: SSRC(1), information, into: &raw) {
                let block = ReportBlock(at: 0, in: [UInt8](repeating: 0, count: 24).span.bytes)
                #expect(!writer.add(block, into: &raw))
            }
            return writer.count
        }
        #expect(count == (room >= 28 ? 28 : 0))
        #expect(buffer[count...].allSatisfy { $0 == 0xee })
    }

    /// draft-alvestrand-rmcat-remb-03 §2.2: mantissa 0x3ffff, exponent 10.
    @Test func `reads an estimate of Chromium's kind`() throws {
        let bytes = hex("8f ce 0006 00000001 00000000 52454d42 02 2b ffff 00000005 00000006")
        guard case .estimatedMaximumBitrate(let estimate) = try describe(bytes, reduced: true)[0] else {
            Issue.record("no estimate")
            return
        }
        #expect(estimate.bitsPerSecond == 0x3ffff << 10 && estimate.sources.count == 2)
    }

    @Test func `an exponent beyond 64 bits is the largest rate`() throws {
        let bytes = hex("8f ce 0005 00000001 00000000 52454d42 01 ff ffff 00000005")
        guard case .estimatedMaximumBitrate(let estimate) = try describe(bytes, reduced: true)[0] else {
            Issue.record("no estimate")
            return
        }
        #expect(estimate.bitsPerSecond == .max)
    }

    /// Chunks as in draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.3 and §3.1.4.
    @Test(arguments: [
        ("000a 20 0a", 10), ("0007 00 07", 0), ("000e 9c01", 4), ("0003 9c01", 2), ("0007 d001", 2), ("0002 d001", 1),
    ])
    func `counts what transport-wide feedback tells`(text: String, received: Int) throws {
        let digits = hex(text)
        let bytes = hex("8f cd 0005 00000001 00000002 0010") + digits[..<2] + hex("00000105") + digits[2...] + [0, 0]
        guard case .transportFeedback(let feedback) = try describe(bytes, reduced: true)[0] else {
            Issue.record("no feedback")
            return
        }
        #expect(feedback.received(in: bytes.span.bytes) == received)
        #expect(feedback.feedbackCount == 5)
    }

    @Test func `transport-wide feedback whose chunks end too soon tells nothing`() throws {
        let bytes = hex("8f cd 0005 00000001 00000002 0010 ffff 00000105 2001 2001")
        guard case .transportFeedback(let feedback) = try describe(bytes, reduced: true)[0] else { return }
        #expect(feedback.received(in: bytes.span.bytes) == nil)
    }
}
