import Base
import RTP
import SDP
import Testing

@testable import Gateway

struct FormatTests {
    private func h264(_ text: String) -> H264Parameters? {
        H264Parameters(FormatParameters(parsing: Array(text.utf8)[...]))
    }

    @Test(arguments: [
        ("42e01f", H264Parameters.Profile.constrainedBaseline), ("42C00D", .constrainedBaseline),
        ("4d801f", .constrainedBaseline), ("58f01f", .constrainedBaseline), ("42001f", .baseline),
        ("42801F", .baseline),
        ("58a01f", .baseline), ("4d001f", .main), ("4d401f", .main), ("64001f", .high), ("640c1f", .constrainedHigh),
        ("f4001f", .other(0xf4, 0)),
    ])
    func `one profile has several spellings`(text: String, profile: H264Parameters.Profile) {
        #expect(h264("profile-level-id=\(text)")?.profile == profile)
    }

    @Test func `what a phone leaves out has a value`() throws {
        let parameters = try #require(h264("max-br=512"))
        #expect(parameters.profile == .constrainedBaseline && parameters.level == 31)
        #expect(parameters.packetizationMode == 0 && !parameters.allowsAsymmetry)
    }

    @Test(arguments: ["profile-level-id=42", "profile-level-id=zz001f", "packetization-mode=2", "packetization-mode=x"])
    func `what cannot be carried is no format`(text: String) { #expect(h264(text) == nil) }

    @Test func `the level is each side's own only when both allow it`() throws {
        let offered = try #require(h264("profile-level-id=42e01f;level-asymmetry-allowed=1"))
        let low = try #require(h264("profile-level-id=42800d"))
        let high = try #require(h264("profile-level-id=428028;level-asymmetry-allowed=1"))
        #expect(offered.answer(given: low).level == 0x0d && !offered.answer(given: low).allowsAsymmetry)
        #expect(offered.answer(given: high).level == 0x28 && offered.answer(given: high).allowsAsymmetry)
        let strict = try #require(h264("profile-level-id=42e01f"))
        #expect(strict.answer(given: high).level == 0x1f)
    }

    @Test func `modes and profiles of H264 are not mixed`() throws {
        func format(_ text: String) -> MediaFormat {
            var format = MediaFormat(.h264)
            format.parameters = FormatParameters(parsing: Array(text.utf8)[...])
            return format
        }
        let mine = format("profile-level-id=42e01f;packetization-mode=1")
        #expect(mine.matches(format("profile-level-id=42800d; packetization-mode=1")))
        #expect(!mine.matches(format("profile-level-id=42e01f")))
        #expect(!mine.matches(format("profile-level-id=4d001f;packetization-mode=1")))
    }

    @Test func `a browser without the phone's packetization mode has no video`() throws {
        var bridge = Bridge()
        let single = Phones.video.replacing("packetization-mode=1", with: "packetization-mode=0")
        let offer = try bridge.phoneOffer(single)
        #expect(offer.hasAny("a=fmtp:104 profile-level-id=42e01f;packetization-mode=0"))
    }

    @Test func `parameters are read as people write them`() {
        let parameters = FormatParameters(
            parsing: Array(" Profile-Level-ID = 42E01F ;;packetization-mode=1; x ".utf8)[...])
        #expect(parameters["profile-level-id"] == Array("42E01F".utf8) && parameters.number("packetization-mode") == 1)
        #expect(parameters["x"] == nil && parameters.entries.count == 3)
    }

    private static func audio(_ numbers: [Int]) -> MediaDescription {
        MediaDescription(
            kind: Array("audio".utf8), port: 1, transport: Array("RTP/AVP".utf8),
            formats: numbers.map { Array(String($0).utf8) })
    }

    @Test func `a number once given keeps its meaning`() {
        var numbering = PayloadNumbering()
        numbering.reserve(Self.audio([101, 96, 111]))
        numbering.adopt([MediaFormat(.opus, payloadType: PayloadType(101))])
        #expect(numbering.number(MediaFormat(.opus))?.payloadType == PayloadType(101))
        let events = numbering.number(MediaFormat(.telephoneEvent))
        #expect(events?.payloadType == PayloadType(97))
        #expect(numbering.number(MediaFormat(.telephoneEvent)) == events)
        numbering.reserve(Self.audio(Array(0...127)))
        #expect(numbering.number(MediaFormat(.vp8)) == nil)
        #expect(numbering.number(MediaFormat(.telephoneEvent)) == events)
    }

    @Test func `static types need no map, and odd ones are left out`() throws {
        let description = try SessionDescription(
            parsing: bytes(
                phone(
                    """
                    m=audio 4000 RTP/AVP 18 0 8 0 96 97 98 300 09
                    a=rtpmap:8 PCMA/8000/1
                    a=rtpmap:96 L16/44100/2
                    a=rtpmap:97 PCMU/16000
                    a=rtpmap:98 telephone-event/16000
                    """)))
        #expect(MediaFormat.read(description.media[0]).map(\.codec) == [.pcmu, .pcma])
    }
}

struct ErrorTests {
    @Test func `every refusal has a status and words`() throws {
        let refusals: [(String, GatewayError, Int)] = [
            ("nonsense", .unreadable(.malformedLine(line: 1)), 400),
            (phone("m=audio 4000 RTP/AVP 18 3"), .noSharedCodec, 488),
            (phone("m=image 4000 udptl t38"), .noMedia, 488), (phone("m=audio 0 RTP/AVP 0"), .noMedia, 488),
            (phone(address: "224.2.1.1/127", "m=audio 4000 RTP/AVP 0"), .badAddress, 488),
        ]
        for (text, error, status) in refusals {
            var bridge = Bridge()
            #expect(throws: error) { try bridge.phoneOffer(text) }
            #expect(error.sipStatus == status && error.reason.utf8CodeUnitCount > 0 && error.warningCode >= 300)
            #expect(bridge.negotiation.isStable)
        }
    }

