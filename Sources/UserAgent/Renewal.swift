import Base

/// When to renew what a server keeps for us for a limited time: bindings, subscriptions, publications.
enum Renewal {
    /// 70 to 85 % of what was granted: spread over the household's devices, with room for one failed attempt over UDP.
    static func time(granted seconds: Int, _ random: inout RandomSource, at now: Instant) -> Instant {
        let percent = 70 + Int(random.next() % 16)
        // A server that grants next to nothing shall not make us send without pause.
        // In the browser `Int` has 32 bits: twelve days are the most that fits, and far more than anybody grants.
        return now + .milliseconds(max(5_000, min(seconds, 1 << 20) * percent * 10))
    }

    /// The wait after failure number `failures` (from 0), in seconds: doubling from 8 s to 5 min, and between half and all
    /// of that, so that a restarted server is not met by all at once. RFC 5626 §4.5 has 30 s to 30 min; a household's only
    /// server deserves to be found again sooner.
    static func wait(after failures: Int, atLeast retryAfter: Int?, _ random: inout RandomSource) -> Int {
        let backoff = min(300, 8 << min(max(failures, 0), 8))
        let wait = backoff / 2 + Int(random.next() % UInt64(backoff / 2 + 1))
        return max(wait, min(retryAfter ?? 0, 3600))
    }

    /// Failures that pass by themselves: no answer, or a server in trouble.
    static func mayPass(_ status: Int) -> Bool { status == 408 || status == 480 || (500..<600).contains(status) }
}
