import Base

/// Seconds since 1900 in the upper half, fractions of a second in the lower (RFC 3550 §4).
package struct NTPTimestamp: Hashable, Sendable {
    package var rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The middle 32 bits, in 1/65 536 s: what reports compare (RFC 3550 §6.4.1).
    package var middle: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 16) }
}

/// Turns our monotonic time into the wall clock's, for sender reports.
///
/// One instance serves all streams of a process, so that receivers can bring sound and picture together (RFC 3550 §6.4.1).
package struct NTPClock: Sendable {
    private let origin: NTPTimestamp
    private let start: Instant

    /// - Parameter origin: what the wall clock showed at `start`. Any number will do where nobody compares it with
    ///   another clock, as RFC 3550 §6.4.1 allows.
    package init(origin: NTPTimestamp, at start: Instant) { (self.origin, self.start) = (origin, start) }

    package func time(at now: Instant) -> NTPTimestamp {
        NTPTimestamp(origin.rawValue &+ Self.units(now - start, perSecond: 32))
    }

    /// A duration in seconds shifted left by `bits`; wraps as NTP time does. Negative durations count backwards.
    static func units(_ duration: Duration, perSecond bits: UInt64) -> UInt64 {
        let (seconds, rest) = duration.wholeNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let fraction = (rest << Int64(bits)) / 1_000_000_000
        return UInt64(bitPattern: (seconds << Int64(bits)) &+ fraction)
    }
}
