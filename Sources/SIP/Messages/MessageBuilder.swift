import Base

/// Builds a new message line by line; the lines stand in the order they are added.
///
/// What is added cannot break out of its line: line ends and other control characters become spaces.
///
/// Not copied, since a message is finished once; copies would be made and destroyed wherever one is.
package struct MessageBuilder: ~Copyable, Sendable {
    private var bytes: [UInt8] = []
    private var startLine: StartLine
    private var lines: [HeaderLine] = []
    /// Whether the index of lines is kept, which `finish` needs and `finishBytes` does not.
    private let isIndexed: Bool

    private init(startLine: StartLine, isIndexed: Bool = true) {
        (self.startLine, self.isIndexed) = (startLine, isIndexed)
        bytes.reserveCapacity(768)
        if isIndexed { lines.reserveCapacity(16) }
    }

    /// A request with nothing but its first line.
    package static func request(_ method: SIPMethod, _ uri: SIPURI) -> MessageBuilder {
        var out = MessageBuilder(startLine: .request(method.code, uri: 0..<0))
        method.serialize(into: &out.bytes)
        out.bytes.append(ASCII.space)
        let start = out.bytes.count
        uri.asRequestURI.serialize(into: &out.bytes)
        out.sanitise(from: start)
        out.startLine = .request(method.code, uri: start..<out.bytes.count)
        out.bytes.append(" SIP/2.0\r\n")
        return out
    }

    /// A response with nothing but its first line.
    ///
    /// - Parameters:
    ///   - reason: words of our own instead of the RFC's.
    ///   - isIndexed: false when only the bytes are asked for at the end.
    package static func response(
        _ status: Int, _ reason: [UInt8]? = nil, isIndexed: Bool = true
    ) -> MessageBuilder {
        let status = min(max(status, 100), 699)
        var out = MessageBuilder(startLine: .response(status: status, reason: 0..<0), isIndexed: isIndexed)
        out.bytes.append("SIP/2.0 ")
        let start = out.bytes.count + 4
        if let reason {
            out.bytes.appendDecimal(status)
            out.bytes.append(ASCII.space)
            out.bytes += reason
            out.sanitise(from: start)
        } else {
            ReasonPhrase.append(status, to: &out.bytes)
        }
        out.startLine = .response(status: status, reason: start..<out.bytes.count)
        out.bytes.append("\r\n")
        return out
    }

    /// A response to a request: Via, From, To, Call-ID and CSeq as RFC 3261 §8.2.6.2 says.
    ///
    /// - Parameter tag: the To tag, added when the request has none and the status is not 100; nil adds none.
    package static func response(
        _ status: Int, _ reason: [UInt8]? = nil, to request: SIPMessage, tag: [UInt8]? = nil
    ) -> MessageBuilder {
        var out = response(status, reason)
        for line in request.lines { out.answer(line, of: request, status, tag) }
        return out
    }

    /// The same, and where the request came from is written into its top Via (§18.2.1, RFC 3581 §4), as who receives it
    /// must.
    package static func response(
        _ status: Int, _ reason: [UInt8]? = nil, to request: SIPMessage, tag: [UInt8]? = nil, source: TransportAddress
    ) -> MessageBuilder {
        var out = response(status, reason)
        var isTop = true
        for line in request.lines {
            if isTop, line.code == .via {
                out.addTopVia(request.text(of: line), source)
                isTop = false
            } else {
                out.answer(line, of: request, status, tag)
            }
        }
        return out
    }

    /// What a response has of one line of its request.
    private mutating func answer(_ line: HeaderLine, of request: SIPMessage, _ status: Int, _ tag: [UInt8]?) {
        switch line.code {
        case .via, .from, .callID, .cseq: copy(line, of: request)
        case .timestamp where status == 100: copy(line, of: request)
        case .to: addTo(request.text(of: line), tag: status == 100 ? nil : tag)
        default: break
        }
    }

    private mutating func addTopVia(_ text: ArraySlice<UInt8>, _ source: TransportAddress) {
        let end = Grammar.endOfListElement(text)
        do throws(SIPParseError) {
            var via = try Via(parsing: text[..<end])
            via.note(source: source)
            add(.via, via)
            if end < text.endIndex { add(.via, Grammar.trimmed(text[(end + 1)...])) }
        } catch { add(.via, text) }
    }

    private mutating func addTo(_ text: ArraySlice<UInt8>, tag: [UInt8]?) {
        let line = HeaderLine(beginning: .to, in: &bytes)
        bytes += text
        if let tag, let parameters = NameAddress.trailingParameters(of: text), !parameters.contains("tag") {
            bytes.append(";tag=")
            bytes += tag
        }
        end(line)
    }

    // MARK: Adding

    @inline(never)
    package mutating func add(_ name: HeaderName, _ value: ArraySlice<UInt8>) {
        let line = HeaderLine(beginning: name, in: &bytes)
        bytes += value
        end(line)
    }

    package mutating func add(_ name: HeaderName, _ value: [UInt8]) { add(name, value[...]) }

    package mutating func add(_ name: HeaderName, _ value: some HeaderValue) {
        let line = HeaderLine(beginning: name, in: &bytes)
        value.serialize(into: &bytes)
        end(line)
    }

    @inline(never)
    package mutating func add(_ name: HeaderName, _ literal: StaticString) {
        let line = HeaderLine(beginning: name, in: &bytes)
        bytes.append(literal)
        end(line)
    }

    @inline(never)
    package mutating func add(_ name: HeaderName, number: Int) {
        let line = HeaderLine(beginning: name, in: &bytes)
        bytes.appendDecimal(max(0, number))
        end(line)
    }

    /// One line with the values joined by commas; nothing when there are none.
    package mutating func add(_ name: HeaderName, list values: [[UInt8]]) {
        guard !values.isEmpty else { return }
        let line = HeaderLine(beginning: name, in: &bytes)
        for (position, value) in values.enumerated() {
            if position > 0 { bytes.append(", ") }
            bytes += value
        }
        end(line)
    }

    /// Every line of that name of another message, in order.
    package mutating func copy(_ name: HeaderName, from message: SIPMessage) {
        guard message.contains(name) else { return }
        for line in message.lines where line.code == name { copy(line, of: message) }
    }

    /// All values of a list header but the first: the Vias below the top one.
    package mutating func copyRest(of name: HeaderName, from message: SIPMessage) {
        var isFirst = true
        for line in message.lines where line.code == name {
            guard isFirst else {
                copy(line, of: message)
                continue
            }
            isFirst = false
            let text = message.text(of: line)
            let end = Grammar.endOfListElement(text)
            if end < text.endIndex { add(name, Grammar.trimmed(text[(end + 1)...])) }
        }
    }

    /// What stands in a message's header can break out of its line no more than there: the line is copied as it is.
    @inline(never)
    private mutating func copy(_ line: HeaderLine, of message: SIPMessage) {
        guard !line.isFolded else { return add(line.code, message.text(of: line)) }
        if isIndexed {
            var copy = line
            copy.move(by: UInt32(truncatingIfNeeded: bytes.count) &- line.start)
            lines.append(copy)
        }
        bytes.append(copying: message.bytes, line.whole)
    }

    @inline(never)
    private mutating func end(_ line: HeaderLine) {
        var line = line
        line.finish(in: &bytes)
        if isIndexed { lines.append(line) }
    }

    private mutating func sanitise(from start: Int) { HeaderLine.sanitise(&bytes, from: start) }

    // MARK: Finishing

    /// Adds Content-Type when one is given, Content-Length, and the body.
    package consuming func finish(contentType: [UInt8]? = nil, body: [UInt8] = []) -> SIPMessage {
        precondition(isIndexed, "a message without an index")
        if let contentType { add(.contentType, contentType) }
        add(.contentLength, number: body.count)
        let end = bytes.count
        bytes.append("\r\n")
        if !body.isEmpty { bytes += body }
        return SIPMessage(bytes: bytes, startLine: startLine, lines: lines, headersEnd: end)
    }

    /// The bytes of a message without a body, for whoever only sends it.
    package consuming func finishBytes() -> [UInt8] {
        bytes.append("Content-Length: 0\r\n\r\n")
        return bytes
    }
}

