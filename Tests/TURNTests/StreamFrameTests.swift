import STUN
import Testing

@testable import TURN

struct StreamFrameTests {
    private func frame(_ bytes: [UInt8]) -> StreamFrame { bytes.withUnsafeBytes { StreamFrame(at: $0) } }

    @Test func `finds messages and what is missing of them`() {
        let request: [UInt8] = [0, 1, 0, 8] + [UInt8](repeating: 0, count: 24)
        for count in 0..<28 { #expect(frame(Array(request.prefix(count))) == .incomplete) }
        #expect(frame(request + [1, 2, 3]) == .message(length: 28, padded: 28))
        let data: [UInt8] = [0x40, 0, 0, 3, 1, 2, 3]
        #expect(frame(data) == .incomplete, "its padding is missing")
        #expect(frame(data + [0, 0x40]) == .message(length: 7, padded: 8))
        #expect(frame([0x4f, 0xff, 0, 0]) == .message(length: 4, padded: 4))
    }

    @Test(arguments: [0x04, 0x16, 0x3f, 0x80, 0xff] as [UInt8])
    func `other protocols end the stream`(first: UInt8) { #expect(frame([first]) == .broken) }

    @Test func `a length that no message has ends the stream`() { #expect(frame([0, 1, 0, 2]) == .broken) }
}
