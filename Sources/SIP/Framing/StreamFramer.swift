import Base

/// Cuts a TCP or TLS stream into SIP messages (RFC 3261 §18.3) and keep-alives (RFC 5626 §3.5.1).
///
/// Give it bytes as they come, then take `next()` until nil. After an error the stream has no known place to go on from:
/// answer `rejected` where that is possible, and close the connection.
package struct StreamFramer: Sendable {
    package enum Element: Equatable, Sendable {
        case message(SIPMessage)
        /// A double CRLF: answer with a single one.
        case ping
        /// A single CRLF between messages, the answer to our ping.
        case pong
    }

    private enum State: Sendable {
        /// Between messages.
        case idle
        /// In the headers; `scanned` bytes hold no end of them.
        case headers(scanned: Int)
        /// The body's end is known: so many bytes from `start`.
        case body(length: Int)
        case failed(SIPParseError)
    }

    private let limits: SIPLimits
    private var state = State.idle
    private var buffer: [UInt8] = []
    /// The first byte not given out.
    private var start = 0
    /// The last thing given out was a CRLF alone.
    private var followsLineEnd = false
    /// After an error: the message that is none, as far as it came; for `SIPMessage.refusal(of:because:)`.
    package private(set) var rejected: [UInt8] = []

    package init(limits: SIPLimits = .standard) { self.limits = limits }

    /// Bytes held back until their message is complete: at most one message and what came with its end.
    package var bufferedBytes: Int { buffer.count - start }

    /// The connection is in the middle of a message: whoever owns it may set a time limit.
    package var isInsideMessage: Bool { if case .idle = state { bufferedBytes > 0 } else { true } }

    package mutating func receive(_ bytes: some Collection<UInt8>) {
        if case .failed = state { return }
        if start > 0, start == buffer.count || start >= limits.maximumMessage {
            buffer.removeSubrange(..<start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next message or keep-alive, or nil until more bytes have come.
    package mutating func next() throws(SIPParseError) -> Element? {
        while true {
            switch state {
            case .failed(let error):
                throw error
            case .idle:
                guard let first = byte(0) else { return nil }
                guard first == ASCII.carriageReturn else {
                    state = .headers(scanned: 0)
                    continue
                }
                return try keepAlive()
            case .headers(let scanned):
                guard try findHeaders(scanned: scanned) else { return nil }
            case .body(let length):
                guard bufferedBytes >= length else { return nil }
                return .message(try cut(length))
            }
        }
    }

    /// A CRLF with another behind it is a ping, one alone a pong. Two that come apart count as a pong and a ping: an
    /// answer too many does no harm, one too few ends a connection.
    private mutating func keepAlive() throws(SIPParseError) -> Element? {
        guard let second = byte(1) else { return nil }
        guard second == ASCII.lineFeed else { throw fail(.notSIP) }
        start += 2
        if followsLineEnd {
            followsLineEnd = false
            return .ping
        }
        guard byte(0) == ASCII.carriageReturn, byte(1) == ASCII.lineFeed else {
            followsLineEnd = true
            return .pong
        }
        start += 2
        return .ping
    }

    /// - Returns: false until the empty line after the headers has come.
    private mutating func findHeaders(scanned: Int) throws(SIPParseError) -> Bool {
        let found = endOfHeaders(from: scanned)
        guard let end = found else {
            guard bufferedBytes <= limits.maximumHeaderBytes else { throw fail(.headersTooLong) }
            if bufferedBytes >= Self.decidingBytes, !looksLikeSIP { throw fail(.notSIP) }
            state = .headers(scanned: max(0, bufferedBytes - 3))
            return false
        }
        guard end <= limits.maximumHeaderBytes else { throw fail(.headersTooLong) }
        let length: Int?
        do throws(SIPParseError) {
            let head = buffer[start..<(start + end)]
            length = try head.withUnsafeBufferPointer { (bytes) throws(SIPParseError) in
                try MessageReader.contentLength(bytes, limits: limits)
            }
        } catch { throw fail(error) }
        // §18.3: streams MUST use Content-Length. A request without one, and so without a body, is borne.
        let (total, overflow) = end.addingReportingOverflow(length ?? 0)
        guard !overflow, total <= limits.maximumMessage else { throw fail(.messageTooLong) }
        state = .body(length: total)
        return true
    }

    private mutating func cut(_ length: Int) throws(SIPParseError) -> SIPMessage {
        let bytes = Array(buffer[start..<(start + length)])
        start += length
        (state, followsLineEnd) = (.idle, false)
        do throws(SIPParseError) {
            return try SIPMessage(parsing: bytes, limits: limits)
        } catch {
            rejected = bytes
            throw fail(error)
        }
    }

    private mutating func fail(_ error: SIPParseError) -> SIPParseError {
        state = .failed(error)
        if rejected.isEmpty, error.isAnswerable { rejected = Array(buffer[start...].prefix(limits.maximumHeaderBytes)) }
        (buffer, start) = ([], 0)
        return error
    }

    // MARK: Looking ahead

    private func byte(_ offset: Int) -> UInt8? {
        start + offset < buffer.count ? buffer[start + offset] : nil
    }

    /// Past the first CRLF CRLF, counted from `start`.
    private func endOfHeaders(from scanned: Int) -> Int? {
        let held = buffer[start...]
        return held.withUnsafeBufferPointer { pointer in
            let bytes = CheckedBytes(pointer)
            var index = bytes.nextControl(from: scanned)
            while index + 3 < bytes.count {
                if bytes[index] == ASCII.carriageReturn, bytes[index + 1] == ASCII.lineFeed,
                    bytes[index + 2] == ASCII.carriageReturn, bytes[index + 3] == ASCII.lineFeed
                {
                    return index + 4
                }
                index = bytes.nextControl(from: index + 1)
            }
            return nil
        }
    }

    /// A longer first word is no method: methods have at most 9 letters, `SIP/2.0` has 7.
    private static let decidingBytes = 64

    /// Whether the stream begins with a token and a space, or a version: a TLS hello or HTTP/2 preface does not wait
    /// for the header limit to be refused.
    private var looksLikeSIP: Bool {
        var index = start
        while index < buffer.count, Grammar.isToken(buffer[index]) || buffer[index] == 0x2f { index += 1 }
        return index > start && index < buffer.count && buffer[index] == ASCII.space
    }
}
