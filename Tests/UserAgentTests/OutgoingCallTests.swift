import Base
import SIP
import Testing
import UserAgent

private let call = CallID(1)
private let ok = bytes("OK")

/// The phone calls; the test is the far end.
@Suite struct OutgoingCallTests {
    /// A registered phone that has just sent its INVITE.
    fileprivate func calling(
        transport: SIPTransport = .wss, password: String? = nil
    ) throws -> (Bench, SIPMessage) {
        var bench = try Bench(transport: transport, password: password)
        try bench.register()
        try bench.perform(.call(call, to: bytes("sip:bob@example.org"), offer: sdp(), replaces: nil))
        let invite = try bench.takeRequest(.invite)
        return (bench, invite)
    }

    /// A phone in an established call with Bob.
    private func established() throws -> (Bench, SIPMessage) {
        var (bench, invite) = try calling()
        bench.respond(200, to: invite, headers: ["Allow: INVITE, UPDATE", "Supported: timer"], body: sdp("bob"))
        _ = try bench.takeRequest(.ack)
        _ = bench.takeEvents()
        return (bench, invite)
    }

    @Test func `sends an INVITE that says what it can`() throws {
        let (_, invite) = try calling()
        #expect(text(invite.requestURIText) == "sip:bob@example.org")
        #expect(invite.header(.contact) == "<sip:anna@phone.invalid;transport=ws>")
        #expect(invite.header(.supported) == "100rel, timer, replaces, outbound, gruu, trickle-ice")
        #expect(invite.header(.recvInfo) == "trickle-ice")
        #expect(invite.header(.sessionExpires) == "1800")
        #expect(invite.header(.minSE) == "90")
        #expect(invite.header(.allow)?.contains("UPDATE") == true)
        #expect(Array(invite.body) == sdp())
        #expect(invite.header(.maxForwards) == "70")
    }

    @Test func `rings, is answered, acknowledges along the route, hangs up`() throws {
        var (bench, invite) = try calling()
        bench.respond(100, to: invite)
        bench.expect()
        bench.respond(180, to: invite)
        bench.expect(.progress(call, status: 180, reason: bytes("Ringing"), sdp: []))
        bench.respond(200, to: invite, headers: ["Record-Route: <sip:p2;lr>, <sip:p1;lr>"], body: sdp("bob"))
        bench.expect(.answered(call, sdp: sdp("bob")))
        let ack = try bench.takeRequest(.ack)
        #expect(text(ack.requestURIText) == "sip:bob-remote@192.0.2.2")
        #expect(ack.values(of: .route).map { text($0) } == ["<sip:p1;lr>", "<sip:p2;lr>"])
        #expect(ack.header(.cseq) == "1 ACK")
        #expect(ack.header(.via) != invite.header(.via))
        try bench.perform(.hangUp(call))
        bench.expect(.ended(call, cause: .hungUp, status: 0, reason: []))
        let bye = try bench.takeRequest(.bye)
        #expect(bye.header(.cseq) == "2 BYE")
        #expect(bye.header(.to)?.hasSuffix("tag=remote") == true)
        #expect(text(bye.requestURIText) == "sip:bob-remote@192.0.2.2")
        bench.respond(200, to: bye)
        bench.wait(.seconds(64))
        #expect(bench.phone.callCount == 0)
    }

    @Test func `a response with another Via than ours went astray and is dropped`() throws {
        var (bench, invite) = try calling()
        bench.respond(180, to: invite, headers: ["Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKelse"])
        bench.respond(486, to: invite, headers: ["v: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKelse"])
        bench.expect()
        bench.expectSent()
        bench.respond(180, to: invite)
        #expect(bench.takeEvents().count == 1)
    }

