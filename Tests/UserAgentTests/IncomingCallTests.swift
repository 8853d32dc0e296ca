import Base
import SIP
import Testing
import UserAgent

private let call = CallID(0x8000_0000)

/// Somebody calls the phone; the test is the caller.
@Suite struct IncomingCallTests {
    private func ringing(
        transport: SIPTransport = .wss, headers: [String] = [], offer: [UInt8] = sdp("bob")
    ) throws -> (Bench, Caller, SIPMessage) {
        var bench = try Bench(transport: transport)
        try bench.register()
        var caller = Caller()
        bench.receive(raw: caller.request("INVITE", headers: headers, body: offer, branch: "z9hG4bKinvite"))
        let response = try #require(bench.takeSent().last)
        caller.phoneTag = response.toTag.map { text($0) }
        return (bench, caller, response)
    }

    private func established(headers: [String] = []) throws -> (Bench, Caller) {
        var (bench, caller, _) = try ringing(headers: headers)
        try bench.perform(.answer(call, sdp: sdp()))
        bench.receive(raw: caller.request("ACK", cseq: 101))
        _ = bench.takeSent()
        _ = bench.takeEvents()
        return (bench, caller)
    }

    @Test func `rings at once and tells who calls`() throws {
        var (bench, _, ringing) = try ringing(headers: ["Record-Route: <sip:p1;lr>", "Record-Route: <sip:p2;lr>"])
        #expect(ringing.status == 180)
        #expect(ringing.toTag?.isEmpty == false)
        #expect(ringing.values(of: .recordRoute).map { text($0) } == ["<sip:p1;lr>", "<sip:p2;lr>"])
        #expect(ringing.header(.contact) == "<sip:anna@phone.invalid;transport=ws>")
        #expect(ringing.header(.recvInfo) == "trickle-ice")
        bench.expect(
            .incoming(
                call, fromName: bytes("Bob"), fromURI: bytes("sip:bob@example.org"), sdp: sdp("bob"), replaces: nil))
    }

    @Test(arguments: ["<sips:p1;lr>", "<sip:p1;lr>"])
    func `a caller who comes by a sips proxy gets a sips Contact`(_ route: String) throws {
        var (bench, _, ringing) = try ringing(headers: ["Record-Route: \(route)"])
        let expected = "<sip\(route.hasPrefix("<sips") ? "s" : ""):anna@phone.invalid;transport=ws>"
        #expect(ringing.header(.contact) == expected)
        try bench.perform(.answer(call, sdp: sdp()))
        #expect(try bench.takeResponse(200).header(.contact) == expected)
    }

    @Test func `while it rings, UPDATE with an offer has to wait and one without is answered`() throws {
        var (bench, caller, _) = try ringing()
        _ = bench.takeEvents()
        // RFC 3311 §5.2: the offer of the INVITE has no answer yet.
        bench.receive(raw: caller.request("UPDATE", body: sdp("bob", version: 2)))
        let busy = try bench.takeResponse(500)
        #expect(busy.contains(.retryAfter))
        bench.receive(
            raw: caller.request("UPDATE", headers: ["Supported: timer", "Session-Expires: 300;refresher=uac"]))
        #expect(try bench.takeResponse(200).body.isEmpty)
        bench.expect()
        try bench.perform(.answer(call, sdp: sdp()))
        #expect(Array(try bench.takeResponse(200).body) == sdp())
    }

    @Test func `answers, repeats the 200 until the ACK, hears the caller hang up`() throws {
        var (bench, caller, ringing) = try ringing()
        _ = bench.takeEvents()
        try bench.perform(.answer(call, sdp: sdp()))
        bench.expect(.answered(call, sdp: []))
        let answer = try bench.takeResponse(200)
        #expect(answer.toTag == ringing.toTag)
        #expect(Array(answer.body) == sdp())
        bench.wait(.milliseconds(3500))
        #expect(bench.takeSent() == [answer, answer, answer])
        bench.receive(raw: caller.request("ACK", cseq: 101))
        bench.wait(.seconds(10))
        bench.expectSent()
        bench.receive(raw: caller.request("BYE"))
        _ = try bench.takeResponse(200)
        bench.expect(.ended(call, cause: .remoteHungUp, status: 0, reason: []))
        bench.wait(.seconds(64))
        #expect(bench.phone.callCount == 0)
        #expect(bench.phone.transactionCount == 0)
    }

