import Base
import Testing

/// The test cases of RFC 2202 §3 (SHA-1) and RFC 4231 §4 (SHA-256), which share keys and messages where they can.
struct HMACTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let key: [UInt8]
        let message: [UInt8]
        let expected: String
        var testDescription: String { expected }
    }

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static let overlong = bytes("Test Using Larger Than Block-Size Key - Hash Key First")

    @Test(arguments: [
        Case(
            key: [UInt8](repeating: 0x0b, count: 20), message: bytes("Hi There"),
            expected: "b617318655057264e28bc0b6fb378c8ef146be00"),
        Case(
            key: bytes("Jefe"), message: bytes("what do ya want for nothing?"),
            expected: "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        Case(
            key: [UInt8](repeating: 0xaa, count: 20), message: [UInt8](repeating: 0xdd, count: 50),
            expected: "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
        Case(
            key: [UInt8](repeating: 0xaa, count: 80), message: overlong,
            expected: "aa4ae5e15272d00e95705637ce8a3b55ed402112"),
    ])
    func `HMAC-SHA-1 as RFC 2202`(example: Case) {
        var code = HMACSHA1(key: example.key)
        #expect(hex(run(&code, example.message)) == example.expected)
        #expect(hex(run(&code, example.message)) == example.expected, "a second message starts anew")
    }

    @Test(arguments: [
        Case(
            key: [UInt8](repeating: 0x0b, count: 20), message: bytes("Hi There"),
            expected: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Case(
            key: bytes("Jefe"), message: bytes("what do ya want for nothing?"),
            expected: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Case(
            key: [UInt8](repeating: 0xaa, count: 20), message: [UInt8](repeating: 0xdd, count: 50),
            expected: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        Case(
            key: [UInt8](repeating: 0xaa, count: 131), message: overlong,
            expected: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    ])
    func `HMAC-SHA-256 as RFC 4231`(example: Case) {
        var code = HMACSHA256(key: example.key)
        example.message.withUnsafeBytes { code.update($0) }
        let whole = code.finish()
        #expect(hex(whole.indices.map { whole[$0] }) == example.expected)
    }

    @Test func `a message in pieces has the code of the whole`() {
        let message = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 11) }
        var code = HMACSHA1(key: [1, 2, 3])
        let whole = run(&code, message)
        for cut in 0...300 {
            message[..<cut].withUnsafeBytes { code.update($0) }
            #expect(run(&code, Array(message[cut...])) == whole)
        }
    }

    private func run(_ code: inout HMACSHA1, _ message: [UInt8]) -> [UInt8] {
        message.withUnsafeBytes { code.update($0) }
        let made = code.finish()
        return made.indices.map { made[$0] }
    }
}
