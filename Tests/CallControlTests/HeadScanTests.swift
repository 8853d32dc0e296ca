import Base
import SIP
import Testing

@testable import CallControl

/// The quick readers agree with the full grammar wherever they answer at all.
@Suite struct HeadScanTests {
    static func mutated(_ texts: [String], _ random: inout RandomSource) -> [UInt8] {
        var bytes = Array((texts.randomElement(using: &random) ?? "").utf8)
        let alphabet = Array("a0 ;=<>\"\\@:.,-_%+\t[]{}()é\u{0}SIPsip".utf8)
        for _ in 0..<Int.random(in: 0..<4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let byte = alphabet.randomElement(using: &random) ?? 0x20
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes[place] = byte
            case 1: bytes.insert(byte, at: place)
            default: bytes.remove(at: place)
            }
        }
        return bytes
    }

    static func part(_ bytes: [UInt8], _ range: Range<Int>?) -> [UInt8]? { range.map { Array(bytes[$0]) } }

    @Test func `the table of character classes has what their names say`() {
        #expect(HeadScan.classes.utf8CodeUnitCount == 256)
        for byte in UInt8.min ... .max {
            let isPlain = ASCII.isAlphanumeric(byte) || "-._".utf8.contains(byte)
            let isToken = isPlain || "+*!~'".utf8.contains(byte)
            let isHost = isPlain && !(0x41...0x5a).contains(byte) && byte != 0x5f
            let isQuotable = (0x20..<0x7f).contains(byte) && byte != ASCII.quote && byte != ASCII.backslash
            #expect(HeadScan.isIn(HeadScan.Class.plain, byte) == isPlain)
            #expect(HeadScan.isIn(HeadScan.Class.token, byte) == isToken)
            #expect(HeadScan.isIn(HeadScan.Class.host, byte) == isHost)
            #expect(HeadScan.isIn(HeadScan.Class.quotable, byte) == isQuotable)
        }
    }

    @Test func `addresses`() throws {
        var random = RandomSource(seed: 11)
        let texts = [
            "<sip:anna@family.test>;tag=88sja8x", "\"Anna B.\" <sip:anna@192.168.1.5:5060;transport=udp>;tag=a;x=y",
            "sipp <sip:family.test>",
            "<sip:+4930@family.test;user=phone>;tag=1", "Anna <sip:anna@family.test>;tag=1;tag=2",
        ]
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = Self.mutated(texts, &random)
            guard let quick = HeadScan.address(bytes[...]) else { continue }
            accepted += 1
            let full = try NameAddress(parsing: bytes[...], header: .from)
            guard full.uri.user == Self.part(bytes, quick.user), full.tag == Self.part(bytes, quick.tag),
                full.uri.host == Host(bytes[quick.host])
            else {
                Issue.record("differs: \(String(decoding: bytes, as: UTF8.self))")
                return
            }
        }
        #expect(accepted > 3_000)
    }

    @Test func `Vias`() throws {
        var random = RandomSource(seed: 12)
        let texts = [
            "SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKabc",
            "SIP/2.0/WSS x1.invalid;branch=z9hG4bK1;rport;received=1.2.3.4",
            "SIP/2.0/TCP h.test;rport=5;alias;branch=z9hG4bKq",
        ]
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = Self.mutated(texts, &random)
            guard let quick = HeadScan.hop(bytes[...]) else { continue }
            accepted += 1
            let full = try Via(parsing: bytes[...])
            guard full.branch == Self.part(bytes, quick.branch), full.port == quick.port,
                full.asksForRport == quick.asksForRport,
                full.host == Host(bytes[quick.host]), (full.parameters.contains("received")) == quick.isReceived
            else {
                Issue.record("differs: \(String(decoding: bytes, as: UTF8.self))")
                return
            }
        }
        #expect(accepted > 3_000)
    }

    @Test func `CSeq and Call-ID`() throws {
        var random = RandomSource(seed: 13)
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = Self.mutated(["1 INVITE", "4711 REGISTER", "999999999 ACK", "2 BYE"], &random)
            guard let quick = HeadScan.sequence(bytes[...]) else { continue }
            accepted += 1
            let full = try CSeq(parsing: bytes[...])
            guard full.number == quick.number, full.method == quick.method else {
                Issue.record("differs: \(String(decoding: bytes, as: UTF8.self))")
                return
            }
        }
        #expect(accepted > 3_000)
        #expect(HeadScan.isPlainCallID([UInt8](ascii: "1-2@127.0.0.1")[...]))
        #expect(!HeadScan.isPlainCallID([UInt8](ascii: "a b")[...]))
        #expect(!HeadScan.isPlainCallID([]))
    }

    @Test func `credentials`() throws {
        var random = RandomSource(seed: 14)
        let texts = [
            "Digest username=\"anna\", realm=\"family.test\", nonce=\"00ff\", uri=\"sip:family.test\", response=\"0123456789abcdef0123456789abcdef\", algorithm=MD5, cnonce=\"c0\", qop=auth, nc=00000001",
            "Digest username=\"a\",realm=\"f\",nonce=\"0\",uri=\"sip:f\",response=\"00\",opaque=\"x\"",
            "Digest realm=\"f\", username=\"a\", qop=\"auth-int\", nc=0000000a, cnonce=\"z\", nonce=\"0\", uri=\"sip:f\", response=\"00\", algorithm=SHA-256",
        ]
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = Self.mutated(texts, &random)
            guard let quick = HeadScan.credentials(bytes, at: bytes.indices) else { continue }
            accepted += 1
            let full = try #require(try DigestCredentials(parsing: bytes[...]))
            guard quick.userName == full.userName[...], quick.realm == full.realm[...], quick.nonce == full.nonce[...],
                quick.uri == full.uri[...], quick.response == full.response[...],
                quick.cnonce == (full.cnonce ?? [])[...],
                quick.algorithm == full.algorithm, quick.quality == full.quality, quick.nonceCount == full.nonceCount
            else {
                Issue.record("differs: \(String(decoding: bytes, as: UTF8.self))")
                return
            }
        }
        #expect(accepted > 3_000)
    }
}
