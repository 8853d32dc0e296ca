import Base
import RTP
import SDP

/// Drives one bridge with a script of descriptions, and demands that every description of ours is sound: for the fuzzer and
/// the tests of damage.
///
/// Parts end with a NUL. The first byte of each says whose description follows: `B` and `P` are offers of browser and
/// phone, `b` and `p` answers; `e` answers an open offer of ours with itself, `x` refuses it, `n` brings new ICE credentials.
package func fuzzGateway(_ bytes: [UInt8]) {
    var random = RandomSource(seed: UInt64(bytes.first ?? 0))
    var script = GatewayScript(security: [.none, .opportunistic, .twoLines, .keys, .dtls][bytes.count % 5], &random)
    for part in bytes.split(separator: 0).prefix(32) {
        guard let first = part.first else { continue }
        script.play(first, Array(part.dropFirst()), &random)
    }
}

/// A bridge whose outputs are checked against what they answer.
package struct GatewayScript {
    package private(set) var negotiation: Negotiation
    /// The peer's open offer, and ours that was made of it.
    private var open: (offer: [UInt8], sent: [UInt8], isOfBrowser: Bool)?
    /// How many lines the last complete exchange had on the browser's leg and on the phone's.
    private var agreed = [0, 0]
    private var lastWeb: SessionDescription?
    private var lastPhone: SessionDescription?

    package init(_ negotiation: Negotiation) { self.negotiation = negotiation }

    init(security: PhoneSecurity, _ random: inout RandomSource) {
        let fingerprint = Fingerprint(hash: [UInt8](ascii: "sha-256"), digest: random.bytes(count: 32))
        let credentials = ICECredentials(ufrag: random.token(length: 8), password: random.token(length: 24))
        let web = WebParameters(
            credentials: credentials, candidates: [], fingerprints: [fingerprint], cname: random.token(length: 12),
            audioSource: SSRC(1), videoSource: SSRC(2))
        let keys = [SDESKey(.aes128SHA1Tag80, random: &random), SDESKey(.aes128GCM, random: &random)]
        var phone = PhoneParameters(
            address: .loopback, audio: PhoneSocket(port: 10_000, controlPort: 10_001, source: SSRC(3), keys: keys),
            video: PhoneSocket(port: 10_002, controlPort: 10_009, source: SSRC(4), keys: keys),
            fingerprints: [fingerprint], cname: random.token(length: 12))
        phone.security = security
        self.init(Negotiation(web: web, phone: phone, random: &random))
    }

    package mutating func play(_ step: UInt8, _ bytes: [UInt8], _ random: inout RandomSource) {
        switch step {
        case UInt8(ascii: "B"): offer(bytes, isOfBrowser: true)
        case UInt8(ascii: "P"): offer(bytes, isOfBrowser: false)
        case UInt8(ascii: "b"): answer(bytes, isOfBrowser: true)
        case UInt8(ascii: "p"): answer(bytes, isOfBrowser: false)
        case UInt8(ascii: "e"):
            if let open { answer(open.sent, isOfBrowser: !open.isOfBrowser) }
        case UInt8(ascii: "x"):
            if !negotiation.isStable { open = nil }
            negotiation.offerRefused()
            precondition(negotiation.isStable, "a refused offer stays open")
        case UInt8(ascii: "n"):
            negotiation.renewCredentials(
                ICECredentials(ufrag: random.token(length: 8), password: random.token(length: 24)))
        default: break
        }
    }

    private mutating func offer(_ bytes: [UInt8], isOfBrowser: Bool) {
        let wasStable = negotiation.isStable
        guard let sent = try? isOfBrowser ? negotiation.browserOffer(bytes) : negotiation.phoneOffer(bytes) else {
            precondition(negotiation.isStable == wasStable, "an error changed the state")
            return
        }
        precondition(wasStable && !negotiation.isStable, "an offer beside another")
        open = (bytes, sent, isOfBrowser)
        note(sent, isForBrowser: !isOfBrowser)
    }

    private mutating func answer(_ bytes: [UInt8], isOfBrowser: Bool) {
        let before = (plan: negotiation.plan, isStable: negotiation.isStable)
        guard let made = try? isOfBrowser ? negotiation.browserAnswer(bytes) : negotiation.phoneAnswer(bytes) else {
            precondition(negotiation.plan == before.plan, "an error changed the plan")
            precondition(negotiation.isStable == before.isStable, "an error changed the state")
            return
        }
        precondition(negotiation.isStable, "an answer leaves an offer open")
        note(made, isForBrowser: !isOfBrowser)
        guard let open, open.isOfBrowser != isOfBrowser else { preconditionFailure("an answer without offer") }
        check(made, answers: open.offer)
        agreed = [lastWeb?.media.count ?? 0, lastPhone?.media.count ?? 0]
        checkPlan()
        // The same answer once more changes nothing.
        let again = try? isOfBrowser ? negotiation.browserAnswer(bytes) : negotiation.phoneAnswer(bytes)
        precondition(again == made, "the same answer became another")
    }

    /// The session is one, and its version rises by one with each change and with nothing else.
    private mutating func note(_ bytes: [UInt8], isForBrowser: Bool) {
        guard let description = try? SessionDescription(parsing: bytes) else {
            preconditionFailure("we wrote what cannot be read")
        }
        precondition(description.bytes == bytes, "we wrote what reads as another")
        if let last = isForBrowser ? lastWeb : lastPhone {
            precondition(last.origin.sessionID == description.origin.sessionID, "another session")
            var next = last.origin
            next.incrementVersion()
            let isSame = last.session == description.session && last.media == description.media
            precondition(description.origin == (isSame ? last.origin : next), "a wrong version")
        }
        precondition(description.media.count >= agreed[isForBrowser ? 0 : 1], "lines were dropped")
        if isForBrowser { lastWeb = description } else { lastPhone = description }
    }

    /// RFC 3264 §6: as many lines, of the same kinds, with nothing that was not offered.
    private func check(_ answer: [UInt8], answers offer: [UInt8]) {
        guard let answer = try? SessionDescription(parsing: answer), let offer = try? SessionDescription(parsing: offer)
        else { preconditionFailure("what was read cannot be read") }
        precondition(answer.media.count == offer.media.count, "another number of lines")
        for (index, line) in answer.media.enumerated() {
            let asked = offer.media[index]
            precondition(line.kind == asked.kind && line.transport == asked.transport, "another kind of line")
            precondition(line.formats.allSatisfy { asked.formats.contains($0) }, "a format that was not offered")
            guard !line.isRejected else { continue }
            precondition(!asked.isRejected, "a refused line came to life")
            let (ours, theirs) = (answer.direction(of: index), offer.direction(of: index))
            precondition(!ours.sends || theirs.receives, "sends to who does not receive")
            precondition(!ours.receives || theirs.sends, "receives from who does not send")
        }
        let groups = answer.bundleGroups.flatMap { $0 }
        precondition(groups.allSatisfy { mid in offer.bundleGroups.contains { $0.contains(mid) } }, "another bundle")
    }

    private func checkPlan() {
        for kind in MediaKind.allCases {
            guard let stream = negotiation.plan?[kind] else { continue }
            precondition(!stream.web.end.codecs.isEmpty && !stream.phone.end.codecs.isEmpty, "a stream without codec")
            for routes in [stream.fromWeb, stream.fromPhone] {
                precondition(!routes.isEmpty, "a stream without a way")
                precondition(Set(routes.map(\.payloadType)).count == routes.count, "a number with two meanings")
            }
        }
    }
}