    @Test func `a call to a sips address has a sips Contact, in all of its dialog`() throws {
        var bench = try Bench()
        try bench.register()
        try bench.perform(.call(call, to: bytes("sips:bob@example.org"), offer: sdp(), replaces: nil))
        let invite = try bench.takeRequest(.invite)
        #expect(invite.header(.contact) == "<sips:anna@phone.invalid;transport=ws>")
        bench.respond(200, to: invite, headers: ["Allow: INVITE"], body: sdp("bob"))
        _ = try bench.takeRequest(.ack)
        try bench.perform(.offer(call, sdp: sdp(version: 2)))
        let again = try bench.takeRequest(.invite)
        #expect(again.header(.contact) == "<sips:anna@phone.invalid;transport=ws>")
    }

    @Test func `so has a call whose way out begins with a sips proxy`() throws {
        var bench = try Bench { $0.outboundProxy = bytes("sips:edge.example.org;lr") }
        try bench.register()
        try bench.perform(.call(call, to: bytes("sip:bob@example.org"), offer: sdp(), replaces: nil))
        #expect(try bench.takeRequest(.invite).header(.contact) == "<sips:anna@phone.invalid;transport=ws>")
        try bench.perform(
            .subscribe(id: 7, to: bytes("sip:bob@example.org"), event: bytes("presence"), accept: [], expires: 600))
        #expect(try bench.takeRequest(.subscribe).header(.contact) == "<sips:anna@phone.invalid;transport=ws>")
    }

    @Test(arguments: [Configuration.Trickle.off, .half, .full])
    func `candidates go by INFO to whoever asks for them, unless trickling is off`(_ trickle: Configuration.Trickle)
        throws
    {
        var bench = try Bench { $0.trickle = trickle }
        try bench.register()
        try bench.perform(.call(call, to: bytes("sip:bob@example.org"), offer: sdp(), replaces: nil))
        let invite = try bench.takeRequest(.invite)
        #expect((invite.header(.recvInfo) == nil) == (trickle == .off))
        try bench.perform(.candidates(call, fragment: bytes("a=mid:0\r\n")))
        // A stranger's server may name what it supports without taking the package.
        bench.respond(180, to: invite, tag: "deaf", headers: ["Supported: trickle-ice"])
        bench.expectSent()
        bench.respond(180, to: invite, tag: "keen", headers: ["Recv-Info: trickle-ice"])
        #expect(bench.takeSent().map(\.summary) == (trickle == .off ? [] : ["INFO 2"]))
    }

    @Test func `in an early dialog UPDATE waits for the first answer, and then goes both ways`() throws {
        var (bench, invite) = try calling()
        bench.respond(180, to: invite, headers: ["Allow: UPDATE"])
        #expect(throws: CommandError.wrongState) { try bench.perform(.offer(call, sdp: sdp(version: 2))) }
        let reliable = ["Require: 100rel", "RSeq: 1", "Allow: UPDATE"]
        bench.respond(183, to: invite, headers: reliable, body: sdp("bob"))
        bench.respond(200, to: try bench.takeRequest(.prack))
        _ = bench.takeEvents()
        try bench.perform(.offer(call, sdp: sdp(version: 2)))
        let update = try bench.takeRequest(.update)
        #expect(update.header(.contact) == invite.header(.contact))
        bench.respond(200, to: update, body: sdp("bob", version: 2))
        bench.expect(.offerAnswered(call, sdp: sdp("bob", version: 2)))
        // The callee's, in the same early dialog.
        var callee = Caller()
        callee.callID = text(invite.callID)
        (callee.tag, callee.phoneTag) = ("remote", invite.fromTag.map { text($0) })
        bench.receive(raw: callee.request("UPDATE", body: sdp("bob", version: 3)))
        bench.expect(.offered(call, sdp: sdp("bob", version: 3)))
        bench.expectSent()
        try bench.perform(.answerOffer(call, sdp: sdp(version: 3)))
        #expect(Array(try bench.takeResponse(200).body) == sdp(version: 3))
        bench.respond(200, to: invite)
        _ = try bench.takeRequest(.ack)
    }

