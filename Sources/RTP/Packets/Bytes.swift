/// Big-endian numbers in a packet (RFC 3550 §4: all integer fields are carried in network byte order).
///
/// Spans check their bounds and stop the program at a mistake of ours; every caller has measured the packet before, so a
/// peer never reaches that check. Reads and writes compile to one load or store and a byte swap.
extension RawSpan {
    @inline(__always) func uint8(at offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

    @inline(__always) func uint16(at offset: Int) -> UInt16 {
        UInt16(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    @inline(__always) func uint24(at offset: Int) -> UInt32 {
        UInt32(uint8(at: offset)) << 16 | UInt32(uint16(at: offset + 1))
    }

    @inline(__always) func uint32(at offset: Int) -> UInt32 {
        UInt32(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    @inline(__always) func uint64(at offset: Int) -> UInt64 {
        UInt64(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}

extension MutableRawSpan {
    @inline(__always) func uint8(at offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

    @inline(__always) mutating func set(_ value: UInt8, at offset: Int) {
        storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
    }

    @inline(__always) mutating func set(_ value: UInt16, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }

    @inline(__always) mutating func set(_ value: UInt32, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }

    @inline(__always) mutating func set(_ value: UInt64, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt64.self)
    }

    /// Copies `source` to `offset`; the caller has made sure that it fits.
    mutating func copy(_ source: RawSpan, at offset: Int) {
        guard source.byteCount > 0 else { return }
        precondition(offset >= 0 && offset + source.byteCount <= byteCount, "a copy goes beyond its buffer")
        withUnsafeMutableBytes { target in
            source.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: bytes)
            }
        }
    }

    /// Moves bytes inside the buffer; the ranges may overlap.
    mutating func move(_ source: Range<Int>, to offset: Int) {
        guard !source.isEmpty, source.lowerBound != offset else { return }
        precondition(
            source.lowerBound >= 0 && source.upperBound <= byteCount && offset >= 0
                && offset + source.count <= byteCount, "a move goes beyond its buffer")
        withUnsafeMutableBytes { bytes in
            UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[source]))
        }
    }
}
