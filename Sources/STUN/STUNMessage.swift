import Base

/// One STUN message where it lies: a view of somebody's buffer, to be used only as long as that buffer holds still.
///
/// ```
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// |0 0|     STUN Message Type     |         Message Length        |
/// |                         Magic Cookie                          |
/// |                     Transaction ID (96 bits)                  |
/// |  attributes: Type (16) · Length (16) · Value, padded to 32 bits …
/// ```
///
/// RFC 8489 §5 and §14. Reading one allocates nothing. Everything inside was checked to lie inside.
package struct STUNMessage {
    /// Bytes of the header.
    package static let headerSize = 20
    package static let magicCookie = UInt32(0x2112_a442)

    /// Header and attributes, and nothing after them.
    package let bytes: UnsafeRawBufferPointer
    package let type: STUNType
    package let transactionID: TransactionID
    /// Where the attributes end that count: what follows an integrity attribute is not protected, and ignored.
    private let end: Int
    /// Offsets of the attributes that protect the message; 0 when absent.
    let integrityOffset: Int
    let integritySHA256Offset: Int
    let fingerprintOffset: Int

    /// Whether a datagram or stream may begin with this byte and be STUN (RFC 7983 §7).
    package static func mayBegin(with byte: UInt8) -> Bool { byte < 4 }

    /// Reads one whole message.
    ///
    /// - Parameter bytes: a whole datagram, or what the length field of a message in a stream asks for.
    package init(parsing bytes: UnsafeRawBufferPointer) throws(STUNError) {
        guard let bits = bytes.uint16(at: 0), let length = bytes.uint16(at: 2), let cookie = bytes.uint32(at: 4),
            let high = bytes.uint32(at: 8), let low = bytes.uint64(at: 12)
        else { throw .tooShort(count: bytes.count) }
        guard bits < 0x4000 else { throw .notSTUN }
        guard cookie == Self.magicCookie else { throw .noMagicCookie }
        guard length & 3 == 0, Int(length) + Self.headerSize == bytes.count else {
            throw .wrongLength(claimed: Int(length) + Self.headerSize, count: bytes.count)
        }
        let layout = try Layout(of: bytes)
        self.bytes = bytes
        type = STUNType(bits: bits)
        transactionID = TransactionID(high: high, low: low)
        (end, integrityOffset) = (layout.end, layout.integrity)
        (integritySHA256Offset, fingerprintOffset) = (layout.integritySHA256, layout.fingerprint)
    }

    package var messageClass: STUNClass { type.messageClass }
    package var method: STUNMethod { type.method }

    /// Those that count, in their order; duplicates too.
    package var attributes: Attributes { Attributes(bytes: bytes, offset: Self.headerSize, end: end) }

    /// The value of the first attribute of a type; later ones are ignored (RFC 8489 §14).
    package func value(of type: AttributeType) -> UnsafeRawBufferPointer? {
        for attribute in attributes where attribute.type == type { return attribute.value }
        return nil
    }

    package func contains(_ type: AttributeType) -> Bool { value(of: type) != nil }

    /// Whether an attribute must be understood that is not in `known` (answered 420, RFC 8489 §6.3.1).
    package func hasUnknownAttributes(besides known: AttributeSet) -> Bool {
        for attribute in attributes
        where attribute.type.isComprehensionRequired && !known.contains(attribute.type) { return true }
        return false
    }
}

/// One attribute of a message: its value without padding.
package struct STUNAttribute {
    package let type: AttributeType
    package let value: UnsafeRawBufferPointer
}

extension STUNMessage {
    /// Walks over attributes whose lengths were checked when the message was read.
    package struct Attributes: Sequence, IteratorProtocol {
        let bytes: UnsafeRawBufferPointer
        var offset: Int
        let end: Int

        package mutating func next() -> STUNAttribute? {
            guard offset < end, let type = bytes.uint16(at: offset), let length = bytes.uint16(at: offset + 2),
                let value = bytes.slice(offset + 4, Int(length))
            else { return nil }
            offset += 4 + (Int(length) + 3) & ~3
            return STUNAttribute(type: AttributeType(rawValue: type), value: value)
        }
    }

    /// Where the attributes end and what protects them: one walk over all of them.
    private struct Layout {
        var end: Int
        var integrity = 0
        var integritySHA256 = 0
        var fingerprint = 0

        init(of bytes: UnsafeRawBufferPointer) throws(STUNError) {
            end = bytes.count
            var offset = STUNMessage.headerSize
            while offset < bytes.count {
                guard fingerprint == 0 else { throw .afterFingerprint(offset: offset) }
                guard let type = bytes.uint16(at: offset), let length = bytes.uint16(at: offset + 2),
                    bytes.slice(offset + 4, (Int(length) + 3) & ~3) != nil
                else { throw .malformedAttribute(offset: offset) }
                try note(AttributeType(rawValue: type), length: Int(length), at: offset)
                offset += 4 + (Int(length) + 3) & ~3
            }
        }

        /// Remembers the first of each protecting attribute; after MESSAGE-INTEGRITY-SHA256 only FINGERPRINT counts,
        /// after MESSAGE-INTEGRITY these two (RFC 8489 §14.5 to §14.7).
        private mutating func note(_ type: AttributeType, length: Int, at offset: Int) throws(STUNError) {
            switch type {
            case .messageIntegrity where integrity == 0 && integritySHA256 == 0:
                guard length == 20 else { throw .malformedAttribute(offset: offset) }
                (integrity, end) = (offset, min(end, offset))
            case .messageIntegritySHA256 where integritySHA256 == 0:
                guard length >= 16, length <= 32, length & 3 == 0 else { throw .malformedAttribute(offset: offset) }
                (integritySHA256, end) = (offset, min(end, offset))
            case .fingerprint:
                guard length == 4 else { throw .malformedAttribute(offset: offset) }
                (fingerprint, end) = (offset, min(end, offset))
            default: break
            }
        }
    }
}
