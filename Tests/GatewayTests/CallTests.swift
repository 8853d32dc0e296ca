import Base
import RTP
import SDP
import Testing

@testable import Gateway

/// The browser calls, the phone answers.
struct CallTests {
    @Test func `a phone is offered what an old one understands`() throws {
        var bridge = Bridge()
        let offer = try bridge.browserOffer(sample("chromium-offer"))
        #expect(
            offer.mediaLines == [
                "m=audio 10000 RTP/AVP 111 9 8 0 13 110 101", "m=video 10002 RTP/AVP 96 102 104 97 98",
            ])
        #expect(offer.has("c=IN IP4 192.0.2.1") && offer.has("a=rtpmap:111 opus/48000/2", in: 0))
        #expect(offer.has("a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", in: 1))
        for name in [
            "mid", "ice", "candidate", "group", "extmap", "msid", "ssrc", "fingerprint", "setup", "rtcp-fb", "rid",
        ] {
            #expect(!offer.hasAny("a=\(name)"), "\(name)")
        }
    }

    @Test func `Firefox without comfort noise and H264 offers less`() throws {
        var bridge = Bridge()
        let offer = try bridge.browserOffer(sample("firefox-offer"))
        #expect(
            offer.mediaLines == ["m=audio 10000 RTP/AVP 111 9 8 0 110 101", "m=video 10002 RTP/AVP 96"])
        #expect(offer.has("a=fmtp:96 max-fs=12288;max-fr=60", in: 1))
    }

    @Test func `the answer has what both share, under the browser's numbers`() throws {
        var bridge = Bridge()
        _ = try bridge.browserOffer(sample("chromium-offer"))
        let answer = try bridge.phoneAnswer(
            phone(
                """
                m=audio 11780 RTP/AVP 9 0 101
                a=rtpmap:101 telephone-event/8000
                a=ptime:30
                m=video 11782 RTP/AVP 102
                b=AS:512
                a=rtpmap:102 H264/90000
                a=fmtp:102 profile-level-id=42801F;packetization-mode=1
                """))
        #expect(
            answer.mediaLines == [
                "m=audio 3478 UDP/TLS/RTP/SAVPF 9 0 126", "m=video 3478 UDP/TLS/RTP/SAVPF 108",
                "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
            ])
        #expect(answer.has("a=group:BUNDLE 0 1") && answer.has("a=mid:2", in: 2))
        for index in 0...1 {
            #expect(answer.has("a=setup:active", in: index) && answer.has("a=ice-ufrag:ourUfrag", in: index))
            #expect(answer.has("a=rtcp-mux", in: index) && answer.has("a=end-of-candidates", in: index))
            #expect(answer.has("a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", in: index))
        }
        #expect(answer.has("a=ptime:30", in: 0) && answer.has("b=AS:512", in: 1))
        #expect(answer.has("a=rtcp-fb:108 nack pli", in: 1) && !answer.hasAny("a=rtcp-fb:9 "))
        #expect(answer.has("a=fmtp:108 profile-level-id=42e01f;packetization-mode=1", in: 1))
        #expect(!answer.hasAny("a=rtpmap:109 rtx") && !answer.hasAny("a=extmap:13"))
    }

    @Test func `the plan says where media goes and how it is changed`() throws {
        var bridge = Bridge()
        _ = try bridge.browserOffer(sample("chromium-offer"))
        _ = try bridge.phoneAnswer(
            phone("m=audio 11780 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\nm=video 0 RTP/AVP 96"))
        let (plan, audio) = (try bridge.plan, try bridge.audio)
        #expect(plan.video == nil && plan.transport.role == .client && !plan.transport.isControlling)
        #expect(plan.transport.peer.credentials.ufrag == Array("N7pn".utf8))
        #expect(audio.phone.address == TransportAddress(ip: .v4(0xc000_024d), port: 11_780))
        #expect(audio.phone.controlAddress?.port == 11_781 && !audio.phone.isMuxed)
        #expect(audio.web.peerSource == SSRC(225_457_320) && audio.web.end.source == SSRC(11))
        #expect(audio.web.mid == [0x30] && audio.web.extensions == [.mid: 4] && audio.web.hasReducedSize)
        #expect(audio.phone.protection == .none && audio.flowsToWeb && audio.flowsToPhone && !audio.isTranscoded)
        #expect(
            audio.fromWeb.map(\.treatment) == [.forward(PayloadType(0)), .forward(PayloadType(101))]
                && audio.fromWeb.map(\.payloadType) == [PayloadType(0), PayloadType(126)])
        #expect(audio.fromPhone.map(\.treatment) == [.forward(PayloadType(0)), .forward(PayloadType(126))])
    }

    @Test func `a phone that refuses the picture leaves the sound`() throws {
        var bridge = Bridge()
        _ = try bridge.browserOffer(sample("chromium-offer"))
        let answer = try bridge.phoneAnswer(phone("m=audio 4000 RTP/AVP 8\nm=video 0 RTP/AVP 96"))
        #expect(answer.has("a=group:BUNDLE 0"))
        #expect(answer.mediaLines[1] == "m=video 0 UDP/TLS/RTP/SAVPF 96" && answer.has("a=mid:1", in: 1))
    }

    @Test func `a phone that leaves out the line it refuses is understood`() throws {
        var bridge = Bridge()
        _ = try bridge.browserOffer(sample("firefox-offer"))
        let answer = try bridge.phoneAnswer(Phones.sipp)
        #expect(answer.mediaLines.count == 3 && answer.mediaLines[0] == "m=audio 3478 UDP/TLS/RTP/SAVPF 0 101")
    }

    @Test func `a phone with other numbers gets its own`() throws {
        var bridge = Bridge()
        _ = try bridge.browserOffer(sample("chromium-audio"))
        _ = try bridge.phoneAnswer(
            phone("m=audio 4000 RTP/AVP 96 98\na=rtpmap:96 opus/48000/2\na=rtpmap:98 telephone-event/48000"))
        let audio = try bridge.audio
        #expect(audio.phone.end.codecs.map(\.sends) == [PayloadType(96)])
        #expect(audio.phone.end.codecs.map(\.receives) == [PayloadType(111)])
        // The phone may send as we asked, or as it asked itself.
        #expect(audio.fromPhone.map(\.payloadType.rawValue) == [111, 110, 96, 98])
        #expect(audio.fromWeb.map(\.treatment) == [.forward(PayloadType(96)), .forward(PayloadType(98))])
        // What we asked for stays what we ask for.
        #expect(try bridge.browserOffer(sample("chromium-audio")).mediaLines[0].contains("RTP/AVP 111 9"))
    }

    @Test func `only what is not shared is made anew`() throws {
        var bridge = Bridge()
        let opus = try sample("chromium-audio").replacing(
            "SAVPF 111 63 9 0 8 13 110 126", with: "SAVPF 111 110")
        let offer = try bridge.browserOffer(opus)
        #expect(offer.mediaLines == ["m=audio 10000 RTP/AVP 111 9 8 0 110 101"])
        let answer = try bridge.phoneAnswer(
            phone("m=audio 4000 RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000"))
        #expect(answer.mediaLines == ["m=audio 3478 UDP/TLS/RTP/SAVPF 111 110"])
        let audio = try bridge.audio
        #expect(audio.isTranscoded)
        #expect(
            audio.fromWeb.map(\.treatment) == [
                .transcode(to: .pcma, PayloadType(8)), .event(PayloadType(101), clockRate: 8_000),
            ])
        #expect(
            audio.fromPhone.map(\.treatment) == [
                .transcode(to: .opus, PayloadType(111)), .event(PayloadType(110), clockRate: 48_000),
            ])
    }

    @Test func `keys go by INFO where a side has no events`() throws {
        var bridge = Bridge()
        _ = try bridge.browserOffer(sample("chromium-audio"))
        _ = try bridge.phoneAnswer(Phones.sipp)
        let audio = try bridge.audio
        #expect(audio.phone.end.events.isEmpty)
        #expect(audio.fromWeb.map(\.treatment) == [.forward(PayloadType(0)), .information])
    }

    @Test func `an early answer may come again, and a later one may differ`() throws {
        var bridge = Bridge()
        _ = try bridge.browserOffer(sample("chromium-audio"))
        let early = try bridge.phoneAnswer(phone("m=audio 4000 RTP/AVP 8"))
        #expect(try bridge.phoneAnswer(phone("m=audio 4000 RTP/AVP 8")) == early)
        let final = try bridge.phoneAnswer(phone(version: 2, "m=audio 4008 RTP/AVP 0"))
        #expect(final.version == early.version + 1)
        #expect(try bridge.audio.phone.address?.port == 4_008)
    }

    @Test func `each early dialog of a fork has an answer of its own`() throws {
        var first = Bridge()
        _ = try first.browserOffer(sample("chromium-audio"))
        var second = first
        let one = try first.phoneAnswer(phone("m=audio 4000 RTP/AVP 8"))
        #expect(one.mediaLines == ["m=audio 3478 UDP/TLS/RTP/SAVPF 8 126"])
        let other = try second.phoneAnswer(phone(address: "192.0.2.99", "m=audio 5000 RTP/AVP 9"))
        #expect(other.mediaLines == ["m=audio 3478 UDP/TLS/RTP/SAVPF 9 126"])
        #expect(try first.audio.phone.address != second.audio.phone.address)
    }

    @Test func `feedback of a phone with AVPF counts, whatever is offered`() throws {
        var bridge = Bridge { $0.offeredFeedback = [.nack, .pictureLoss] }
        let offer = try bridge.browserOffer(sample("chromium-offer"))
        #expect(offer.mediaLines[1].hasPrefix("m=video 10002 RTP/AVPF ") && offer.has("a=rtcp-fb:96 nack pli", in: 1))
        #expect(offer.mediaLines[0].hasPrefix("m=audio 10000 RTP/AVP "))
        _ = try bridge.phoneAnswer(
            phone("m=audio 4000 RTP/AVP 8\nm=video 4002 RTP/AVPF 96\na=rtpmap:96 VP8/90000\na=rtcp-fb:* nack pli"))
        #expect(try bridge.video.phone.end.feedback == .pictureLoss)
        #expect(try bridge.video.phone.end.keyframeMethod == .pictureLoss)
    }

    @Test func `a phone without feedback is asked for keyframes by INFO`() throws {
        var bridge = Bridge()
        _ = try bridge.browserOffer(sample("chromium-offer"))
        _ = try bridge.phoneAnswer(phone("m=audio 4000 RTP/AVP 8\nm=video 4002 RTP/AVP 96\na=rtpmap:96 VP8/90000"))
        #expect(try bridge.video.phone.end.keyframeMethod == .information)
        #expect(try bridge.video.web.end.keyframeMethod == .pictureLoss)
        #expect(try bridge.video.web.end.feedback == [.nack, .pictureLoss, .fullIntraRequest, .estimatedBitrate])
    }
}
