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
/// then, when true, the field. `Frames.swift` and `Web/phone/frames.js` list the kinds.
package struct FrameReader {
    private var rest: ArraySlice<UInt8>

    package init(_ frame: [UInt8]) { rest = frame[...] }

    package mutating func byte() throws(FrameError) -> UInt8 {
        guard let byte = rest.popFirst() else { throw .truncated }
        return byte
    }

    package mutating func flag() throws(FrameError) -> Bool {
        let byte = try byte()
        guard byte <= 1 else { throw .badValue }
        return byte == 1
    }

    package mutating func number() throws(FrameError) -> UInt32 {
        var value = UInt32(0)
        for shift in [0, 8, 16, 24] as [UInt32] { value |= UInt32(try byte()) << shift }
        return value
    }

    /// A number as `Int`, which has 32 bits in the browser.
    package mutating func integer() throws(FrameError) -> Int {
        guard let value = Int32(exactly: try number()) else { throw .badValue }
        return Int(value)
    }

    package mutating func octet() throws(FrameError) -> UInt8 {
        guard let value = UInt8(exactly: try number()) else { throw .badValue }
        return value
    }

    package mutating func bytes() throws(FrameError) -> [UInt8] {
        let count = Int(exactly: try number()) ?? .max
        guard count <= rest.count else { throw .truncated }
        let bytes = Array(rest.prefix(count))
        rest.removeFirst(count)
        return bytes
    }

    package mutating func optionalBytes() throws(FrameError) -> [UInt8]? { try flag() ? try bytes() : nil }
    package mutating func call() throws(FrameError) -> CallID { CallID(try number()) }
    package mutating func optionalCall() throws(FrameError) -> CallID? { try flag() ? try call() : nil }

    package func finish() throws(FrameError) {
        guard rest.isEmpty else { throw .trailingBytes }
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
