import Base
import SIP
import Testing
import UserAgent

private let call = CallID(1)

/// REFER (RFC 3515) in each of its three roles.
@Suite struct TransferTests {
    /// A phone in a call with Bob that it made, and Bob's side of the dialog.
    private func established() throws -> (Bench, Caller, SIPMessage) {
        var bench = try Bench()
        try bench.register()
        try bench.perform(.call(call, to: bytes("sip:bob@example.org"), offer: sdp(), replaces: nil))
        let invite = try bench.takeRequest(.invite)
        bench.respond(200, to: invite, body: sdp("bob"))
        _ = (bench.takeSent(), bench.takeEvents())
        let bob = Caller(callID: text(invite.callID), tag: "remote", phoneTag: invite.fromTag.map { text($0) })
        return (bench, bob, invite)
    }

    private func report(_ line: String, _ bob: inout Caller, state: String = "active", id: Int = 2) -> [UInt8] {
        bob.request(
            "NOTIFY", headers: ["Event: refer;id=\(id)", "Subscription-State: \(state)"], body: bytes(line + "\r\n"),
            type: "message/sipfrag;version=2.0")
    }

    @Test func `as transferor asks and hears how it goes`() throws {
        var (bench, bob, _) = try established()
        try bench.perform(.transfer(call, to: bytes("sip:carol@example.org")))
        let refer = try bench.takeRequest(.refer)
        #expect(refer.header(.referTo) == "<sip:carol@example.org>")
        #expect(refer.header(.referredBy) == "<sip:anna@example.org>")
        #expect(throws: CommandError.wrongState) {
            try bench.perform(.transfer(call, to: bytes("sip:carol@example.org")))
        }
        bench.respond(202, to: refer)
        bench.receive(raw: report("SIP/2.0 180 Ringing", &bob))
        bench.receive(raw: report("SIP/2.0 200 OK", &bob, state: "terminated;reason=noresource"))
        bench.expect(.transferProgress(call, status: 180), .transferProgress(call, status: 200))
        #expect(bench.takeSent().map { $0.status ?? 0 } == [200, 200])
        bench.receive(raw: report("SIP/2.0 200 OK", &bob))
        #expect(bench.takeSent().map { $0.status ?? 0 } == [481])
    }

    @Test func `a refused transfer is told as progress`() throws {
        var (bench, _, _) = try established()
        try bench.perform(.transfer(call, to: bytes("sip:carol@example.org")))
        let refer = try bench.takeRequest(.refer)
        bench.respond(603, to: refer)
        bench.expect(.transferProgress(call, status: 603))
        #expect(bench.phone.callCount == 1)
    }

    @Test func `joins two calls by naming the dialog to replace`() throws {
        var (bench, _, _) = try established()
        try bench.perform(.call(CallID(2), to: bytes("sip:carol@example.org"), offer: sdp(), replaces: nil))
        let second = try bench.takeRequest(.invite)
        bench.respond(200, to: second, tag: "carol", body: sdp("carol"))
        _ = (bench.takeSent(), bench.takeEvents())
        try bench.perform(.transferTo(call, other: CallID(2)))
        let refer = try bench.takeRequest(.refer)
        let id = "\(text(second.callID))%3Bto-tag%3Dcarol%3Bfrom-tag%3D\(text(second.fromTag ?? []))"
        #expect(refer.header(.referTo) == "<sip:bob-carol@192.0.2.2?Replaces=\(id)>")
    }

    @Test func `as transferee calls the target and reports`() throws {
        var (bench, bob, _) = try established()
        let target = "<sip:carol@192.0.2.9?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2>"
        bench.receive(
            raw: bob.request("REFER", headers: ["Refer-To: \(target)", "Referred-By: <sip:bob@example.org>"]))
        bench.expect(
            .transferRequested(
                call, to: bytes("sip:carol@192.0.2.9?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2")))
        var sent = bench.takeSent()
        #expect(sent.map(\.summary) == ["202 REFER 101", "NOTIFY 2"])
        #expect(sent[1].header(.event) == "refer;id=101")
        #expect(sent[1].header(.subscriptionState) == "active;expires=180")
        #expect(text(sent[1].body) == "SIP/2.0 100 Trying\r\n")
        bench.respond(200, to: sent[1])

        try bench.perform(.acceptTransfer(call, new: CallID(2), offer: sdp()))
        let invite = try bench.takeRequest(.invite)
        #expect(text(invite.requestURIText) == "sip:carol@192.0.2.9")
        #expect(invite.header(.replaces) == "x@y;to-tag=1;from-tag=2")
        #expect(invite.header(.require) == "replaces")
        #expect(invite.header(.referredBy) == "<sip:bob@example.org>")
        bench.respond(180, to: invite, tag: "carol")
        let ringing = try bench.takeRequest(.notify)
        #expect(text(ringing.body) == "SIP/2.0 180 Ringing\r\n")
        // Answered while that report is out: the next one waits for it.
        bench.respond(200, to: invite, tag: "carol", body: sdp("carol"))
        bench.expectSent("ACK 1")
        bench.respond(200, to: ringing)
        sent = bench.takeSent()
        #expect(sent.map { text($0.body) } == ["SIP/2.0 200 OK\r\n"])
        #expect(sent.first?.header(.subscriptionState) == "terminated;reason=noresource")
        bench.respond(200, to: sent[0])
        // The first call is for its people to end.
        #expect(bench.phone.callCount == 2)
    }

    @Test func `as transferee refuses, or reports that the target did`() throws {
        var (bench, bob, _) = try established()
        bench.receive(raw: bob.request("REFER", headers: ["Refer-To: <sip:carol@example.org>"]))
        bench.respond(200, to: try #require(bench.takeSent().last))
        try bench.perform(.rejectTransfer(call, status: 603))
        let refused = try bench.takeRequest(.notify)
        #expect(text(refused.body) == "SIP/2.0 603 Decline\r\n")
        bench.respond(200, to: refused)
        bench.receive(raw: bob.request("REFER", headers: ["Refer-To: <sip:carol@example.org>"]))
        bench.respond(200, to: try #require(bench.takeSent().last))
        try bench.perform(.acceptTransfer(call, new: CallID(2), offer: sdp()))
        let invite = try bench.takeRequest(.invite)
        bench.respond(486, to: invite, tag: "carol")
        #expect(bench.takeSent().map { text($0.body) }.last == "SIP/2.0 486 Busy Here\r\n")
    }

    @Test(arguments: [
        ([], 400), (["Refer-To: <sip:a@b>", "Refer-To: <sip:c@d>"], 400), (["Refer-To: <tel:+49>"], 416),
        (["Refer-To: <sip:a@b;method=BYE>"], 403),
    ])
    func `refuses what it cannot follow`(headers: [String], status: Int) throws {
        var (bench, bob, _) = try established()
        bench.receive(raw: bob.request("REFER", headers: headers))
        _ = try bench.takeResponse(status)
        bench.expect()
    }

    @Test func `replaces a call at the other end`() throws {
        var (bench, _, first) = try established()
        try bench.perform(.call(CallID(2), to: bytes("sip:bob@example.org"), offer: sdp(), replaces: call))
        let invite = try bench.takeRequest(.invite)
        #expect(
            invite.header(.replaces)
                == "\(text(first.callID));to-tag=remote;from-tag=\(text(first.fromTag ?? []))")
    }
}
