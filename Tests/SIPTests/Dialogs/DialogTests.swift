import Base
import SIP
import Testing

@Suite struct DialogTests {
    private let via = Via(
        transport: .udp, host: .name([UInt8](ascii: "pc33.atlanta.com")), branch: [UInt8](ascii: "z9hG4bKx"))

    private func invite(
        recordRoutes: [String] = [], uri: String = "sip:bob@biloxi.com",
        contact: String? = "<sip:alice@pc33.atlanta.com>", cseq: Int = 314_159
    ) -> SIPMessage {
        var lines = ["INVITE \(uri) SIP/2.0", "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8"]
        for route in recordRoutes { lines.append("Record-Route: \(route)") }
        lines += ["Max-Forwards: 70", "To: Bob <\(uri)>", "From: Alice <sip:alice@atlanta.com>;tag=1928301774"]
        lines += ["Call-ID: a84b4c76e66710", "CSeq: \(cseq) INVITE"]
        if let contact { lines.append("Contact: \(contact)") }
        return message(lines)
    }

    private func answer(
        _ status: Int, recordRoutes: [String] = [], contact: String? = "<sip:bob@192.0.2.4>",
        tag: String? = "a6c85cf", method: String = "INVITE"
    ) -> SIPMessage {
        var lines = ["SIP/2.0 \(status) X", "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8"]
        for route in recordRoutes { lines.append("Record-Route: \(route)") }
        lines.append("To: Bob <sip:bob@biloxi.com>")
        if let tag { lines[lines.count - 1] += ";tag=\(tag)" }
        lines += ["From: Alice <sip:alice@atlanta.com>;tag=1928301774", "Call-ID: a84b4c76e66710"]
        lines.append("CSeq: 314159 \(method)")
        if let contact { lines.append("Contact: \(contact)") }
        return message(lines)
    }

    /// A request of Bob's to Alice inside the dialog.
    private func fromBob(
        _ method: String, cseq: Int, tag: String = "a6c85cf", contact: String = "<sip:bob@192.0.2.99>"
    ) -> SIPMessage {
        message(
            "\(method) sip:alice@pc33.atlanta.com SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKnashds10",
            "From: Bob <sip:bob@biloxi.com>;tag=\(tag)", "To: Alice <sip:alice@atlanta.com>;tag=1928301774",
            "Call-ID: a84b4c76e66710", "CSeq: \(cseq) \(method)", "Contact: \(contact)", "Content-Length: 0")
    }

    private func lines(_ message: SIPMessage, _ name: HeaderName) -> [String] {
        message.values(of: name).map { String(decoding: $0, as: UTF8.self) }
    }

    private func uri(_ text: String) throws -> SIPURI { try SIPURI(parsing: Array(text.utf8)) }

    // MARK: Creation (§12.1)

