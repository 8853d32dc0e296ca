import Base

/// Whether datagrams come fast, judged anew every few milliseconds.
struct ArrivalPace {
    /// Above 20,000 a second it pays to let some gather; below, each is answered as it comes.
    static let fastGap = Int64(50_000)
    private static let window = Int64(5_000_000)

    private(set) var isFast = false
    private var began: Instant?
    private var count = 0

    /// - Parameter read: datagrams that a turn of the loop read, which may be none.
    mutating func note(_ read: Int, at now: Instant) {
        let elapsed = now.nanoseconds - (began?.nanoseconds ?? 0)
        if elapsed >= Self.window {
            isFast = elapsed < Int64(count) * Self.fastGap
            (began, count) = (now, 0)
        }
        count += read
    }
}
