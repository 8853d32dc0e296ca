/// Why one `a=crypto` line cannot be used. The next one may be; when none can, the stream is refused (RFC 4568 §5.1.2).
package enum SDESError: Error, Equatable, Sendable {
    /// Not of the grammar of RFC 4568 §9.
    case malformed
    /// A suite that we do not have, or a later one we never heard of.
    case unknownSuite(String)
    /// Not `inline:`, or a key of another length than the suite's.
    case badKey
    /// Several keys in one line, which only master key identifiers could tell apart.
    case severalKeys
    /// A master key identifier: each packet would carry it (RFC 4568 §6.1).
    case keyIdentifier
    /// A session parameter that changes what packets look like, and that may not be ignored (RFC 4568 §6.3).
    case unsupportedParameter(String)
}
