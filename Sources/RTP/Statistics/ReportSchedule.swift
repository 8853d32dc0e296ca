import Base

/// When the next report is due in a session of two (RFC 3550 §6.2, §6.3).
///
/// With two members the bandwidth rule of §6.3.1 always gives less than the minimum interval at the rates we carry, so
/// the interval is the minimum, half of it the first time, spread at random so that many calls do not report at once.
package struct ReportSchedule: Sendable {
    /// RFC 3550 §6.2: the fixed minimum.
    package static let minimumInterval = Duration.seconds(5)

    private let minimum: Duration
    private var random: RandomSource
    package private(set) var nextTimeout: Instant

    /// - Parameter minimum: shorter for video, as RFC 3550 §6.2 (360 divided by kbit/s, in seconds) and AVPF allow.
    package init(minimum: Duration = minimumInterval, random: RandomSource, at now: Instant) {
        (self.minimum, self.random, nextTimeout) = (minimum, random, now)
        schedule(minimum / 2, at: now)
    }

    package func isDue(at now: Instant) -> Bool { now >= nextTimeout }

    /// A report went out, early or in time.
    package mutating func sent(at now: Instant) { schedule(minimum, at: now) }

    /// Between 0.5 and 1.5 intervals, divided by e - 3/2, the compensation of RFC 3550 §6.3.1.
    private mutating func schedule(_ interval: Duration, at now: Instant) {
        let factor = Double.random(in: 0.5..<1.5, using: &random) / 1.21828
        nextTimeout = now + .nanoseconds(Int64(Double(interval.wholeNanoseconds) * factor))
    }
}
