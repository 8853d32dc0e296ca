/// An IPv4 or IPv6 address as numbers, in host byte order.
package enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    package static let loopback = IPAddress.v4(0x7f00_0001)

    /// 127.0.0.0/8, ::1, and the latter's IPv4-mapped twin.
    package var isLoopback: Bool {
        switch unmapped {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        }
    }

    /// An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) as the IPv4 address inside; others unchanged.
    package var unmapped: IPAddress {
        guard case .v6(high: 0, let low) = self, low >> 32 == 0xffff else { return self }
        return .v4(UInt32(truncatingIfNeeded: low))
    }
}

/// An IP address and a port: one end of a UDP or TCP conversation.
package struct TransportAddress: Hashable, Sendable {
    package var ip: IPAddress
    package var port: UInt16

    package init(ip: IPAddress, port: UInt16) { (self.ip, self.port) = (ip, port) }
}

// MARK: - Text

extension IPAddress {
    /// Reads dotted-quad IPv4 or RFC 4291 §2.2 IPv6 text, the latter with or without brackets; no zone.
    ///
    /// - Returns: nil for anything else, so that a host name is told from an address by trying.
    package init?(parsing text: some Collection<UInt8>) { self.init(parsing: Array(text)[...]) }

    /// The same without an array for IPv4, which nearly every address in a message is.
    package init?(parsing text: ArraySlice<UInt8>) {
        if let bits = Self.parseV4(text) {
            self = .v4(bits)
            return
        }
        guard text.contains(ASCII.colon) else { return nil }
        let isBracketed = text.first == 0x5b
        if isBracketed, text.count < 2 || text.last != 0x5d { return nil }
        guard let address = Self.parseV6(isBracketed ? text[(text.startIndex + 1)..<(text.endIndex - 1)] : text) else {
            return nil
        }
        self = address
    }

    private static func parseV4(_ text: ArraySlice<UInt8>) -> UInt32? {
        text.withUnsafeBufferPointer { parseV4($0) }
    }

    /// Four numbers of one to three digits, up to 255 each, with dots between them.
    private static func parseV4(_ text: UnsafeBufferPointer<UInt8>) -> UInt32? {
        guard (7...15).contains(text.count) else { return nil }
        var bits = UInt32(0)
        var octet = UInt32(0)
        var (digits, dots) = (0, 0)
        for byte in text {
            if ASCII.isDigit(byte) {
                octet = octet * 10 + UInt32(byte &- 0x30)
                digits += 1
                guard digits <= 3, octet <= 255 else { return nil }
            } else {
                guard byte == 0x2e, digits > 0, dots < 3 else { return nil }
                bits = bits << 8 | octet
                (octet, digits, dots) = (0, 0, dots + 1)
            }
        }
        guard dots == 3, digits > 0 else { return nil }
        return bits << 8 | octet
    }