    @Test func `without an ACK the call is lost after 32 seconds`() throws {
        var (bench, _, _) = try ringing()
        try bench.perform(.answer(call, sdp: sdp()))
        _ = bench.takeEvents()
        bench.wait(.seconds(32))
        bench.expect(.ended(call, cause: .networkLost, status: 0, reason: []))
        #expect(bench.takeSent().last?.method == .bye)
    }

    @Test func `hanging up right after the answer waits for the ACK`() throws {
        var (bench, caller, _) = try ringing()
        try bench.perform(.answer(call, sdp: sdp()))
        try bench.perform(.hangUp(call))
        #expect(bench.takeSent().map(\.summary) == ["200 INVITE 101"])
        bench.receive(raw: caller.request("ACK", cseq: 101))
        bench.expectSent("BYE 1")
    }

    @Test func `without an offer, ours goes in the 200 and the answer comes in the ACK`() throws {
        var (bench, caller, _) = try ringing(offer: [])
        _ = bench.takeEvents()
        try bench.perform(.answer(call, sdp: sdp()))
        bench.expect()
        _ = try bench.takeResponse(200)
        bench.receive(raw: caller.request("ACK", body: sdp("bob"), cseq: 101))
        bench.expect(.answered(call, sdp: sdp("bob")))
    }

    @Test func `an ACK without the answer ends the call`() throws {
        var (bench, caller, _) = try ringing(offer: [])
        try bench.perform(.answer(call, sdp: sdp()))
        _ = (bench.takeSent(), bench.takeEvents())
        bench.receive(raw: caller.request("ACK", cseq: 101))
        bench.expect(.ended(call, cause: .notAcceptable, status: 0, reason: []))
        bench.expectSent("BYE 1")
    }

    @Test(arguments: [(486, EndCause.busy), (603, .declined), (480, .noAnswer)])
    func `refuses as told`(status: Int, cause: EndCause) throws {
        var (bench, _, ringing) = try ringing()
        _ = bench.takeEvents()
        try bench.perform(.reject(call, status: status))
        let response = try bench.takeResponse(status)
        #expect(response.toTag == ringing.toTag)
        bench.expect(.ended(call, cause: cause, status: status, reason: ReasonPhrase.text(for: status)))
        #expect(throws: CommandError.unknownCall) { try bench.perform(.answer(call, sdp: sdp())) }
    }

    @Test(arguments: [
        ([], EndCause.cancelled),
        (["Reason: SIP;cause=200;text=\"Call completed elsewhere\""], .answeredElsewhere),
        (["Reason: Q.850;cause=16, SIP;cause=603;text=\"Declined\""], .answeredElsewhere),
        (["Reason: SIP;cause=408"], .cancelled),
    ])
    func `CANCEL ends the ringing with its reason`(headers: [String], cause: EndCause) throws {
        var (bench, caller, ringing) = try ringing()
        _ = bench.takeEvents()
        caller.phoneTag = nil
        bench.receive(raw: caller.request("CANCEL", headers: headers, cseq: 101, branch: "z9hG4bKinvite"))
        let sent = bench.takeSent()
        #expect(sent.map(\.summary) == ["487 INVITE 101", "200 CANCEL 101"])
        #expect(sent.allSatisfy { $0.toTag == ringing.toTag })
        bench.expect(.ended(call, cause: cause, status: 487, reason: bytes("Request Terminated")))
    }

