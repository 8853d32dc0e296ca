import Base

/// `%` escapes of URIs (RFC 3261 §19.1.2).
package enum Percent {
    /// Whether each `%` is followed by two hexadecimal digits.
    static func isWellFormed(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.contains(ASCII.percent) else { return true }
        var pending = 0
        for byte in text {
            if pending > 0 {
                guard ASCII.hexValue(byte) != nil else { return false }
                pending -= 1
            } else if byte == ASCII.percent {
                pending = 2
            }
        }
        return pending == 0
    }

    /// The text with its escapes undone; a `%` that begins none stays.
    package static func decoded(_ text: some Collection<UInt8>) -> [UInt8] {
        var scanner = Decoder(text: Array(text)[...])
        var out: [UInt8] = []
        out.reserveCapacity(scanner.text.count)
        while let (byte, _) = scanner.next() { out.append(byte) }
        return out
    }

    /// Gives the bytes one by one, and whether each was escaped.
    struct Decoder {
        let text: ArraySlice<UInt8>
        private var index: Int

        init(text: ArraySlice<UInt8>) { (self.text, index) = (text, text.startIndex) }

        var isAtEnd: Bool { index >= text.endIndex }

        mutating func next() -> (byte: UInt8, wasEscaped: Bool)? {
            guard index < text.endIndex else { return nil }
            let byte = text[index]
            if byte == ASCII.percent, index + 2 < text.endIndex, let high = ASCII.hexValue(text[index + 1]),
                let low = ASCII.hexValue(text[index + 2])
            {
                index += 3
                return (high << 4 | low, true)
            }
            index += 1
            return (byte, false)
        }
    }

    /// Appends `text`, escaping every byte that does not satisfy `isPlain`.
    package static func encode(_ text: some Collection<UInt8>, into out: inout [UInt8], isPlain: (UInt8) -> Bool) {
        for byte in text {
            if isPlain(byte) {
                out.append(byte)
            } else {
                out.append(ASCII.percent)
                out.append(hexDigit(byte >> 4))
                out.append(hexDigit(byte & 0xf))
            }
        }
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x41 + nibble - 10 }
}
