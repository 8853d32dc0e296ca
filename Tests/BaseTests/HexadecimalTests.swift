import Base
import Testing

@Suite struct HexadecimalTests {
    @Test(arguments: [0, 0xf, 0x9a, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, .max] as [UInt64])
    func `numbers are read as they are written`(_ number: UInt64) {
        var text: [UInt8] = []
        text.appendHexadecimal(number)
        let digits = String(number, radix: 16)
        #expect(String(decoding: text, as: UTF8.self) == String(repeating: "0", count: 16 - digits.count) + digits)
        #expect(UInt64(hexadecimal: text[...]) == number)
        for count in digits.count...16 {
            var short: [UInt8] = []
            short.appendHexadecimal(number, digits: count)
            #expect(UInt64(hexadecimal: short[...]) == number)
        }
    }

    @Test func `nothing but digits in lower case is read`() {
        for byte in UInt8.min ... .max {
            let isDigit = "0123456789abcdef".utf8.contains(byte)
            #expect((UInt64(hexadecimal: [0x31, byte][...]) != nil) == isDigit)
        }
        #expect(UInt64(hexadecimal: []) == nil)
        #expect(UInt64(hexadecimal: [UInt8](repeating: 0x30, count: 17)[...]) == nil)
    }

    @Test(arguments: [0, 9, 10, 99_999_999, 100_000_000, 1_000_000_007, Int.max])
    func `decimal numbers of any length are written`(_ number: Int) {
        var text: [UInt8] = []
        text.appendDecimal(number)
        #expect(String(decoding: text, as: UTF8.self) == "\(number)")
    }
}
