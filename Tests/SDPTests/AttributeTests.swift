import Base
import SDP
import Testing

struct AttributeTests {
    @Test func `reads Chromium's offer`() throws {
        let offer = try Sample.named("chromium-offer")
        #expect(offer.media.map { string($0.mid) } == ["0", "1", "2"])
        #expect(offer.media.map { string($0.kind) } == ["audio", "video", "application"])
        #expect(offer.bundleGroups.map { $0.map { string($0) } } == [["0", "1", "2"]])
        #expect(offer.supportsTrickle)
        #expect(offer.setup(of: 0) == .activeOrPassive)
        #expect(offer.fingerprints(of: 0).map(\.digest.count) == [32])
        #expect(string(offer.fingerprints(of: 1).first?.hash) == "sha-256")
        #expect(offer.iceCredentials(of: 0)?.ufrag.isEmpty == false)
        #expect(offer.media[0].hasRTCPMux && !offer.media[2].isRTP)
        let opus = try #require(offer.media[0].payloads.first)
        #expect(opus == RTPMap(payloadType: 111, encoding: Array("opus".utf8), clockRate: 48000, channels: 2))
        #expect(opus.isNamed("OPUS") && string(opus.bytes) == "111 opus/48000/2")
        #expect(string(offer.media[0].formatParameters(of: 111)) == "minptime=10;useinbandfec=1")
        #expect(offer.direction(of: 0) == .sendReceive && !offer.isHold)
    }

    @Test func `reads Firefox's fingerprint and candidates`() throws {
        let gathered = try Sample.named("firefox-gathered")
        #expect(gathered.fingerprints(of: 0).map(\.digest.count) == [32])
        let candidates = gathered.media[0].candidates
        #expect(candidates.count >= 4)
        #expect(candidates[0].transport == Array("UDP".utf8) && candidates[0].component == 1)
        #expect(string(candidates.first { $0.port == 9 }?.value(of: "tcptype")) == "active")
    }

    @Test func `reads baresip's candidates with both components`() throws {
        let offer = try Sample.named("baresip-dtls")
        #expect(offer.media[0].candidates.map(\.component) == [1, 2, 1, 2])
        #expect(offer.setup(of: 0) == .activeOrPassive && offer.iceCredentials(of: 0) != nil)
    }

    /// RFC 8839 §5.1, with an mDNS name, a relayed candidate and an IPv6 one.
    @Test(arguments: [
        "1 1 UDP 2130706431 203.0.113.141 8998 typ host",
        "2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998",
        "842163049 1 udp 1677729535 0c2b6a4a-3a2f-4f33-8f0b-2f6fd8d1e9c1.local 46154 typ host generation 0 ufrag EEtu",
        "7 2 tcp 4294967295 2001:db8::17 9 typ relay raddr :: rport 0 tcptype passive",
    ])
    func `gives candidates back as they came`(text: String) throws {
        let candidate = try #require(Candidate(parsing: Array(text.utf8)[...]))
        #expect(string(candidate.bytes) == text)
    }

    @Test(arguments: [
        "", "1 1 UDP 1 h 9", "1 1 UDP 1 h 9 kind host", "1 1 UDP 4294967296 h 9 typ host", "1 70000 UDP 1 h 9 typ host",
        "1 1 UDP 1 h 65536 typ host", "1 1 UDP 1 h 9 typ srflx raddr h rport", "1 1 UDP 1 h 9 typ srflx rport 65536",
    ])
    func `takes nothing else for a candidate`(text: String) {
        #expect(Candidate(parsing: Array(text.utf8)[...]) == nil)
    }

    @Test func `skips candidates it cannot read`() throws {
        let parsed = try description(
            "m=audio 9 RTP/AVP 0", "a=candidate:bad", "a=candidate:1 1 UDP 1 192.0.2.1 9 typ host",
            "a=end-of-candidates")
        #expect(parsed.media[0].candidates.count == 1 && parsed.media[0].hasEndOfCandidates)
    }