    @Test func `CANCEL after the answer changes nothing, and for an unknown call is 481`() throws {
        var (bench, caller, _) = try ringing()
        try bench.perform(.answer(call, sdp: sdp()))
        _ = (bench.takeSent(), bench.takeEvents())
        caller.phoneTag = nil
        bench.receive(raw: caller.request("CANCEL", cseq: 101, branch: "z9hG4bKinvite"))
        bench.expectSent("200 CANCEL 101")
        bench.expect()
        bench.receive(raw: caller.request("CANCEL", cseq: 300, branch: "z9hG4bKother"))
        bench.expectSent("481 CANCEL 300")
    }

    @Test func `over UDP 180 is reliable: repeated until PRACK, which may also come after the answer`() throws {
        var (bench, caller, ringing) = try ringing(transport: .udp, headers: ["Supported: 100rel"])
        let rseq = try #require(ringing.header(.rseq))
        #expect(ringing.header(.require) == "100rel")
        bench.wait(.milliseconds(1500))
        #expect(bench.takeSent() == [ringing, ringing])
        bench.receive(raw: caller.request("PRACK", headers: ["RAck: \(rseq) 99 INVITE"]))
        bench.expectSent("481 PRACK 102")
        try bench.perform(.answer(call, sdp: sdp()))
        _ = bench.takeSent()
        bench.receive(raw: caller.request("PRACK", headers: ["RAck: \(rseq) 101 INVITE"]))
        bench.expectSent("200 PRACK 103")
    }

    @Test func `an unacknowledged reliable 180 gives the call up`() throws {
        var (bench, _, _) = try ringing(transport: .udp, headers: ["Supported: 100rel"])
        bench.wait(.seconds(32))
        #expect(bench.takeSent().contains { $0.status == 504 })
        guard case .ended(call, .noAnswer, 504, _)? = bench.takeEvents().last else {
            Issue.record("still rings")
            return
        }
    }

    @Test func `rings again every minute and not for ever`() throws {
        var (bench, _, ringing) = try ringing()
        _ = bench.takeEvents()
        bench.wait(.seconds(60))
        #expect(bench.takeSent() == [ringing])
        bench.wait(.seconds(120))
        #expect(bench.takeSent().last { $0.method == nil && $0.cseqMethod == .invite }?.status == 480)
        bench.expect(.ended(call, cause: .noAnswer, status: 480, reason: bytes("Temporarily Unavailable")))
    }

    @Test func `the same request on another way is 482, a copy gets the same answer`() throws {
        var (bench, caller, ringing) = try ringing()
        bench.receive(raw: caller.request("INVITE", body: sdp("bob"), cseq: 101, branch: "z9hG4bKinvite"))
        #expect(bench.takeSent() == [ringing])
        caller.phoneTag = nil
        bench.receive(raw: caller.request("INVITE", body: sdp("bob"), cseq: 101, branch: "z9hG4bKother"))
        bench.expectSent("482 INVITE 101")
    }

    @Test func `more calls than it can take are busy`() throws {
        var bench = try Bench()
        try bench.register()
        for number in 0...16 {
            var caller = Caller(callID: "call-\(number)", branch: number * 10)
            bench.receive(raw: caller.request("INVITE", body: sdp("bob")))
        }
        #expect(bench.takeSent().last?.status == 486)
    }

    // MARK: In the call

    @Test func `the page answers a new offer`() throws {
        var (bench, caller) = try established()
        let offer = sdp("bob", version: 2, streams: ["audio", "video"])
        bench.receive(raw: caller.request("INVITE", body: offer))
        bench.expectSent("100 INVITE 102")
        bench.expect(.offered(call, sdp: offer))
        // Another one before the answer has to come back later; ours has to wait.
        bench.receive(raw: caller.request("UPDATE", body: offer))
        let busy = try bench.takeResponse(500)
        #expect(busy.header(.retryAfter) != nil)
        #expect(throws: CommandError.wrongState) { try bench.perform(.offer(call, sdp: sdp(version: 2))) }
        let answer = sdp(version: 2, streams: ["audio", "video"])
        #expect(throws: CommandError.badValue) { try bench.perform(.answerOffer(call, sdp: sdp(version: 2))) }
        try bench.perform(.answerOffer(call, sdp: answer))
        #expect(Array(try bench.takeResponse(200).body) == answer)
        #expect(throws: CommandError.wrongState) { try bench.perform(.answerOffer(call, sdp: answer)) }
    }

