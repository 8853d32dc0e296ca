import Base

/// `scheme name=value, name="value" …`: the shape of challenges and credentials (RFC 7235 §2.1).
struct AuthParameters {
    let scheme: ArraySlice<UInt8>
    /// Values without quotes and escapes.
    private(set) var pairs: [(name: ArraySlice<UInt8>, value: [UInt8])] = []

    /// More parameters than any scheme has.
    private static let maximumCount = 32

    init?(parsing text: ArraySlice<UInt8>) {
        var scanner = Scanner(text)
        scanner.skipSpace()
        guard let scheme = scanner.token(), scanner.skipGap() else { return nil }
        self.scheme = scheme
        repeat {
            // Empty elements of the list are borne.
            while scanner.takeSeparator(ASCII.comma) {}
            guard !scanner.isAtEnd else { return }
            guard let name = scanner.token(), scanner.takeSeparator(ASCII.equals), pairs.count < Self.maximumCount
            else {
                return nil
            }
            if scanner.peek == ASCII.quote {
                guard let value = scanner.quotedString() else { return nil }
                pairs.append((name, Grammar.unquoted(value)))
            } else {
                let value = scanner.run { $0 > ASCII.space && $0 != ASCII.comma && $0 != ASCII.quote && $0 < 0x7f }
                guard !value.isEmpty else { return nil }
                pairs.append((name, Array(value)))
            }
            scanner.skipSpace()
        } while scanner.takeSeparator(ASCII.comma)
        guard scanner.isAtEnd else { return nil }
    }

    var isDigest: Bool { ASCII.equalIgnoringCase(scheme, "Digest") }

    /// The value of a parameter; nil when absent.
    subscript(_ name: StaticString) -> [UInt8]? {
        name.withUTF8Buffer { expected in
            pairs.first { ASCII.equalIgnoringCase($0.name, expected) }?.value
        }
    }

    /// Whether a parameter that may stand once stands again, so that two readers could see two different things.
    var hasRepetition: Bool {
        for (position, pair) in pairs.enumerated() {
            for other in pairs[(position + 1)...] where ASCII.equalIgnoringCase(pair.name, other.name) { return true }
        }
        return false
    }
}

/// Writes such parameters.
struct AuthParameterWriter {
    var out: [UInt8]
    private var isFirst = true

    init(_ out: consuming [UInt8]) {
        self.out = out
        self.out.append("Digest ")
    }

    private mutating func begin(_ name: StaticString) {
        if !isFirst { out.append(", ") }
        isFirst = false
        out.append(name)
        out.append(ASCII.equals)
    }

    mutating func quoted(_ name: StaticString, _ value: [UInt8]?) {
        guard let value else { return }
        begin(name)
        Grammar.quote(value, into: &out)
    }

    mutating func plain(_ name: StaticString, _ value: [UInt8]?) {
        guard let value else { return }
        begin(name)
        out += value
    }
}
