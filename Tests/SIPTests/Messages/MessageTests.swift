import Base
import SIP
import Testing

/// The INVITE of RFC 3261 §24.2, which other tests change.
let invite = message(
    """
    INVITE sip:bob@biloxi.com SIP/2.0
    Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8
    Max-Forwards: 70
    To: Bob <sip:bob@biloxi.com>
    From: Alice <sip:alice@atlanta.com>;tag=1928301774
    Call-ID: a84b4c76e66710
    CSeq: 314159 INVITE
    Contact: <sip:alice@pc33.atlanta.com>
    Content-Type: application/sdp
    Content-Length: 5

    v=0

    """)

/// Text with line ends of SIP.
func message(_ text: String) -> [UInt8] { Array(text.replacing("\n", with: "\r\n").utf8) }

func parsed(_ text: String) throws -> SIPMessage { try SIPMessage(parsing: message(text)) }

struct MessageTests {
    @Test func `reads a request`() throws {
        let request = try SIPMessage(parsing: invite)
        #expect(request.isRequest && request.method == .invite && request.status == nil)
        #expect(try request.requestURI == SIPURI(parsing: "sip:bob@biloxi.com".utf8))
        #expect(text(request.body) == "v=0\r\n")
        #expect(request.contentType.map { text($0) } == "application/sdp")
        #expect(request.headers.map { text($0.name) }.first == "Via")
        #expect(request.headers.count == 9)
        try request.validate()
    }

    @Test func `reads a response`() throws {
        let response = try parsed("SIP/2.0 180 Ringing loudly\nCSeq: 1 INVITE\n\n")
        #expect(response.status == 180)
        #expect(text(response.reason) == "Ringing loudly")
        #expect(response.cseqMethod == .invite)
        #expect(try parsed("SIP/2.0 200\n\n").status == 200)
    }

    @Test func `ignores line ends before and bytes after a message`() throws {
        let padded = Array("\r\n\r\n".utf8) + invite + Array("rest".utf8)
        #expect(try SIPMessage(parsing: padded).bytes == invite)
    }

    @Test func `joins folded lines and keeps unknown headers in order`() throws {
        let folded = try parsed("OPTIONS sip:a@b SIP/2.0\nX-B: one\n \t two\nx-a: 1\nX-B: three, four\n\n")
        #expect(folded.values(named: "x-b".utf8).map { text($0) } == ["one two", "three, four"])
        #expect(folded.headers.map { text($0.name) } == ["X-B", "x-a", "X-B"])
    }

    @Test func `splits lists only where the header allows it, and not inside quotes or brackets`() throws {
        let lists = try parsed(
            """
            REGISTER sip:b SIP/2.0
            m: "a, \\" b" <sip:a@b;x=1,2>;q=0.5, , sip:c@d
            Subject: one, two
            k: 100rel,, timer
            WWW-Authenticate: Digest realm="x", nonce="y"

            """ + "\n")
        #expect(lists.values(of: .contact).map { text($0) } == [#""a, \" b" <sip:a@b;x=1,2>;q=0.5"#, "sip:c@d"])
        #expect(lists.values(of: .subject).map { text($0) } == ["one, two"])
        #expect(lists.supported.contains("timer") && lists.supported.tokens.count == 2)
        #expect(lists.values(of: .wwwAuthenticate).count == 1)
    }

    @Test(arguments: [
        ("", SIPParseError.notSIP), ("\r\n\r\n", .notSIP), ("GET / HTTP/1.1\r\n\r\n", .notSIP),
        ("\u{16}\u{03}\u{01}", .notSIP), ("INVITE sip:a SIP/2.0", .badStartLine),
        ("INVITE sip:a SIP/2.0\r\nVia: x", .unfinishedHeaders),
        ("INVITE sip:a SIP/2.0\r\nVia: x\r\n", .unfinishedHeaders),
        ("INVITE sip:a SIP/2.0\nVia: x\r\n\r\n", .badStartLine),
        ("INVITE sip:a SIP/2.0\r\nVia: x\nTo: y\r\n\r\n", .badHeaderLine(offset: 28)),
        ("INVITE sip:a SIP/2.0\r\nVia: x\rTo: y\r\n\r\n", .badHeaderLine(offset: 28)),
        ("INVITE sip:a SIP/2.0\r\nVia x\r\n\r\n", .badHeaderLine(offset: 22)),
        ("INVITE sip:a SIP/2.0\r\n: x\r\n\r\n", .badHeaderLine(offset: 22)),
        ("INVITE sip:a SIP/2.0\r\nA: \0\r\n\r\n", .badHeaderLine(offset: 25)),
        ("INVITE sip:a SIP/2.0\r\nl: 1\r\n\r\n", .incompleteBody),
        ("INVITE sip:a SIP/2.0\r\nl: 99999999999999999999\r\n\r\n", .malformed(.contentLength)),
        ("INVITE sip:a SIP/2.0\r\nl:\r\n\r\n", .malformed(.contentLength)),
        ("INVITE sip:a SIP/3.0\r\n\r\n", .unsupportedVersion), ("SIP/2.1 200 OK\r\n\r\n", .unsupportedVersion),
        ("SIP/2.0 099 x\r\n\r\n", .badStartLine), ("SIP/2.0 700 x\r\n\r\n", .badStartLine),
        ("SIP/2.0 20\r\n\r\n", .badStartLine), ("SIP/2.0 2000\r\n\r\n", .badStartLine),
        ("INVITE SIP/2.0\r\n\r\n", .notSIP), ("INVITE  SIP/2.0\r\n\r\n", .badStartLine),
    ])
    func `refuses what is no message`(bytes: String, fault: SIPParseError) {
        #expect(throws: fault) { try SIPMessage(parsing: Array(bytes.utf8)) }
    }

