import Base
import SIP
import Testing
import UserAgent

/// Everything beside calls: messages, subscriptions, publications, questions, and what is refused.
@Suite struct ServicesTests {
    private func ready(password: String? = nil) throws -> Bench {
        var bench = try Bench(password: password)
        try bench.register()
        return bench
    }

    // MARK: MESSAGE and OPTIONS

    @Test func `sends a message and hears what became of it`() throws {
        var bench = try ready()
        try bench.perform(
            .message(id: 7, to: bytes("sip:bob@example.org"), contentType: bytes("text/plain"), body: bytes("hello")))
        let request = try bench.takeRequest(.message)
        #expect(text(request.body) == "hello")
        #expect(request.header(.contentType) == "text/plain")
        #expect(!request.contains(.contact))
        bench.respond(202, to: request)
        bench.expect(.messageResult(id: 7, status: 202, reason: bytes("Accepted")))
    }

    @Test func `hands a message to the page once`() throws {
        var bench = try ready()
        var bob = Caller()
        let raw = bob.request("MESSAGE", body: bytes("hi"), type: "text/plain")
        bench.receive(raw: raw)
        bench.receive(raw: raw)
        bench.expectSent("200 MESSAGE 101", "200 MESSAGE 101")
        bench.expect(
            .message(
                fromURI: bytes("sip:bob@example.org"), contentType: bytes("text/plain"), body: bytes("hi"),
                sipCallID: bytes("from-bob"), call: nil))
    }

    @Test func `answers OPTIONS with what it can`() throws {
        var bench = try ready()
        var bob = Caller()
        bench.receive(raw: bob.request("OPTIONS"))
        let response = try bench.takeResponse(200)
        #expect(response.header(.allow)?.contains("REFER") == true)
        #expect(response.header(.accept)?.contains("application/sdp") == true)
        #expect(response.supported.contains("100rel"))
    }

    @Test func `asks OPTIONS`() throws {
        var bench = try ready()
        try bench.perform(.options(id: 3, to: bytes("sip:bob@example.org")))
        let request = try bench.takeRequest(.options)
        bench.respond(404, to: request)
        bench.expect(.optionsResult(id: 3, status: 404, reason: bytes("Not Found")))
    }

    // MARK: What is refused

