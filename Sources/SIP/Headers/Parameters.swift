import Base

/// The `;name=value` parameters of a header or URI, in order.
///
/// They stay one run of bytes that is checked when parsed and searched when asked: most messages have a handful of
/// parameters, of which one or two are ever looked at.
package struct Parameters: Hashable, Sendable {
    /// Empty, or `;name` and `;name=value` without white space.
    package private(set) var text: [UInt8]

    package init() { text = [] }

    package var isEmpty: Bool { text.isEmpty }

    /// Which bytes may stand in names and values.
    enum Rules {
        /// generic-param: a token, and a token, host or quoted string (RFC 3261 §25.1).
        case header
        /// uri-parameter: paramchars, with escapes (RFC 3261 §25.1).
        case uri
    }

    /// Reads all parameters at the scanner's place.
    ///
    /// - Returns: nil when a semicolon is not followed by a parameter.
    init?(scanning scanner: inout Scanner, rules: Rules) {
        text = []
        guard scanner.peek != nil else { return }
        let start = scanner.index
        var tight = 0
        while rules == .header ? scanner.takeSeparator(ASCII.semicolon) : scanner.take(ASCII.semicolon) {
            let name = scanner.range(rules == .uri ? .uriParameter : .token)
            guard !name.isEmpty else { return nil }
            tight += 1 + name.count
            let hasValue = rules == .header ? scanner.takeSeparator(ASCII.equals) : scanner.take(ASCII.equals)
            guard hasValue else { continue }
            let value = scanner.index
            if rules == .header, scanner.peek == ASCII.quote {
                guard scanner.skipQuotedString() else { return nil }
            } else {
                scanner.skip(rules == .uri ? .uriParameter : .headerParameter)
                guard scanner.index > value else { return nil }
            }
            tight += 1 + scanner.index - value
        }
        let run = scanner.bytes[start..<scanner.index]
        guard !run.isEmpty else { return }
        text = run.count == tight ? Array(run) : Self.withoutSpace(run)
        if rules == .uri, !Percent.isWellFormed(text[...]) { return nil }
    }

    /// Without white space outside quoted strings.
    private static func withoutSpace(_ run: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(run.count)
        var (quoted, escaped) = (false, false)
        for byte in run {
            if byte == ASCII.quote, !escaped { quoted.toggle() }
            escaped = quoted && byte == ASCII.backslash && !escaped
            if quoted || !Grammar.isSpace(byte) { out.append(byte) }
        }
        return out
    }

    // MARK: Reading

    /// One parameter's place in `text`.
    struct Range: Equatable {
        /// Where its semicolon stands.
        var start: Int
        var nameEnd: Int
        /// Nil for a parameter without `=`.
        var valueStart: Int?
        var end: Int
    }

    /// The parameter that begins at `start`, or nil at the end.
    func range(at start: Int) -> Range? {
        guard start < text.count else { return nil }
        var index = start + 1
        while index < text.count, text[index] != ASCII.semicolon, text[index] != ASCII.equals { index += 1 }
        var found = Range(start: start, nameEnd: index, valueStart: nil, end: index)
        guard index < text.count, text[index] == ASCII.equals else { return found }
        found.valueStart = index + 1
        index += 1
        if index < text.count, text[index] == ASCII.quote {
            index += 1
            while index < text.count, text[index] != ASCII.quote { index += text[index] == ASCII.backslash ? 2 : 1 }
        }
        while index < text.count, text[index] != ASCII.semicolon { index += 1 }
        found.end = min(index, text.count)
        return found
    }

    private func range(of name: StaticString) -> Range? {
        var start = 0
        while let range = range(at: start) {
            if matches(name, start + 1..<range.nameEnd) { return range }
            start = range.end
        }
        return nil
    }

    private func matches(_ name: StaticString, _ range: Swift.Range<Int>) -> Bool {
        guard name.utf8CodeUnitCount == range.count else { return false }
        let expected = name.utf8Start
        for offset in 0..<range.count
        where ASCII.lowercased(expected[offset]) != ASCII.lowercased(text[range.lowerBound + offset]) {
            return false
        }
        return true
    }

    /// Whether the parameter is there, with or without a value.
    package func contains(_ name: StaticString) -> Bool { range(of: name) != nil }

    /// The first value of that name as written (quotes and escapes kept); nil when absent or without a value.
    /// Setting nil removes it.
    package subscript(_ name: StaticString) -> [UInt8]? {
        get {
            guard let range = range(of: name), let start = range.valueStart else { return nil }
            return Array(text[start..<range.end])
        }
        set {
            remove(name)
            if let newValue { append(name, newValue) }
        }
    }

    /// The content of a quoted value, or the value itself.
    package func unquoted(_ name: StaticString) -> [UInt8]? {
        guard let range = range(of: name), let start = range.valueStart else { return nil }
        return Grammar.unquoted(text[start..<range.end])
    }

    /// A value that is a decimal number.
    package func number(_ name: StaticString) -> Int? {
        guard let range = range(of: name), let start = range.valueStart else { return nil }
        return ASCII.decimal(text[start..<range.end])
    }

    /// All parameters in order, names and values as written.
    package var pairs: [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>?)] {
        var out: [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>?)] = []
        var start = 0
        while let range = range(at: start) {
            out.append((text[start + 1..<range.nameEnd], range.valueStart.map { text[$0..<range.end] }))
            start = range.end
        }
        return out
    }

    // MARK: Writing

    /// Appends a parameter; the value must be a token, host or quoted string already.
    @inline(never)
    package mutating func append(_ name: StaticString, _ value: [UInt8]? = nil) {
        text.append(ASCII.semicolon)
        text.append(name)
        guard let value else { return }
        text.append(ASCII.equals)
        text += value
    }

    @inline(never)
    package mutating func append(_ name: StaticString, number: Int) {
        text.append(ASCII.semicolon)
        text.append(name)
        text.append(ASCII.equals)
        text.appendDecimal(max(0, number))
    }

    /// Appends a parameter whose value is written as a quoted string.
    package mutating func append(_ name: StaticString, quoted value: some Collection<UInt8>) {
        var quoted: [UInt8] = []
        Grammar.quote(value, into: &quoted)
        append(name, quoted)
    }

    package mutating func append(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>?) {
        text.append(ASCII.semicolon)
        text += name
        guard let value else { return }
        text.append(ASCII.equals)
        text += value
    }

    /// Removes every parameter of that name.
    package mutating func remove(_ name: StaticString) {
        while let range = range(of: name) { text.removeSubrange(range.start..<range.end) }
    }

    package func serialize(into out: inout [UInt8]) { out += text }
}