    @Test(arguments: ["sha-256 AB:CD", "sha-1 00:ff:10"])
    func `reads fingerprints in either case`(text: String) throws {
        let fingerprint = try #require(Fingerprint(parsing: Array(text.utf8)[...]))
        #expect(Fingerprint(parsing: fingerprint.bytes[...]) == fingerprint)
    }

    @Test(arguments: ["sha-256", "sha-256 ABC", "sha-256 AB:C", "sha-256 AB::CD", "sha-256 AB:XY", "sha-256 AB: CD"])
    func `takes nothing else for a fingerprint`(text: String) {
        #expect(Fingerprint(parsing: Array(text.utf8)[...]) == nil)
    }

    @Test(arguments: [
        "111 opus", "128 opus/48000", "1 /8000", "1 x/0", "1 x/8000/0", "1 x/8000/2/3", "x y/1",
        "1 x/99999999999999999999",
    ])
    func `takes nothing else for a codec`(text: String) {
        #expect(RTPMap(parsing: Array(text.utf8)[...]) == nil)
    }

    @Test func `lists sources once`() throws {
        let parsed = try description(
            "m=audio 9 RTP/AVP 0", "a=ssrc:5 cname:a", "a=ssrc:5 msid:b", "a=ssrc:7 cname:a", "a=ssrc:x")
        #expect(parsed.media[0].synchronizationSources == [5, 7])
    }

    @Test func `replaces an attribute where it stood`() throws {
        var list = LineList([.attribute("a"), .attribute("b", [1]), .attribute("c"), .attribute("b", [2])])
        list.replace("b", [3])
        #expect(list == LineList([.attribute("a"), .attribute("b", [3]), .attribute("c")]))
        list.replace("d")
        #expect(list.has("d") && list.attribute("d") == nil && !list.has("e"))
    }
}

struct DirectionTests {
    /// RFC 3264 §6.1: what may be answered to each offer.
    @Test(arguments: [
        (Direction.sendReceive, Direction.sendReceive, Direction.sendReceive),
        (.sendReceive, .receiveOnly, .receiveOnly), (.sendReceive, .inactive, .inactive),
        (.sendOnly, .sendReceive, .receiveOnly), (.sendOnly, .sendOnly, .inactive),
        (.receiveOnly, .sendReceive, .sendOnly), (.receiveOnly, .receiveOnly, .inactive),
        (.inactive, .sendReceive, .inactive),
    ])
    func `answers an offer's direction`(offered: Direction, wanted: Direction, answer: Direction) {
        #expect(offered.answer(wanting: wanted) == answer)
    }

    @Test func `holding stops listening and turns back`() {
        #expect(Direction.sendReceive.held == .sendOnly && Direction.receiveOnly.held == .inactive)
        for direction in Direction.allCases { #expect(direction.reversed.reversed == direction) }
    }

    @Test func `tells a held call`() throws {
        #expect(try Sample.named("chromium-hold").isHold)
        #expect(try Sample.named("firefox-hold").isHold)
        #expect(try description("a=inactive", "m=audio 9 RTP/AVP 0", "m=video 0 RTP/AVP 99").isHold)
        #expect(try !description("a=sendonly", "m=audio 9 RTP/AVP 0", "a=sendrecv").isHold)
        #expect(try description("m=audio 9 RTP/AVP 0", "c=IN IP4 0.0.0.0").isHold)
        #expect(try !description("m=audio 0 RTP/AVP 0", "a=inactive").isHold)
        let trickled = try description(
            "m=audio 9 UDP/TLS/RTP/SAVPF 0", "c=IN IP4 0.0.0.0", "a=ice-ufrag:abcd", "a=ice-pwd:0123456789012345678901")
        #expect(!trickled.isHold)
    }

    @Test func `sets the direction of every stream`() throws {
        var offer = try Sample.named("chromium-offer")
        offer.setDirection(.sendOnly)
        #expect(offer.isHold)
        #expect(offer.media[0].list.lines.count { $0.attributeName?.elementsEqual("sendonly".utf8) == true } == 1)
        #expect(offer.media[0].list.direction == .sendOnly)
        offer.setDirection(.sendReceive)
        var twin = try Sample.named("chromium-offer")
        twin.media[2].list.direction = .sendReceive
        #expect(offer == twin)
    }
}

struct MediaProfileTests {
    @Test(arguments: Sample.all)
    func `tells browsers from telephones`(sample: Sample) throws {
        let telephone = sample.name == "baresip-avp" || sample.name == "baresip-srtp"
        #expect(MediaProfile.classify(sample.bytes[...]) == (telephone ? .telephone : .webRTC))
        #expect(try SessionDescription(parsing: sample.bytes).isWebRTC == !telephone)
    }

