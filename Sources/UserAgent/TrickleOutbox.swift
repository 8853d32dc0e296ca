/// Our trickled candidates on their way through one dialog (RFC 8840 §4.4).
///
/// Each fragment repeats all candidates of its generation, so only the newest is worth sending, and only one INFO is out
/// at a time: what comes meanwhile goes as one.
struct TrickleOutbox: Sendable {
    /// How often a fragment that was refused is sent again when no newer one follows.
    private static let repeats = 3

    private var waiting: [UInt8]?
    private var sent: [UInt8]?
    private var failures = 0

    mutating func put(_ fragment: [UInt8]) { waiting = fragment }

    /// The fragment to send next, once the dialog allows INFO.
    mutating func take() -> [UInt8]? {
        guard sent == nil, let fragment = waiting else { return nil }
        (waiting, sent) = (nil, fragment)
        return fragment
    }

    /// The INFO has its final response.
    mutating func finished(success: Bool) {
        failures = success ? 0 : failures + 1
        if !success, waiting == nil, failures <= Self.repeats { waiting = sent }
        sent = nil
    }
}
