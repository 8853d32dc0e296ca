/// Reading with bounds: what is not there is nil, in release builds too, where the standard library does not check.
extension UnsafeRawBufferPointer {
    @inline(__always)
    package func uint8(at offset: Int) -> UInt8? {
        guard offset >= 0, offset < count else { return nil }
        return self[offset]
    }

    @inline(__always)
    package func uint16(at offset: Int) -> UInt16? { integer(at: offset) }

    @inline(__always)
    package func uint32(at offset: Int) -> UInt32? { integer(at: offset) }

    @inline(__always)
    package func uint64(at offset: Int) -> UInt64? { integer(at: offset) }

    /// A number in network byte order.
    @inline(__always)
    private func integer<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Number? {
        guard offset >= 0, count >= MemoryLayout<Number>.size, offset <= count - MemoryLayout<Number>.size else {
            return nil
        }
        return Number(bigEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// `length` bytes from `offset`, or nil when they are not all there.
    @inline(__always)
    package func slice(_ offset: Int, _ length: Int) -> UnsafeRawBufferPointer? {
        guard offset >= 0, length >= 0, offset <= count, length <= count - offset else { return nil }
        return UnsafeRawBufferPointer(rebasing: self[offset..<offset + length])
    }

    /// Whether both hold the same bytes, told in a time that does not depend on where they differ.
    package func equalsInConstantTime(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        var difference = UInt8(0)
        for index in 0..<count { difference |= self[index] ^ other[index] }
        return difference == 0
    }
}
