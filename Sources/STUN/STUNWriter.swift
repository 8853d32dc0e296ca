import Base

/// Writes one message into a caller's buffer, attribute by attribute; allocates nothing.
///
/// What does not fit makes `finish()` give nil, so that nobody has to ask after every attribute.
package struct STUNWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    private let transactionID: TransactionID
    private var count: Int
    private var isOverflowing = false

    package init(_ type: STUNType, _ transactionID: TransactionID, into buffer: UnsafeMutableRawBufferPointer) {
        (self.buffer, self.transactionID, count) = (buffer, transactionID, 0)
        put(type.bits)
        put(UInt16(0))
        put(STUNMessage.magicCookie)
        put(transactionID.high)
        put(transactionID.low)
    }

    /// An answer to `request`: success, or the error that `add(_:hasPhrase:)` tells.
    package init(
        _ messageClass: STUNClass, to request: STUNMessage, into buffer: UnsafeMutableRawBufferPointer
    ) { self.init(STUNType(messageClass, request.method), request.transactionID, into: buffer) }

    /// How many bytes the message has, or nil when the buffer is too small for it.
    package func finish() -> Int? { isOverflowing ? nil : count }

    // MARK: Attributes

    /// An attribute whose value the caller has behind the buffer already, padding included: it must be the last.
    package mutating func addHeader(of type: AttributeType, length: Int) { begin(type, length: length) }

    /// An attribute that says all by being there.
    package mutating func add(_ type: AttributeType) { begin(type, length: 0) }

    package mutating func add(_ type: AttributeType, _ value: UInt32) {
        begin(type, length: 4)
        put(value)
    }

    package mutating func add(_ type: AttributeType, _ value: UInt64) {
        begin(type, length: 8)
        put(value)
    }

    package mutating func add(_ type: AttributeType, _ value: UnsafeRawBufferPointer) {
        begin(type, length: value.count)
        put(value)
        pad(value.count)
    }

    package mutating func add(_ type: AttributeType, _ value: [UInt8]) { value.withUnsafeBytes { add(type, $0) } }

    package mutating func add(_ type: AttributeType, _ text: StaticString) {
        add(type, UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// An address under the XOR of cookie and transaction (RFC 8489 §14.2).
    package mutating func add(_ type: AttributeType, xor address: TransportAddress) {
        add(type, address, mask: AddressMask(transactionID))
    }

    /// An address in clear (§14.1).
    package mutating func add(_ type: AttributeType, _ address: TransportAddress) {
        add(type, address, mask: AddressMask())
    }

    private mutating func add(_ type: AttributeType, _ address: TransportAddress, mask: AddressMask) {
        switch address.ip {
        case .v4(let bits):
            begin(type, length: 8)
            put(UInt16(AddressFamily.v4.rawValue))
            put(address.port ^ mask.port)
            put(bits ^ mask.v4)
        case .v6(let high, let low):
            begin(type, length: 20)
            put(UInt16(AddressFamily.v6.rawValue))
            put(address.port ^ mask.port)
            put(high ^ mask.high)
            put(low ^ mask.low)
        }
    }

    /// ERROR-CODE (§14.8). The phrase is for people; an answer to a stranger does without it and stays small.
    package mutating func add(_ code: STUNErrorCode, hasPhrase: Bool) {
        let phrase = code.phrase
        let length = hasPhrase ? phrase.utf8CodeUnitCount : 0
        begin(.errorCode, length: 4 + length)
        put(UInt32(code.rawValue / 100) << 8 | UInt32(code.rawValue % 100))
        put(UnsafeRawBufferPointer(start: phrase.utf8Start, count: length))
        pad(length)
    }

    /// UNKNOWN-ATTRIBUTES (§14.13): what `message` has that must be understood and is not in `known`.
    package mutating func addUnknownAttributes(of message: STUNMessage, besides known: AttributeSet, maximum: Int) {
        func forEachUnknown(_ body: (AttributeType) -> Void) {
            var left = maximum
            for attribute in message.attributes
            where attribute.type.isComprehensionRequired && !known.contains(attribute.type) && left > 0 {
                left -= 1
                body(attribute.type)
            }
        }
        var number = 0
        forEachUnknown { _ in number += 1 }
        begin(.unknownAttributes, length: number * 2)
        forEachUnknown { put($0.rawValue) }
        pad(number * 2)
    }

    // MARK: Protection, in this order and last

    /// MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 over all before it (§14.5, §14.6).
    package mutating func add(_ key: IntegrityKey) {
        switch key {
        case .sha1(var code):
            setLength(count + 24)
            code.update(written)
            let value = code.finish()
            begin(.messageIntegrity, length: 20)
            withUnsafeBytes(of: value) { put($0) }
        case .sha256(var code):
            setLength(count + 36)
            code.update(written)
            let value = code.finish()
            begin(.messageIntegritySHA256, length: 32)
            withUnsafeBytes(of: value) { put($0) }
        }
    }

    /// FINGERPRINT over all before it (§14.7).
    package mutating func addFingerprint() {
        setLength(count + 8)
        let value = Fingerprint.value(of: written)
        begin(.fingerprint, length: 4)
        put(value)
    }

    // MARK: Bytes

    private var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    private mutating func begin(_ type: AttributeType, length: Int) {
        // The length field has 16 bits, and the message's as well.
        guard length <= 0xffff, count + 4 + length <= 0xffff else {
            isOverflowing = true
            return
        }
        setLength(count + 4 + (length + 3) & ~3)
        put(type.rawValue)
        put(UInt16(length))
    }

    private func setLength(_ total: Int) {
        guard buffer.count >= STUNMessage.headerSize else { return }
        let length = UInt16(truncatingIfNeeded: total - STUNMessage.headerSize)
        buffer.storeBytes(of: length.bigEndian, toByteOffset: 2, as: UInt16.self)
    }

    private mutating func put<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
        guard reserve(MemoryLayout<Number>.size) else { return }
        buffer.storeBytes(of: number.bigEndian, toByteOffset: count, as: Number.self)
        count += MemoryLayout<Number>.size
    }

    private mutating func put(_ bytes: UnsafeRawBufferPointer) {
        guard reserve(bytes.count) else { return }
        UnsafeMutableRawBufferPointer(rebasing: buffer[count..<count + bytes.count]).copyMemory(from: bytes)
        count += bytes.count
    }

    private mutating func pad(_ length: Int) {
        for _ in 0..<(4 - length & 3) & 3 { put(UInt8(0)) }
    }

    private mutating func reserve(_ size: Int) -> Bool {
        guard !isOverflowing, size <= buffer.count - count else {
            isOverflowing = true
            return false
        }
        return true
    }
}
