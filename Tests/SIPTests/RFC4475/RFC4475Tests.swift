import Base
import Foundation
import SIP
import Testing

/// All 49 messages of RFC 4475, by section. Where the RFC asks something of a layer above the parser, the table says so,
/// and the test shows that the parser gives that layer what it needs.
struct RFC4475Tests {
    /// File, section, and what parsing and `validate()` say.
    static let table: [(name: String, section: String, verdict: Verdict)] = [
        ("wsinv", "3.1.1.1", .valid),
        ("intmeth", "3.1.1.2", .valid),
        ("esc01", "3.1.1.3", .valid),
        ("escnull", "3.1.1.4", .valid),
        // Higher layer: the method is none we know, 501.
        ("esc02", "3.1.1.5", .valid),
        ("lwsdisp", "3.1.1.6", .valid),
        ("longreq", "3.1.1.7", .valid),
        // What follows the REGISTER is ignored in a datagram; `FramerTests` has it as a stream of two.
        ("dblreq", "3.1.1.8", .valid),
        ("semiuri", "3.1.1.9", .valid),
        ("transports", "3.1.1.10", .valid),
        ("mpart01", "3.1.1.11", .valid),
        ("unreason", "3.1.1.12", .valid),
        ("noreason", "3.1.1.13", .valid),

        ("badinv01", "3.1.2.1", .refused(.malformed(.via))),
        ("clerr", "3.1.2.2", .refused(.incompleteBody)),
        ("ncl", "3.1.2.3", .refused(.malformed(.contentLength))),
        ("scalar02", "3.1.2.4", .refused(.malformed(.cseq))),
        // A response: dropped.
        ("scalarlg", "3.1.2.5", .refused(.malformed(.cseq))),
        ("quotbal", "3.1.2.6", .refused(.malformed(.to))),
        ("ltgtruri", "3.1.2.7", .refused(.badURI)),
        ("lwsruri", "3.1.2.8", .refused(.badStartLine)),
        ("lwsstart", "3.1.2.9", .refused(.badStartLine)),
        // The RFC lets us mend or refuse; we refuse.
        ("trws", "3.1.2.10", .refused(.badStartLine)),
        ("escruri", "3.1.2.11", .refused(.badURI)),
        // Only who uses the date has to mind: `date()` throws.
        ("baddate", "3.1.2.12", .valid),
        // The registrar refuses: `contacts()` throws.
        ("regbadct", "3.1.2.13", .valid),
        // The RFC lets us mend or refuse; we refuse.
        ("badaspec", "3.1.2.14", .refused(.malformed(.to))),
        // The RFC lets us mend or refuse; we refuse. The archive's file lacks the empty line, ours has it.
        ("baddn", "3.1.2.15", .refused(.malformed(.from))),
        ("badvers", "3.1.2.16", .refused(.unsupportedVersion)),
        ("mismatch01", "3.1.2.17", .refused(.methodMismatch)),
        // The RFC lets us answer 501 or 400.
        ("mismatch02", "3.1.2.18", .refused(.methodMismatch)),
        // A response: dropped.
        ("bigcode", "3.1.2.19", .refused(.badStartLine)),

        // Higher layer: the transaction is matched without the branch; `hasModernBranch` says so.
        ("badbranch", "3.2.1", .valid),

        ("insuf", "3.3.1", .refused(.missing(.from))),
        // Higher layer: 416, by the URI's scheme.
        ("unkscm", "3.3.2", .valid),
        // Higher layer: 416, by the URI's scheme.
        ("novelsc", "3.3.3", .valid),
        // Higher layer: the registrar answers 404 or 416, by the schemes of To and Contact.
        ("unksm2", "3.3.4", .valid),
        // Higher layer: 420 with Unsupported, by Require and Proxy-Require.
        ("bext01", "3.3.5", .valid),
        // Higher layer: 415 with Accept, by the content type.
        ("invut", "3.3.6", .valid),
        // Higher layer: as without credentials, since the scheme is unknown.
        ("regaut01", "3.3.7", .valid),
        ("multi01", "3.3.8", .refused(.repeated(.cseq))),
        ("mcl01", "3.3.9", .refused(.repeated(.contentLength))),
        // Higher layer: a user agent drops a response with a Via below its own.
        ("bcast", "3.3.10", .valid),
        // Higher layer: a proxy answers 483, the target itself does not mind.
        ("zeromf", "3.3.11", .valid),
        ("cparam01", "3.3.12", .valid),
        ("cparam02", "3.3.13", .valid),
        ("regescrt", "3.3.14", .valid),
        // Higher layer: 406, by Accept.
        ("sdp01", "3.3.15", .valid),

        // Higher layer: matched as RFC 2543 says, since there is no branch.
        ("inv2543", "3.4.1", .valid),
    ]