    @Test func `a copy of the 2xx gets a copy of the ACK`() throws {
        var (bench, invite) = try calling()
        bench.respond(200, to: invite, body: sdp("bob"))
        let ack = try bench.takeRequest(.ack)
        _ = bench.takeEvents()
        bench.respond(200, to: invite, body: sdp("bob"))
        #expect(try bench.takeRequest(.ack) == ack)
        bench.expect()
    }

    @Test func `the first of two answers wins, the other gets ACK and BYE`() throws {
        var (bench, invite) = try calling()
        bench.respond(180, to: invite, tag: "one")
        bench.respond(180, to: invite, tag: "two")
        _ = bench.takeEvents()
        bench.respond(200, to: invite, tag: "two", body: sdp("two"))
        bench.expect(.answered(call, sdp: sdp("two")))
        bench.expectSent("ACK 1")
        bench.respond(200, to: invite, tag: "one", body: sdp("one"))
        bench.expect()
        let sent = bench.takeSent()
        #expect(sent.map(\.summary) == ["ACK 1", "BYE 2"])
        #expect(sent.allSatisfy { text($0.requestURIText) == "sip:bob-one@192.0.2.2" })
    }

    @Test func `a reliable provisional response gets PRACK, and its answer counts`() throws {
        var (bench, invite) = try calling()
        let reliable = ["Require: 100rel", "RSeq: 7", "Allow: UPDATE"]
        bench.respond(183, to: invite, headers: reliable, body: sdp("bob"))
        bench.expect(.progress(call, status: 183, reason: bytes("Session Progress"), sdp: sdp("bob")))
        let prack = try bench.takeRequest(.prack)
        #expect(prack.header(.rack) == "7 1 INVITE")
        #expect(prack.header(.cseq) == "2 PRACK")
        bench.respond(200, to: prack)
        // A copy, and one that skips a number, are not for us.
        bench.respond(183, to: invite, headers: reliable, body: sdp("bob"))
        bench.respond(183, to: invite, headers: ["Require: 100rel", "RSeq: 9"])
        bench.expectSent()
        bench.expect()
        // The exchange is complete: an UPDATE may change it before the call is answered.
        try bench.perform(.offer(call, sdp: sdp(version: 2)))
        let update = try bench.takeRequest(.update)
        bench.respond(200, to: update, body: sdp("bob", version: 2))
        bench.expect(.offerAnswered(call, sdp: sdp("bob", version: 2)))
        bench.respond(200, to: invite)
        bench.expect(.answered(call, sdp: sdp("bob", version: 2)))
    }

    @Test(arguments: [
        (486, EndCause.busy), (600, .busy), (603, .declined), (404, .notFound), (480, .noAnswer), (408, .noAnswer),
        (488, .notAcceptable), (503, .unreachable), (500, .failed),
    ])
    func `a refusal ends the call with its meaning`(status: Int, cause: EndCause) throws {
        var (bench, invite) = try calling()
        bench.respond(status, to: invite)
        bench.expect(.ended(call, cause: cause, status: status, reason: ReasonPhrase.text(for: status)))
        let ack = try bench.takeRequest(.ack)
        #expect(ack.header(.via) == invite.header(.via))
        bench.wait(.seconds(64))
        #expect(bench.phone.callCount == 0)
        #expect(bench.phone.transactionCount == 0)
    }

    @Test func `answers 407, then acknowledges with the same credentials`() throws {
        var (bench, invite) = try calling(password: "secret")
        bench.respond(407, to: invite, headers: ["Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\""])
        let sent = bench.takeSent()
        #expect(sent.map(\.summary) == ["ACK 1", "INVITE 2"])
        let again = try #require(sent.last)
        #expect(again.callID == invite.callID)
        #expect(again.fromTag == invite.fromTag)
        let credentials = try #require(again.header(.proxyAuthorization))
        bench.respond(200, to: again, body: sdp("bob"))
        let ack = try bench.takeRequest(.ack)
        #expect(ack.header(.proxyAuthorization) == credentials)
        #expect(ack.header(.cseq) == "2 ACK")
    }