    @Test func `counts live streams alone`() throws {
        #expect(try description("m=audio 0 UDP/TLS/RTP/SAVPF 111", "a=fingerprint:sha-1 00").profile == .none)
        #expect(try description("m=audio 9 UDP/TLS/RTP/SAVPF 111").profile == .telephone)
        #expect(try description("a=fingerprint:sha-1 00", "m=audio 9 UDP/TLS/RTP/SAVP 111").profile == .webRTC)
        #expect(try description("m=image 9 udptl t38").profile == .none)
        #expect(
            try description("m=audio 0 UDP/TLS/RTP/SAVPF 111", "a=bundle-only", "a=fingerprint:sha-1 00").profile
                == .webRTC)
        #expect(MediaProfile.classify([]) == .none)
        #expect(MediaProfile.classify(Array("m=\nm=audio\n=\na\n".utf8)[...]) == .none)
    }
}

struct TrickleFragmentTests {
    /// RFC 8840 §9.3, in shape.
    @Test func `reads a fragment`() throws {
        let bytes = lines(
            "a=ice-pwd:asd88fgpdd777uzjYhagZg", "a=ice-ufrag:8hhY", "m=audio 9 RTP/AVP 0", "a=mid:1",
            "a=candidate:1 1 UDP 2130706432 2001:db8:a0b:12f0::1 5000 typ host",
            "a=candidate:1 1 UDP 2130706432 192.0.2.1 5000 typ host", "a=end-of-candidates", "m=audio 9 RTP/AVP 0",
            "a=mid:2", "a=candidate:1 1 UDP 2130706432 192.0.2.1 5002 typ host")
        let fragment = try TrickleFragment(parsing: bytes)
        #expect(fragment.bytes == bytes)
        #expect(fragment.media.map { string($0.mid) } == ["1", "2"])
        #expect(fragment.media.map(\.candidates.count) == [2, 1])
        #expect(fragment.media.map(\.hasEndOfCandidates) == [true, false])
        #expect(string(fragment.credentials(of: 1)?.ufrag) == "8hhY")
        #expect(fragment.credentials(of: 2) == nil)
    }

    @Test func `builds what it reads`() throws {
        let credentials = ICECredentials(ufrag: Array("abcd".utf8), password: Array("0123456789012345678901".utf8))
        var fragment = TrickleFragment(credentials: credentials)
        let candidate = Array("1 1 udp 1 192.0.2.1 5000 typ host".utf8)
        fragment.add(candidate: candidate, mid: Array("0".utf8))
        fragment.add(candidate: candidate, mid: Array("1".utf8))
        fragment.add(candidate: nil, mid: Array("0".utf8))
        #expect(fragment.media.count == 2 && fragment.media[0].hasEndOfCandidates)
        #expect(fragment.credentials(of: 0) == credentials)
        #expect(try TrickleFragment(parsing: fragment.bytes) == fragment)
    }

    @Test func `refuses what is no fragment`() {
        #expect(throws: SDPError.malformedLine(line: 1)) { try TrickleFragment(parsing: lines("v=0")) }
        #expect(throws: SDPError.malformedMedia(line: 1)) { try TrickleFragment(parsing: lines("m=audio")) }
    }
}
