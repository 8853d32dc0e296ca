#if hasFeature(Embedded)
    /// A span of time in nanoseconds, in the browser's place of Swift's own, whose 128 bits are 4 KB of arithmetic there.
    ///
    /// Saturates at about ±292 years, as `Instant` does.
    @frozen public struct Duration: Comparable, Hashable, Sendable {
        public var wholeNanoseconds: Int64

        public init(wholeNanoseconds: Int64) { self.wholeNanoseconds = wholeNanoseconds }

        public static var zero: Duration { Duration(wholeNanoseconds: 0) }

        public static func nanoseconds(_ count: Int64) -> Duration { Duration(wholeNanoseconds: count) }
        public static func milliseconds(_ count: some BinaryInteger) -> Duration {
            Duration(Int64(clamping: count), 1_000_000)
        }
        public static func seconds(_ count: some BinaryInteger) -> Duration {
            Duration(Int64(clamping: count), 1_000_000_000)
        }

        @inline(never)
        private init(_ count: Int64, _ unit: Int64) {
            let (product, overflow) = count.multipliedReportingOverflow(by: unit)
            wholeNanoseconds = overflow ? (count < 0 ? .min : .max) : product
        }

        public static func < (left: Duration, right: Duration) -> Bool {
            left.wholeNanoseconds < right.wholeNanoseconds
        }

        public static func + (left: Duration, right: Duration) -> Duration {
            let (sum, overflow) = left.wholeNanoseconds.addingReportingOverflow(right.wholeNanoseconds)
            return Duration(wholeNanoseconds: overflow ? (left < .zero ? .min : .max) : sum)
        }

        public static func * (duration: Duration, factor: Int) -> Duration {
            Duration(duration.wholeNanoseconds, Int64(factor))
        }
    }
#endif
