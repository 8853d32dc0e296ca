/// A point on the monotonic clock of whoever drives a core, in nanoseconds since that clock's start.
///
/// Cores are told the time and never ask for it (arguments `at now:`), so that tests run them in virtual time.
///
/// Public and inlinable like `ASCII`: timers compare instants on every message.
@frozen public struct Instant: Comparable, Hashable, Sendable {
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable public static var zero: Instant { Instant(nanoseconds: 0) }

    @inlinable public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturates at the ends of the clock instead of trapping: durations may come from a peer's header.
    @inlinable public static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        guard overflow else { return Instant(nanoseconds: sum) }
        return Instant(nanoseconds: duration < .zero ? .min : .max)
    }

    @inlinable public static func - (instant: Instant, duration: Duration) -> Instant {
        let (difference, overflow) = instant.nanoseconds.subtractingReportingOverflow(duration.wholeNanoseconds)
        guard overflow else { return Instant(nanoseconds: difference) }
        return Instant(nanoseconds: duration < .zero ? .max : .min)
    }

    @inlinable public static func - (end: Instant, start: Instant) -> Duration {
        let (difference, overflow) = end.nanoseconds.subtractingReportingOverflow(start.nanoseconds)
        return .nanoseconds(overflow ? (end < start ? Int64.min : .max) : difference)
    }

    @inlinable public static func += (instant: inout Instant, duration: Duration) { instant = instant + duration }
}

#if !hasFeature(Embedded)
    extension Duration {
        /// The duration in nanoseconds, saturating at about ±292 years.
        @inlinable public var wholeNanoseconds: Int64 {
            let (seconds, attoseconds) = components
            let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
            return overflow || carry ? (seconds < 0 ? .min : .max) : sum
        }
    }
#endif
