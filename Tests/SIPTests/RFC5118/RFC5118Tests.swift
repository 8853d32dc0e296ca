import Base
import SIP
import Testing

/// All messages of RFC 5118, by section. The RFC prints a Content-Length that does not fit its bodies in three of them;
/// ours have the right one, so that the addresses are what is tested.
struct RFC5118Tests {
    static let table: [(name: String, section: String, verdict: Verdict)] = [
        ("ipv6-good", "4.1", .valid),
        ("ipv6-bad", "4.2", .refused(.badURI)),
        ("port-ambiguous", "4.3", .valid),
        ("port-unambiguous", "4.4", .valid),
        ("via-received-param-with-delim", "4.5", .valid),
        ("via-received-param-no-delim", "4.5", .valid),
        ("ipv6-in-sdp", "4.6", .valid),
        ("mult-ip-in-header", "4.7", .valid),
        ("mult-ip-in-sdp", "4.8", .valid),
        ("ipv4-mapped-ipv6", "4.9", .valid),
        ("ipv6-bug-abnf-3-colons", "4.10", .valid),
        ("ipv6-correct-abnf-2-colons", "4.10", .valid),
    ]

    @Test(arguments: table)
    func `gives the outcome the RFC asks for`(row: (name: String, section: String, verdict: Verdict)) throws {
        let bytes = try tortureFile("rfc5118", row.name)
        #expect(Verdict(bytes) == row.verdict)
        fuzzSIPMessage(bytes)
    }

    private func parse(_ name: String) throws -> SIPMessage { try SIPMessage(parsing: tortureFile("rfc5118", name)) }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(parsing: text.utf8)) }

    @Test func `4.2 is answered with 400`() throws {
        let answer = SIPMessage.refusal(of: try tortureFile("rfc5118", "ipv6-bad"), because: .badURI)
        #expect(answer?.status == 400)
    }

    @Test func `4.1, 4.3 and 4.4 tell a port from the last group of an address`() throws {
        #expect(try parse("ipv6-good").requestURI.host == .address(address("2001:db8::10")))
        #expect(try parse("ipv6-good").contacts().first?.uri.host == .address(address("2001:db8::1")))
        let ambiguous = try parse("port-ambiguous").requestURI
        #expect(ambiguous.host == .address(try address("2001:db8::10:5070")))
        #expect(ambiguous.port == nil)
        let unambiguous = try parse("port-unambiguous").requestURI
        #expect(unambiguous.host == .address(try address("2001:db8::10")))
        #expect(unambiguous.port == 5070)
    }

    @Test func `4.5 reads received with and without brackets, and writes it without`() throws {
        for name in ["via-received-param-with-delim", "via-received-param-no-delim"] {
            var via = try parse(name).topVia()
            #expect(via.received == (try address("2001:db8::9:255")))
            via.received = via.received
            #expect(text(via.text).contains(";received=2001:db8::9:255"))
        }
    }

    @Test func `4.7 mixes families in one list of Vias`() throws {
        let vias = try parse("mult-ip-in-header").vias()
        #expect(
            vias.map(\.host) == [
                .address(try address("2001:db8::9:1")), .address(try address("192.0.2.1")),
                .address(try address("2001:db8::9:255")),
            ])
        #expect(vias[0].port == 6050)
        #expect(vias[2].received == (try address("192.0.2.200")))
    }

    @Test func `4.6 and 4.8 keep bodies as they are`() throws {
        #expect(text(try parse("ipv6-in-sdp").body).contains("c=IN IP6 2001:db8::20\r\n"))
        #expect(text(try parse("mult-ip-in-sdp").body).contains("c=IN IP6 2001:db8::1\r\n"))
    }

    @Test func `4.9 reads an IPv4-mapped address`() throws {
        let via = try parse("ipv4-mapped-ipv6").topVia()
        #expect(via.port == 19823)
        guard case .address(let address) = via.host else { return #expect(Bool(false)) }
        #expect(address.unmapped == IPAddress(parsing: "192.0.2.10".utf8))
    }

    @Test func `4.10 bears a colon too many and writes it right`() throws {
        let uri = try parse("ipv6-bug-abnf-3-colons").requestURI
        #expect(uri == (try parse("ipv6-correct-abnf-2-colons").requestURI))
        #expect(text(uri.text) == "sip:user@[2001:db8::c000:201]")
    }
}