    @Test func `takes a longer session interval when asked`() throws {
        var (bench, invite) = try calling()
        bench.respond(422, to: invite, headers: ["Min-SE: 3600"])
        let again = try #require(bench.takeSent().last)
        #expect(again.header(.sessionExpires) == "3600")
        #expect(again.header(.minSE) == "3600")
        bench.expect()
    }

    @Test func `follows a redirection once it is offered`() throws {
        var (bench, invite) = try calling()
        bench.respond(302, to: invite, headers: ["Contact: <sip:bob@elsewhere.example>"], contact: false)
        let again = try #require(bench.takeSent().last)
        #expect(text(again.requestURIText) == "sip:bob@elsewhere.example")
        #expect(again.header(.to) == "<sip:bob@example.org>")
        bench.expect()
    }

    @Test func `waits with CANCEL for the first provisional response`() throws {
        var (bench, invite) = try calling()
        try bench.perform(.hangUp(call))
        bench.expect(.ended(call, cause: .cancelled, status: 0, reason: []))
        bench.expectSent()
        bench.respond(100, to: invite)
        let cancel = try bench.takeRequest(.cancel)
        #expect(cancel.header(.via) == invite.header(.via))
        #expect(cancel.header(.cseq) == "1 CANCEL")
        bench.respond(200, to: cancel)
        bench.respond(487, to: invite)
        bench.expectSent("ACK 1")
        bench.expect()
    }

    @Test func `a 200 that crosses the CANCEL is acknowledged and ended`() throws {
        var (bench, invite) = try calling()
        bench.respond(180, to: invite)
        try bench.perform(.hangUp(call))
        _ = bench.takeEvents()
        bench.expectSent("CANCEL 1")
        bench.respond(200, to: invite, body: sdp("bob"))
        let sent = bench.takeSent()
        #expect(sent.map(\.summary) == ["ACK 1", "BYE 2"])
        bench.respond(200, to: sent[1])
        bench.expect()
        bench.wait(.seconds(64))
        #expect(bench.phone.callCount == 0)
    }

    @Test func `gives up after a minute of ringing`() throws {
        var (bench, invite) = try calling()
        bench.respond(180, to: invite)
        _ = bench.takeEvents()
        bench.wait(.seconds(60))
        bench.expectSent("CANCEL 1")
        bench.expect(.ended(call, cause: .noAnswer, status: 408, reason: bytes("Request Timeout")))
    }

    @Test func `nobody at all answers the INVITE`() throws {
        var (bench, _) = try calling(transport: .udp)
        bench.wait(.seconds(32))
        #expect(bench.takeSent().count == 6)
        bench.expect(.ended(call, cause: .unreachable, status: 408, reason: bytes("Request Timeout")))
    }

    @Test func `an answer that fits no offer ends the call politely`() throws {
        var (bench, invite) = try calling()
        bench.respond(200, to: invite, body: bytes("nonsense"))
        bench.expectSent("ACK 1", "BYE 2")
        bench.expect(.ended(call, cause: .notAcceptable, status: 0, reason: []))
    }

    @Test func `a pending INVITE goes out again over the next flow, in the same transaction`() throws {
        var (bench, invite) = try calling()
        bench.disconnect()
        bench.wait(.seconds(3))
        bench.expectSent()
        bench.connect()
        let sent = bench.takeSent()
        #expect(sent.first == invite)
        #expect(sent.last?.method == .register)
        bench.respond(200, to: invite, body: sdp("bob"))
        bench.expect(.answered(call, sdp: sdp("bob")))
    }

    // MARK: In the call

    @Test func `offers again and takes the answer and the new target`() throws {
        var (bench, _) = try established()
        try bench.perform(.offer(call, sdp: sdp(version: 2, streams: ["audio", "video"])))
        let invite = try bench.takeRequest(.invite)
        #expect(invite.header(.cseq) == "2 INVITE")
        #expect(throws: CommandError.wrongState) { try bench.perform(.offer(call, sdp: sdp(version: 3))) }
        let answer = sdp("bob", version: 2, streams: ["audio", "video"])
        bench.respond(200, to: invite, tag: "remote", body: answer)
        bench.expect(.offerAnswered(call, sdp: answer))
        bench.expectSent("ACK 2")
    }

