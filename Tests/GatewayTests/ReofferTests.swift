import Base
import RTP
import SDP
import Testing

@testable import Gateway

struct ReofferTests {
    /// A call with sound that was answered.
    private func call(
        _ name: String = "chromium-offer", answer: String = "m=audio 4000 RTP/AVP 8\nm=video 0 RTP/AVP 96"
    )
        throws -> Bridge
    {
        var bridge = Bridge()
        _ = try bridge.browserOffer(sample(name))
        _ = try bridge.phoneAnswer(phone(answer))
        return bridge
    }

    @Test func `a repeated offer changes nothing`() throws {
        var bridge = try call()
        let first = try bridge.browserOffer(sample("chromium-offer"))
        let plan = try bridge.plan
        let answer = try bridge.phoneAnswer(phone("m=audio 4000 RTP/AVP 8\nm=video 0 RTP/AVP 96"))
        let second = try bridge.browserOffer(sample("chromium-offer"))
        #expect(first == second)
        #expect(try bridge.phoneAnswer(phone("m=audio 4000 RTP/AVP 8\nm=video 0 RTP/AVP 96")) == answer)
        #expect(try bridge.plan == plan)
    }

    @Test func `a phone that refreshes the session changes nothing`() throws {
        var bridge = try call("chromium-audio", answer: "m=audio 4000 RTP/AVP 9 8")
        let plan = try bridge.plan
        let offer = try bridge.phoneOffer(phone("m=audio 4000 RTP/AVP 9 8"))
        // The browser keeps its role in DTLS: it did not open the connection before.
        let answer = try bridge.browserAnswer(browserAnswer(to: offer, setup: "passive"))
        let audio = try bridge.audio
        #expect(audio.fromPhone == plan.audio?.fromPhone && audio.phone == plan.audio?.phone)
        #expect(try bridge.plan.transport.role == plan.transport.role)
        let again = try bridge.phoneOffer(phone("m=audio 4000 RTP/AVP 9 8"))
        #expect(again == offer)
        let settled = try bridge.plan
        #expect(try bridge.browserAnswer(browserAnswer(to: again, setup: "passive")) == answer)
        #expect(try bridge.plan == settled)
    }

