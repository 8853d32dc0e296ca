import Base
import Testing

@testable import RTP

struct FeedbackTests {
    private let media = SSRC(0x0102_0304)

    private func act(
        _ translator: inout FeedbackTranslator, _ text: String, at time: Int
    ) -> FeedbackTranslator.Action {
        let bytes = hex(text)
        guard var reader = try? RTCPReader(bytes.span.bytes, allowsReducedSize: true),
            let packet = reader.next(in: bytes.span.bytes)
        else { return .none }
        return translator.receive(packet, in: bytes.span.bytes, at: milliseconds(time))
    }

    private static let pictureLoss = "81 ce 0002 00000001 01020304"

    @Test(arguments: [
        pictureLoss, "84 ce 0004 00000001 00000000 01020304 05000000", "80 c0 0001 01020304",
        "82 ce 0003 00000001 01020304 00000000",
    ])
    func `every way to ask for a keyframe asks for one`(text: String) {
        var translator = FeedbackTranslator(media: media, method: .pictureLoss, limitsBitrate: false)
        #expect(act(&translator, text.replacing("01020304", with: "01020305"), at: 0) == .none)
        #expect(act(&translator, text, at: 0) == .requestKeyframe)
        #expect(act(&translator, text, at: 10) == .none)
    }

    @Test func `keyframes are asked for at intervals until one comes`() {
        var translator = FeedbackTranslator(media: media, method: .fullIntraRequest, limitsBitrate: false)
        #expect(act(&translator, Self.pictureLoss, at: 0) == .requestKeyframe)
        #expect(translator.keyframes.nextTimeout == milliseconds(500))
        #expect(translator.keyframes.handleTimeout(at: milliseconds(499)) == false)
        #expect(translator.keyframes.handleTimeout(at: milliseconds(500)) == true)
        let sequence = translator.keyframes.sequence
        translator.keyframes.keyframeArrived()
        #expect(translator.keyframes.nextTimeout == nil)
        // A new wish within the interval waits for its end.
        #expect(act(&translator, Self.pictureLoss, at: 600) == .none)
        #expect(translator.keyframes.nextTimeout == milliseconds(1000))
        #expect(translator.keyframes.handleTimeout(at: milliseconds(1000)) == true)
        #expect(translator.keyframes.sequence == sequence + 1)
        var asked = 0
        for time in stride(from: 1000, to: 60_000, by: 100)
        where translator.keyframes.handleTimeout(at: milliseconds(time)) { asked += 1 }
        #expect(asked == KeyframeRequests.maximumTries - 1)
    }

    @Test func `one full intra request counts once`() {
        var translator = FeedbackTranslator(media: media, method: .pictureLoss, limitsBitrate: false)
        let request = "84 ce 0004 00000001 00000000 01020304 05000000"
        #expect(act(&translator, request, at: 0) == .requestKeyframe)
        translator.keyframes.keyframeArrived()
        #expect(act(&translator, request, at: 2000) == .none)
        #expect(act(&translator, request.replacing("0500", with: "0600"), at: 2100) == .requestKeyframe)
    }

    @Test(arguments: [
        (KeyframeMethod.pictureLoss, "81ce0002 00000009 01020304"),
        (.fullIntraRequest, "84ce0004 00000009 00000000 01020304 00000000"),
        (.legacyFullIntraRequest, "80c00001 01020304"), (.information, ""),
    ])
    func `asks as the sender understands`(method: KeyframeMethod, text: String) {
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = edit(&buffer) { raw in
            var writer = RTCPWriter()
            let sources = FeedbackSources(sender: SSRC(9), media: media)
            #expect(KeyframeRequests(method: method).write(&writer, sources: sources, into: &raw) == !text.isEmpty)
            return writer.count
        }
        #expect(Array(buffer[..<count]) == hex(text))
    }

    @Test func `a NACK is answered within a budget`() {
        var translator = FeedbackTranslator(media: media, method: .pictureLoss, limitsBitrate: false)
        guard case .retransmit(let entries) = act(&translator, "81 cd 0003 00000001 01020304 00050001", at: 0) else {
            Issue.record("not answered")
            return
        }
        #expect(entries.count == 1)
        func burst(_ time: Int) -> Int {
            var count = 0
            while count < 10_000, translator.mayRetransmit(at: milliseconds(time)) { count += 1 }
            return count
        }
        #expect(burst(0) == FeedbackTranslator.retransmissionBurst)
        #expect(burst(100) == 50)
        #expect(burst(60_000) == FeedbackTranslator.retransmissionBurst)
    }

    @Test func `bit rates are passed on, falling ones at once`() {
        let estimate = { (rate: String) in "8f ce 0005 00000001 00000000 52454d42 01 \(rate) 01020304" }
        var translator = FeedbackTranslator(media: media, method: .pictureLoss, limitsBitrate: true)
        #expect(act(&translator, estimate("0a0000"), at: 0) == .limitBitrate(0x20000 << 2))
        #expect(act(&translator, estimate("0a0000"), at: 100) == .none)
        #expect(act(&translator, estimate("090000"), at: 200) == .limitBitrate(0x10000 << 2))
        #expect(act(&translator, estimate("0b0000"), at: 300) == .none)
        #expect(act(&translator, estimate("0b0000"), at: 1200) == .limitBitrate(0x30000 << 2))
        // RFC 5104 §4.2.1.1: exponent 2, mantissa 0x10000, overhead 40.
        #expect(
            act(&translator, "83 cd 0004 00000001 00000000 01020304 0a000028", at: 3000) == .limitBitrate(0x10000 << 2))
        #expect(act(&translator, estimate("000001"), at: 3001) == .limitBitrate(FeedbackTranslator.minimumBitrate))
        var deaf = FeedbackTranslator(media: media, method: .pictureLoss, limitsBitrate: false)
        #expect(act(&deaf, estimate("0a0000"), at: 0) == .none)
    }

    @Test func `reports and transport-wide feedback end here`() {
        var translator = FeedbackTranslator(media: media, method: .pictureLoss, limitsBitrate: true)
        #expect(act(&translator, "80 c9 0001 00000001", at: 0) == .none)
        #expect(act(&translator, "8f cd 0005 00000001 01020304 0010 000a 00000105 200a 0000", at: 0) == .none)
    }
}
