import Base

/// What every element checks before it acts on a message (RFC 3261 §8.1.1, §16.3 step 1).
extension SIPMessage {
    /// Checks the headers a transaction and a proxy rely on: To, From, Call-ID, CSeq, Via and Max-Forwards are there
    /// once (Via at least once) and well-formed, the method is CSeq's, and a request of RFC 3261 has a URI.
    ///
    /// Other headers are left to whoever uses them: a proxy forwards what it does not understand.
    package func validate() throws(SIPParseError) {
        let sequence = try cseq()
        if let method {
            guard sequence.method == method else { throw .methodMismatch }
            // §16.3 step 2: an unknown scheme is the router's to refuse, with 416. §19.1.1 table 1 has no headers here.
            guard try requestURI.headers.isEmpty else { throw .badURI }
        }
        _ = try from()
        _ = try to()
        let id = try required(.callID)
        guard Self.isCallID(id) else { throw .malformed(.callID) }
        _ = try topVia()
        _ = try maxForwards()
        try validateContent()
    }

    /// Content headers and those that may stand once.
    private func validateContent() throws(SIPParseError) {
        _ = try single(.contentType)
        _ = try single(.expires)
        if !body.isEmpty, isRequest, !contains(.contentType) { throw .missing(.contentType) }
    }

    /// `word [ "@" word ]`, and also `@` elsewhere, which several phones write.
    private static func isCallID(_ text: ArraySlice<UInt8>) -> Bool {
        !text.isEmpty && Scanner(text).isOnly(.callID)
    }

    /// The answer to bytes that `init(parsing:)` or `validate()` refused, with those of Via, From, To, Call-ID and CSeq
    /// that can be found. It goes back where the bytes came from.
    ///
    /// - Returns: nil when nothing can or should be answered: an ACK, a response, a request without Via.
    package static func refusal(of bytes: [UInt8], because fault: SIPParseError) -> SIPMessage? {
        guard fault.isAnswerable, let lenient = bytes.withUnsafeBufferPointer(LenientReader.read) else { return nil }
        let message = SIPMessage(
            bytes: bytes, startLine: .response(status: 400, reason: 0..<0), lines: lenient, headersEnd: bytes.count)
        guard message.contains(.via) else { return nil }
        return MessageBuilder.response(fault.status, fault.reason, to: message).finish()
    }
}

/// Finds what header lines it can in a message that is broken somewhere.
private enum LenientReader {
    static func read(_ buffer: UnsafeBufferPointer<UInt8>) -> [HeaderLine]? {
        let bytes = CheckedBytes(buffer)
        let start = bytes.endOfLineEnds()
        guard !bytes.startsIgnoringCase(with: "SIP/", at: start), !bytes.startsIgnoringCase(with: "ACK ", at: start)
        else { return nil }
        var lines: [HeaderLine] = []
        var index = endOfLine(bytes, from: start)
        let end = min(bytes.count, SIPLimits.standard.maximumHeaderBytes)
        while index < end, lines.count < SIPLimits.standard.maximumHeaderCount {
            guard bytes[index] != ASCII.carriageReturn || bytes[index + 1] != ASCII.lineFeed else { break }
            do throws(SIPParseError) {
                let line = try MessageReader.readLine(bytes, from: index)
                lines.append(line)
                index = Int(line.end)
            } catch { index = endOfLine(bytes, from: index) }
        }
        return lines
    }

    /// Past the next CRLF.
    private static func endOfLine(_ bytes: CheckedBytes, from start: Int) -> Int {
        var index = bytes.nextControl(from: start)
        while index < bytes.count {
            if bytes[index] == ASCII.carriageReturn, bytes[index + 1] == ASCII.lineFeed { return index + 2 }
            index = bytes.nextControl(from: index + 1)
        }
        return bytes.count
    }
}