    @Test func `keeps to its limits`() {
        var limits = SIPLimits()
        limits.maximumHeaderCount = 8
        #expect(throws: SIPParseError.headersTooLong) { try SIPMessage(parsing: invite, limits: limits) }
        limits = SIPLimits()
        limits.maximumHeaderBytes = 200
        #expect(throws: SIPParseError.headersTooLong) { try SIPMessage(parsing: invite, limits: limits) }
        limits = SIPLimits()
        limits.maximumMessage = invite.count - 1
        #expect(throws: SIPParseError.messageTooLong) { try SIPMessage(parsing: invite, limits: limits) }
        #expect(SIPParseError.messageTooLong.status == 513)
    }

    @Test(arguments: ["Via", "To", "From", "Call-ID", "CSeq"])
    func `validation misses a mandatory header`(name: String) throws {
        var edit = MessageEdit(try SIPMessage(parsing: invite))
        edit.remove(HeaderName(Array(name.utf8)))
        let without = edit.finish()
        #expect(throws: SIPParseError.missing(HeaderName(Array(name.utf8)))) { try without.validate() }
        #expect(SIPMessage.refusal(of: without.bytes, because: .missing(.to))?.status == (name == "Via" ? nil : 400))
    }

    @Test func `refuses no ACK and no response`() {
        let ack = message("ACK sip:a@b SIP/2.0\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\n\n")
        #expect(SIPMessage.refusal(of: ack, because: .missing(.to)) == nil)
        #expect(SIPMessage.refusal(of: Array("SIP/2.0 200 OK\r\nVia: x\r\n\r\n".utf8), because: .missing(.to)) == nil)
        #expect(SIPMessage.refusal(of: invite, because: .notSIP) == nil)
    }

    @Test func `names methods with case`() {
        for method in SIPMethod.known { #expect(SIPMethod(method.name) == method) }
        #expect(SIPMethod(Array("invite".utf8)) == .other(Array("invite".utf8)))
        #expect(SIPMethod([]) == .other([]))
    }
}

struct BuilderTests {
    @Test func `writes a request that reads the same`() throws {
        var builder = MessageBuilder.request(.invite, try SIPURI(parsing: "sip:bob@biloxi.com?x=y".utf8))
        builder.add(.via, Via(transport: .wss, host: .name(Array("h.invalid".utf8)), branch: Array("z9hG4bKa".utf8)))
        builder.add(.maxForwards, number: 70)
        builder.add(.supported, list: [Array("100rel".utf8), Array("timer".utf8)])
        builder.add(.allow, list: [])
        builder.add(.organization, "yes")
        let built = builder.finish(contentType: Array("text/plain".utf8), body: Array("hello".utf8))
        let again = try SIPMessage(parsing: built.bytes)
        #expect(
            text(built.bytes)
                == text(
                    message(
                        """
                        INVITE sip:bob@biloxi.com SIP/2.0
                        Via: SIP/2.0/WSS h.invalid;branch=z9hG4bKa
                        Max-Forwards: 70
                        Supported: 100rel, timer
                        Organization: yes
                        Content-Type: text/plain
                        Content-Length: 5

                        hello
                        """)))
        #expect(again.headers.map { text($0.value) } == built.headers.map { text($0.value) })
        #expect(again.requestURIText == built.requestURIText && again.body == built.body)
    }

