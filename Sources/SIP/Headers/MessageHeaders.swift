import Base

/// The headers of RFC 3261 that every element reads, parsed when asked. Each throws `.missing`, `.repeated` or
/// `.malformed` with its name; optional ones give nil when absent.
extension SIPMessage {
    /// The one value of a header that may stand once.
    func single(_ name: HeaderName) throws(SIPParseError) -> ArraySlice<UInt8>? {
        guard !names.repeated.contains(name) else { throw .repeated(name) }
        return value(of: name)
    }

    func required(_ name: HeaderName) throws(SIPParseError) -> ArraySlice<UInt8> {
        guard let value = try single(name) else { throw .missing(name) }
        return value
    }

    /// A header of one number.
    func number(_ name: HeaderName) throws(SIPParseError) -> Int? {
        guard let value = try single(name) else { return nil }
        guard let number = ASCII.decimal(value) else { throw .malformed(name) }
        return number
    }

    func list(_ name: HeaderName) throws(SIPParseError) -> [ArraySlice<UInt8>] {
        let values = values(of: name)
        guard values.count <= SIPLimits.standard.maximumListValues else { throw .headersTooLong }
        return values
    }

    // MARK: Route of the message

    /// The newest Via: the hop the message comes from.
    package func topVia() throws(SIPParseError) -> Via {
        guard let text = value(of: .via) else { throw .missing(.via) }
        return try Via(parsing: text[..<Grammar.endOfListElement(text)])
    }

    package func vias() throws(SIPParseError) -> [Via] {
        var out: [Via] = []
        for text in try list(.via) { out.append(try Via(parsing: text)) }
        return out
    }

    /// 0 to 255 (RFC 3261 §20.22); nil when absent, as in messages of RFC 2543.
    package func maxForwards() throws(SIPParseError) -> Int? {
        guard let number = try number(.maxForwards) else { return nil }
        guard number <= 255 else { throw .malformed(.maxForwards) }
        return number
    }

    package func routes() throws(SIPParseError) -> [NameAddress] { try addresses(.route) }
    package func recordRoutes() throws(SIPParseError) -> [NameAddress] { try addresses(.recordRoute) }
    /// RFC 3327.
    package func paths() throws(SIPParseError) -> [NameAddress] { try addresses(.path) }
    /// RFC 3608.
    package func serviceRoutes() throws(SIPParseError) -> [NameAddress] { try addresses(.serviceRoute) }

    /// The first Route, without parsing the rest.
    package func topRoute() throws(SIPParseError) -> NameAddress? {
        guard let text = value(of: .route) else { return nil }
        return try NameAddress(parsing: text[..<Grammar.endOfListElement(text)], header: .route)
    }

    func addresses(_ name: HeaderName) throws(SIPParseError) -> [NameAddress] {
        var out: [NameAddress] = []
        for text in try list(name) { out.append(try NameAddress(parsing: text, header: name)) }
        return out
    }

    func address(_ name: HeaderName) throws(SIPParseError) -> NameAddress? {
        guard let text = try single(name) else { return nil }
        return try NameAddress(parsing: text, header: name)
    }

    // MARK: Who and which dialog

    package func from() throws(SIPParseError) -> NameAddress {
        try NameAddress(parsing: try required(.from), header: .from)
    }

    package func to() throws(SIPParseError) -> NameAddress {
        try NameAddress(parsing: try required(.to), header: .to)
    }

    /// The From tag; nil when absent, or From is not one header with well-formed parameters.
    package var fromTag: [UInt8]? { tag(.from) }

    /// The To tag; nil when absent, or To is not one header with well-formed parameters.
    package var toTag: [UInt8]? { tag(.to) }

    private func tag(_ name: HeaderName) -> [UInt8]? {
        do throws(SIPParseError) {
            return NameAddress.trailingParameters(of: try required(name))?["tag"]
        } catch { return nil }
    }

    /// Compared byte by byte (RFC 3261 §20.8); empty when absent.
    package var callID: ArraySlice<UInt8> { value(of: .callID) ?? [] }

    package func cseq() throws(SIPParseError) -> CSeq { try CSeq(parsing: try required(.cseq)) }