    @Test func `an offer that repeats what was agreed on is answered without the page`() throws {
        var (bench, caller) = try established()
        bench.receive(raw: caller.request("INVITE", body: sdp("bob")))
        #expect(Array(try bench.takeResponse(200).body) == sdp())
        bench.expect()
    }

    @Test func `a re-INVITE without offer asks the page for one`() throws {
        var (bench, caller) = try established()
        bench.receive(raw: caller.request("INVITE"))
        bench.expect(.offered(call, sdp: []))
        _ = bench.takeSent()
        try bench.perform(.answerOffer(call, sdp: sdp(version: 2)))
        #expect(Array(try bench.takeResponse(200).body) == sdp(version: 2))
        bench.receive(raw: caller.request("ACK", body: sdp("bob", version: 2), cseq: 102))
        bench.expect(.offerAnswered(call, sdp: sdp("bob", version: 2)))
    }

    @Test func `crossing offers are 491, and ours goes again within two seconds`() throws {
        var (bench, caller) = try established()
        try bench.perform(.offer(call, sdp: sdp(version: 2)))
        let ours = try bench.takeRequest(.invite)
        bench.receive(raw: caller.request("INVITE", body: sdp("bob", version: 2)))
        bench.expectSent("491 INVITE 102")
        bench.respond(491, to: ours)
        bench.expectSent("ACK 1")
        bench.wait(.seconds(2))
        #expect(bench.takeSent().last?.summary == "INVITE 2")
        bench.expect()
    }

    @Test func `an offer of ours that waits after a glare gives way`() throws {
        var (bench, caller) = try established()
        try bench.perform(.offer(call, sdp: sdp(version: 2)))
        let ours = try bench.takeRequest(.invite)
        bench.respond(491, to: ours)
        bench.receive(raw: caller.request("INVITE", body: sdp("bob", version: 2)))
        bench.expect(
            .offerFailed(call, status: 491, reason: bytes("Request Pending")),
            .offered(call, sdp: sdp("bob", version: 2)))
    }

    @Test func `an offer nobody decides about is refused in time`() throws {
        var (bench, caller) = try established()
        bench.receive(raw: caller.request("UPDATE", body: sdp("bob", version: 2)))
        _ = (bench.takeSent(), bench.takeEvents())
        bench.wait(.seconds(25))
        bench.expectSent("504 UPDATE 102")
        bench.expect(.offerFailed(call, status: 504, reason: bytes("Server Time-out")))
    }

    @Test func `the caller withdraws its re-INVITE`() throws {
        var (bench, caller) = try established()
        bench.receive(raw: caller.request("INVITE", body: sdp("bob", version: 2), branch: "z9hG4bKre"))
        _ = (bench.takeSent(), bench.takeEvents())
        bench.receive(raw: caller.request("CANCEL", cseq: 102, branch: "z9hG4bKre"))
        bench.expectSent("487 INVITE 102", "200 CANCEL 102")
        bench.expect(.offerFailed(call, status: 487, reason: bytes("Request Terminated")))
        #expect(bench.phone.callCount == 1)
    }

    @Test func `the caller refreshes the session, or is gone`() throws {
        var (bench, caller, _) = try ringing(
            headers: ["Supported: timer", "Session-Expires: 300", "Min-SE: 90"])
        try bench.perform(.answer(call, sdp: sdp()))
        let answer = try bench.takeResponse(200)
        #expect(answer.header(.sessionExpires) == "300;refresher=uac")
        #expect(answer.header(.require) == "timer")
        bench.receive(raw: caller.request("ACK", cseq: 101))
        _ = bench.takeEvents()
        bench.wait(.seconds(150))
        bench.receive(
            raw: caller.request("UPDATE", headers: ["Supported: timer", "Session-Expires: 300;refresher=uac"]))
        #expect(bench.takeSent().last?.header(.sessionExpires) == "300;refresher=uac")
        // RFC 4028 §10: 32 s before the end.
        bench.wait(.seconds(267))
        bench.expect()
        bench.wait(.seconds(1))
        bench.expect(.ended(call, cause: .networkLost, status: 0, reason: []))
        #expect(bench.takeSent().last?.method == .bye)
    }