    @Test func `answers with the headers RFC 3261 §8.2.6 asks for`() throws {
        var edit = MessageEdit(try SIPMessage(parsing: invite))
        edit.insert(.via, Array("SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bK2, SIP/2.0/TCP a;branch=z9hG4bK3".utf8))
        let source = TransportAddress(ip: .v4(0xc000_0201), port: 4711)
        let response = MessageBuilder.response(
            486, to: edit.finish(), tag: Array("abc".utf8), source: source
        ).finish()
        #expect(response.status == 486 && text(response.reason) == "Busy Here")
        let vias = try response.vias()
        #expect(vias.count == 3)
        #expect(text(vias[0].text) == "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK2;rport=4711;received=192.0.2.1")
        #expect(response.toTag == Array("abc".utf8))
        #expect(try response.cseq().number == 314_159)
        #expect(try response.to().displayName == Array("Bob".utf8))
        try response.validate()
        #expect(MessageBuilder.response(100, to: try SIPMessage(parsing: invite), tag: [0x61]).finish().toTag == nil)
    }

    @Test func `lets no value break out of its line`() throws {
        var builder = MessageBuilder.response(200, Array("O\r\nK".utf8))
        builder.add(.subject, Array("a\r\nVia: evil\r\n\r\nbody\0".utf8))
        builder.add(.userAgent, Array("trailing \r\n".utf8))
        let again = try SIPMessage(parsing: builder.finish().bytes)
        #expect(text(again.reason) == "O  K")
        #expect(again.headers.count == 3)
        #expect(again.subject.map { text($0) } == "a  Via: evil    body")
    }
}

struct EditTests {
    @Test func `forwards by inserting a Via and leaving the rest alone`() throws {
        let original = try SIPMessage(parsing: invite)
        var edit = MessageEdit(original)
        edit.setRequestURI(try SIPURI(parsing: "sip:bob@192.0.2.4:5062".utf8))
        edit.insert(.via, Via(transport: .udp, host: .address(.v4(0xc000_0202)), branch: Array("z9hG4bK77".utf8)))
        edit.insert(.recordRoute, Array("<sip:192.0.2.2;lr>".utf8))
        edit.set(.maxForwards, number: 69)
        let forwarded = edit.finish()
        let expected = text(invite).replacing("sip:bob@biloxi.com SIP", with: "sip:bob@192.0.2.4:5062 SIP")
            .replacing(
                "Via:", with: "Record-Route: <sip:192.0.2.2;lr>\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK77\r\nVia:"
            )
            .replacing("Max-Forwards: 70", with: "Max-Forwards: 69")
        #expect(text(forwarded.bytes) == expected)
        let again = try SIPMessage(parsing: forwarded.bytes)
        #expect(again.headers.map { text($0.value) } == forwarded.headers.map { text($0.value) })
        #expect(try forwarded.requestURI.port == 5062)
        #expect(forwarded.body == original.body)
    }

    @Test func `takes the top value off a list and leaves the others`() throws {
        let source = try parsed("SIP/2.0 200 OK\nv: SIP/2.0/UDP a;branch=1 , SIP/2.0/TCP b\nVia: SIP/2.0/TLS c\n\n")
        var edit = MessageEdit(source)
        edit.removeFirst(.via)
        var popped = edit.finish()
        #expect(try popped.vias().map { text($0.host.text) } == ["b", "c"])
        edit = MessageEdit(popped)
        edit.removeFirst(.via)
        popped = edit.finish()
        #expect(popped.headers.count == 1)
        edit = MessageEdit(source)
        edit.replaceFirst(.via, with: Via(transport: .udp, host: .address(.loopback), branch: [0x78]))
        #expect(try edit.finish().vias().map { text($0.host.text) } == ["127.0.0.1", "b", "c"])
        edit = MessageEdit(source)
        for _ in 0..<5 { edit.removeFirst(.via) }
        #expect(edit.finish().headers.isEmpty)
    }

    @Test func `replaces all lines of a name by one`() throws {
        var edit = MessageEdit(
            try parsed("OPTIONS sip:a@b SIP/2.0\nSubject: 1\nm: <sip:a@b>\ns: 2\nX-A: 3\nSUBJECT: 3\n\n"))
        edit.set(.subject, Array("4".utf8))
        edit.append(.contact, Array("<sip:c@d>".utf8))
        edit.setBody(Array("hi".utf8), contentType: Array("text/plain".utf8))
        let changed = edit.finish()
        #expect(
            changed.headers.map { text($0.name) + "=" + text($0.value) } == [
                "Subject=4", "m=<sip:a@b>", "X-A=3", "Contact=<sip:c@d>", "Content-Type=text/plain", "Content-Length=2",
            ])
        #expect(try SIPMessage(parsing: changed.bytes).body.elementsEqual("hi".utf8))
    }
}
