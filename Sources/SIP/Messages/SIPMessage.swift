import Base

/// A SIP request or response: one buffer of bytes and an index of its header lines (RFC 3261 §7).
///
/// Making one is a single pass that finds the lines, knows their names and finds the body. Values are parsed when
/// somebody asks for them; `validate()` checks those every element relies on. It is one reference, so that handing it on
/// costs no more than a pointer.
package struct SIPMessage: Sendable {
    private final class Storage: Sendable {
        let bytes: [UInt8]
        let lines: [HeaderLine]
        let startLine: StartLine
        let headersEnd: Int
        let names: HeaderNames

        init(_ bytes: [UInt8], _ startLine: StartLine, _ lines: [HeaderLine], _ headersEnd: Int) {
            (self.bytes, self.startLine, self.lines, self.headersEnd) = (bytes, startLine, lines, headersEnd)
            names = HeaderNames(of: lines)
        }
    }

    private let storage: Storage

    /// The whole message and nothing after it.
    package var bytes: [UInt8] { storage.bytes }
    var startLine: StartLine { storage.startLine }
    var lines: [HeaderLine] { storage.lines }
    /// Where the empty line before the body begins.
    var headersEnd: Int { storage.headersEnd }
    var names: HeaderNames { storage.names }

    init(bytes: consuming [UInt8], startLine: StartLine, lines: consuming [HeaderLine], headersEnd: Int) {
        storage = Storage(bytes, startLine, lines, headersEnd)
    }

    /// Reads one whole message: a datagram, a WebSocket frame, or what `StreamFramer` cut out of a stream.
    ///
    /// Line ends before the start line are ignored (§7.5), as are bytes after the body that Content-Length names (§18.3).
    ///
    /// - Throws: what is wrong with start line, line structure, Content-Length or size.
    package init(parsing bytes: [UInt8], limits: SIPLimits = .standard) throws(SIPParseError) {
        let layout = try bytes.withUnsafeBufferPointer { (buffer) throws(SIPParseError) in
            try MessageReader.read(buffer, limits: limits)
        }
        guard layout.skipped == 0 else {
            self = try SIPMessage(parsing: Array(bytes[layout.skipped...]), limits: limits)
            return
        }
        self.init(
            bytes: layout.end == bytes.count ? bytes : Array(bytes[..<layout.end]), startLine: layout.startLine,
            lines: layout.lines, headersEnd: layout.headersEnd)
    }
}

/// The first line of a message, as places in its bytes.
struct StartLine: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case request(SIPMethod.Code)
        case response(status: UInt16)
    }

    var kind: Kind
    /// Of a request its URI, of a response its reason phrase.
    var start: UInt32
    var end: UInt32

    @inline(__always) var text: Range<Int> { Int(start)..<Int(end) }

    static func request(_ method: SIPMethod.Code, uri: Range<Int>) -> StartLine {
        StartLine(.request(method), uri)
    }

    static func response(status: Int, reason: Range<Int>) -> StartLine {
        StartLine(.response(status: UInt16(truncatingIfNeeded: status)), reason)
    }

    private init(_ kind: Kind, _ text: Range<Int>) {
        self.kind = kind
        start = UInt32(truncatingIfNeeded: text.lowerBound)
        end = UInt32(truncatingIfNeeded: text.upperBound)
    }
}

/// One header field's place in its message's bytes.
struct HeaderLine: Sendable, Equatable {
    var code: HeaderName
    /// The value goes on over further lines (§7.3.1).
    var isFolded: Bool
    /// Of a line made by `MessageEdit`, until it is copied: its places count in the edit's own buffer.
    var isNew = false
    /// The name's first byte.
    var start: UInt32
    var nameLength: UInt32
    /// The value without white space at either end.
    var valueStart: UInt32
    var valueEnd: UInt32
    /// Past the line end.
    var end: UInt32

    @inline(__always) var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    @inline(__always) var name: Range<Int> { Int(start)..<Int(start &+ nameLength) }
    @inline(__always) var whole: Range<Int> { Int(start)..<Int(end) }
}

extension SIPMessage: Equatable {
    package static func == (left: SIPMessage, right: SIPMessage) -> Bool { left.bytes == right.bytes }
}

// MARK: - Start line and body