    @Test func `has every message of the RFC`() throws {
        let folder = try #require(
            Bundle.module.url(forResource: "rfc4475", withExtension: nil, subdirectory: "Resources"))
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(files.filter { $0.hasSuffix(".dat") }.sorted() == Self.table.map { $0.name + ".dat" }.sorted())
        #expect(Self.table.count == 49)
    }

    @Test(arguments: table)
    func `gives the outcome the RFC asks for`(row: (name: String, section: String, verdict: Verdict)) throws {
        #expect(Verdict(try tortureFile("rfc4475", row.name)) == row.verdict, "\(row.section)")
    }

    @Test(arguments: table)
    func `answers what is broken, if it is a request`(
        row: (name: String, section: String, verdict: Verdict)
    ) throws {
        guard case .refused(let fault) = row.verdict else { return }
        let bytes = try tortureFile("rfc4475", row.name)
        let answer = SIPMessage.refusal(of: bytes, because: fault)
        guard !bytes.starts(with: Array("SIP/".utf8)) else { return #expect(answer == nil) }
        #expect(answer?.status == (row.name == "badvers" ? 505 : 400))
        #expect(answer?.contains(.via) == true)
    }

    @Test(arguments: table)
    func `survives every accessor, an edit and being cut short`(
        row: (name: String, section: String, verdict: Verdict)
    ) throws {
        let bytes = try tortureFile("rfc4475", row.name)
        fuzzSIPMessage(bytes)
        for length in stride(from: 0, to: bytes.count, by: 7) { fuzzSIPMessage(Array(bytes[..<length])) }
    }

    private func parse(_ name: String) throws -> SIPMessage { try SIPMessage(parsing: tortureFile("rfc4475", name)) }

    // MARK: 3.1.1

    @Test func `3.1.1.1 white space, folds, escapes and compact forms`() throws {
        let message = try parse("wsinv")
        #expect(message.method == .invite)
        #expect(try message.requestURI.parameters.contains("unknownparam"))
        #expect(try message.to().tag == Array("1918181833n".utf8))
        #expect(try message.to().uri.host == .name(Array("chair-dnrc.example.com".utf8)))
        #expect(text(try message.from().displayName) == #"J Rosenberg \""#)
        #expect(try message.from().tag == Array("98asjd8".utf8))
        #expect(try message.maxForwards() == 68)
        #expect(try message.cseq() == CSeq(number: 9, method: .invite))
        #expect(message.subject?.isEmpty == true)
        let vias = try message.vias()
        #expect(vias.map { text($0.branch ?? []) } == ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"])
        #expect(vias.map(\.transport) == [.udp, .tcp, .udp])
        #expect(
            message.values(named: "NewFangledHeader".utf8).first.map { text($0) }
                == "newfangled value continued newfangled value")
        #expect(message.values(named: "unknownheaderwithunusualvalue".utf8).map { text($0) } == [";;,,;;,;"])
        #expect(try message.routes().first?.uri.isLooseRouter == true)
        let contact = try #require(try message.contacts().first)
        #expect(text(contact.displayName) == #"Quoted string """#)
        #expect(contact.q == 330)
        #expect(contact.parameters["newparam"].map { text($0) } == "newvalue")
        #expect(contact.parameters.contains("secondparam"))
        #expect(message.body.count == 150)
    }

    @Test func `3.1.1.2 every character a token, a user, a password and a Call-ID may have`() throws {
        let message = try parse("intmeth")
        #expect(message.method == .other(Array("!interesting-Method0123456789_*+`.%indeed'~".utf8)))
        let uri = try message.requestURI
        #expect(text(uri.user ?? []) == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
        #expect(text(uri.password ?? []) == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")
        #expect(
            try message.to().displayName == Array("BEL:".utf8) + [7] + Array(" NUL:".utf8) + [0] + Array(" DEL:".utf8)
                + [127])
        #expect(text(try message.from().displayName) == "token1~` token2'+_ token3*%!.-")
        #expect(try message.from().tag == Array("_token~1'+`*%!-.".utf8))
        #expect(try message.from().parameters["fromParam''~+*_!.-%"].map { text($0) } == "\"работающий\"")
        #expect(text(message.callID) == #"intmeth.word%ZK-!.*_+'@word`~)(><:\/"][?}{"#)
        #expect(message.values(named: "extensionHeader-!.%*+_`'~".utf8).first.map { text($0) } == "\u{feff}大停電")
    }

    @Test func `3.1.1.3 escapes stand for what they escape where they may`() throws {
        let message = try parse("esc01")
        #expect(text(try message.requestURI.user ?? []) == "sips%3Auser%40example.com")
        #expect(text(try message.requestURI.plainUser ?? []) == "sips:user@example.com")
        #expect(try message.to().uri == SIPURI(parsing: "sip:user@example.com".utf8))
        #expect(text(try message.from().uri.plainUser ?? []) == "I have spaces")
        let contact = try #require(try message.contacts().first)
        #expect(text(contact.uri.plainUser ?? []) == "caller")
        // Escaped names are compared escaped by loose routing (the RFC leaves this open), unescaped by equality.
        #expect(contact.uri == (try SIPURI(parsing: "sip:caller@host5.example.net;lr;name=value%2541".utf8)))
    }

    @Test func `3.1.1.4 escaped NUL is a character like any other`() throws {
        let message = try parse("escnull")
        #expect(try message.to().uri.plainUser == Array("null-".utf8) + [0] + Array("-null".utf8))
        let contacts = try message.contacts()
        #expect(contacts.map(\.uri.plainUser) == [[0], [0, 0]])
        #expect(contacts[0].uri != contacts[1].uri)
    }

    @Test func `3.1.1.5 a percent sign that escapes nothing is itself`() throws {
        let message = try parse("esc02")
        #expect(message.method == .other(Array("RE%47IST%45R".utf8)))
        #expect(text(try message.to().displayName) == "%Z%45")
        #expect(try message.contacts().count == 2)
        #expect(text(try message.topVia().branch ?? []) == "z9hG4bK209%fzsnel234")
    }

    @Test func `3.1.1.6 to 3.1.1.10 display name, length, trailing bytes, semicolons, transports`() throws {
        #expect(text(try parse("lwsdisp").from().displayName) == "caller")

        let long = try parse("longreq")
        #expect(try long.vias().count == 34)
        #expect(try long.to().uri.port == 6000)

        let double = try parse("dblreq")
        #expect(double.method == .register)
        #expect(double.body.isEmpty)
        #expect(double.bytes.count < 320)

        #expect(text(try parse("semiuri").requestURI.user ?? []) == "user;par=u%40example.net")
        #expect(text(try parse("semiuri").requestURI.plainUser ?? []) == "user;par=u@example.net")
        #expect(try parse("semiuri").accepts()?.count == 6)

        let vias = try parse("transports").vias()
        #expect(vias.map { text($0.transportToken) } == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"])
        #expect(vias.map(\.transport) == [.udp, nil, .tls, nil, .tcp])
    }

    @Test func `3.1.1.11 to 3.1.1.13 a binary body, a reason in Cyrillic, an empty one`() throws {
        let parts = try parse("mpart01")
        #expect(parts.body.count == 553)
        #expect(parts.contentType.map { text($0) } == "multipart/mixed")
        #expect(try parts.mediaType()?.parameters["boundary"].map { text($0) } == "7a9cbec02ceef655")
        #expect(try parts.date()?.secondsSince1970 == 1_129_351_496)

        #expect(text(try parse("unreason").reason) == "= 2**3 * 5**2 но сто девяносто девять - простое")
        #expect(try parse("unreason").status == 200)
        #expect(try parse("noreason").reason.isEmpty)
        #expect(try parse("noreason").status == 100)
    }

    // MARK: 3.1.2

    @Test func `3.1.2.4 and 3.1.2.5 numbers beyond their range`() throws {
        let request = try parse("scalar02")
        // RFC 3261 §20.19 and §10.3 give the largest value we can hold.
        #expect(try request.expires() == 4_294_967_295)
        #expect(try request.contacts().first?.expires == 4_294_967_295)
        #expect(throws: SIPParseError.malformed(.maxForwards)) { try request.maxForwards() }

        let response = try parse("scalarlg")
        #expect(try response.retryAfter()?.seconds == 4_294_967_295)
        #expect(throws: SIPParseError.malformed(.warning)) { try response.warnings() }
    }

    @Test func `3.1.2.12 and 3.1.2.13 a zone other than GMT, a Contact with headers but no brackets`() throws {
        #expect(throws: SIPParseError.malformed(.date)) { try parse("baddate").date() }
        #expect(throws: SIPParseError.malformed(.contact)) { try parse("regbadct").contacts() }
    }

    // MARK: 3.2 to 3.4

    @Test func `3.2.1 a branch of the magic cookie alone is no branch`() throws {
        #expect(try !parse("badbranch").topVia().hasModernBranch)
    }

    @Test func `3.3.2 to 3.3.4 unknown schemes are seen as such`() throws {
        #expect(try parse("unkscm").requestURI.scheme == .other(Array("nobodyknowsthisscheme".utf8)))
        #expect(try parse("novelsc").requestURI.scheme == .other(Array("soap.beep".utf8)))
        let message = try parse("unksm2")
        #expect(try message.to().uri.scheme == .other(Array("isbn".utf8)))
        #expect(try message.from().uri.scheme == .other(Array("http".utf8)))
        #expect(try message.contacts().first?.uri.scheme == .other(Array("name".utf8)))
    }

    @Test func `3.3.5 to 3.3.7 extensions, bodies and schemes a higher layer refuses`() throws {
        let extensions = try parse("bext01")
        #expect(extensions.require.tokens.map { text($0) } == ["nothingsupportsthis", "nothingsupportsthiseither"])
        #expect(extensions.proxyRequire.subtracting(TokenSet([])).count == 2)
        #expect(try parse("invut").contentType.map { text($0) } == "application/unknownformat")
        #expect(try parse("regaut01").authorizations().isEmpty)
    }

    @Test func `3.3.8 headers that may stand once`() throws {
        let message = try parse("multi01")
        #expect(throws: SIPParseError.repeated(.from)) { try message.from() }
        #expect(throws: SIPParseError.repeated(.to)) { try message.to() }
        #expect(throws: SIPParseError.repeated(.maxForwards)) { try message.maxForwards() }
    }

    @Test func `3.3.10 to 3.3.15 what the layers above decide by`() throws {
        #expect(try parse("bcast").vias().count == 2)
        #expect(try parse("zeromf").maxForwards() == 0)
        let bare = try #require(try parse("cparam01").contacts().first)
        #expect(bare.parameters.contains("unknownparam") && !bare.uri.parameters.contains("unknownparam"))
        let bracketed = try #require(try parse("cparam02").contacts().first)
        #expect(!bracketed.parameters.contains("unknownparam") && bracketed.uri.parameters.contains("unknownparam"))
        #expect(text(try parse("regescrt").contacts().first?.uri.headers ?? []) == "Route=%3Csip:sip.example.com%3E")
        #expect(try parse("sdp01").accepts()?.map { text($0.essence) } == ["text/nobodyknowsthis"])
    }

    @Test func `3.4.1 a request of RFC 2543`() throws {
        let message = try parse("inv2543")
        #expect(try message.topVia().branch == nil)
        #expect(try message.from().tag == nil)
        #expect(try message.maxForwards() == nil)
        #expect(message.body.count == 105)
        // A strict router, with its address in maddr.
        #expect(try message.recordRoutes().first?.uri.isLooseRouter == false)
    }
}
