/// Why a session description, or a step of the offer/answer exchange, is refused.
package enum SDPError: Error, Equatable, Sendable {
    /// More bytes, lines, media or candidates than `SDPLimits` allows.
    case overLimit
    /// A line that is not `letter=value`, has an unknown letter, or holds a NUL or a stray carriage return.
    /// Lines count from 1.
    case malformedLine(line: Int)
    /// The first line is not `v=0`.
    case notVersionZero
    /// There is no `o=` line, or it does not have its six fields.
    case malformedOrigin
    /// An `m=` line without its four fields, or with a port that is no port.
    case malformedMedia(line: Int)
    /// An attribute we rely on cannot be read.
    case malformedAttribute

    /// The SIP status a request with such a body is answered with (RFC 3261 §21.4.1, §21.4.10).
    package var sipStatus: Int { self == .overLimit ? 413 : 400 }
}

/// What a peer's description may cost us.
package struct SDPLimits: Sendable {
    /// Bytes of one description: no more than a SIP message may have.
    package var maximumBytes = 65_535
    /// Lines of one description. A browser's offer of sound, two videos and data has about 300.
    package var maximumLines = 2_048
    /// `m=` lines. A session may recycle but never drop them (RFC 3264 §8), so a long conference needs some room.
    package var maximumMedia = 64

    package init() {}

    package static let standard = SDPLimits()
}
