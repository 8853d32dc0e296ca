import Base
import SIP
import Testing

/// Any bytes give a value or a typed error: what the fuzz targets search without end, here for a while from fixed seeds.
struct PropertyTests {
    private static let seeds: [[UInt8]] = {
        let names = [
            "wsinv", "intmeth", "esc01", "dblreq", "transports", "scalar02", "quotbal", "bext01", "cparam02", "semiuri",
        ]
        return names.compactMap { try? tortureFile("rfc4475", $0) } + [invite]
    }()

    private static let spice: [[UInt8]] = [
        "\r\n", "\r\n ", ";", ",", "\"", "\\", "<", ">", "%", "%4", "@", "[", "]", ":", "=", " ", "\t", "\0", "\u{7f}",
        "é",
        "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\n", "l: 0\r\n", "Contact: *\r\n", "Replaces: a;to-tag=b;from-tag=c\r\n",
        "Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n", "Warning: 399 a \"b\"\r\n", "Route: <sip:a;lr>,<sip:b>\r\n",
        "99999999999999999999", "Authorization: Digest username=\"a\", realm=\"b\"\r\n", "sip:", "*", "(", ")",
    ].map { Array($0.utf8) }

    /// One to eight changes: bytes replaced, removed, doubled, or something of the grammar put between.
    static func mutate(_ bytes: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        var out = bytes
        for _ in 0...Int(random.next() % 8) where !out.isEmpty {
            let index = Int(random.next() % UInt64(out.count))
            switch random.next() % 5 {
            case 0: out[index] = UInt8(truncatingIfNeeded: random.next())
            case 1: out.removeSubrange(index..<min(out.count, index + Int(random.next() % 9)))
            case 2: out.insert(contentsOf: out[index..<min(out.count, index + Int(random.next() % 30))], at: index)
            case 3: out.insert(contentsOf: spice[Int(random.next() % UInt64(spice.count))], at: index)
            default: out.removeSubrange(index...)
            }
        }
        return out
    }

    @Test(arguments: 0..<4)
    func `mutated messages give a value or a typed error, and survive being written`(part: Int) {
        var random = RandomSource(seed: UInt64(4475 + part))
        for round in 0..<600 { fuzzSIPMessage(Self.mutate(Self.seeds[round % Self.seeds.count], &random)) }
    }

    @Test func `random bytes give a value or a typed error`() {
        var random = RandomSource(seed: 3261)
        for _ in 0..<2000 {
            let bytes = random.bytes(count: Int(random.next() % 80))
            fuzzSIPMessage(bytes)
            fuzzStreamFramer(bytes)
            fuzzSIPURI(bytes)
            fuzzDigestHeader(bytes)
        }
    }

    @Test func `mutated streams, URIs and credentials too`() {
        var random = RandomSource(seed: 5118)
        let uri = Array("sip:a%20b:pw@[2001:db8::1]:5060;transport=tcp;lr;x=[y]?a=b&c=%41".utf8)
        let digest = Array(
            """
            Digest username="a", realm="r", nonce="\(String(repeating: "0", count: 48))", uri="sip:b", response="0", \
            qop=auth-int, nc=00000001, cnonce="\\"x", algorithm=SHA-256-sess
            """.utf8)
        for round in 0..<600 {
            fuzzStreamFramer(Self.mutate(Self.seeds[round % Self.seeds.count] + invite, &random))
            fuzzSIPURI(Self.mutate(uri, &random))
            fuzzDigestHeader(Self.mutate(digest, &random))
        }
    }

    @Test func `addresses made at random survive being written and read`() throws {
        var random = RandomSource(seed: 19)
        for _ in 0..<1000 {
            var uri = SIPURI(
                scheme: random.next() & 1 == 0 ? .sip : .sips,
                user: random.bytes(count: Int(random.next() % 12)) + [0x61],
                host: random.next() & 1 == 0
                    ? .name(random.token(length: 8)) : .address(.v6(high: random.next(), low: random.next())),
                port: random.next() & 1 == 0 ? nil : UInt16(truncatingIfNeeded: random.next()))
            uri.parameters.append("transport", random.token(length: 3))
            var name = random.bytes(count: Int(random.next() % 10))
            name.removeAll { $0 == 0x0d || $0 == 0x0a }
            var address = NameAddress(displayName: name, uri: uri, tag: random.token(length: 10))
            address.parameters.append("note", quoted: name)
            let again = try NameAddress(parsing: address.text[...])
            #expect(again == address)
            #expect(again.parameters.unquoted("note") == name)
            // And inside a message, where control characters stand escaped.
            var builder = MessageBuilder.request(.options, uri)
            builder.add(.from, address)
            #expect(try SIPMessage(parsing: builder.finish().bytes).from() == address)
        }
    }
}
