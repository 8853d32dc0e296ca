import Base

/// The host of a URI or a Via header: a name or an address (RFC 3261 §25.1 host).
package enum Host: Hashable, Sendable {
    /// A domain name in lower case, as names are compared without case (RFC 4343).
    case name([UInt8])
    case address(IPAddress)

    package init(_ address: IPAddress) { self = .address(address) }

    /// A name or an address given as text by our own configuration.
    ///
    /// - Returns: nil when it is neither.
    package init?(_ text: some Collection<UInt8>) {
        var scanner = Scanner(Array(text)[...])
        guard let host = Host(scanning: &scanner), scanner.isAtEnd else { return nil }
        self = host
    }

    /// Reads a host, IPv6 in brackets. RFC 5118 §4.10 asks us to bear a colon too many before an embedded IPv4 address.
    init?(scanning scanner: inout Scanner) {
        if scanner.peek == 0x5b {
            let start = scanner.index
            scanner.skip(.notBracket)
            guard scanner.take(0x5d) else { return nil }
            self.init(bracketed: scanner.bytes[start..<scanner.index])
            return
        }
        let text = scanner.run(.hostName)
        guard !text.isEmpty else { return nil }
        // An address begins and ends with a digit; most names do not, and are spared the attempt.
        if let first = text.first, let last = text.last, ASCII.isDigit(first), ASCII.isDigit(last),
            let address = IPAddress(parsing: text)
        {
            self = .address(address)
            return
        }
        guard Host.isName(text) else { return nil }
        self = .name([UInt8](lowercasing: text))
    }

    private init?(bracketed text: ArraySlice<UInt8>) {
        if let address = IPAddress(parsing: text) {
            self = .address(address)
            return
        }
        var mended: [UInt8] = []
        for byte in text where !(byte == ASCII.colon && mended.suffix(2).elementsEqual([ASCII.colon, ASCII.colon])) {
            mended.append(byte)
        }
        guard text.contains(0x2e), text.count == mended.count + 1, let address = IPAddress(parsing: mended) else {
            return nil
        }
        self = .address(address)
    }

    /// Labels are not empty (but for one dot at the end), at most 253 bytes in all (RFC 1035 §2.3.4).
    private static func isName(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count <= 253, text.first != 0x2e else { return false }
        var previous = UInt8(0)
        for byte in text {
            if byte == 0x2e, previous == 0x2e { return false }
            previous = byte
        }
        return true
    }

    package var text: [UInt8] {
        switch self {
        case .name(let name): name
        case .address(let address): address.host
        }
    }

    package func serialize(into out: inout [UInt8]) {
        switch self {
        case .name(let name): out += name
        case .address(let address): address.serialize(into: &out)
        }
    }
}

extension Scanner {
    /// `:port` if one stands here.
    ///
    /// - Returns: nil inside when there is none; nil as a whole when what follows the colon is no port.
    mutating func port() -> UInt16?? {
        guard take(ASCII.colon) else { return .some(nil) }
        guard let number = number(), let port = UInt16(exactly: number) else { return nil }
        return port
    }
}
