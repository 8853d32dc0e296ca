import Base
import SIP
import Testing

private func hex(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.appendHexadecimal(bytes)
    return text(out)
}

struct HashTests {
    /// RFC 1321 §A.5.
    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"), ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
        (String(repeating: "1234567890", count: 8), "57edf4a22be3c955ac49da2e2107b67a"),
    ])
    func `MD5 as RFC 1321`(message: String, digest: String) {
        #expect(hex(MD5.hash(Array(message.utf8))) == digest)
    }

    /// FIPS 180-4, the examples NIST publishes with it.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 10_000), "27dd1f61b867b6a0f6e9d8a41c43231de52107e53ae424de8f847b821db4b711"),
    ])
    func `SHA-256 as FIPS 180-4`(message: String, digest: String) {
        #expect(hex(SHA256.hash(Array(message.utf8))) == digest)
    }

    /// Every length around the block's edges; the expected hash of all hashes comes from another implementation.
    @Test func `both hashes at every length from 0 to 199`() {
        var (md5, sha256): ([UInt8], [UInt8]) = ([], [])
        for length in 0..<200 {
            let message = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7) }
            md5 += MD5.hash(message)
            sha256 += SHA256.hash(message)
        }
        #expect(hex(MD5.hash(md5)) == "89f289dba0cb92b450c076a8952237e2")
        #expect(hex(SHA256.hash(sha256)) == "0a716dcd52ebb45d547cf893c2616d1641ae3c122398e759ddeb1d0698a65c1a")
    }

    /// The first of the reference implementation's vectors: key 00 to 0f, messages of 0, 1, 2 … bytes counting up.
    @Test func `SipHash-2-4 as its reference`() {
        let expected: [(Int, UInt64)] = [
            (0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (2, 0x0d6c_8009_d9a9_4f5a),
            (3, 0x8567_6696_d7fb_7e2d), (4, 0xcf27_94e0_2771_87b7), (5, 0x1876_5564_cd99_a68d),
            (6, 0xcbc9_466e_58fe_e3ce), (7, 0xab02_00f5_8b01_d137), (8, 0x93f5_f579_9a93_2462),
            (15, 0xa129_ca61_49be_45e5),
        ]
        let hash = SipHash(key: 0..<16)
        for (length, value) in expected { #expect(hash.hash((0..<length).map { UInt8($0) }) == value) }
    }
}
