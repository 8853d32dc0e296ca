import Base

/// `scheme name=value, name="value" …`: the shape of challenges and credentials (RFC 7235 §2.1).
///
/// Reading one copies nothing; the values asked for are copied then.
struct AuthParameters {
    /// The parameters of a Digest challenge or of its answer.
    enum Name: UInt8, CaseIterable {
        case userName, realm, nonce, uri, response, algorithm, cnonce, opaque, quality, nonceCount, stale

        var literal: StaticString {
            switch self {
            case .userName: "username"
            case .realm: "realm"
            case .nonce: "nonce"
            case .uri: "uri"
            case .response: "response"
            case .algorithm: "algorithm"
            case .cnonce: "cnonce"
            case .opaque: "opaque"
            case .quality: "qop"
            case .nonceCount: "nc"
            case .stale: "stale"
            }
        }
    }

    private let text: ArraySlice<UInt8>
    let isDigest: Bool
    /// Where the values of the eleven names stand, quotes included; empty when absent, since a value never is.
    private var values: [11 of Range<Int>]
    /// Names we have no use for.
    private var unknown: [Range<Int>] = []
    /// Whether a parameter that may stand once stands again, so that two readers could see two different things.
    private(set) var hasRepetition = false

    /// More parameters than any scheme has.
    private static let maximumCount = 32

    init?(parsing text: ArraySlice<UInt8>) {
        self.text = text
        values = [11 of Range<Int>](repeating: 0..<0)
        var scanner = Scanner(text)
        scanner.skipSpace()
        guard let scheme = scanner.token(), scanner.skipGap() else { return nil }
        isDigest = ASCII.equalIgnoringCase(scheme, "Digest")
        var count = 0
        repeat {
            // Empty elements of the list are borne.
            while scanner.takeSeparator(ASCII.comma) {}
            guard !scanner.isAtEnd else { return }
            let name = scanner.range(.token)
            guard !name.isEmpty, scanner.takeSeparator(ASCII.equals), count < Self.maximumCount else { return nil }
            count += 1
            let start = scanner.index
            if scanner.peek == ASCII.quote {
                guard scanner.skipQuotedString() else { return nil }
            } else {
                scanner.skip(.authValue)
                guard scanner.index > start else { return nil }
            }
            note(name, start..<scanner.index)
            scanner.skipSpace()
        } while scanner.takeSeparator(ASCII.comma)
        guard scanner.isAtEnd else { return nil }
    }

    private mutating func note(_ name: Range<Int>, _ value: Range<Int>) {
        let letter = text[name.lowerBound] | 0x20
        for known in Name.allCases
        where known.literal.utf8Start.pointee == letter && ASCII.equalIgnoringCase(text[name], known.literal) {
            let place = Int(known.rawValue)
            guard values[place].isEmpty else { return hasRepetition = true }
            return values[place] = value
        }
        for other in unknown where ASCII.equalIgnoringCase(text[name], text[other]) { hasRepetition = true }
        unknown.append(name)
    }

    /// The value of a parameter without quotes and escapes; nil when absent.
    subscript(_ name: Name) -> [UInt8]? {
        let range = values[Int(name.rawValue)]
        return range.isEmpty ? nil : Grammar.unquoted(text[range])
    }
}

/// Writes such parameters. Its steps are calls, since each would grow an array in every place it is inlined.
struct AuthParameterWriter {
    var out: [UInt8]
    private var isFirst = true

    init(_ out: consuming [UInt8]) {
        self.out = out
        self.out.append("Digest ")
    }

    @inline(never)
    private mutating func begin(_ name: StaticString) {
        if !isFirst { out.append(", ") }
        isFirst = false
        out.append(name)
        out.append(ASCII.equals)
    }

    @inline(never)
    mutating func quoted(_ name: StaticString, _ value: [UInt8]?) {
        guard let value else { return }
        begin(name)
        Grammar.quote(value, into: &out)
    }

    @inline(never)
    mutating func plain(_ name: StaticString, _ value: [UInt8]?) {
        guard let value else { return }
        begin(name)
        out += value
    }

    @inline(never)
    mutating func plain(_ name: StaticString, _ value: StaticString) {
        begin(name)
        out.append(value)
    }

    mutating func hexadecimal(_ name: StaticString, _ value: UInt32) {
        begin(name)
        out.appendHexadecimal(UInt64(value), digits: 8)
    }

    /// A quoted list of qualities; nothing when there are none.
    mutating func quoted(_ name: StaticString, _ qualities: [DigestQuality]) {
        guard !qualities.isEmpty else { return }
        begin(name)
        out.append(ASCII.quote)
        for (position, quality) in qualities.enumerated() {
            if position > 0 { out.append(ASCII.comma) }
            out.append(quality.literal)
        }
        out.append(ASCII.quote)
    }
}
