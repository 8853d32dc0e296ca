import Base
import SIP
import Testing

struct URITests {
    private func uri(_ text: String) throws -> SIPURI { try SIPURI(parsing: text.utf8) }

    @Test(arguments: [
        "sip:alice@atlanta.com", "sip:alice:secretword@atlanta.com;transport=tcp",
        "sips:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:+1-212-555-1212:1234@gateway.com;user=phone",
        "sips:1212@gateway.com", "sip:alice@192.0.2.4", "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
        "sip:alice;day=tuesday@atlanta.com", "sip:[2001:db8::1]:5061;lr", "sip:a@b;maddr=[::1];ttl=15", "sip:a.b_c-d.",
        "tel:+1-201-555-0123", "tel:7042;phone-context=example.com", "urn:service:sos", "sip:a@b;+x=y;foo[1]=z",
        "sip:%61lice@b", "sip:a@b:0", "sip:a@b;gr=urn:uuid:f81d4fae", "mailto:a@b", "sip:a@b?X=",
    ])
    func `writes what it read`(given: String) throws {
        #expect(text(try uri(given).text) == given)
    }

    @Test(arguments: [
        "", "sip", "sip:", "sip:@b", "sip:a@", "sip:a@b:", "sip:a@b:65536", "sip:a@b:x", "sip:a@b;", "sip:a@b;x=",
        "sip:a@b?", "sip:a@b?x", "sip:a@b?x=y&", "sip:a@b?=y", "sip:a b@c", "sip:a@b c", "sip:a@[::1", "sip:a@[::g]",
        "sip:a@::1", "sip:%zz@b", "sip:%4@b", "sip:a@b;x=%4", "sip:a@@b", "sip:a:b:c@d", "sip:.b", "sip:a..b", "1sip:a",
        "sip:a@b\r\n", "sip:<a@b>", "tel:", "tel:abc@def", "sip:a@b#c", "http:", "sip:a@b,c", "sip:a@b;x=\"y\"",
    ])
    func `refuses what is no URI`(given: String) {
        #expect(throws: SIPParseError.badURI) { try uri(given) }
    }

    /// RFC 3261 §19.1.4, the examples of both lists, and some of RFC 5627 and RFC 3966.
    @Test(arguments: [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5", true),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true
        ),
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false),
        ("sip:a@b", "sips:a@b", false), ("sip:a@b", "sip:b", false), ("sip:a:x@b", "sip:a:y@b", false),
        ("sip:a%3bb@c", "sip:a;b@c", false), ("sip:a%3Bb@c", "sip:a%3bb@c", true),
        ("sip:a@[2001:DB8::1]", "sip:a@[2001:db8:0::1]", true),
        ("sip:a@b;gr=x", "sip:a@b", false), ("tel:+1-201-555", "tel:+1201555", true),
        ("sip:a@b;lr", "sip:a@b;lr=1", false),
    ])
    func `compares as RFC 3261 asks`(left: String, right: String, equal: Bool) throws {
        #expect((try uri(left) == uri(right)) == equal)
        #expect((try uri(right) == uri(left)) == equal)
    }

    @Test func `escapes a user of ours and gives it back`() {
        let plain = Array("a b@c:\u{e9}%".utf8)
        let made = SIPURI(user: plain, host: .name(Array("h".utf8)))
        #expect(text(made.text) == "sip:a%20b%40c%3A%C3%A9%25@h")
        #expect(made.plainUser == plain)
    }

    @Test func `answers what routing asks`() throws {
        let contact = try uri("sip:a:b@h:5070;transport=WS;lr;gr=urn:x;ob?h=v")
        #expect(contact.transport == .ws && contact.isLooseRouter && contact.gruu == Array("urn:x".utf8))
        #expect(text(contact.addressOfRecord.text) == "sip:a@h")
        #expect(text(contact.asRequestURI.text) == "sip:a:b@h:5070;transport=WS;lr;gr=urn:x;ob")
        #expect(Host("EXAMPLE.org".utf8) == .name(Array("example.org".utf8)))
        #expect(Host("127.0.0.1".utf8) == .address(.loopback))
        #expect(Host("a b".utf8) == nil)
    }
}