    @Test func `a phone's numbers are each stream's own`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(Phones.linphone)
        _ = try bridge.browserAnswer(browserAnswer(to: offer))
        let again = try bridge.browserOffer(browserAnswer(to: offer, setup: "actpass"))
        #expect(again.has("a=rtpmap:96 opus/48000/2", in: 0) && again.has("a=rtpmap:96 VP8/90000", in: 1))
        #expect(again.mediaLines.map { $0.split(separator: " ")[2] } == ["RTP/AVPF", "RTP/AVPF"])
    }

    @Test(arguments: ["a=sendonly", "a=inactive", "c=IN IP4 0.0.0.0"])
    func `a phone holds, and takes the call back`(line: String) throws {
        var bridge = try call()
        let held = try bridge.phoneOffer(phone(version: 2, "m=audio 4000 RTP/AVP 8\n\(line)\nm=video 0 RTP/AVP 96"))
        let direction = line == "a=inactive" ? "inactive" : "sendonly"
        #expect(held.has("a=\(direction)", in: 0))
        let back = direction == "inactive" ? "inactive" : "recvonly"
        let answer = try bridge.browserAnswer(browserAnswer(to: held, direction: back))
        #expect(answer.has("a=\(back)", in: 0))
        #expect(try !bridge.audio.flowsToPhone)
        #expect(try bridge.audio.flowsToWeb == (direction == "sendonly"))
        let resumed = try bridge.phoneOffer(phone(version: 3, "m=audio 4000 RTP/AVP 8\nm=video 0 RTP/AVP 96"))
        _ = try bridge.browserAnswer(browserAnswer(to: resumed))
        #expect(try bridge.audio.flowsToPhone && bridge.audio.flowsToWeb)
        #expect(resumed.version == held.version + 1)
    }

    @Test func `the browser holds`() throws {
        var bridge = try call()
        let held = try bridge.browserOffer(sample("chromium-offer").replacing("a=sendrecv", with: "a=sendonly"))
        #expect(held.has("a=sendonly", in: 0))
        let answer = try bridge.phoneAnswer(phone("m=audio 4000 RTP/AVP 8\na=recvonly\nm=video 0 RTP/AVP 96"))
        #expect(answer.has("a=recvonly", in: 0) && !answer.hasAny("a=msid:"))
        #expect(try bridge.audio.flowsToPhone && !bridge.audio.flowsToWeb)
    }

    @Test func `an answer never exceeds the offer's direction`() throws {
        var bridge = Bridge()
        _ = try bridge.browserOffer(sample("chromium-audio").replacing("a=sendrecv", with: "a=recvonly"))
        // The phone overlooks that it was asked to send only.
        let answer = try bridge.phoneAnswer(phone("m=audio 4000 RTP/AVP 8\na=sendrecv"))
        #expect(answer.has("a=sendonly", in: 0))
        #expect(try !bridge.audio.flowsToPhone)
    }

    @Test func `video comes, goes and comes again in one place`() throws {
        var bridge = try call("chromium-audio", answer: "m=audio 4000 RTP/AVP 8")
        let vp8 = "m=audio 4000 RTP/AVP 8\nm=video 4002 RTP/AVP 97\na=rtpmap:97 VP8/90000"
        let added = try bridge.phoneOffer(phone(version: 2, vp8))
        #expect(added.mediaLines.count == 2 && added.has("a=mid:1", in: 1) && added.has("a=group:BUNDLE 0 1"))
        #expect(try bridge.browserAnswer(browserAnswer(to: added)).mediaLines[1] == "m=video 10002 RTP/AVP 97")
        let removed = try bridge.phoneOffer(phone(version: 3, "m=audio 4000 RTP/AVP 8\nm=video 0 RTP/AVP 97"))
        #expect(removed.mediaLines[1].hasPrefix("m=video 0 ") && removed.has("a=group:BUNDLE 0"))
        _ = try bridge.browserAnswer(browserAnswer(to: removed, refusing: [1]))
        #expect(try bridge.plan.video == nil)
        let again = try bridge.phoneOffer(phone(version: 4, vp8))
        // A line that was dead is another stream to a browser (RFC 8829 §5.2.2).
        #expect(again.mediaLines.count == 2 && again.has("a=mid:2", in: 1) && again.has("a=group:BUNDLE 0 2"))
        #expect(try bridge.browserAnswer(browserAnswer(to: again)).mediaLines[1] == "m=video 10002 RTP/AVP 97")
    }

    @Test func `the codec and the port change, the numbers keep their meaning`() throws {
        var bridge = try call()
        let offer = try bridge.phoneOffer(
            phone(version: 2, "m=audio 4444 RTP/AVP 9 96\na=rtpmap:96 opus/48000/2\nm=video 0 RTP/AVP 96"))
        #expect(offer.section(0).contains("a=rtpmap:111 opus/48000/2"))
        let answer = try bridge.browserAnswer(browserAnswer(to: offer))
        #expect(answer.mediaLines[0] == "m=audio 10000 RTP/AVP 96 9")
        #expect(try bridge.audio.phone.address?.port == 4_444)
        #expect(try bridge.audio.phone.end.codecs.map(\.codec) == [.opus, .g722])
        // Where the browser had another meaning for a number, we never use it.
        #expect(!offer.mediaLines[0].split(separator: " ").contains("63"))
    }

    @Test func `a refused offer leaves everything as it was, but for the version`() throws {
        var bridge = try call()
        let plan = try bridge.plan
        let refused = try bridge.phoneOffer(
            phone(version: 2, "m=audio 4000 RTP/AVP 8\na=sendonly\nm=video 0 RTP/AVP 96"))
        bridge.negotiation.offerRefused()
        #expect(try bridge.plan == plan && bridge.negotiation.isStable)
        let next = try bridge.phoneOffer(phone(version: 3, "m=audio 4000 RTP/AVP 8\nm=video 0 RTP/AVP 96"))
        #expect(next.version == refused.version + 1)
        #expect(next.lines[1].split(separator: " ")[1] == refused.lines[1].split(separator: " ")[1])
    }

    @Test func `both offer at once`() throws {
        var bridge = try call()
        _ = try bridge.browserOffer(sample("chromium-offer"))
        #expect(throws: GatewayError.glare) { try bridge.phoneOffer(Phones.desk) }
        #expect(throws: GatewayError.offerPending) { try bridge.browserOffer(try sample("chromium-offer")) }
        #expect(throws: GatewayError.noOffer) { try bridge.browserAnswer(try sample("chromium-answer")) }
    }

    @Test func `lines are never dropped`() throws {
        var bridge = try call()
        #expect(throws: GatewayError.streamsDropped) { try bridge.browserOffer(try sample("chromium-audio")) }
        #expect(throws: GatewayError.streamsDropped) { try bridge.phoneOffer(Phones.desk) }
    }

    @Test func `the browser restarts ICE and gets new credentials`() throws {
        var bridge = try call()
        let role = try bridge.plan.transport.role
        _ = try bridge.browserOffer(sample("chromium-offer").replacing("ufrag:N7pn", with: "ufrag:NEWw"))
        #expect(bridge.negotiation.needsFreshCredentials)
        let answer = phone("m=audio 4000 RTP/AVP 8\nm=video 0 RTP/AVP 96")
        #expect(throws: GatewayError.freshCredentialsMissing) { try bridge.phoneAnswer(answer) }
        let fresh = ICECredentials(ufrag: Array("fresh".utf8), password: Array("freshPasswordOf22OrMore".utf8))
        bridge.negotiation.renewCredentials(fresh)
        #expect(try bridge.phoneAnswer(answer).has("a=ice-ufrag:fresh", in: 0))
        #expect(try bridge.plan.transport.credentials == fresh && bridge.plan.transport.role == role)
        // The same answer once more is the same answer.
        #expect(try bridge.phoneAnswer(answer).has("a=ice-ufrag:fresh", in: 0))
    }

    @Test func `we restart ICE with our next offer, and an answer keeps what is in force`() throws {
        var bridge = try call()
        let fresh = ICECredentials(ufrag: Array("fresh".utf8), password: Array("freshPasswordOf22OrMore".utf8))
        bridge.negotiation.renewCredentials(fresh)
        _ = try bridge.browserOffer(sample("chromium-offer"))
        let answer = try bridge.phoneAnswer(phone("m=audio 4000 RTP/AVP 8\nm=video 0 RTP/AVP 96"))
        #expect(answer.has("a=ice-ufrag:ourUfrag", in: 0))
        let offer = try bridge.phoneOffer(phone(version: 2, "m=audio 4000 RTP/AVP 8\nm=video 0 RTP/AVP 96"))
        #expect(offer.has("a=ice-ufrag:fresh", in: 0) && offer.has("a=setup:actpass", in: 0))
        _ = try bridge.browserAnswer(browserAnswer(to: offer, setup: "passive"))
        #expect(try bridge.plan.transport.credentials == fresh && bridge.plan.transport.role == .client)
    }

    @Test func `a role stays while the certificate does`() throws {
        var bridge = Bridge()
        let offer = try bridge.phoneOffer(Phones.sipp)
        _ = try bridge.browserAnswer(browserAnswer(to: offer, setup: "active"))
        #expect(try bridge.plan.transport.role == .server)
        let again = browserAnswer(to: offer, setup: "actpass")
        _ = try bridge.browserOffer(again)
        #expect(try bridge.phoneAnswer(Phones.sipp).has("a=setup:passive", in: 0))
    }
}
