import Base
import SDP
import Testing

struct SessionDescriptionTests {
    @Test func `has the samples of every peer`() { #expect(Sample.all.count == 13) }

    @Test(arguments: Sample.all)
    func `gives a peer's description back byte for byte`(sample: Sample) throws {
        let parsed = try SessionDescription(parsing: sample.bytes)
        #expect(parsed.bytes == sample.bytes)
        #expect(!parsed.media.isEmpty)
    }

    /// RFC 8866 §5, the example.
    @Test func `reads the example of RFC 8866`() throws {
        let bytes = lines(
            "v=0", "o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1", "s=Call to John Smith", "i=SDP Offer #1",
            "u=http://www.jdoe.example.com/home.html", "e=Jane Doe <jane@jdoe.example.com>", "p=+1 617 555-6011",
            "c=IN IP4 198.51.100.1", "t=0 0", "m=audio 49170 RTP/AVP 0", "m=audio 49180 RTP/AVP 0",
            "m=video 51372 RTP/AVP 99", "c=IN IP6 2001:db8::2", "a=rtpmap:99 h263-1998/90000")
        let parsed = try SessionDescription(parsing: bytes)
        #expect(string(parsed.origin.userName) == "jdoe")
        #expect(string(parsed.origin.sessionID) == "3724394400")
        #expect(parsed.media.map(\.port) == [49170, 49180, 51372])
        #expect(string(parsed.session.connection?.address) == "198.51.100.1")
        #expect(string(parsed.media[2].list.connection?.address) == "2001:db8::2")
        #expect(parsed.media[2].payloads.map(\.clockRate) == [90000])
        #expect(parsed.media[0].payloads.map { string($0.encoding) } == ["PCMU"])
        #expect(parsed.bytes == bytes)
    }

    @Test func `keeps unknown attributes in their place`() throws {
        let text = "a=x-first:1"
        let parsed = try description("a=sendrecv", text, "m=audio 9 RTP/AVP 0", "a=x-second", "a=ptime:20", "b=X-Y:1")
        #expect(parsed.session.lines.last == .attribute("x-first", Array("1".utf8)))
        #expect(parsed.media[0].list.lines.first == .attribute("x-second"))
        #expect(try SessionDescription(parsing: parsed.bytes) == parsed)
    }

    @Test func `forgives bare line feeds and an empty line at the end`() throws {
        let text = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 0\nm=audio 9 RTP/AVP 0\n\r\n\n"
        #expect(try SessionDescription(parsing: Array(text.utf8)).media.count == 1)
    }

    @Test(arguments: [
        ("", SDPError.notVersionZero), ("v=1\r\n", .notVersionZero), ("o=- 1 1 IN IP4 h\r\n", .notVersionZero),
        ("v=0\r\n", .malformedOrigin), ("v=0\r\ns=-\r\n", .malformedOrigin),
        ("v=0\r\no=- 1 IN IP4 h\r\n", .malformedOrigin), ("v=0\r\no=- a 1 IN IP4 h\r\n", .malformedOrigin),
        ("v=0\r\no=- 1 1 IN IP4 h\r\nx=1\r\n", .malformedLine(line: 3)),
        ("v=0\r\no=- 1 1 IN IP4 h\r\ns\r\n", .malformedLine(line: 3)),
        ("v=0\r\no=- 1 1 IN IP4 h\r\n\r\ns=-\r\n", .malformedLine(line: 3)),
        ("v=0\r\no=- 1 1 IN IP4 h\r\ns=a\u{0}b\r\n", .malformedLine(line: 3)),
        ("v=0\r\no=- 1 1 IN IP4 h\r\ns=a\rb\r\n", .malformedLine(line: 3)),
        ("v=0\r\no=- 1 1 IN IP4 h\r\nv=0\r\n", .malformedLine(line: 3)),
        ("v=0\r\no=- 1 1 IN IP4 h\r\nm=audio 9 RTP/AVP\r\n", .malformedMedia(line: 3)),
        ("v=0\r\no=- 1 1 IN IP4 h\r\nm=audio 65536 RTP/AVP 0\r\n", .malformedMedia(line: 3)),
        ("v=0\r\no=- 1 1 IN IP4 h\r\nm=audio -1 RTP/AVP 0\r\n", .malformedMedia(line: 3)),
        ("v=0\r\no=- 1 1 IN IP4 h\r\nm=audio 9/0 RTP/AVP 0\r\n", .malformedMedia(line: 3)),
        ("v=0\r\no=- 1 1 IN IP4 h\r\nm=audio 99999999999999999999 RTP/AVP 0\r\n", .malformedMedia(line: 3)),
    ])
    func `says what is wrong and where`(text: String, error: SDPError) {
        #expect(throws: error) { try SessionDescription(parsing: Array(text.utf8)) }
    }

    @Test func `holds its limits`() throws {
        let head = lines("v=0", "o=- 1 1 IN IP4 h", "s=-")
        var limits = SDPLimits()
        (limits.maximumBytes, limits.maximumLines, limits.maximumMedia) = (400, 10, 3)
        func parse(_ more: [UInt8]) throws { _ = try SessionDescription(parsing: head + more, limits: limits) }
        try parse(Array(repeatElement(lines("m=audio 9 RTP/AVP 0"), count: 3).joined()))
        #expect(throws: SDPError.overLimit) {
            try parse(Array(repeatElement(lines("m=audio 9 RTP/AVP 0"), count: 4).joined()))
        }
        #expect(throws: SDPError.overLimit) { try parse(Array(repeatElement(lines("a=x"), count: 8).joined())) }
        #expect(throws: SDPError.overLimit) { try parse([UInt8](repeating: 0x61, count: 400)) }
        #expect(SDPError.overLimit.sipStatus == 413)
        #expect(SDPError.notVersionZero.sipStatus == 400)
    }

