import Base

/// Changes to a message on its way through: untouched lines are copied as whole runs, changed ones inserted between.
///
/// One allocation makes the new message's bytes, however many lines change.
package struct MessageEdit: Sendable {
    private let original: SIPMessage
    private var lines: [HeaderLine]
    /// Changed and inserted lines, one after the other.
    private var scratch: [UInt8] = []
    private var requestURI: [UInt8]?
    private var body: [UInt8]?

    package init(_ message: SIPMessage) {
        original = message
        lines = message.lines
        scratch.reserveCapacity(256)
    }

    // MARK: Start line and body

    package mutating func setRequestURI(_ uri: SIPURI) { setRequestURI(text: uri.text) }

    /// - Parameter text: a URI as it came from a parsed message.
    package mutating func setRequestURI(text: some Sequence<UInt8>) {
        var bytes = Array(text)
        for index in bytes.indices where bytes[index] <= ASCII.space { bytes[index] = 0x5f }
        requestURI = bytes
    }

    /// Replaces the body, and Content-Length with it; Content-Type when one is given.
    package mutating func setBody(_ bytes: [UInt8], contentType: [UInt8]? = nil) {
        body = bytes
        if let contentType { set(.contentType, contentType) }
        set(.contentLength, number: bytes.count)
    }

    // MARK: Adding

    /// Inserts a line before the first of its name, or before all others when there is none: Via, Route,
    /// Record-Route and Path of a hop.
    package mutating func insert(_ name: HeaderName, _ value: some HeaderValue) {
        insert(write(name) { value.serialize(into: &$0) }, name)
    }

    package mutating func insert(_ name: HeaderName, _ value: some Sequence<UInt8>) {
        insert(write(name) { $0.append(contentsOf: value) }, name)
    }

    /// Adds a line after the last.
    package mutating func append(_ name: HeaderName, _ value: some HeaderValue) {
        lines.append(write(name) { value.serialize(into: &$0) })
    }

    package mutating func append(_ name: HeaderName, _ value: some Sequence<UInt8>) {
        lines.append(write(name) { $0.append(contentsOf: value) })
    }

    private mutating func insert(_ line: HeaderLine, _ name: HeaderName) {
        lines.insert(line, at: firstIndex(of: name) ?? 0)
    }

    // MARK: Replacing

    /// Replaces all lines of that name by one in the first one's place, or adds it after the last line.
    package mutating func set(_ name: HeaderName, _ value: some HeaderValue) {
        set(write(name) { value.serialize(into: &$0) }, name)
    }

    package mutating func set(_ name: HeaderName, _ value: some Sequence<UInt8>) {
        set(write(name) { $0.append(contentsOf: value) }, name)
    }

    package mutating func set(_ name: HeaderName, number: Int) {
        set(write(name) { $0.appendDecimal(max(0, number)) }, name)
    }

    private mutating func set(_ line: HeaderLine, _ name: HeaderName) {
        guard let first = firstIndex(of: name) else { return lines.append(line) }
        lines[first] = line
        var index = lines.count - 1
        while index > first {
            // The code first: asking `self` costs more than all the rest.
            if lines[index].code == name.code, matches(lines[index], name) { lines.remove(at: index) }
            index -= 1
        }
    }

    /// Replaces the first value of a list header, and leaves those after it.
    package mutating func replaceFirst(_ name: HeaderName, with value: some HeaderValue) {
        guard let index = firstIndex(of: name) else { return insert(name, value) }
        let rest = valuesAfterFirst(lines[index])
        lines[index] = write(name) { value.serialize(into: &$0) }
        if !rest.isEmpty { lines.insert(write(name) { $0 += rest }, at: index + 1) }
    }

    // MARK: Removing

    /// Removes all lines of that name.
    package mutating func remove(_ name: HeaderName) {
        let (message, scratch) = (original, scratch)
        lines.removeAll { Self.matches($0, name, message, scratch) }
    }

    /// Removes the first value of a list header: the top Via or Route.
    package mutating func removeFirst(_ name: HeaderName) {
        guard let index = firstIndex(of: name) else { return }
        let rest = valuesAfterFirst(lines[index])
        if rest.isEmpty { lines.remove(at: index) } else { lines[index] = write(name) { $0 += rest } }
    }

    // MARK: Result

    /// The changed message.
    package consuming func finish() -> SIPMessage {
        let oldBody = original.body
        var out: [UInt8] = []
        var size = original.bytes.count - oldBody.count + scratch.count + (requestURI?.count ?? 0) + (body?.count ?? 0)
        if body == nil { size += oldBody.count }
        out.reserveCapacity(size)
        let startLine = writeStartLine(into: &out)
        writeLines(into: &out)
        let end = out.count
        out.append("\r\n")
        if let body { out += body } else { out += oldBody }
        return SIPMessage(bytes: out, startLine: startLine, lines: lines, headersEnd: end)
    }

    private func writeStartLine(into out: inout [UInt8]) -> StartLine {
        let end = original.lines.first.map { Int($0.start) } ?? original.headersEnd
        guard let requestURI, case .request(let method, let uri) = original.startLine else {
            out += original.bytes[..<end]
            return original.startLine
        }
        out += original.bytes[..<uri.lowerBound]
        out += requestURI
        out += original.bytes[uri.upperBound..<end]
        return .request(method, uri: uri.lowerBound..<(uri.lowerBound + requestURI.count))
    }

    /// Copies the lines, those that stand together as one run, and moves the index to where they are now.
    private mutating func writeLines(into out: inout [UInt8]) {
        var index = 0
        while index < lines.count {
            let first = lines[index]
            var end = index + 1
            while end < lines.count, lines[end].isNew == first.isNew, lines[end].start == lines[end - 1].end {
                end += 1
            }
            let run = Int(first.start)..<Int(lines[end - 1].end)
            let shift = UInt32(truncatingIfNeeded: out.count) &- first.start
            if first.isNew { out += scratch[run] } else { out += original.bytes[run] }
            while index < end {
                lines[index].move(by: shift)
                index += 1
            }
        }
    }

    // MARK: Helpers

    private mutating func write(_ name: HeaderName, _ write: (inout [UInt8]) -> Void) -> HeaderLine {
        var line = HeaderLine.write(name, into: &scratch, writing: write)
        line.isNew = true
        return line
    }

    private func firstIndex(of name: HeaderName) -> Int? {
        let code = name.code
        for index in lines.indices where lines[index].code == code {
            if code != .other || matches(lines[index], name) { return index }
        }
        return nil
    }

    private func matches(_ line: HeaderLine, _ name: HeaderName) -> Bool {
        Self.matches(line, name, original, scratch)
    }

    private static func matches(
        _ line: HeaderLine, _ name: HeaderName, _ message: SIPMessage, _ scratch: [UInt8]
    ) -> Bool {
        guard line.code == name.code else { return false }
        guard name.code == .other else { return true }
        return ASCII.equalIgnoringCase(line.isNew ? scratch[line.name] : message.bytes[line.name], name.text)
    }

    private func valuesAfterFirst(_ line: HeaderLine) -> ArraySlice<UInt8> {
        let text = line.isNew ? scratch[line.value] : original.text(of: line)
        let end = Grammar.endOfListElement(text)
        return end < text.endIndex ? Grammar.trimmed(text[(end + 1)...]) : []
    }
}

extension HeaderLine {
    /// Moves every place; wraps, since a move to the front is a large unsigned number.
    fileprivate mutating func move(by shift: UInt32) {
        isNew = false
        start &+= shift
        valueStart &+= shift
        valueEnd &+= shift
        end &+= shift
    }
}
