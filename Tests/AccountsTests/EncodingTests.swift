import Accounts
import Base
import Testing

@Suite struct EncodingTests {
    /// RFC 4648 §10, without padding.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ])
    func `base64url as in RFC 4648`(text: String, encoded: String) {
        #expect(Base64URL.encode(Array(text.utf8)) == encoded)
        #expect(Base64URL.decode(encoded) == Array(text.utf8))
    }

    @Test func `base64url uses the safe alphabet`() {
        #expect(Base64URL.encode([0xfb, 0xff, 0xfe]) == "-__-")
        #expect(Base64URL.decode("-__-") == [0xfb, 0xff, 0xfe])
    }

    @Test(arguments: ["Zg==", "Zh", "Z", "Zm9v\n", "Zm+v", "Zm/v", "Zm9é", "AB"])
    func `one spelling only`(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test func `any bytes survive`() {
        var random = RandomSource(seed: 7)
        for length in 0..<200 {
            let bytes = random.bytes(count: length)
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"), (1_709_210_096, "2024-02-29T12:34:56Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"), (4_107_456_000, "2100-02-28T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"), (1_767_225_599, "2025-12-31T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] as [(Int64, String)])
    func `times are ISO 8601`(seconds: Int64, text: String) {
        #expect(WallTime(seconds: seconds).description == text)
    }

    @Test func `times saturate`() {
        #expect(WallTime(milliseconds: .max) + .seconds(1) == WallTime(milliseconds: .max))
        #expect(WallTime(milliseconds: .min) - .seconds(1) == WallTime(milliseconds: .min))
        #expect(WallTime(seconds: .max) == WallTime(milliseconds: .max))
        #expect(WallTime(seconds: 5) - WallTime(seconds: 3) == .seconds(2))
        #expect(!WallTime(milliseconds: .max).description.isEmpty && !WallTime(milliseconds: .min).description.isEmpty)
    }
}