    /// All contacts; none for `Contact: *` (see `isContactWildcard`).
    package func contacts() throws(SIPParseError) -> [NameAddress] {
        let values = try list(.contact)
        if values.contains(where: { $0.elementsEqual([0x2a]) }) {
            guard values.count == 1 else { throw .malformed(.contact) }
            return []
        }
        var out: [NameAddress] = []
        for text in values { out.append(try NameAddress(parsing: text, header: .contact)) }
        return out
    }

    /// `Contact: *`: all bindings are to be removed (RFC 3261 §10.2.2).
    package var isContactWildcard: Bool { value(of: .contact)?.elementsEqual([0x2a]) ?? false }

    // MARK: Options and body

    /// Option tags, in lower case.
    package var supported: TokenSet { tokens(.supported) }
    package var require: TokenSet { tokens(.require) }
    package var proxyRequire: TokenSet { tokens(.proxyRequire) }
    package var unsupported: TokenSet { tokens(.unsupported) }
    package var allowEvents: TokenSet { tokens(.allowEvents) }

    func tokens(_ name: HeaderName) -> TokenSet { TokenSet(values(of: name)) }

    /// The methods of Allow.
    package var allow: [SIPMethod] { values(of: .allow).map { SIPMethod($0) } }

    /// Seconds of Expires, at most 2^32 - 1 (RFC 3261 §20.19).
    package func expires() throws(SIPParseError) -> Int? { try seconds(.expires) }
    /// Seconds of Min-Expires (RFC 3261 §20.23).
    package func minExpires() throws(SIPParseError) -> Int? { try seconds(.minExpires) }
    /// Seconds of Flow-Timer (RFC 5626 §4.4): how often to send keep-alives.
    package func flowTimer() throws(SIPParseError) -> Int? { try seconds(.flowTimer) }

    private func seconds(_ name: HeaderName) throws(SIPParseError) -> Int? {
        guard let text = try single(name) else { return nil }
        guard let seconds = DeltaSeconds.parse(text) else { throw .malformed(name) }
        return seconds
    }

    package func mediaType() throws(SIPParseError) -> MediaType? {
        guard let text = try single(.contentType) else { return nil }
        guard let type = MediaType(parsing: text) else { throw .malformed(.contentType) }
        return type
    }
}

/// Names of a list such as Supported or Require: compared without case.
package struct TokenSet: Equatable, Sendable {
    /// In lower case, in the order they came.
    package private(set) var tokens: [[UInt8]]

    package init(_ tokens: [ArraySlice<UInt8>]) {
        self.tokens = []
        self.tokens.reserveCapacity(tokens.count)
        for token in tokens { self.tokens.append([UInt8](lowercasing: token)) }
    }

    package var isEmpty: Bool { tokens.isEmpty }

    package func contains(_ token: StaticString) -> Bool {
        tokens.contains { ASCII.equalIgnoringCase($0, token) }
    }

    /// The tokens that `known` lacks: what a 420 lists in Unsupported (RFC 3261 §8.2.2.3).
    package func subtracting(_ known: TokenSet) -> [[UInt8]] { tokens.filter { !known.tokens.contains($0) } }
}

/// `type/subtype;parameters` of Content-Type and Accept (RFC 3261 §20.15).
package struct MediaType: HeaderValue, Equatable {
    /// `type/subtype` in lower case; `*` may stand for either in Accept.
    package var essence: [UInt8]
    package var parameters: Parameters

    package init(_ essence: StaticString) { (self.essence, parameters) = ([UInt8](ascii: essence), Parameters()) }

    package init?(parsing text: ArraySlice<UInt8>) {
        var scanner = Scanner(text)
        scanner.skipSpace()
        guard let type = scanner.token(), scanner.takeSeparator(0x2f), let subtype = scanner.token(),
            let parameters = Parameters(scanning: &scanner, rules: .header)
        else { return nil }
        scanner.skipSpace()
        guard scanner.isAtEnd else { return nil }
        essence = [UInt8](lowercasing: type)
        essence.append(0x2f)
        essence += [UInt8](lowercasing: subtype)
        self.parameters = parameters
    }

    package func serialize(into out: inout [UInt8]) {
        out += essence
        parameters.serialize(into: &out)
    }
}
