/// The payload of a telephone event packet (RFC 4733 §2.3).
package struct TelephoneEvent: Equatable, Sendable {
    /// Length in bytes.
    package static let count = 4

    /// 0 to 9, 10 for `*`, 11 for `#`, 12 to 15 for A to D, 16 for flash (RFC 4733 §3.2, table 3).
    package var code: UInt8
    package var isEnd: Bool
    /// Power level without its sign, in dBm0: 0 to 63; 10 is usual.
    package var volume: UInt8
    /// How long the event has lasted, in ticks of the timestamp; 16 bits.
    package var duration: UInt16

    package init(code: UInt8, isEnd: Bool, volume: UInt8 = 10, duration: UInt16) {
        (self.code, self.isEnd, self.volume, self.duration) = (code, isEnd, volume & 0x3f, duration)
    }

    /// Reads the first event of a payload; longer payloads carry more of the same kind (RFC 4733 §2.5.1.5) and are read
    /// no further, since every phone sends one.
    package init(parsing payload: RawSpan) throws(RTPError) {
        guard payload.byteCount >= Self.count else { throw .truncated }
        let second = payload.uint8(at: 1)
        code = payload.uint8(at: 0)
        (isEnd, volume) = (second & 0x80 != 0, second & 0x3f)
        duration = payload.uint16(at: 2)
    }

    package func write(into packet: inout MutableRawSpan, at offset: Int) {
        packet.set(code, at: offset)
        packet.set((isEnd ? 0x80 : 0) | volume, at: offset + 1)
        packet.set(duration, at: offset + 2)
    }

    /// The event of a key as an ASCII character; nil when there is none.
    package static func code(of key: UInt8) -> UInt8? {
        switch key {
        case 0x30...0x39: key - 0x30
        case 0x2a: 10
        case 0x23: 11
        case 0x41...0x44: key - 0x41 + 12
        case 0x61...0x64: key - 0x61 + 12
        default: nil
        }
    }

    /// The key of an event as an ASCII character; nil for events that are no key.
    package static func key(of code: UInt8) -> UInt8? {
        switch code {
        case 0...9: 0x30 + code
        case 10: 0x2a
        case 11: 0x23
        case 12...15: 0x41 + code - 12
        default: nil
        }
    }
}