    @Test func `too short a session interval is 422`() throws {
        let (_, _, response) = try ringing(headers: ["Supported: timer", "Session-Expires: 60"])
        #expect(response.status == 422)
        #expect(response.header(.minSE) == "90")
    }

    @Test func `hears candidates, keys and other INFO`() throws {
        var (bench, caller) = try established()
        let fragment = bytes("a=ice-ufrag:x\r\n")
        bench.receive(
            raw: caller.request(
                "INFO", headers: ["Info-Package: trickle-ice"], body: fragment,
                type: "application/trickle-ice-sdpfrag"))
        bench.receive(
            raw: caller.request(
                "INFO", body: bytes("Signal= #\r\nDuration= 100\r\n"), type: "application/dtmf-relay"))
        bench.receive(raw: caller.request("INFO", body: bytes("x"), type: "text/plain"))
        bench.receive(
            raw: caller.request("INFO", headers: ["Info-Package: pizza"], body: bytes("x"), type: "text/plain"))
        bench.expect(
            .candidates(call, fragment: fragment), .dtmf(call, signal: UInt8(ascii: "#"), milliseconds: 100),
            .info(call, contentType: bytes("text/plain"), body: bytes("x")))
        #expect(bench.takeSent().map { $0.status ?? 0 } == [200, 200, 200, 469])
    }

    @Test func `an old request in the dialog is out of order`() throws {
        var (bench, caller) = try established()
        bench.receive(raw: caller.request("INFO", cseq: 50))
        bench.expectSent("500 INFO 50")
    }

    // MARK: Replaces

    @Test func `a call that replaces another ends it when it is answered`() throws {
        var (bench, caller) = try established()
        let replaces = "Replaces: \(caller.callID);to-tag=\(caller.phoneTag ?? "");from-tag=\(caller.tag)"
        var other = Caller(callID: "second", tag: "carol", branch: 500)
        bench.receive(raw: other.request("INVITE", headers: [replaces, "Require: replaces"], body: sdp("carol")))
        let second = CallID(0x8000_0001)
        bench.expect(
            .incoming(
                second, fromName: bytes("Bob"), fromURI: bytes("sip:bob@example.org"), sdp: sdp("carol"),
                replaces: call))
        _ = bench.takeSent()
        try bench.perform(.answer(second, sdp: sdp()))
        bench.expect(.answered(second, sdp: []), .ended(call, cause: .replaced, status: 0, reason: []))
        #expect(bench.takeSent().map(\.summary) == ["200 INVITE 101", "BYE 1"])
    }

    @Test(arguments: [
        ("Replaces: nobody;to-tag=a;from-tag=b", 481), ("Replaces: ;;", 400),
        ("Replaces: a;to-tag=a;from-tag=b\nReplaces: a;to-tag=a;from-tag=b", 400),
    ])
    func `refuses to replace what it does not have`(header: String, status: Int) throws {
        let (_, _, response) = try ringing(headers: header.split(separator: "\n").map(String.init))
        #expect(response.status == status)
    }

    @Test func `an established call is not replaced early-only`() throws {
        var (bench, caller) = try established()
        let replaces =
            "Replaces: \(caller.callID);to-tag=\(caller.phoneTag ?? "");from-tag=\(caller.tag);early-only"
        var other = Caller(callID: "second", tag: "carol", branch: 500)
        bench.receive(raw: other.request("INVITE", headers: [replaces], body: sdp("carol")))
        bench.expectSent("486 INVITE 101")
    }
}
