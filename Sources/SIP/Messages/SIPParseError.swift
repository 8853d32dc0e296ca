import Base

/// Why bytes are no SIP message, or a header of one is not what its grammar asks.
package enum SIPParseError: Error, Equatable, Sendable {
    /// Nothing that resembles SIP: no answer is possible, nor deserved.
    case notSIP
    /// The start line has a SIP version other than 2.0.
    case unsupportedVersion
    /// The start line breaks RFC 3261 §7.1 or §7.2.
    case badStartLine
    /// A line is no header field, or a control character or bare line end stands in one; `offset` is its first byte.
    case badHeaderLine(offset: Int)
    /// The headers are not ended by an empty line.
    case unfinishedHeaders
    /// A limit of `SIPLimits` on the whole message.
    case messageTooLong
    /// A limit of `SIPLimits` on the headers' number or length, or on the values in one of them.
    case headersTooLong
    /// The body is shorter than Content-Length says, or Content-Length is missing where a stream needs it.
    case incompleteBody
    /// A mandatory header is absent (RFC 3261 §8.1.1).
    case missing(HeaderName)
    /// A header that may appear once appears again.
    case repeated(HeaderName)
    /// A header's value breaks its grammar.
    case malformed(HeaderName)
    /// A URI breaks RFC 3261 §19.1.1.
    case badURI
    /// The Request-URI has a scheme we cannot route.
    case unsupportedScheme
    /// CSeq and request line name different methods.
    case methodMismatch

    /// The status to answer a request with that has this fault.
    package var status: Int {
        switch self {
        case .unsupportedVersion: 505
        case .messageTooLong, .headersTooLong: 513
        case .unsupportedScheme: 416
        default: 400
        }
    }

    /// The words of the answer's first line, which name the fault as RFC 3261 §21.4.1 asks.
    package var reason: [UInt8] {
        switch self {
        case .notSIP: [UInt8](ascii: "Not SIP")
        case .unsupportedVersion: [UInt8](ascii: "Version Not Supported")
        case .badStartLine: [UInt8](ascii: "Malformed Request Line")
        case .badHeaderLine: [UInt8](ascii: "Malformed Header Line")
        case .unfinishedHeaders: [UInt8](ascii: "Headers Not Ended")
        case .messageTooLong: [UInt8](ascii: "Message Too Large")
        case .headersTooLong: [UInt8](ascii: "Headers Too Large")
        case .incompleteBody: [UInt8](ascii: "Body Incomplete")
        case .missing(let name): [UInt8](ascii: "Missing ") + name.text
        case .repeated(let name): [UInt8](ascii: "Repeated ") + name.text
        case .malformed(let name): [UInt8](ascii: "Malformed ") + name.text
        case .badURI: [UInt8](ascii: "Malformed URI")
        case .unsupportedScheme: [UInt8](ascii: "Unsupported URI Scheme")
        case .methodMismatch: [UInt8](ascii: "CSeq Names Another Method")
        }
    }

    /// Whether an answer may be tried; `SIPMessage.refusal(of:because:)` makes it where the headers allow one.
    package var isAnswerable: Bool { self != .notSIP }
}