extension HeaderLine {
    /// Appends the name and what stands before the value, which the caller then appends.
    @inline(never)
    init(beginning name: HeaderName, in bytes: inout [UInt8]) {
        precondition(name != .unknown, "a header without a name")
        let start = bytes.count
        bytes.append(name.beginning)
        code = name
        isFolded = false
        self.start = UInt32(truncatingIfNeeded: start)
        nameLength = UInt32(truncatingIfNeeded: bytes.count - start - 2)
        valueStart = UInt32(truncatingIfNeeded: bytes.count)
        (valueEnd, end) = (valueStart, valueStart)
    }

    /// Ends a line whose value has been appended: without control characters and white space at its end.
    @inline(never)
    mutating func finish(in bytes: inout [UInt8]) {
        let first = Int(valueStart)
        Self.sanitise(&bytes, from: first)
        while bytes.count > first, bytes.last == ASCII.space || bytes.last == ASCII.tab { bytes.removeLast() }
        close(in: &bytes)
    }

    /// Ends a line whose value is known to be clean.
    @inline(never)
    mutating func close(in bytes: inout [UInt8]) {
        valueEnd = UInt32(truncatingIfNeeded: bytes.count)
        bytes.append(ASCII.carriageReturn)
        bytes.append(ASCII.lineFeed)
        end = UInt32(truncatingIfNeeded: bytes.count)
    }

    /// Makes spaces of control characters that would end or spoil a line; escaped ones may stay (RFC 3261 §25.1).
    static func sanitise(_ bytes: inout [UInt8], from start: Int) {
        var index = nextControl(bytes, from: start)
        while index < bytes.count {
            let byte = bytes[index]
            let isLineEnd = byte == ASCII.carriageReturn || byte == ASCII.lineFeed
            if isLineEnd || byte != ASCII.tab && (index == start || bytes[index - 1] != ASCII.backslash) {
                bytes[index] = ASCII.space
            }
            index = nextControl(bytes, from: index + 1)
        }
    }

    private static func nextControl(_ bytes: [UInt8], from start: Int) -> Int {
        bytes.withUnsafeBufferPointer { CheckedBytes($0).nextControl(from: start) }
    }
}