    @Test func `the caller's dialog takes its tags, target and reversed route set from the response`() throws {
        let routes = ["<sip:p2.domain.com;lr>", "<sip:p1.example.com;lr>"]
        let dialog = try Dialog(request: invite(), response: answer(200, recordRoutes: routes))
        #expect(dialog.state == .confirmed)
        #expect(
            dialog.id
                == Dialog.ID(
                    callID: [UInt8](ascii: "a84b4c76e66710"), localTag: [UInt8](ascii: "1928301774"),
                    remoteTag: [UInt8](ascii: "a6c85cf")))
        #expect(dialog.remoteTarget == (try uri("sip:bob@192.0.2.4")))
        #expect(
            dialog.routeSet.map(\.uri.host) == [
                .name([UInt8](ascii: "p1.example.com")), .name([UInt8](ascii: "p2.domain.com")),
            ])
        #expect(dialog.localCSeq == 314_159)
        #expect(dialog.remoteCSeq == nil)
        #expect(!dialog.isSecure)
    }

    @Test func `the callee's dialog takes them from the request, in order`() throws {
        let routes = ["<sip:p2.domain.com;lr>, <sip:p1.example.com;lr>"]
        var dialog = try Dialog(received: invite(recordRoutes: routes), localTag: [UInt8](ascii: "a6c85cf"))
        #expect(dialog.state == .early)
        dialog.confirm()
        #expect(dialog.state == .confirmed)
        #expect(dialog.id.localTag == [UInt8](ascii: "a6c85cf"))
        #expect(dialog.id.remoteTag == [UInt8](ascii: "1928301774"))
        #expect(dialog.remoteTarget == (try uri("sip:alice@pc33.atlanta.com")))
        #expect(
            dialog.routeSet.map(\.uri.host) == [
                .name([UInt8](ascii: "p2.domain.com")), .name([UInt8](ascii: "p1.example.com")),
            ])
        #expect(dialog.localCSeq == nil)
        #expect(dialog.remoteCSeq == 314_159)
    }

    @Test func `both sides of one INVITE find each other's requests`() throws {
        let caller = try Dialog(request: invite(), response: answer(180))
        let callee = try Dialog(received: invite(), localTag: [UInt8](ascii: "a6c85cf"))
        #expect(caller.id.localTag == callee.id.remoteTag)
        #expect(Dialog.ID(received: answer(200)) == caller.id)
        #expect(Dialog.ID(received: fromBob("BYE", cseq: 1)) == caller.id)
        var sender = callee
        #expect(Dialog.ID(received: sender.request(.bye, via: via).finish()) == caller.id)
    }

    @Test func `a forked INVITE gives a dialog per tag`() throws {
        let first = try Dialog(request: invite(), response: answer(180, tag: "one"))
        let second = try Dialog(request: invite(), response: answer(180, tag: "two"))
        #expect(first.id != second.id)
    }

    @Test func `a peer of RFC 2543 has an empty tag`() throws {
        let dialog = try Dialog(request: invite(), response: answer(200, tag: nil))
        #expect(dialog.id.remoteTag.isEmpty)
        #expect(dialog.remote.tag == nil)
    }

    @Test func `SIPS makes the dialog secure`() throws {
        let secure = invite(uri: "sips:bob@biloxi.com", contact: "<sips:alice@pc33.atlanta.com>")
        #expect(try Dialog(request: secure, response: answer(200)).isSecure)
        #expect(try Dialog(received: secure, localTag: [1]).isSecure)
    }

    @Test func `a final response or a request without Contact makes no dialog`() throws {
        #expect(throws: SIPParseError.missing(.contact)) {
            try Dialog(request: invite(), response: answer(200, contact: nil))
        }
        #expect(throws: SIPParseError.missing(.contact)) {
            try Dialog(received: invite(contact: nil), localTag: [1])
        }
    }

    @Test func `a provisional response without Contact leaves the request's target`() throws {
        var dialog = try Dialog(request: invite(), response: answer(180, contact: nil))
        #expect(dialog.remoteTarget == (try uri("sip:bob@biloxi.com")))
        try dialog.confirm(by: answer(200))
        #expect(dialog.remoteTarget == (try uri("sip:bob@192.0.2.4")))
    }

    // MARK: Confirmation and target refresh

    @Test func `the 2xx replaces the early route set, a later one does not`() throws {
        var dialog = try Dialog(request: invite(), response: answer(180, recordRoutes: ["<sip:early;lr>"]))
        try dialog.confirm(by: answer(200, recordRoutes: ["<sip:p1;lr>"]))
        #expect(dialog.routeSet.map(\.uri.host) == [.name([UInt8](ascii: "p1"))])
        try dialog.confirm(by: answer(200, recordRoutes: ["<sip:p2;lr>"], contact: "<sip:bob@192.0.2.5>"))
        #expect(dialog.routeSet.map(\.uri.host) == [.name([UInt8](ascii: "p1"))])
        #expect(dialog.remoteTarget == (try uri("sip:bob@192.0.2.5")))
    }

    @Test(arguments: [
        ("INVITE", true), ("UPDATE", true), ("SUBSCRIBE", true), ("NOTIFY", true), ("INFO", false), ("BYE", false),
        ("MESSAGE", false),
    ])
    func `target refresh requests move the target, others do not`(method: String, moves: Bool) throws {
        var dialog = try Dialog(request: invite(), response: answer(200))
        try dialog.refreshTarget(from: fromBob(method, cseq: 1))
        #expect((dialog.remoteTarget == (try uri("sip:bob@192.0.2.99"))) == moves)
        var asker = try Dialog(request: invite(), response: answer(200))
        try asker.refreshTarget(from: answer(200, contact: "<sip:bob@192.0.2.99>", method: method))
        #expect((asker.remoteTarget == (try uri("sip:bob@192.0.2.99"))) == moves)
        try asker.refreshTarget(from: answer(488, contact: "<sip:bob@192.0.2.77>", method: method))
        #expect(asker.remoteTarget != (try uri("sip:bob@192.0.2.77")))
    }

    // MARK: Requests of ours (§12.2.1.1)

    @Test func `a BYE of the caller crosses the trapezoid as section 16 12 1 1 shows`() throws {
        let routes = ["<sip:p2.domain.com;lr>", "<sip:p1.example.com;lr>"]
        var dialog = try Dialog(
            request: invite(), response: answer(200, recordRoutes: routes, contact: "<sip:callee@u2.domain.com>"))
        let bye = dialog.request(.bye, via: via).finish()
        #expect(String(decoding: bye.requestURIText, as: UTF8.self) == "sip:callee@u2.domain.com")
        #expect(lines(bye, .route) == ["<sip:p1.example.com;lr>", "<sip:p2.domain.com;lr>"])
        #expect(lines(bye, .from) == [#""Alice" <sip:alice@atlanta.com>;tag=1928301774"#])
        #expect(lines(bye, .to) == [#""Bob" <sip:bob@biloxi.com>;tag=a6c85cf"#])
        #expect(lines(bye, .callID) == ["a84b4c76e66710"])
        #expect(lines(bye, .cseq) == ["314160 BYE"])
        #expect(lines(bye, .maxForwards) == ["70"])
        #expect(dialog.nextHop == (try uri("sip:p1.example.com;lr")))
    }

    @Test func `a strict router's URI goes into the request line and the target to the end, as section 12 2 1 1 shows`()
        throws
    {
        let routes = ["<sip:proxy4>, <sip:proxy3;lr>", "<sip:proxy2>", "<sip:proxy1>"]
        var dialog = try Dialog(
            request: invite(), response: answer(200, recordRoutes: routes, contact: "<sip:user@remoteua>"))
        let update = dialog.request(.update, via: via).finish()
        #expect(String(decoding: update.requestURIText, as: UTF8.self) == "sip:proxy1")
        #expect(lines(update, .route) == ["<sip:proxy2>", "<sip:proxy3;lr>", "<sip:proxy4>", "<sip:user@remoteua>"])
    }

    @Test func `without proxies requests go straight to the target`() throws {
        var dialog = try Dialog(received: invite(), localTag: [UInt8](ascii: "t"))
        let bye = dialog.request(.bye, via: via).finish()
        #expect(String(decoding: bye.requestURIText, as: UTF8.self) == "sip:alice@pc33.atlanta.com")
        #expect(!bye.contains(.route))
        #expect(lines(bye, .from) == [#""Bob" <sip:bob@biloxi.com>;tag=t"#])
        #expect(lines(bye, .to) == [#""Alice" <sip:alice@atlanta.com>;tag=1928301774"#])
        #expect(lines(bye, .cseq) == ["1 BYE"])
        #expect(dialog.nextHop == (try uri("sip:alice@pc33.atlanta.com")))
    }

    @Test func `each request has the next number, an ACK its INVITE's`() throws {
        var dialog = try Dialog(request: invite(), response: answer(200))
        #expect(lines(dialog.acknowledgement(ofINVITE: 314_159, via: via).finish(), .cseq) == ["314159 ACK"])
        let numbers = [SIPMethod.invite, .info, .bye].map { lines(dialog.request($0, via: via).finish(), .cseq) }
        #expect(numbers == [["314160 INVITE"], ["314161 INFO"], ["314162 BYE"]])
        dialog.noteSent(number: 314_170)
        #expect(lines(dialog.request(.bye, via: via).finish(), .cseq) == ["314171 BYE"])
    }

    // MARK: Requests of the peer (§12.2.2)

    @Test func `numbers must not fall`() throws {
        var dialog = try Dialog(request: invite(), response: answer(200))
        var verdicts: [Dialog.Verdict] = []
        for number in [10, 11, 13, 12, 13, 14] { verdicts.append(dialog.receive(fromBob("INFO", cseq: number))) }
        #expect(verdicts == [.inOrder, .inOrder, .inOrder, .outOfOrder, .inOrder, .inOrder])
        #expect(dialog.remoteCSeq == 14)
    }

    @Test func `ACK and CANCEL carry their INVITE's number at any time`() throws {
        var dialog = try Dialog(request: invite(), response: answer(200))
        _ = dialog.receive(fromBob("INVITE", cseq: 5))
        _ = dialog.receive(fromBob("INFO", cseq: 9))
        let verdicts = [dialog.receive(fromBob("ACK", cseq: 5)), dialog.receive(fromBob("CANCEL", cseq: 5))]
        #expect(verdicts == [.inOrder, .inOrder])
        #expect(dialog.remoteCSeq == 9)
    }

    @Test func `a BYE that was overtaken still ends the call`() throws {
        var dialog = try Dialog(request: invite(), response: answer(200))
        let verdicts = [dialog.receive(fromBob("NOTIFY", cseq: 4)), dialog.receive(fromBob("BYE", cseq: 3))]
        #expect(verdicts == [.inOrder, .inOrder])
        #expect(dialog.remoteCSeq == 4)
    }

    @Test func `another tag is another dialog`() throws {
        var dialog = try Dialog(request: invite(), response: answer(200))
        let verdict = dialog.receive(fromBob("BYE", cseq: 5, tag: "mallory"))
        #expect(verdict == .notOurs)
        #expect(dialog.remoteCSeq == nil)
        #expect(Dialog.ID(received: invite()) == nil)
    }

    @Test func `a NOTIFY that overtakes the answer makes the subscriber's dialog`() throws {
        let notify = fromBob("NOTIFY", cseq: 7, contact: "<sip:bob@192.0.2.4>")
        var dialog = try Dialog(received: notify, localTag: [UInt8](ascii: "1928301774"), localCSeq: 3)
        #expect(dialog.id == Dialog.ID(received: notify))
        #expect(lines(dialog.request(.subscribe, via: via).finish(), .cseq) == ["4 SUBSCRIBE"])
    }
}
