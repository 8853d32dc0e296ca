/// So many now, and that many more in each second: a bucket of tokens.
package struct TokenBucket: Sendable {
    private var tokens: Int64
    private var filled: Instant

    package init(full burst: Int, at now: Instant) { (tokens, filled) = (Int64(burst), now) }

    /// Takes `count` tokens, or none when there are not enough.
    package mutating func take(_ count: Int, burst: Int, perSecond: Int, at now: Instant) -> Bool {
        // Above a second the bucket is full anyhow, whatever its size: bursts are a few seconds at most.
        let elapsed = min(max(0, now.nanoseconds - filled.nanoseconds), 60_000_000_000) / 1_000
        let gained = elapsed * Int64(perSecond) / 1_000_000
        if gained > 0 {
            tokens = min(Int64(burst), tokens + gained)
            filled = now
        }
        guard tokens >= Int64(count) else { return false }
        tokens -= Int64(count)
        return true
    }
}
