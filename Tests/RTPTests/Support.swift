import Base

@testable import RTP

/// Bytes from hexadecimal text; white space does not count.
func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { ASCII.hexValue($0) }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// Edits bytes through the span that the cores take.
func edit<Result>(_ bytes: inout [UInt8], _ body: (inout MutableRawSpan) throws -> Result) rethrows -> Result {
    var span = bytes.mutableSpan
    var raw = span.mutableBytes
    return try body(&raw)
}

/// An RTP packet of version 2 without extras.
func rtp(
    type: UInt8 = 0, number: UInt16, timestamp: UInt32 = 0, ssrc: UInt32 = 0x1122_3344, payload: [UInt8] = [1, 2, 3]
) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 12) + payload
    let header = header(type: type, number: number, timestamp: timestamp, ssrc: ssrc, count: payload.count)
    edit(&bytes) { header.writeWhole(into: &$0) }
    return bytes
}

func header(
    type: UInt8 = 0, number: UInt16, timestamp: UInt32 = 0, ssrc: UInt32 = 0x1122_3344, count: Int = 160
) -> RTPHeader {
    RTPHeader(
        payloadType: PayloadType(type), sequenceNumber: SequenceNumber(number), timestamp: RTPTimestamp(timestamp),
        ssrc: SSRC(ssrc), payloadCount: count)
}

func milliseconds(_ count: Int) -> Instant { .zero + .milliseconds(count) }

/// FNV-1a of 64 bits: what long outputs are compared by.
struct Checksum {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }

    mutating func add(_ sample: Int16) {
        add(UInt8(truncatingIfNeeded: sample))
        add(UInt8(truncatingIfNeeded: sample >> 8))
    }
}

/// The generator of Numerical Recipes: what the reference programs of our vectors drew from, too.
struct Congruential {
    var state: UInt32
    mutating func next() -> UInt32 {
        state = state &* 1_664_525 &+ 1_013_904_223
        return state
    }
}
