import Base
import SIP
import Testing

private func bytes(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

struct HeaderNameTests {
    @Test(arguments: [
        ("v", "Via"), ("F", "From"), ("t", "To"), ("i", "Call-ID"), ("m", "Contact"), ("c", "Content-Type"),
        ("e", "Content-Encoding"), ("l", "Content-Length"), ("k", "Supported"), ("s", "Subject"), ("o", "Event"),
        ("u", "Allow-Events"), ("r", "Refer-To"), ("b", "Referred-By"), ("x", "Session-Expires"),
        ("a", "Accept-Contact"),
        ("j", "Reject-Contact"), ("d", "Request-Disposition"), ("y", "Identity"), ("VIA", "via"), ("cSEQ", "CSeq"),
        ("www-authenticate", "WWW-Authenticate"), ("sip-if-match", "SIP-If-Match"),
    ])
    func `knows a header by each of its names`(one: String, other: String) {
        let (left, right) = (HeaderName(Array(one.utf8)), HeaderName(Array(other.utf8)))
        #expect(left == right && left != .unknown)
    }

    @Test(arguments: ["z", "Vi", "Viaa", "CallID", "Content_Length", ""])
    func `mistakes no other for one`(name: String) {
        #expect(HeaderName(Array(name.utf8)) == .unknown)
    }
}

struct AddressTests {
    @Test(arguments: [
        ("sip:a@b", "", "<sip:a@b>"), ("<sip:a@b>", "", "<sip:a@b>"),
        ("A B <sip:a@b>;tag=1", "A B", "\"A B\" <sip:a@b>;tag=1"),
        ("\"A \\\"B\\\" \\\\\"<sip:a@b>", "A \"B\" \\", "\"A \\\"B\\\" \\\\\" <sip:a@b>"),
        ("sip:a@b;x=y", "", "<sip:a@b>;x=y"),
        ("<sip:a@b;x=y> ; z = \"q;r\"", "", "<sip:a@b;x=y>;z=\"q;r\""), ("tel:+1;x", "", "<tel:+1>;x"),
        ("\"\" <sip:a@b>", "", "<sip:a@b>"), ("<urn:service:sos>", "", "<urn:service:sos>"),
    ])
    func `reads and writes`(given: String, name: String, written: String) throws {
        let address = try NameAddress(parsing: bytes(given))
        #expect(text(address.displayName) == name)
        #expect(text(address.text) == written)
        #expect(try NameAddress(parsing: address.text[...]) == address)
    }

    @Test(arguments: [
        "", "<", "<>", "<sip:a@b", "A", "\"A\" sip:a@b", "\"A <sip:a@b>", "sip:a@b?x=y", "<sip:a@b> x", "<sip:a@b>;",
        "<sip:a@b>;x=", "A, B <sip:a@b>", "<sip:a@b>,", "*", "<sip:a@b>;x=\"", "< sip:a@b>", "<sip:a@b>;;x",
    ])
    func `refuses`(given: String) {
        #expect(throws: SIPParseError.malformed(.contact)) { try NameAddress(parsing: bytes(given)) }
    }

    @Test(
        arguments: [
            ("q=1", 1000), ("q=1.000", 1000), ("q=0", 0), ("q=0.5", 500), ("q=0.", 0), ("q=0.333", 333), ("x", 1000),
            ("q=2", nil),
            ("q=1.1", nil), ("q=0.3333", nil), ("q=x", nil), ("q", nil), ("q=0,5", nil),
        ] as [(String, Int?)])
    func `reads a preference`(parameter: String, q: Int?) {
        let contact = try? NameAddress(parsing: bytes("<sip:a@b>;" + parameter))
        #expect((contact?.q ?? -1) == (q ?? -1) || (contact == nil && q == nil))
    }

    @Test func `reads what outbound and GRUU add to a Contact`() throws {
        var contact = try NameAddress(
            parsing: bytes(
                """
                <sip:a@h.invalid;transport=ws;ob>;reg-id=1;+sip.instance="<urn:uuid:f81d4fae-7dec>";expires=99999999999;\
                pub-gruu="sip:a@b;gr=urn:x";temp-gruu="sip:t@b;gr"
                """))
        #expect(contact.instanceID.map { text($0) } == "urn:uuid:f81d4fae-7dec")
        #expect(contact.regID == 1 && contact.usesOutbound)
        #expect(contact.expires == 4_294_967_295)
        #expect(contact.publicGRUU.map { text($0) } == "sip:a@b;gr=urn:x")
        #expect(contact.temporaryGRUU.map { text($0) } == "sip:t@b;gr")
        contact.setInstanceID(Array("urn:uuid:2".utf8))
        #expect(contact.instanceID.map { text($0) } == "urn:uuid:2")
        contact.parameters["expires"] = Array("nonsense".utf8)
        #expect(contact.expires == 3600)
        contact.tag = nil
        #expect(contact.tag == nil)
    }
}

struct ViaTests {
    @Test func `reads every parameter of a hop`() throws {
        let via = try Via(
            parsing: bytes(
                " sip / 2.0 / udp  [2001:db8::9]:5061 ;branch=z9hG4bK1;rport=5;received=::1;alias;keep=30;maddr=10.0.0.1"
            ))
        #expect(via.transport == .udp && via.port == 5061 && via.rport == 5 && via.asksForRport)
        #expect(via.received == IPAddress(parsing: "::1".utf8) && via.hasAlias && via.hasKeep && via.hasModernBranch)
        #expect(via.maddr == .address(.v4(0x0a00_0001)))
        #expect(try Via(parsing: via.text[...]) == via)
    }

    @Test(arguments: [
        "", "SIP/2.0", "SIP/2.0/UDP", "SIP/2.0/UDPa", "SIP/2.0/UDP a b", "SIP/2.0/UDP a:", "SIP/2.0/UDP a:99999",
        "SIP/2.0/UDP a;", "HTTP/2.0/UDP a", "SIP/2.0/UDP [::1", "SIP/2.0/UDP a;;b", "SIP/1.0/UDP a",
    ])
    func `refuses`(given: String) {
        #expect(throws: SIPParseError.malformed(.via)) { try Via(parsing: bytes(given)) }
    }

    /// RFC 3261 §18.2.1 and RFC 3581 §4.
    @Test(arguments: [
        ("SIP/2.0/UDP 192.0.2.1;branch=1", "SIP/2.0/UDP 192.0.2.1;branch=1"),
        ("SIP/2.0/UDP 10.0.0.1;branch=1", "SIP/2.0/UDP 10.0.0.1;branch=1;received=192.0.2.1"),
        ("SIP/2.0/UDP host.example;branch=1", "SIP/2.0/UDP host.example;branch=1;received=192.0.2.1"),
        ("SIP/2.0/UDP 192.0.2.1;rport;branch=1", "SIP/2.0/UDP 192.0.2.1;branch=1;rport=4711;received=192.0.2.1"),
        ("SIP/2.0/UDP 192.0.2.1;received=6.6.6.6;branch=1", "SIP/2.0/UDP 192.0.2.1;branch=1"),
    ])
    func `notes where a request came from`(given: String, noted: String) throws {
        var via = try Via(parsing: bytes(given))
        via.note(source: TransportAddress(ip: .v6(high: 0, low: 0xffff_c000_0201), port: 4711))
        #expect(text(via.text) == noted)
    }
}

struct ValueTests {
    @Test func `reads the headers of dialogs and subscriptions`() throws {
        let all = try parsed(
            """
            NOTIFY sip:a@b SIP/2.0
            o: Presence;id=7
            Subscription-State: terminated;reason=Timeout;retry-after=5
            RAck: 776656 1 INVITE
            RSeq: 988789
            Replaces: 98732@h;from-tag=r33;to-tag=ff87;early-only
            r: "B" <sip:b@c?Replaces=1%402>
            x: 4000;refresher=uac
            Min-SE: 90;lr
            Info-Package: dtmf;x=y
            Recv-Info: dtmf, infoDtmf
            SIP-ETag: dx200xyz
            Retry-After: 18000 (in (a) meeting);duration=3600
            Warning: 307 isi.edu "not \\"understood\\"", 301 1.2.3.4:5060 "x"
            Date: Sat, 13 Nov 2010 23:29:00 GMT
            Reason: SIP;cause=200;text="Call completed elsewhere", Q.850;cause=16
            Content-Disposition: session;handling=optional


            """)
        #expect(try all.event() == EventHeader(Array("presence".utf8), id: [0x37]))
        let state = try #require(try all.subscriptionState())
        #expect(state.state == .terminated && state.reason == Array("timeout".utf8) && state.retryAfter == 5)
        #expect(try all.rack() == RAck(responseNumber: 776_656, cseq: CSeq(number: 1, method: .invite)))
        #expect(try all.rseq() == 988_789)
        let replaces = Replaces(
            callID: Array("98732@h".utf8), toTag: Array("ff87".utf8), fromTag: Array("r33".utf8), earlyOnly: true)
        #expect(try all.replaces() == replaces)
        #expect(text(replaces.asURIHeader) == "Replaces=98732%40h%3Bto-tag%3Dff87%3Bfrom-tag%3Dr33%3Bearly-only")
        #expect(text(try all.referTo()?.uri.headers ?? []) == "Replaces=1%402")
        #expect(try all.sessionExpires() == SessionExpires(seconds: 4000, refresher: .uac))
        #expect(try all.minSE() == 90)
        #expect(try all.infoPackage() == Array("dtmf".utf8))
        #expect(all.receivableInfoPackages.contains("infodtmf"))
        #expect(all.entityTag.map { text($0) } == "dx200xyz")
        let retry = try #require(try all.retryAfter())
        #expect(retry.seconds == 18000 && text(retry.comment ?? []) == "in (a) meeting")
        #expect(retry.parameters.number("duration") == 3600)
        let warnings = try all.warnings()
        #expect(warnings.map(\.code) == [307, 301] && text(warnings[0].message) == "not \"understood\"")
        #expect(try all.date()?.secondsSince1970 == 1_289_690_940)
        #expect(all.reasons().map { $0.parameters.number("cause") } == [200, 16])
        #expect(all.reasons().first?.parameters.unquoted("text").map { text($0) } == "Call completed elsewhere")
        #expect(try all.contentDisposition()?.parameters["handling"].map { text($0) } == "optional")
    }

    @Test func `writes each value as it reads it`() throws {
        let state = SubscriptionState(.terminated, expires: 3, reason: Array("noresource".utf8))
        #expect(try SubscriptionState(parsing: state.text[...]) == state)
        let warning = Warning(code: 399, agent: Array("hearth".utf8), message: Array("say \"no\"".utf8))
        #expect(try Warning(parsing: warning.text[...]) == warning)
        var retry = RetryAfter(seconds: 7)
        retry.comment = Array("a (b) c".utf8)
        #expect(try RetryAfter(parsing: retry.text[...]).seconds == 7)
        let session = SessionExpires(seconds: 1800, refresher: .uas)
        #expect(try SessionExpires(parsing: session.text[...]) == session)
        let rack = RAck(responseNumber: 1, cseq: CSeq(number: 2, method: .other(Array("FOO".utf8))))
        #expect(try RAck(parsing: rack.text[...]) == rack)
    }

    @Test func `writes dates that read the same, over all of four digits of years`() throws {
        for day in stride(from: Int64(0), to: 2_932_896, by: 997) {
            let date = SIPDate(secondsSince1970: day * 86_400 + day % 86_400)
            #expect(try SIPDate(parsing: date.text[...]) == date)
        }
        #expect(text(SIPDate(secondsSince1970: 951_782_399).text) == "Mon, 28 Feb 2000 23:59:59 GMT")
        #expect(text(SIPDate(secondsSince1970: 951_782_400).text) == "Tue, 29 Feb 2000 00:00:00 GMT")
    }

    @Test(arguments: [
        "Event", "Subscription-State", "RAck", "RSeq", "Replaces", "Session-Expires", "Min-SE", "Retry-After",
        "Warning", "Date",
    ])
    func `refuses nonsense with the header's name`(name: String) throws {
        let header = HeaderName(Array(name.utf8))
        let broken = try parsed("NOTIFY sip:a@b SIP/2.0\n\(name): ;;=\n\n")
        #expect(throws: SIPParseError.malformed(header)) {
            _ = (try broken.event(), try broken.subscriptionState(), try broken.rack(), try broken.rseq())
            _ = (try broken.replaces(), try broken.sessionExpires(), try broken.minSE())
            _ = (try broken.retryAfter(), try broken.warnings(), try broken.date())
        }
    }

    @Test func `changes parameters in place`() {
        var parameters = Parameters()
        parameters.append("tag", Array("1".utf8))
        parameters.append("ob")
        parameters.append("text", quoted: Array("a\"b".utf8))
        #expect(text(parameters.text) == ";tag=1;ob;text=\"a\\\"b\"")
        #expect(parameters.unquoted("TEXT").map { text($0) } == "a\"b")
        parameters["tag"] = Array("2".utf8)
        parameters.remove("ob")
        #expect(text(parameters.text) == ";text=\"a\\\"b\";tag=2")
        #expect(parameters.pairs.map { text($0.name) } == ["text", "tag"])
    }

    @Test func `reads a Contact of all and nothing else`() throws {
        let all = try parsed("REGISTER sip:b SIP/2.0\nContact: *\n\n")
        #expect(all.isContactWildcard)
        #expect(try all.contacts().isEmpty)
        let mixed = try parsed("REGISTER sip:b SIP/2.0\nContact: *, <sip:a@b>\n\n")
        #expect(throws: SIPParseError.malformed(.contact)) { try mixed.contacts() }
    }
}