    @Test func `a browser's offer must be WebRTC`() {
        var bridge = Bridge()
        #expect(throws: GatewayError.notWebRTC) { try bridge.browserOffer(Phones.desk) }
        for line in ["a=ice-pwd:9Y//FfP/diw8IAPAMQB0hwNK", "a=rtcp-mux"] {
            #expect(throws: GatewayError.notWebRTC) {
                try bridge.browserOffer(try sample("chromium-offer").replacing(line, with: "a=x"))
            }
        }
    }

    @Test func `an answer with other lines than the offer is refused`() throws {
        var bridge = Bridge()
        _ = try bridge.browserOffer(sample("chromium-audio"))
        #expect(throws: GatewayError.streamsDiffer) { try bridge.phoneAnswer(Phones.video) }
        #expect(throws: GatewayError.streamsDiffer) { try bridge.phoneAnswer(phone("m=video 4000 RTP/AVP 96")) }
        #expect(throws: GatewayError.noMedia) { try bridge.phoneAnswer(phone("m=audio 0 RTP/AVP 8")) }
        // Nothing is lost: the right one may still come.
        #expect(try bridge.phoneAnswer(Phones.sipp).mediaLines.count == 1)
    }

    @Test func `video outside the bundle cannot be had`() throws {
        var bridge = Bridge()
        let offer = try bridge.browserOffer(
            sample("chromium-offer").replacing("a=group:BUNDLE 0 1 2", with: "a=group:BUNDLE 0"))
        #expect(offer.mediaLines.count == 1)
        let answer = try bridge.phoneAnswer(Phones.sipp)
        #expect(answer.mediaLines[1].hasPrefix("m=video 0 ") && answer.has("a=group:BUNDLE 0"))
    }

    @Test func `an address that is a name waits for the phone's packets`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(phone(address: "phone.example", "m=audio 4000 RTP/AVP 0"))
        _ = try bridge.browserAnswer(browserAnswer(to: offer))
        #expect(try bridge.audio.phone.address == nil && bridge.audio.flowsToPhone)
    }
}
