import Base

extension ArraySlice<UInt8> {
    /// Equality by one comparison of memory.
    func equals(_ other: ArraySlice<UInt8>) -> Bool {
        guard count == other.count else { return false }
        return withUnsafeBufferPointer { left in
            other.withUnsafeBufferPointer { right in
                for index in 0..<left.count where left[index] != right[index] { return false }
                return true
            }
        }
    }

    /// Equality of ASCII text without case.
    func equalsIgnoringCase(_ other: ArraySlice<UInt8>) -> Bool {
        guard count == other.count else { return false }
        return withUnsafeBufferPointer { left in
            other.withUnsafeBufferPointer { right in
                for index in 0..<left.count where ASCII.lowercased(left[index]) != ASCII.lowercased(right[index]) {
                    return false
                }
                return true
            }
        }
    }

    /// Whether these are exactly the bytes of a literal.
    func equals(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        return withUnsafeBufferPointer { bytes in
            for index in 0..<bytes.count where bytes[index] != literal.utf8Start[index] { return false }
            return true
        }
    }
}

extension [UInt8] {
    func equals(_ other: ArraySlice<UInt8>) -> Bool { self[...].equals(other) }
}
