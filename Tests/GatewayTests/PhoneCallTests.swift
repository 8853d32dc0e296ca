import Base
import RTP
import SDP
import Testing

@testable import Gateway

/// The phone calls, the browser answers.
struct PhoneCallTests {
    @Test func `a browser is offered all it demands`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(Phones.desk)
        #expect(offer.mediaLines == ["m=audio 3478 UDP/TLS/RTP/SAVPF 9 8 0 111 110 101"])
        for line in [
            "a=mid:0", "a=ice-ufrag:ourUfrag", "a=setup:actpass", "a=rtcp-mux", "a=sendrecv", "a=msid:hearth audio",
            "a=ssrc:11 cname:hearth", "a=candidate:1 1 udp 2130706431 198.51.100.1 3478 typ host",
            "a=end-of-candidates", "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", "a=ptime:20",
        ] { #expect(offer.has(line, in: 0), "\(line)") }
        #expect(offer.has("a=group:BUNDLE 0") && offer.has("a=ice-options:trickle"))
    }

    @Test func `the phone is answered with its own numbers`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(Phones.desk)
        let answer = try bridge.browserAnswer(browserAnswer(to: offer))
        #expect(answer.mediaLines == ["m=audio 10000 RTP/AVP 9 8 0 101"])
        #expect(answer.has("a=sendrecv", in: 0) && !answer.hasAny("a=rtcp-mux"))
        let (plan, audio) = (try bridge.plan, try bridge.audio)
        #expect(plan.transport.isControlling && plan.transport.role == .server && !audio.isTranscoded)
        #expect(plan.transport.peer.credentials.ufrag == Array("theirUfrag".utf8))
        // What the browser may still send, though nothing suggests that it will.
        #expect(audio.fromWeb.first?.treatment == .forward(.g722))
        #expect(audio.fromWeb.contains { $0.treatment == .transcode(to: .g722, .g722) && $0.codec == .opus })
        #expect(audio.fromPhone.allSatisfy { !$0.isTranscoding })
    }

    @Test func `a browser that shares nothing gets what we make`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(Phones.bare)
        let answer = try bridge.browserAnswer(browserAnswer(to: offer, keeping: ["111", "110"]))
        #expect(answer.mediaLines == ["m=audio 10000 RTP/AVP 8"])
        #expect(try bridge.audio.fromWeb.first?.treatment == .transcode(to: .pcma, .pcma))
        #expect(try bridge.audio.fromPhone.first?.treatment == .transcode(to: .opus, PayloadType(111)))
    }

    @Test func `lines that are neither sound nor picture are refused in their place`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(Phones.others)
        #expect(offer.mediaLines.count == 1)
        let answer = try bridge.browserAnswer(browserAnswer(to: offer))
        #expect(
            answer.mediaLines == [
                "m=image 0 udptl t38", "m=audio 10000 RTP/AVP 0", "m=text 0 RTP/AVP 98",
            ])
    }

    @Test func `video of a phone, with its bandwidth, its level and its parameter sets`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(Phones.video)
        #expect(offer.has("a=group:BUNDLE 0 1") && offer.has("b=AS:1024", in: 1))
        #expect(offer.has("a=fmtp:102 profile-level-id=42e01f;packetization-mode=1", in: 1))
        let answer = try bridge.browserAnswer(browserAnswer(to: offer))
        #expect(answer.mediaLines[1] == "m=video 10002 RTP/AVP 99")
        #expect(answer.has("a=fmtp:99 profile-level-id=42801f;packetization-mode=1", in: 1))
        let (audio, video) = (try bridge.audio, try bridge.video)
        #expect(audio.phone.controlAddress == TransportAddress(ip: .v4(0xc000_024e), port: 5_050))
        #expect(audio.phone.end.packetTime == 30 && audio.web.end.packetTime == 30)
        #expect(video.phone.end.codecs.first?.parameterSets == Array("Z0KAHtoC0EiYgA==,aM48gA==".utf8))
        #expect(video.phone.end.codecs.first?.packetizationMode == 1)
        #expect(video.fromPhone.map(\.treatment) == [.forward(PayloadType(102))])
    }

    @Test func `a browser without the phone's video goes on with sound`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(Phones.video)
        let answer = try bridge.browserAnswer(browserAnswer(to: offer, refusing: [1]))
        #expect(answer.mediaLines[1] == "m=video 0 RTP/AVP 99")
        #expect(try bridge.plan.video == nil)
    }

    @Test func `Linphone's AVPF is answered with AVPF`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(Phones.linphone)
        #expect(offer.mediaLines[0] == "m=audio 3478 UDP/TLS/RTP/SAVPF 111 8 0 110 101")
        let answer = try bridge.browserAnswer(browserAnswer(to: offer, keeping: ["111", "110", "96"]))
        #expect(
            answer.mediaLines
                == ["m=audio 7078 RTP/AVPF 96 101", "m=video 9078 RTP/AVPF 96"].map {
                    $0.replacing("7078", with: "10000").replacing("9078", with: "10002")
                })
        #expect(answer.has("a=rtcp-fb:96 nack pli", in: 1) && answer.has("a=rtcp-fb:96 ccm fir", in: 1))
        #expect(try bridge.video.phone.end.keyframeMethod == .pictureLoss)
        #expect(try bridge.audio.fromWeb.map(\.treatment) == [.forward(PayloadType(96)), .forward(PayloadType(101))])
    }

    @Test func `events at another clock rate than the sound are told again`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(sample("baresip-avp"))
        let answer = try bridge.browserAnswer(browserAnswer(to: offer, keeping: ["111", "110"]))
        #expect(answer.mediaLines == ["m=audio 10000 RTP/AVP 96 101"])
        #expect(answer.has("a=fmtp:96 minptime=10;useinbandfec=1") || answer.hasAny("a=fmtp:96 stereo=1"))
        #expect(try bridge.audio.fromWeb.last?.treatment == .event(PayloadType(101), clockRate: 8_000))
        #expect(try bridge.audio.fromPhone.contains { $0.treatment == .event(PayloadType(110), clockRate: 48_000) })
    }

    @Test func `an offer in the 2xx and its answer in the ACK are an exchange like any other`() throws {
        // The browser's INVITE had no offer: the phone's 2xx has one, and the browser's ACK the answer.
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(Phones.sipp)
        #expect(try bridge.browserAnswer(browserAnswer(to: offer)).mediaLines == ["m=audio 10000 RTP/AVP 0"])
    }

    @Test func `stereo of a phone is told to the browser`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(sample("baresip-avp"))
        #expect(offer.has("a=fmtp:111 stereo=1;sprop-stereo=1", in: 0))
    }
}