    @Test func `a refused offer leaves the call as it was`() throws {
        var (bench, _) = try established()
        try bench.perform(.offer(call, sdp: sdp(version: 2)))
        let invite = try bench.takeRequest(.invite)
        bench.respond(488, to: invite)
        bench.expect(.offerFailed(call, status: 488, reason: bytes("Not Acceptable Here")))
        bench.expectSent("ACK 2")
        try bench.perform(.offer(call, sdp: sdp(version: 2)))
        #expect(try bench.takeRequest(.invite).header(.cseq) == "3 INVITE")
    }

    @Test func `after a glare the caller waits between 2.1 and 4 seconds`() throws {
        var (bench, _) = try established()
        try bench.perform(.offer(call, sdp: sdp(version: 2)))
        let invite = try bench.takeRequest(.invite)
        bench.respond(491, to: invite)
        bench.expectSent("ACK 2")
        bench.wait(.milliseconds(2_099))
        bench.expectSent()
        bench.wait(.milliseconds(1_901))
        let again = try bench.takeRequest(.invite)
        #expect(again.body == invite.body)
        bench.expect()
    }

    @Test(arguments: [481, 408]) func `a peer that knows no such call any more is gone`(status: Int) throws {
        var (bench, _) = try established()
        try bench.perform(.offer(call, sdp: sdp(version: 2)))
        let invite = try bench.takeRequest(.invite)
        bench.respond(status, to: invite)
        let reason = ReasonPhrase.text(for: status)
        bench.expect(
            .offerFailed(call, status: status, reason: reason),
            .ended(call, cause: .networkLost, status: status, reason: reason))
        bench.expectSent("ACK 2", "BYE 3")
    }

    @Test func `refreshes the session at half of its interval and ends it when nobody answers`() throws {
        var (bench, invite) = try calling()
        bench.respond(
            200, to: invite, headers: ["Session-Expires: 600;refresher=uac", "Allow: UPDATE"], body: sdp("bob"))
        bench.expectSent("ACK 1")
        _ = bench.takeEvents()
        bench.wait(.seconds(300))
        let all = bench.takeSent().filter { $0.method != .register }
        let update = try #require(all.first)
        #expect(update.method == .update)
        #expect(update.header(.sessionExpires) == "600;refresher=uac")
        #expect(update.body.isEmpty)
        bench.respond(200, to: update, headers: ["Session-Expires: 600;refresher=uac"])
        bench.wait(.seconds(299))
        #expect(bench.takeSent().allSatisfy { $0.method == .register })
        bench.wait(.seconds(1))
        #expect(bench.takeSent().contains { $0.method == .update })
        bench.wait(.seconds(33))
        guard case .ended(call, .networkLost, 408, _)? = bench.takeEvents().last else {
            Issue.record("still alive")
            return
        }
    }

    @Test func `refreshes by re-INVITE where the peer has no UPDATE, without telling the page`() throws {
        var (bench, invite) = try calling()
        bench.respond(200, to: invite, headers: ["Session-Expires: 90;refresher=uac"], body: sdp("bob"))
        _ = bench.takeEvents()
        _ = bench.takeSent()
        bench.wait(.seconds(45))
        let refresh = try bench.takeRequest(.invite)
        #expect(Array(refresh.body) == sdp())
        bench.respond(200, to: refresh, headers: ["Session-Expires: 90;refresher=uac"], body: sdp("bob"))
        bench.expectSent("ACK 2")
        bench.expect()
    }

