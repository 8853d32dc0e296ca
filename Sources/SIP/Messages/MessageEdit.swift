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
        // Room for the lines a proxy adds, so that adding them moves nothing.
        lines = []
        lines.reserveCapacity(message.lines.count + 6)
        lines += message.lines
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
        let line = HeaderLine(beginning: name, in: &scratch)
        value.serialize(into: &scratch)
        insert(line, name)
    }

    package mutating func insert(_ name: HeaderName, _ value: ArraySlice<UInt8>) {
        insert(write(name, value), name)
    }

    package mutating func insert(_ name: HeaderName, _ value: [UInt8]) { insert(name, value[...]) }

    /// Adds a line after the last.
    package mutating func append(_ name: HeaderName, _ value: some HeaderValue) {
        let line = HeaderLine(beginning: name, in: &scratch)
        value.serialize(into: &scratch)
        lines.append(finished(line))
    }

    package mutating func append(_ name: HeaderName, _ value: ArraySlice<UInt8>) {
        lines.append(finished(write(name, value)))
    }

    package mutating func append(_ name: HeaderName, _ value: [UInt8]) { append(name, value[...]) }

    private mutating func insert(_ line: HeaderLine, _ name: HeaderName) {
        lines.insert(finished(line), at: firstIndex(of: name) ?? 0)
    }

    // MARK: Replacing

    /// Replaces all lines of that name by one in the first one's place, or adds it after the last line.
    package mutating func set(_ name: HeaderName, _ value: some HeaderValue) {
        let line = HeaderLine(beginning: name, in: &scratch)
        value.serialize(into: &scratch)
        set(line)
    }

    package mutating func set(_ name: HeaderName, _ value: ArraySlice<UInt8>) { set(write(name, value)) }

    package mutating func set(_ name: HeaderName, _ value: [UInt8]) { set(name, value[...]) }

    @inline(never)
    package mutating func set(_ name: HeaderName, number: Int) {
        let line = HeaderLine(beginning: name, in: &scratch)
        scratch.appendDecimal(max(0, number))
        set(line)
    }

    @inline(never)
    private mutating func set(_ begun: HeaderLine) {
        let line = finished(begun)
        guard let first = firstIndex(of: line.code) else { return lines.append(line) }
        lines[first] = line
        var index = lines.count - 1
        while index > first {
            if lines[index].code == line.code { lines.remove(at: index) }
            index -= 1
        }
    }

    /// Replaces the first value of a list header, and leaves those after it.
    package mutating func replaceFirst(_ name: HeaderName, with value: some HeaderValue) {
        let line = HeaderLine(beginning: name, in: &scratch)
        value.serialize(into: &scratch)
        replaceFirst(line)
    }

    private mutating func replaceFirst(_ begun: HeaderLine) {
        guard let index = firstIndex(of: begun.code) else { return insert(begun, begun.code) }
        let rest = valuesAfterFirst(lines[index])
        lines[index] = finished(begun)
        if !rest.isEmpty { lines.insert(finished(write(begun.code, rest)), at: index + 1) }
    }

    // MARK: Removing

    /// Removes all lines of that name.
    package mutating func remove(_ name: HeaderName) { lines.removeAll { $0.code == name } }

    /// Removes the first value of a list header: the top Via or Route.
    package mutating func removeFirst(_ name: HeaderName) {
        guard let index = firstIndex(of: name) else { return }
        let rest = valuesAfterFirst(lines[index])
        if rest.isEmpty { lines.remove(at: index) } else { lines[index] = finished(write(name, rest)) }
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
        var line = original.startLine
        guard let requestURI, original.isRequest else {
            out.append(copying: original.bytes, 0..<end)
            return line
        }
        let uri = line.text
        out.append(copying: original.bytes, 0..<uri.lowerBound)
        out += requestURI
        out.append(copying: original.bytes, uri.upperBound..<end)
        line.end = line.start + UInt32(truncatingIfNeeded: requestURI.count)
        return line
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
            out.append(copying: first.isNew ? scratch : original.bytes, run)
            while index < end {
                lines[index].move(by: shift)
                index += 1
            }
        }
    }

    // MARK: Helpers

    /// Begins a line and appends its value.
    @inline(never)
    private mutating func write(_ name: HeaderName, _ value: ArraySlice<UInt8>) -> HeaderLine {
        let line = HeaderLine(beginning: name, in: &scratch)
        scratch += value
        return line
    }

    private mutating func finished(_ begun: HeaderLine) -> HeaderLine {
        var line = begun
        line.finish(in: &scratch)
        line.isNew = true
        return line
    }

    private func firstIndex(of name: HeaderName) -> Int? {
        for index in lines.indices where lines[index].code == name { return index }
        return nil
    }

    private func valuesAfterFirst(_ line: HeaderLine) -> ArraySlice<UInt8> {
        let text = line.isNew ? scratch[line.value] : original.text(of: line)
        let end = Grammar.endOfListElement(text)
        return end < text.endIndex ? Grammar.trimmed(text[(end + 1)...]) : []
    }
}

extension HeaderLine {
    /// Moves every place; wraps, since a move to the front is a large unsigned number.
    mutating func move(by shift: UInt32) {
        isNew = false
        start &+= shift
        valueStart &+= shift
        valueEnd &+= shift
        end &+= shift
    }
}
