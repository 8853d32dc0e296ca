import Base
import Testing

func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
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
        #expect(hex(MessageDigest.MD5.hash(Array(message.utf8))) == digest)
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
        #expect(hex(MessageDigest.SHA256.hash(Array(message.utf8))) == digest)
    }

    /// Every length around the block's edges; the expected hash of all hashes comes from another implementation.
    @Test func `both hashes at every length from 0 to 199`() {
        var (md5, sha256): ([UInt8], [UInt8]) = ([], [])
        for length in 0..<200 {
            let message = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7) }
            md5 += MessageDigest.MD5.hash(message)
            sha256 += MessageDigest.SHA256.hash(message)
        }
        #expect(hex(MessageDigest.MD5.hash(md5)) == "89f289dba0cb92b450c076a8952237e2")
        #expect(
            hex(MessageDigest.SHA256.hash(sha256)) == "0a716dcd52ebb45d547cf893c2616d1641ae3c122398e759ddeb1d0698a65c1a"
        )
    }

    /// FIPS 180-4, the examples NIST publishes with it.
    @Test(arguments: [
        ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        ),
        (String(repeating: "a", count: 1_000_000), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
    ])
    func `SHA-1 as FIPS 180-4`(message: String, digest: String) {
        #expect(hex(MessageDigest.SHA1.hash(Array(message.utf8))) == digest)
    }
}
