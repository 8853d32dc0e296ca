import Base

extension Base64 {
    /// The bytes of a key; nil for anything that `encode` would not have written, but padding, which some phones leave out.
    func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var digits = text
        while digits.last == ASCII.equals && text.count - digits.count < 2 { digits.removeLast() }
        guard digits.count == text.count || text.count % 4 == 0, digits.count % 4 != 1 else { return nil }
        var (bytes, bits, count) = ([UInt8](), UInt32(0), 0)
        bytes.reserveCapacity(digits.count * 3 / 4)
        for digit in digits {
            guard let value = value(of: digit) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        // One spelling only: the bits behind the last byte are zero.
        return bits & (1 << UInt32(count) - 1) == 0 ? bytes : nil
    }
}