    private static func parseV6(_ text: ArraySlice<UInt8>) -> IPAddress? {
        var groups = [8 of UInt16](repeating: 0)
        var count = 0
        var gap: Int?
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == ASCII.colon {
                guard index + 1 < text.endIndex, text[index + 1] == ASCII.colon, gap == nil else { return nil }
                gap = count
                index += 2
                continue
            }
            var end = index
            while end < text.endIndex, text[end] != ASCII.colon { end += 1 }
            if end == text.endIndex, count <= 6, let bits = parseV4(text[index..<end]) {
                groups[count] = UInt16(bits >> 16)
                groups[count + 1] = UInt16(bits & 0xffff)
                count += 2
                break
            }
            guard count < 8, let value = hexGroup(text[index..<end]) else { return nil }
            groups[count] = value
            count += 1
            guard end < text.endIndex else { break }
            // A single colon must be followed by another group; a double one is met on the next turn.
            guard end + 1 < text.endIndex else { return nil }
            index = text[end + 1] == ASCII.colon ? end : end + 1
        }
        return assemble(groups, count: count, gap: gap)
    }

    private static func hexGroup(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(digits.count) else { return nil }
        var value = UInt16(0)
        for digit in digits {
            guard let nibble = ASCII.hexValue(digit) else { return nil }
            value = value << 4 | UInt16(nibble)
        }
        return value
    }

    /// - Parameter gap: how many groups stand before the `::`.
    private static func assemble(_ groups: [8 of UInt16], count: Int, gap: Int?) -> IPAddress? {
        guard gap == nil ? count == 8 : count < 8 else { return nil }
        let (zeros, start) = (8 - count, gap ?? 8)
        var (high, low) = (UInt64(0), UInt64(0))
        for position in 0..<8 {
            var group = UInt16(0)
            if position < start { group = groups[position] }
            if position >= start + zeros { group = groups[position - zeros] }
            high = high << 16 | low >> 48
            low = low << 16 | UInt64(group)
        }
        return .v6(high: high, low: low)
    }

    /// The address as text, IPv6 without brackets and in RFC 5952 form.
    package var text: [UInt8] {
        guard case .v6(let high, let low) = self else {
            var out: [UInt8] = []
            appendText(to: &out)
            return out
        }
        return Self.textV6(high: high, low: low)
    }

    /// Appends that text; of IPv4 without an array of its own.
    package func appendText(to out: inout [UInt8]) {
        if case .v4(let bits) = self { out.append(address: bits) } else { out += text }
    }

    /// Appends the address as a host: IPv6 in brackets.
    package func serialize(into out: inout [UInt8]) {
        if case .v4(let bits) = self { out.append(address: bits) } else { out += host }
    }

    /// RFC 5952 §4: lower case, no leading zeros, the first longest run of two or more zero groups as `::`.
    private static func textV6(high: UInt64, low: UInt64) -> [UInt8] {
        func group(_ index: Int) -> UInt16 {
            UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index & 3)))
        }
        var (best, length) = (8, 1)
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, group(end) == 0 { end += 1 }
            if end - start > length { (best, length) = (start, end - start) }
            start = end + 1
        }
        var out: [UInt8] = []
        var index = 0
        while index < 8 {
            if index == best {
                out.append(ASCII.colon)
                out.append(ASCII.colon)
                index += length
                continue
            }
            if index > 0, out.last != ASCII.colon { out.append(ASCII.colon) }
            out.appendHex(group(index))
            index += 1
        }
        return out
    }

    /// The address as a host in a URI or a Via header: IPv6 in brackets (RFC 3986 §3.2.2).
    package var host: [UInt8] {
        guard case .v6 = self else { return text }
        var out: [UInt8] = [0x5b]
        out += text
        out.append(0x5d)
        return out
    }
}

extension TransportAddress {
    /// `host:port`, IPv6 in brackets.
    package var text: [UInt8] {
        var out = ip.host
        out.append(ASCII.colon)
        out.appendDecimal(Int(port))
        return out
    }
}

extension [UInt8] {
    /// Four numbers with dots between them, by one copy.
    fileprivate mutating func append(address bits: UInt32) {
        var text = [16 of UInt8](repeating: 0)
        var (count, shift) = (0, UInt32(32))
        while shift > 0 {
            shift -= 8
            let octet = UInt8(truncatingIfNeeded: bits >> shift)
            if octet >= 100 {
                text[count] = 0x30 + octet / 100
                count += 1
            }
            if octet >= 10 {
                text[count] = 0x30 + octet / 10 % 10
                count += 1
            }
            text[count] = 0x30 + octet % 10
            text[count + 1] = 0x2e
            count += 2
        }
        append(copying: text, 0..<(count - 1))
    }

    fileprivate mutating func appendHex(_ value: UInt16) {
        var started = false
        var shift = UInt16(16)
        while shift > 0 {
            shift -= 4
            let nibble = UInt8(value >> shift & 0xf)
            started = started || nibble != 0 || shift == 0
            if started { append(ASCII.hexDigit(nibble)) }
        }
    }
}