    @Test func `sends a key as INFO`() throws {
        var (bench, _) = try established()
        try bench.perform(.dtmf(call, signal: UInt8(ascii: "5"), milliseconds: 160))
        let info = try bench.takeRequest(.info)
        #expect(info.header(.contentType) == "application/dtmf-relay")
        #expect(text(info.body) == "Signal=5\r\nDuration=160\r\n")
        #expect(throws: CommandError.badValue) {
            try bench.perform(.dtmf(call, signal: UInt8(ascii: "x"), milliseconds: 160))
        }
    }

    @Test func `trickles to every fork once it takes candidates, one INFO at a time, the newest last`() throws {
        var (bench, invite) = try calling()
        try bench.perform(.candidates(call, fragment: bytes("a=mid:0 one\r\n")))
        bench.expectSent()
        bench.respond(180, to: invite, tag: "deaf")
        bench.expectSent()
        bench.respond(180, to: invite, tag: "keen", headers: ["Recv-Info: trickle-ice"])
        let info = try bench.takeRequest(.info)
        #expect(text(info.requestURIText) == "sip:bob-keen@192.0.2.2")
        #expect(info.header(.infoPackage) == "trickle-ice")
        #expect(info.header(.contentDisposition) == "Info-Package")
        #expect(info.header(.contentType) == "application/trickle-ice-sdpfrag")
        try bench.perform(.candidates(call, fragment: bytes("a=mid:0 one two\r\n")))
        try bench.perform(.candidates(call, fragment: bytes("a=mid:0 one two three\r\n")))
        bench.expectSent()
        bench.respond(200, to: info)
        #expect(text(try bench.takeRequest(.info).body) == "a=mid:0 one two three\r\n")
    }

    @Test func `refuses what makes no sense`() throws {
        var bench = try Bench(connected: false)
        let target = bytes("sip:bob@example.org")
        #expect(throws: CommandError.notConnected) {
            try bench.perform(.call(call, to: target, offer: sdp(), replaces: nil))
        }
        bench.connect()
        try bench.register()
        #expect(throws: CommandError.badURI) {
            try bench.perform(.call(call, to: bytes("bob"), offer: sdp(), replaces: nil))
        }
        #expect(throws: CommandError.badValue) {
            try bench.perform(.call(call, to: target, offer: bytes("x"), replaces: nil))
        }
        #expect(throws: CommandError.badID) {
            try bench.perform(.call(CallID(1 << 31), to: target, offer: sdp(), replaces: nil))
        }
        #expect(throws: CommandError.unknownCall) { try bench.perform(.hangUp(CallID(9))) }
        for number in 0..<16 {
            try bench.perform(.call(CallID(UInt32(number)), to: target, offer: sdp(), replaces: nil))
        }
        #expect(throws: CommandError.badID) {
            try bench.perform(.call(CallID(3), to: target, offer: sdp(), replaces: nil))
        }
        #expect(throws: CommandError.tooMany) {
            try bench.perform(.call(CallID(99), to: target, offer: sdp(), replaces: nil))
        }
        #expect(throws: CommandError.wrongState) { try bench.perform(.answer(CallID(1), sdp: sdp())) }
        #expect(throws: CommandError.wrongState) { try bench.perform(.transfer(CallID(1), to: target)) }
    }
}

extension OutgoingCallTests {
    @Test func `a re-INVITE that got stuck in a server is withdrawn, and the call goes on`() throws {
        var (bench, invite) = try calling()
        bench.respond(200, to: invite, body: sdp("bob"))
        _ = (bench.takeSent(), bench.takeEvents())
        try bench.perform(.offer(call, sdp: sdp(version: 2)))
        let stuck = try bench.takeRequest(.invite)
        bench.respond(100, to: stuck)
        bench.wait(.seconds(40))
        bench.expectSent("CANCEL 2")
        bench.wait(.seconds(32))
        bench.expect(.offerFailed(call, status: 408, reason: bytes("Request Timeout")))
        #expect(bench.phone.callCount == 1)
        try bench.perform(.offer(call, sdp: sdp(version: 2)))
        #expect(try bench.takeRequest(.invite).header(.cseq) == "3 INVITE")
        try bench.perform(.hangUp(call))
        bench.wait(.seconds(100))
        #expect(bench.phone.callCount == 0)
        #expect(bench.phone.transactionCount == 0)
    }
}
