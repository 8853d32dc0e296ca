/// What one SIP message may cost us, so that a peer's bytes have a bound in memory and time.
package struct SIPLimits: Equatable, Sendable {
    /// Bytes of a whole message: the largest UDP datagram (RFC 3261 §18.1.1), and also the largest WebSocket frame and
    /// the most a stream may hold back before its message is complete.
    package var maximumMessage = 65_535

    /// Header fields of one message. Sixty Via headers (70 hops are the most a request lives) and as many
    /// Record-Routes fit; real messages have 10 to 30.
    package var maximumHeaderCount = 160

    /// Bytes of start line and headers together. Ten times the largest seen from real phones.
    package var maximumHeaderBytes = 32_768

    /// Values in one header's comma lists: more than the hops a request may take.
    package var maximumListValues = 128

    package init() {}

    package static let standard = SIPLimits()

    /// For messages of our own making, in tests.
    static var unlimited: SIPLimits {
        var limits = SIPLimits()
        (limits.maximumMessage, limits.maximumHeaderCount) = (.max, .max)
        (limits.maximumHeaderBytes, limits.maximumListValues) = (.max, .max)
        return limits
    }
}
