import Base
import UserAgent

/// Why a frame from the page is refused: the numbers above those of `CommandError`.
package enum FrameError: UInt8, Error, Equatable, Sendable {
    case unknownKind = 100
    /// A field ends beyond the frame.
    case truncated = 101
    /// Bytes are left over after the last field.
    case trailingBytes = 102
    /// A number out of range, or a boolean that is neither 0 nor 1.
    case badValue = 103
    /// A command before `hearth_start`.
    case notStarted = 104
}

/// Reads the fields of one frame in their order.
///
/// A frame is one byte of kind, then the fields of that kind: numbers as four bytes, least significant first; texts and
/// other byte strings as such a number of bytes, then the bytes; booleans as one byte; an optional field as a boolean,
/// then, when true, the field. `CommandFrames.swift`, `EventFrames.swift` and `Web/phone/frames.js` list the kinds.
///
/// What cannot be read is zero or empty, and `finish` throws what was wrong first: one place to fail instead of one per
/// field, each of which would have to give back all that was read before it.
package struct FrameReader {
    private let frame: [UInt8]
    private var index = 0
    private var error: FrameError?

    package init(_ frame: [UInt8]) { self.frame = frame }

    package mutating func byte() -> UInt8 {
        guard index < frame.count else {
            fail(.truncated)
            return 0
        }
        index += 1
        return frame[index - 1]
    }

    package mutating func flag() -> Bool {
        let byte = byte()
        if byte > 1 { fail(.badValue) }
        return byte == 1
    }

    package mutating func number() -> UInt32 {
        var value = UInt32(0)
        for shift in [0, 8, 16, 24] as [UInt32] { value |= UInt32(byte()) << shift }
        return value
    }

    /// A number as `Int`, which has 32 bits in the browser.
    package mutating func integer() -> Int {
        let value = number()
        guard value <= 0x7fff_ffff else {
            fail(.badValue)
            return 0
        }
        return Int(value)
    }

    package mutating func octet() -> UInt8 {
        let value = number()
        if value > 255 { fail(.badValue) }
        return UInt8(truncatingIfNeeded: value)
    }

    package mutating func bytes() -> [UInt8] {
        let count = number()
        guard error == nil, UInt64(count) <= UInt64(frame.count - index) else {
            fail(.truncated)
            return []
        }
        index += Int(count)
        return Array(frame[(index - Int(count))..<index])
    }

    package mutating func optionalBytes() -> [UInt8]? { flag() ? bytes() : nil }
    package mutating func call() -> CallID { CallID(number()) }
    package mutating func optionalCall() -> CallID? { flag() ? call() : nil }

    /// Notes what is wrong; what was wrong before counts more.
    package mutating func fail(_ error: FrameError) {
        if self.error == nil { self.error = error }
    }

    /// Everything is read: whether all of it could be.
    package func finish() throws(FrameError) {
        if let error { throw error }
        guard index == frame.count else { throw .trailingBytes }
    }
}

/// Writes one frame; the counterpart of `FrameReader`.
package struct FrameWriter {
    package private(set) var bytes: [UInt8]

    package init(kind: UInt8) { bytes = [kind] }

    package mutating func add(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

    package mutating func add(_ number: UInt32) {
        for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    /// A count or status; what does not fit is as good as the largest number.
    package mutating func add(_ number: Int) { add(UInt32(clamping: number)) }

    package mutating func add(_ text: [UInt8]) {
        add(text.count)
        bytes += text
    }

    package mutating func add(_ call: CallID) { add(call.number) }

    package mutating func add(_ call: CallID?) {
        add(call != nil)
        if let call { add(call) }
    }

    package mutating func add(_ text: [UInt8]?) {
        add(text != nil)
        if let text { add(text) }
    }
}
