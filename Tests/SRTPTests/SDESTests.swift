import Base
import Testing

@testable import SRTP

struct SDESTests {
    private func parsing(_ text: String) throws(SDESError) -> SDESCrypto {
        try SDESCrypto(parsing: Array(text.utf8)[...])
    }

    @Test func `reads the example of RFC 4568 section 10`() throws {
        let crypto = try parsing(
            "1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20")
        #expect(crypto.tag == 1)
        #expect(crypto.key.suite == .aes128CounterSHA1Tag80)
        #expect(crypto.lifetime == 1 << 20)
        #expect(crypto.key.withUnsafeBytes { Array($0) } == Array("YS___semctl () {\t220;}\n}\nunles".utf8))
    }

    @Test(arguments: SRTPSuite.allCases)
    func `what is written is read again`(suite: SRTPSuite) throws {
        for seed in 0..<50 {
            var crypto = SDESCrypto(tag: seed, key: masterKey(suite, seed: UInt64(seed)))
            #expect(try SDESCrypto(parsing: crypto.bytes[...]) == crypto)
            crypto.lifetime = UInt64(seed) + 1
            #expect(try SDESCrypto(parsing: crypto.bytes[...]) == crypto)
        }
    }

    @Test func `padding may be missing, and hints and what may be ignored are`() throws {
        let written = SDESCrypto(tag: 7, key: masterKey(.aes128GCM)).bytes
        #expect(written.suffix(2).elementsEqual("==".utf8))
        let crypto = try SDESCrypto(parsing: written.dropLast(2) + Array("|1000 WSH=64 -KDR=3 -x".utf8))
        #expect(crypto.key == masterKey(.aes128GCM))
        #expect(crypto.lifetime == 1000)
    }

    private static let line = "1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

    @Test(arguments: [
        (line + "|2^20|1:4", SDESError.keyIdentifier), (line + "|1:4", .keyIdentifier),
        (line + ";inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz", .severalKeys),
        (line + "|2^49", .malformed), (line + "|0", .malformed), (line + "|", .malformed), (line + "|5|6", .malformed),
        (line + " KDR=1", .unsupportedParameter("KDR=1")),
        (line + " UNENCRYPTED_SRTP", .unsupportedParameter("UNENCRYPTED_SRTP")),
        (line + " UNAUTHENTICATED_SRTP", .unsupportedParameter("UNAUTHENTICATED_SRTP")),
        (line + " FEC_ORDER=FEC_SRTP", .unsupportedParameter("FEC_ORDER=FEC_SRTP")),
        (line + " WSH=63", .malformed), (line + " WSH=", .malformed),
        ("1 F8_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz", .unknownSuite("F8_128_HMAC_SHA1_80")),
        ("1 AES_256_CM_HMAC_SHA1_80 inline:WVNf", .unknownSuite("AES_256_CM_HMAC_SHA1_80")),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:WVNf", .badKey), ("1 AES_CM_128_HMAC_SHA1_80 uri:WVNf", .badKey),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGV?", .badKey),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:", .badKey),
        ("x AES_CM_128_HMAC_SHA1_80 inline:a", .malformed), ("1234567890 A inline:a", .malformed), ("", .malformed),
        ("1 AES_CM_128_HMAC_SHA1_80", .malformed),
    ])
    func `says why a line cannot be used`(text: String, error: SDESError) {
        #expect(throws: error) { try parsing(text) }
    }

    @Test func `any bytes give a value or a typed error`() {
        var random = RandomSource(seed: 3)
        let line = Array(Self.line.utf8)
        for _ in 0..<5_000 {
            var bytes = line
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            fuzzSDES(bytes)
            fuzzSDES(Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random))))
        }
    }
}
