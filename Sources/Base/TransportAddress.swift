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
        guard let address = Self.parseV6(Array(isBracketed ? text.dropFirst().dropLast() : text)) else { return nil }
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

    private static func parseV6(_ text: [UInt8]) -> IPAddress? {
        var groups: [UInt16] = []
        var gap: Int?
        var index = 0
        while index < text.count {
            if text[index] == ASCII.colon {
                guard index + 1 < text.count, text[index + 1] == ASCII.colon, gap == nil else { return nil }
                gap = groups.count
                index += 2
                continue
            }
            let end = text[index...].firstIndex(of: ASCII.colon) ?? text.count
            let group = text[index..<end]
            if group.contains(0x2e) {
                guard end == text.count, let bits = parseV4(group) else { return nil }
                groups += [UInt16(bits >> 16), UInt16(bits & 0xffff)]
                break
            }
            guard let value = hexGroup(group) else { return nil }
            groups.append(value)
            guard end < text.count else { break }
            // A single colon must be followed by another group; a double one is met on the next turn.
            guard end + 1 < text.count else { return nil }
            index = text[end + 1] == ASCII.colon ? end : end + 1
        }
        return assemble(groups, gap: gap)
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

    private static func assemble(_ given: [UInt16], gap: Int?) -> IPAddress? {
        var groups = given
        if let gap {
            guard given.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - given.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        var halves = [UInt64(0), 0]
        for (position, group) in groups.enumerated() {
            halves[position / 4] = halves[position / 4] << 16 | UInt64(group)
        }
        return .v6(high: halves[0], low: halves[1])
    }

    /// The address as text, IPv6 without brackets and in RFC 5952 form.
    package var text: [UInt8] {
        switch self {
        case .v4(let bits):
            var out: [UInt8] = []
            out.reserveCapacity(15)
            out.append(address: bits)
            return out
        case .v6(let high, let low):
            return Self.textV6(high: high, low: low)
        }
    }

    /// Appends the address as a host: IPv6 in brackets.
    package func serialize(into out: inout [UInt8]) {
        if case .v4(let bits) = self { out.append(address: bits) } else { out += host }
    }

    /// RFC 5952 §4: lower case, no leading zeros, the first longest run of two or more zero groups as `::`.
    private static func textV6(high: UInt64, low: UInt64) -> [UInt8] {
        let groups = [high, low].flatMap { half in [48, 32, 16, 0].map { UInt16(half >> UInt64($0) & 0xffff) } }
        var best = 0..<0
        var start = 0
        while start < 8 {
            guard groups[start] == 0 else {
                start += 1
                continue
            }
            let end = groups[start...].firstIndex { $0 != 0 } ?? 8
            if end - start > max(best.count, 1) { best = start..<end }
            start = end
        }
        var out: [UInt8] = []
        var index = 0
        while index < 8 {
            if index == best.lowerBound, !best.isEmpty {
                out += [ASCII.colon, ASCII.colon]
                index = best.upperBound
                continue
            }
            if index > 0, out.last != ASCII.colon { out.append(ASCII.colon) }
            out.appendHex(groups[index])
            index += 1
        }
        return out
    }

    /// The address as a host in a URI or a Via header: IPv6 in brackets (RFC 3986 §3.2.2).
    package var host: [UInt8] {
        if case .v6 = self { return [0x5b] + text + [0x5d] }
        return text
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
    fileprivate mutating func append(address bits: UInt32) {
        var shift = UInt32(32)
        while shift > 0 {
            shift -= 8
            appendDecimal(Int(bits >> shift & 0xff))
            if shift > 0 { append(0x2e) }
        }
    }

    fileprivate mutating func appendHex(_ value: UInt16) {
        var started = false
        for shift in [12, 8, 4, 0] as [UInt16] {
            let nibble = UInt8(value >> shift & 0xf)
            started = started || nibble != 0 || shift == 0
            if started { append(nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10) }
        }
    }
}
