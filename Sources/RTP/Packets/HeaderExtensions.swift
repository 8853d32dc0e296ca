/// One element of a header extension: its local identifier and where its data lies in the packet (RFC 8285 §4.2, §4.3).
package struct HeaderExtensionElement: Equatable, Sendable {
    /// 1 to 14 in the one-byte form, 1 to 255 in the two-byte form. The session description says what it means.
    package let id: UInt8
    package let data: Range<Int>
}

/// Walks the elements of a packet's header extension, in both forms (RFC 8285 §4.2, §4.3).
///
/// An element that claims more than is left ends the walk: what came before it counts.
package struct HeaderExtensionReader: Sendable {
    private enum Form { case oneByte, twoByte, none }
    private let form: Form
    private var offset: Int
    private let end: Int

    package init(_ header: RTPHeader) {
        switch header.extensionProfile {
        case 0xbede: form = .oneByte
        case let profile? where profile & 0xfff0 == 0x1000: form = .twoByte
        default: form = .none
        }
        (offset, end) = (header.extensionElements.lowerBound, header.extensionElements.upperBound)
    }

    package mutating func next(in packet: RawSpan) -> HeaderExtensionElement? {
        guard form != .none, end <= packet.byteCount else { return nil }
        while offset < end {
            let first = packet.uint8(at: offset)
            // A byte of zero is padding between elements in either form.
            guard first != 0 else {
                offset += 1
                continue
            }
            guard let element = form == .oneByte ? oneByte(first) : twoByte(first, packet) else { break }
            offset = element.data.upperBound
            return element
        }
        offset = end
        return nil
    }

    /// Identifier 15 is reserved and ends the walk (RFC 8285 §4.2).
    private func oneByte(_ first: UInt8) -> HeaderExtensionElement? {
        let (id, start) = (first >> 4, offset + 1)
        let count = Int(first & 0x0f) + 1
        guard id != 15, start + count <= end else { return nil }
        // Identifier 0 with a length is padding that says how long it is: receivers skip it byte by byte.
        return HeaderExtensionElement(id: id, data: start..<start + count)
    }

    private func twoByte(_ first: UInt8, _ packet: RawSpan) -> HeaderExtensionElement? {
        guard offset + 1 < end else { return nil }
        let (start, count) = (offset + 2, Int(packet.uint8(at: offset + 1)))
        guard start + count <= end else { return nil }
        return HeaderExtensionElement(id: first, data: start..<start + count)
    }
}

/// Which identifier of one leg becomes which on the other; identifiers without a number on the other side vanish.
///
/// Identifiers above 14 are not mapped: nothing we forward needs more than fourteen at once.
package struct HeaderExtensionMap: Equatable, Sendable {
    /// Four bits for each identifier, zero for "remove".
    private var nibbles: UInt64 = 0

    package init() {}

    /// Maps `id` to `other`; both 1 to 14.
    package mutating func set(_ id: UInt8, to other: UInt8) {
        precondition((1...14).contains(id) && other <= 14, "identifiers of the one-byte form are 1 to 14")
        nibbles = nibbles & ~(0xf << (4 * UInt64(id))) | UInt64(other) << (4 * UInt64(id))
    }

    package subscript(id: UInt8) -> UInt8 { id > 14 ? 0 : UInt8(truncatingIfNeeded: nibbles >> (4 * UInt64(id))) & 0xf }

    /// Renames the elements of a packet in place and turns those that have no place on the other side into padding.
    package func apply(to packet: inout MutableRawSpan, header: RTPHeader) {
        guard let profile = header.extensionProfile else { return }
        var reader = HeaderExtensionReader(header)
        while let element = reader.next(in: packet.bytes) {
            let other = self[element.id]
            let start = element.data.lowerBound - (profile == 0xbede ? 1 : 2)
            if other == 0 {
                for offset in start..<element.data.upperBound { packet.set(0 as UInt8, at: offset) }
            } else if profile == 0xbede {
                packet.set(other << 4 | packet.uint8(at: start) & 0x0f, at: start)
            } else {
                packet.set(other, at: start)
            }
        }
    }
}
