import Base
import RTP
import Testing

@testable import SRTP

/// The published packets and keys, sections in the names.
struct VectorTests {
    // MARK: - RFC 3711 appendix B

    /// B.2: the keystream, seen as the protection of zeros. SSRC, rollover counter and number are zero.
    @Test func `RFC 3711 B 2: the keystream of AES in counter mode`() throws {
        let session = try session(
            .aes128CounterSHA1Tag80, key: hex("2B7E151628AED2A6ABF7158809CF4F3C"),
            salt: hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"))
        let packet = [0x80] + [UInt8](repeating: 0, count: 11 + 48)
        let made = session.protecting(packet).bytes
        #expect(
            made.dropFirst(12).prefix(48).elementsEqual(
                hex(
                    """
                    E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB
                    41E95B3BB0A2E8DD477901E4FCA894C0
                    """)))
    }

    @Test func `RFC 3711 B 3: keys from a master key`() throws {
        let master = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6")
        let keys = KeyDerivation(try SRTPMasterKey(suite: .aes128CounterSHA1Tag80, keyAndSalt: master.span.bytes))
        func derived(_ label: KeyDerivation.Label, _ count: Int) -> [UInt8] {
            var bytes = [UInt8](repeating: 0xee, count: count)
            let made = bytes.withUnsafeMutableBytes { buffer in
                buffer.baseAddress.map { keys.derive(label, into: $0, count: count) }
            }
            return made == true ? bytes : []
        }
        #expect(derived(.mediaEncryption, 16) == hex("C61E7A93744F39EE10734AFE3FF7A087"))
        #expect(derived(.mediaSalt, 14) == hex("30CBBC08863D8C85D49DB34A9AE1"))
        #expect(
            derived(.mediaAuthentication, 94)
                == hex(
                    """
                    CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE
                    E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25
                    6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2
                    """))
    }

    // MARK: - RFC 7714 sections 16 and 17, those of AES-128 that encrypt

    private static let galois = (key: hex("000102030405060708090a0b0c0d0e0f"), salt: hex("517569642070726f2071756f"))

    @Test func `RFC 7714 16 1 1 and 16 1 2: a media packet both ways`() throws {
        let packet = hex("8040f17b 8041f8d3 5501a0b2") + Array("Gallia est omnis divisa in partes tres".utf8)
        let vector = hex(
            """
            8040f17b 8041f8d3 5501a0b2 f24de3a3fb34de6cacba861c9d7e4bca be633bd50d294e6f42a5f47a51c7d19b 36de3adf8833
            899d7f27beb16a9152cf765ee4390cce
            """)
        let session = try session(.aes128GCM, key: Self.galois.key, salt: Self.galois.salt)
        #expect(session.protecting(packet) == .packet(vector))
        #expect(session.unprotecting(vector) == .packet(packet))
    }

    @Test func `RFC 7714 17 1: a report both ways`() throws {
        let packet = hex(
            """
            81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
            deadbeef deadbeef deadbeef deadbeef deadbeef
            """)
        let vector = hex(
            """
            81c8000d 4d617273 63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b
            c84aa45896cf4d2fc5abf87245d9eade 800005d4
            """)
        var context = SRTPContext(
            media: try PacketCipher(
                suite: .aes128GCM, key: Self.galois.key, salt: Self.galois.salt, authenticationKey: Self.galois.key),
            reports: try PacketCipher(
                suite: .aes128GCM, key: Self.galois.key, salt: Self.galois.salt, authenticationKey: Self.galois.key))
        let source = context.sources.add(0x4d61_7273)
        context.sources[source].pointee.nextReport = 0x5d4
        var buffer = packet + [UInt8](repeating: 0, count: 20)
        #expect(buffer.withUnsafeMutableBytes { context.protectReport($0, count: packet.count) } == .done(vector.count))
        #expect(buffer == vector)
        #expect(
            buffer.withUnsafeMutableBytes { context.unprotectReport($0, count: vector.count) } == .done(packet.count))
        #expect(buffer.prefix(packet.count).elementsEqual(packet))
    }

    // MARK: - libsrtp's reference packets (test/srtp_driver.c), from the master key on

    @Test(arguments: [
        (
            SRTPSuite.aes128CounterSHA1Tag80, "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6",
            "4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb"
        ),
        (
            .aes128GCM, "000102030405060708090a0b0c0d0e0f a0a1a2a3a4a5a6a7a8a9aaab",
            "c5002ede04cfdd2eb91159e0880aa06e d2976826f796b201df3131a127e8a392"
        ),
    ])
    func `libsrtp's reference media packets`(suite: SRTPSuite, key: String, text: String) throws {
        let packet = hex("800f1234 decafbad cafebabe") + [UInt8](repeating: 0xab, count: 16)
        let key = try SRTPMasterKey(suite: suite, keyAndSalt: hex(key).span.bytes)
        let session = try SRTPSession(local: key, remote: key)
        let made = session.protecting(packet)
        #expect(made == .packet(packet.prefix(12) + hex(text)))
        #expect(session.unprotecting(made.bytes) == .packet(packet))
    }
}