    @Test(arguments: [("1", "2"), ("9", "10"), ("1999", "2000"), ("99999999999999999999", "100000000000000000000")])
    func `counts versions of any size`(before: String, after: String) throws {
        var origin = try description().origin
        origin.sessionVersion = Array(before.utf8)
        origin.incrementVersion()
        #expect(string(origin.sessionVersion) == after)
    }
}

/// Random descriptions survive, and random damage never traps.
struct SessionDescriptionPropertyTests {
    @Test func `what is written is read as the same value`() throws {
        var random = RandomSource(seed: 8866)
        for _ in 0..<2_000 {
            let made = Self.randomDescription(&random)
            #expect(try SessionDescription(parsing: made.bytes) == made)
        }
    }

    @Test(arguments: Sample.all)
    func `any damage gives a description or an error`(sample: Sample) throws {
        var random = RandomSource(seed: UInt64(sample.bytes.count))
        for _ in 0..<150 {
            var bytes = sample.bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch random.next() % 3 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: place)
                }
            }
            fuzzSDP(bytes)
        }
        for length in stride(from: 0, to: sample.bytes.count, by: 37) {
            fuzzSDP(Array(sample.bytes.prefix(length)))
        }
    }

    private static func randomDescription(_ random: inout RandomSource) -> SessionDescription {
        func list(_ random: inout RandomSource) -> LineList {
            var list = LineList()
            for _ in 0..<random.next() % 6 {
                let letter = Array("sicbtreaak".utf8).randomElement(using: &random) ?? 0x61
                list.lines.append(Line(letter, randomText(&random)))
            }
            return list
        }
        let address = ConnectionAddress(.v4(UInt32(truncatingIfNeeded: random.next())))
        var made = SessionDescription(
            origin: Origin(
                userName: random.token(length: 5), sessionID: Array("\(random.next())".utf8),
                sessionVersion: Array("\(random.next())".utf8), address: address),
            session: list(&random))
        for _ in 0..<random.next() % 5 {
            var formats: [[UInt8]] = []
            for _ in 0...random.next() % 4 { formats.append(random.token(length: 3)) }
            made.media.append(
                MediaDescription(
                    kind: random.token(length: 5), port: UInt16(truncatingIfNeeded: random.next()),
                    transport: Array("RTP/AVP".utf8), formats: formats, list: list(&random)))
        }
        return made
    }

    /// Any bytes a value may hold.
    private static func randomText(_ random: inout RandomSource) -> [UInt8] {
        random.bytes(count: Int(random.next() % 20)).filter { $0 != 0 && $0 != 10 && $0 != 13 }
    }
}