    @Test(arguments: [
        ("REGISTER", [], 405), ("SUBSCRIBE", ["Event: presence"], 489), ("PUBLISH", ["Event: presence"], 489),
        ("PIZZA", [], 501), ("OPTIONS", ["Require: telepathy"], 420), ("BYE", [], 481), ("UPDATE", [], 481),
        ("NOTIFY", ["Event: presence", "Subscription-State: active"], 481), ("REFER", ["Refer-To: <sip:x@y>"], 403),
        ("INFO", [], 481), ("PRACK", ["RAck: 1 1 INVITE"], 481), ("OPTIONS", ["Max-Forwards: 70"], 400),
    ])
    func `refuses outside of a dialog`(method: String, headers: [String], status: Int) throws {
        var bench = try ready()
        var bob = Caller()
        bench.receive(raw: bob.request(method, headers: headers))
        let response = try bench.takeResponse(status)
        #expect(response.toTag != nil)
        if status == 405 || status == 501 { #expect(response.contains(.allow)) }
        if status == 420 { #expect(response.header(.unsupported) == "telepathy") }
        bench.expect()
    }

    @Test func `refuses bodies it cannot read`() throws {
        var bench = try ready()
        var bob = Caller()
        bench.receive(raw: bob.request("INVITE", body: bytes("x"), type: "multipart/mixed;boundary=b"))
        #expect(try bench.takeResponse(415).header(.accept)?.contains("application/sdp") == true)
        bench.receive(raw: bob.request("INVITE", headers: ["Content-Encoding: gzip"], body: sdp()))
        #expect(try bench.takeResponse(415).header(.acceptEncoding) == "identity")
        bench.receive(raw: bob.request("MESSAGE", body: [UInt8](repeating: 0x61, count: 49 * 1024), type: "text/plain"))
        _ = try bench.takeResponse(413)
        bench.receive(raw: bob.request("INVITE", body: bytes("v=1"), type: "application/sdp"))
        _ = try bench.takeResponse(400)
    }

    @Test func `an unreadable request is 400, an unreadable anything else nothing`() throws {
        var bench = try ready()
        var bob = Caller()
        let good = text(bob.request("OPTIONS"))
        bench.receive(raw: bytes(good.replacing("CSeq: 101 OPTIONS", with: "CSeq: x OPTIONS")))
        _ = try bench.takeResponse(400)
        bench.receive(raw: bytes(text(bob.request("OPTIONS")).replacing("sip:anna@phone.invalid", with: "tel:+49123")))
        _ = try bench.takeResponse(416)
        bench.receive(raw: bytes("SIP/2.0 200\r\n\r\n"))
        bench.receive(raw: [0, 1, 2])
        bench.receive(raw: [])
        bench.expectSent()
    }

    // MARK: SUBSCRIBE

    private func subscribe(_ bench: inout Bench) throws -> SIPMessage {
        try bench.perform(
            .subscribe(
                id: 5, to: bytes("sip:bob@example.org"), event: bytes("presence"),
                accept: bytes("application/pidf+xml"), expires: 600))
        return try bench.takeRequest(.subscribe)
    }

    /// A NOTIFY in the dialog that this SUBSCRIBE began.
    private func notify(_ request: SIPMessage, state: String, body: String = "", cseq: Int = 1) -> [UInt8] {
        var bob = Caller(callID: text(request.callID), tag: "notifier", phoneTag: request.fromTag.map { text($0) })
        return bob.request(
            "NOTIFY", headers: ["Event: presence", "Subscription-State: \(state)"], body: bytes(body),
            type: "application/pidf+xml", cseq: cseq, branch: "z9hG4bKnotify\(cseq)")
    }

    @Test func `subscribes, is notified, renews in the dialog, unsubscribes`() throws {
        var bench = try ready()
        let request = try subscribe(&bench)
        #expect(request.header(.event) == "presence")
        #expect(request.header(.accept) == "application/pidf+xml")
        #expect(request.header(.expires) == "600")
        // The first NOTIFY may overtake the response.
        bench.receive(raw: notify(request, state: "active;expires=100", body: "<presence/>"))
        bench.expectSent("200 NOTIFY 1")
        bench.expect(
            .notified(id: 5, state: .active, contentType: bytes("application/pidf+xml"), body: bytes("<presence/>")))
        bench.respond(200, to: request, tag: "notifier", headers: ["Expires: 100"])
        bench.wait(.seconds(85))
        let renewal = try bench.takeRequest(.subscribe)
        #expect(renewal.header(.to)?.hasSuffix("tag=notifier") == true)
        #expect(renewal.header(.cseq) == "2 SUBSCRIBE")
        bench.respond(200, to: renewal, headers: ["Expires: 100"])
        try bench.perform(.unsubscribe(id: 5))
        let last = try bench.takeRequest(.subscribe)
        #expect(last.header(.expires) == "0")
        bench.respond(200, to: last, headers: ["Expires: 0"])
        bench.expect(.subscriptionEnded(id: 5, status: 0, reason: []))
        #expect(bench.phone.subscriptionCount == 0)
    }

    @Test func `a fork of the subscription is refused`() throws {
        var bench = try ready()
        let request = try subscribe(&bench)
        bench.respond(200, to: request, tag: "first", headers: ["Expires: 600"])
        bench.receive(raw: notify(request, state: "active"))
        bench.expectSent("481 NOTIFY 1")
    }

    @Test func `begins anew when the notifier forgot it, or asks for it`() throws {
        var bench = try ready()
        let request = try subscribe(&bench)
        bench.respond(200, to: request, tag: "notifier", headers: ["Expires: 100"])
        bench.receive(raw: notify(request, state: "active"))
        _ = (bench.takeSent(), bench.takeEvents())
        bench.wait(.seconds(85))
        let renewal = try bench.takeRequest(.subscribe)
        bench.respond(481, to: renewal)
        let again = try bench.takeRequest(.subscribe)
        #expect(again.callID != request.callID)
        #expect(again.toTag == nil)
        bench.respond(200, to: again, tag: "notifier", headers: ["Expires: 600"])
        bench.receive(raw: notify(again, state: "terminated;reason=deactivated", cseq: 2))
        #expect(bench.takeSent().map(\.summary) == ["200 NOTIFY 2", "SUBSCRIBE 1"])
    }

    @Test func `ends when it is refused, by response or by NOTIFY`() throws {
        var bench = try ready()
        let request = try subscribe(&bench)
        bench.respond(489, to: request)
        bench.expect(.subscriptionEnded(id: 5, status: 489, reason: bytes("Bad Event")))
        let second = try subscribe(&bench)
        bench.respond(202, to: second, tag: "notifier")
        bench.receive(raw: notify(second, state: "pending"))
        bench.receive(raw: notify(second, state: "terminated;reason=rejected", cseq: 2))
        bench.expect(
            .notified(id: 5, state: .pending, contentType: [], body: []),
            .subscriptionEnded(id: 5, status: 0, reason: bytes("rejected")))
    }

    @Test func `tries again when the first NOTIFY never comes`() throws {
        var bench = try ready()
        let request = try subscribe(&bench)
        bench.respond(200, to: request, tag: "notifier", headers: ["Expires: 600"])
        bench.wait(.seconds(32))
        bench.expectSent()
        bench.wait(.seconds(8))
        #expect(try bench.takeRequest(.subscribe).callID != request.callID)
    }

    // MARK: PUBLISH

    private func publish(_ bench: inout Bench, _ body: String, id: UInt32 = 1, expires: Int = 100) throws {
        try bench.perform(
            .publish(
                id: id, event: bytes("presence"), contentType: bytes("application/pidf+xml"), body: bytes(body),
                expires: expires))
    }

    @Test func `publishes, refreshes by tag without the body, changes, withdraws`() throws {
        var bench = try ready()
        try publish(&bench, "open")
        let first = try bench.takeRequest(.publish)
        #expect(text(first.requestURIText) == "sip:anna@example.org")
        #expect(!first.contains(.sipIfMatch))
        bench.respond(200, to: first, headers: ["SIP-ETag: t1", "Expires: 100"])
        bench.expect(.published(id: 1, expires: 100))
        bench.wait(.seconds(85))
        let refresh = try bench.takeRequest(.publish)
        #expect(refresh.header(.sipIfMatch) == "t1")
        #expect(refresh.body.isEmpty)
        bench.respond(200, to: refresh, headers: ["SIP-ETag: t2", "Expires: 100"])
        try publish(&bench, "busy", id: 2)
        let change = try bench.takeRequest(.publish)
        #expect(change.header(.sipIfMatch) == "t2")
        #expect(text(change.body) == "busy")
        // While that is out another change waits.
        try publish(&bench, "away", id: 3)
        bench.expectSent()
        bench.respond(200, to: change, headers: ["SIP-ETag: t3", "Expires: 100"])
        let third = try bench.takeRequest(.publish)
        #expect(text(third.body) == "away")
        bench.respond(412, to: third)
        let anew = try bench.takeRequest(.publish)
        #expect(!anew.contains(.sipIfMatch))
        #expect(text(anew.body) == "away")
        bench.respond(200, to: anew, headers: ["SIP-ETag: t4", "Expires: 100"])
        _ = bench.takeEvents()
        try publish(&bench, "", id: 4, expires: 0)
        let last = try bench.takeRequest(.publish)
        #expect(last.header(.sipIfMatch) == "t4")
        #expect(last.header(.expires) == "0")
        bench.respond(200, to: last)
        bench.expect(.published(id: 4, expires: 0))
        #expect(throws: CommandError.wrongState) { try publish(&bench, "", expires: 0) }
    }

    @Test func `a refused publication is over`() throws {
        var bench = try ready()
        try publish(&bench, "open")
        let request = try bench.takeRequest(.publish)
        bench.respond(489, to: request)
        bench.expect(.publishFailed(id: 1, status: 489, reason: bytes("Bad Event")))
        bench.wait(.seconds(100))
        bench.expectSent()
    }

    @Test func `bounds what the page may ask`() throws {
        var bench = try ready()
        let target = bytes("sip:bob@example.org")
        #expect(throws: CommandError.tooLarge) {
            try bench.perform(
                .message(
                    id: 1, to: target, contentType: bytes("text/plain"), body: [UInt8](repeating: 0, count: 49 * 1024)))
        }
        #expect(throws: CommandError.badValue) {
            try bench.perform(.message(id: 1, to: target, contentType: bytes("nonsense"), body: []))
        }
        #expect(throws: CommandError.badValue) {
            try bench.perform(.subscribe(id: 1, to: target, event: bytes("a b"), accept: [], expires: 60))
        }
        #expect(throws: CommandError.wrongState) { try bench.perform(.unsubscribe(id: 1)) }
        for id in 0..<UInt32(64) {
            try bench.perform(.subscribe(id: id, to: target, event: bytes("presence"), accept: [], expires: 60))
        }
        #expect(throws: CommandError.badID) {
            try bench.perform(.subscribe(id: 3, to: target, event: bytes("presence"), accept: [], expires: 60))
        }
        #expect(throws: CommandError.tooMany) {
            try bench.perform(.subscribe(id: 64, to: target, event: bytes("presence"), accept: [], expires: 60))
        }
    }

    @Test func `more requests than it can hold get 503`() throws {
        var bench = try ready()
        for number in 0..<600 {
            var bob = Caller(callID: "flood-\(number)", branch: number * 2)
            bench.receive(raw: bob.request("OPTIONS"))
        }
        #expect(bench.takeSent().last?.status == 503)
        #expect(bench.phone.transactionCount <= 512)
        bench.wait(.seconds(33))
        #expect(bench.phone.transactionCount == 0)
    }
}