extension SIPMessage {
    package var isRequest: Bool { if case .request = startLine.kind { true } else { false } }

    /// The request's method; of a response nil (its CSeq names the method).
    package var method: SIPMethod? {
        guard case .request(let code) = startLine.kind else { return nil }
        guard code == .other else { return SIPMethod(code) }
        return .other(Array(bytes.prefix { $0 != ASCII.space }))
    }

    /// The request's method, or the one a response's CSeq names.
    package var cseqMethod: SIPMethod? {
        if let method { return method }
        do throws(SIPParseError) { return try cseq().method } catch { return nil }
    }

    /// The bytes of the Request-URI; empty of a response.
    package var requestURIText: ArraySlice<UInt8> { isRequest ? bytes[startLine.text] : [] }

    /// The Request-URI.
    package var requestURI: SIPURI {
        get throws(SIPParseError) { try SIPURI(parsing: requestURIText) }
    }

    /// 100 to 699, or nil of a request.
    package var status: Int? { if case .response(let status) = startLine.kind { Int(status) } else { nil } }

    /// The words after the status.
    package var reason: ArraySlice<UInt8> { isRequest ? [] : bytes[startLine.text] }

    package var body: ArraySlice<UInt8> { bytes[min(headersEnd + 2, bytes.count)...] }

    package var hasBody: Bool { headersEnd + 2 < bytes.count }

    /// `type/subtype` of the body in lower case, without parameters; nil when there is no valid Content-Type.
    package var contentType: [UInt8]? {
        do throws(SIPParseError) { return try mediaType()?.essence } catch { return nil }
    }
}

// MARK: - Raw headers

extension SIPMessage {
    /// The first header of that name, as a raw value, unfolded if it was folded.
    package func value(of name: HeaderName) -> ArraySlice<UInt8>? {
        guard contains(name) else { return nil }
        for line in lines where line.code == name { return text(of: line) }
        return nil
    }

    /// Where the value of the first header of that name stands in `bytes`; nil when there is none, or a folded one.
    package func place(of name: HeaderName) -> Range<Int>? {
        for line in lines where line.code == name { return line.isFolded ? nil : line.value }
        return nil
    }

    /// All values of that name in order. Comma lists are split where the header allows them; empty elements are left
    /// out of lists (RFC 3261 §7.3.1 has none, some phones write them).
    package func values(of name: HeaderName) -> [ArraySlice<UInt8>] {
        var out: [ArraySlice<UInt8>] = []
        guard contains(name) else { return out }
        let isList = name.isList
        for line in lines where line.code == name {
            let value = text(of: line)
            if isList { Grammar.splitList(value, into: &out) } else { out.append(value) }
        }
        return out
    }

    /// The values of all lines whose name, which may be unknown to this program, is `name` without regard to case.
    package func values(named name: some Collection<UInt8>) -> [ArraySlice<UInt8>] {
        var out: [ArraySlice<UInt8>] = []
        for line in lines where ASCII.equalIgnoringCase(bytes[line.name], name) { out.append(text(of: line)) }
        return out
    }

    package func contains(_ name: HeaderName) -> Bool { names.present.contains(name) }

    /// Whether exactly one header line has that name.
    package func hasOne(_ name: HeaderName) -> Bool {
        names.present.contains(name) && !names.repeated.contains(name)
    }

    /// Whether one of the headers that may stand once stands again.
    package var hasForbiddenRepetition: Bool {
        names.repeated.contains(anyOf: HeaderSet(.callID, .contentType, .cseq, .expires, .from, .to))
    }

    /// Whether a list header has more than one value, in one line or in several.
    package func hasSeveral(_ name: HeaderName) -> Bool {
        var found = false
        for line in lines where line.code == name {
            if found { return true }
            found = true
            let text = text(of: line)
            if Grammar.endOfListElement(text) < text.endIndex { return true }
        }
        return false
    }

    /// Every header line in order, with the name as written.
    package var headers: [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] {
        lines.map { (bytes[$0.name], text(of: $0)) }
    }

    @inline(__always)
    func text(of line: HeaderLine) -> ArraySlice<UInt8> {
        let value = bytes[line.value]
        return line.isFolded ? Grammar.unfolded(value) : value
    }
}
