import Base

/// A name and an address with parameters: From, To, Contact, Route, Refer-To and their kin (RFC 3261 §20.10).
package struct NameAddress: HeaderValue, Equatable {
    /// Without quotes and escapes; empty when there is none.
    package var displayName: [UInt8]
    package var uri: SIPURI
    package var parameters: Parameters

    package init(displayName: [UInt8] = [], uri: SIPURI, parameters: Parameters = Parameters()) {
        (self.displayName, self.uri, self.parameters) = (displayName, uri, parameters)
    }

    package init(displayName: [UInt8] = [], uri: SIPURI, tag: [UInt8]) {
        self.init(displayName: displayName, uri: uri)
        parameters.append("tag", tag)
    }

    /// Reads one whole value.
    package init(
        parsing text: ArraySlice<UInt8>, header: HeaderName = .contact
    ) throws(SIPParseError) {
        var scanner = Scanner(text)
        guard let value = NameAddress(scanning: &scanner) else { throw .malformed(header) }
        scanner.skipSpace()
        guard scanner.isAtEnd else { throw .malformed(header) }
        self = value
    }

    init?(scanning scanner: inout Scanner) {
        scanner.skipSpace()
        displayName = []
        let start = scanner.index
        if scanner.peek == ASCII.quote {
            guard let quoted = scanner.quotedString() else { return nil }
            displayName = Grammar.unquoted(quoted)
            scanner.skipSpace()
            guard scanner.peek == ASCII.lessThan else { return nil }
        } else if scanner.peek != ASCII.lessThan {
            guard let words = Self.words(&scanner) else { return nil }
            if scanner.peek == ASCII.lessThan { displayName = Array(words) } else { scanner.index = start }
        }
        do throws(SIPParseError) {
            if scanner.take(ASCII.lessThan) {
                // RFC 4475 §3.1.2.17 has white space inside the brackets and asks to bear it or refuse it; we refuse.
                uri = try SIPURI(scanning: &scanner)
                guard scanner.take(ASCII.greaterThan) else { return nil }
            } else {
                uri = try SIPURI(scanning: &scanner, bare: true)
            }
        } catch { return nil }
        guard let parameters = Parameters(scanning: &scanner, rules: .header) else { return nil }
        self.parameters = parameters
    }

    /// `*(token LWS)` before a `<`, trimmed; nothing when the text is a bare URI.
    private static func words(_ scanner: inout Scanner) -> ArraySlice<UInt8>? {
        let start = scanner.index
        while scanner.token() != nil { scanner.skipSpace() }
        return Grammar.trimmed(scanner.bytes[start..<scanner.index])
    }

    /// The parameters that follow the address, without a look into it.
    ///
    /// - Returns: nil when they are malformed, or the address has no end.
    static func trailingParameters(of text: ArraySlice<UInt8>) -> Parameters? {
        var scanner = Scanner(text)
        while let byte = scanner.peek, byte != ASCII.semicolon {
            if byte == ASCII.quote {
                guard scanner.quotedString() != nil else { return nil }
                continue
            }
            scanner.index += 1
            if byte == ASCII.lessThan {
                scanner.skip(.notGreaterThan)
                guard scanner.take(ASCII.greaterThan) else { return nil }
                break
            }
        }
        guard let parameters = Parameters(scanning: &scanner, rules: .header) else { return nil }
        scanner.skipSpace()
        return scanner.isAtEnd ? parameters : nil
    }

    package func serialize(into out: inout [UInt8]) {
        if !displayName.isEmpty {
            Grammar.quote(displayName, into: &out)
            out.append(ASCII.space)
        }
        out.append(ASCII.lessThan)
        uri.serialize(into: &out)
        out.append(ASCII.greaterThan)
        parameters.serialize(into: &out)
    }

    /// The `tag` of From and To (RFC 3261 §19.3).
    package var tag: [UInt8]? {
        get { parameters["tag"] }
        set { parameters["tag"] = newValue }
    }
}

// MARK: - Contact

extension NameAddress {
    /// Preference in thousandths, 1000 when none is given (RFC 3261 §20.10); nil when malformed.
    package var q: Int? {
        guard let text = parameters["q"] else { return parameters.contains("q") ? nil : 1000 }
        guard let first = text.first, first == 0x30 || first == 0x31, text.count <= 5 else { return nil }
        guard text.count > 1 else { return first == 0x31 ? 1000 : 0 }
        guard text[1] == 0x2e else { return nil }
        var digits = Array(text.dropFirst(2))
        while digits.count < 3 { digits.append(0x30) }
        guard let fraction = ASCII.decimal(digits), first == 0x30 || fraction == 0 else { return nil }
        return first == 0x31 ? 1000 : fraction
    }

    /// Seconds of the `expires` parameter. RFC 3261 §10.3 step 6 lets a malformed value count as 3600, and one beyond
    /// 2^32 - 1 as that (§20.19).
    package var expires: Int? {
        guard let text = parameters["expires"] else { return nil }
        return DeltaSeconds.parse(text[...]) ?? 3600
    }

    /// `+sip.instance` without quotes and angle brackets: `urn:uuid:…` (RFC 5626 §4.1).
    package var instanceID: [UInt8]? {
        guard var value = parameters.unquoted("+sip.instance") else { return nil }
        if value.first == ASCII.lessThan, value.last == ASCII.greaterThan, value.count > 2 {
            value.removeLast()
            value.removeFirst()
        }
        return value.isEmpty ? nil : value
    }

    /// `reg-id` (RFC 5626 §4.2): 1 to 2^31 - 1.
    package var regID: Int? {
        guard let number = parameters.number("reg-id"), number >= 1, number <= Int(Int32.max) else { return nil }
        return number
    }

    /// `pub-gruu` (RFC 5627 §5.2).
    package var publicGRUU: [UInt8]? { parameters.unquoted("pub-gruu") }

    /// `temp-gruu` (RFC 5627 §5.2).
    package var temporaryGRUU: [UInt8]? { parameters.unquoted("temp-gruu") }

    /// The URI has `ob`: requests shall come over the flow of this dialog or registration (RFC 5626 §4.3).
    package var usesOutbound: Bool { uri.parameters.contains("ob") }

    /// Writes `+sip.instance="<urn:…>"`.
    package mutating func setInstanceID(_ urn: [UInt8]) {
        parameters.remove("+sip.instance")
        parameters.append("+sip.instance", quoted: [ASCII.lessThan] + urn + [ASCII.greaterThan])
    }
}

/// Seconds on the wire: 0 to 2^32 - 1 (RFC 3261 §25.1 delta-seconds).
package enum DeltaSeconds {
    /// - Returns: nil when the text is no number; larger numbers count as 2^32 - 1 (RFC 3261 §20.19).
    package static func parse(_ text: ArraySlice<UInt8>) -> Int? {
        guard !text.isEmpty, text.allSatisfy(ASCII.isDigit) else { return nil }
        return min(ASCII.decimal(text) ?? .max, Int(exactly: UInt32.max) ?? .max)
    }
}
