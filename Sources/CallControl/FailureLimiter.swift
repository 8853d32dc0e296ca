import Base

/// Slows down guessing of passwords: counts failures per source address and per claimed user name, each as a bucket
/// that leaks. Names are counted whether or not they exist, so that being slowed down tells nothing.
struct FailureLimiter: Sendable {
    private struct Bucket: Sendable {
        var hash: UInt64
        var failures: Double
        var updated: Instant
    }

    private var buckets: [Bucket] = []
    private var index = HashIndex()
    /// The bucket that is overwritten next once all are in use: the one made longest ago.
    private var oldest = 0
    private let capacity: Int
    private let decay: Double

    init(limits: CallController.Limits) {
        capacity = max(1, limits.rememberedFailures)
        decay = max(0.001, Double(limits.failureDecay.wholeNanoseconds) / 1e9)
    }

    var isEmpty: Bool { buckets.isEmpty }
    var bucketCount: Int { buckets.count }

    private func level(_ bucket: Bucket, at now: Instant) -> Double {
        max(0, bucket.failures - Double((now - bucket.updated).wholeNanoseconds) / 1e9 / decay)
    }

    /// How many seconds this name or address has to wait, or nil when it may try.
    func wait(_ hash: UInt64, limit: Int, at now: Instant) -> Int? {
        guard !buckets.isEmpty, let slot = index.find(hash) else { return nil }
        let excess = level(buckets[slot], at: now) - Double(limit) + 1
        guard excess > 0 else { return nil }
        return max(1, Int(min(excess, 600) * decay))
    }

    mutating func count(_ hash: UInt64, limit: Int, at now: Instant) {
        if let slot = index.find(hash) {
            // Twice the limit is the most: whoever stops guessing is free again in a bounded time.
            buckets[slot].failures = min(level(buckets[slot], at: now) + 1, Double(limit) * 2)
            buckets[slot].updated = now
            return
        }
        let bucket = Bucket(hash: hash, failures: 1, updated: now)
        if buckets.count < capacity {
            buckets.append(bucket)
            index.set(hash, buckets.count - 1)
        } else {
            index.remove(buckets[oldest].hash)
            buckets[oldest] = bucket
            index.set(hash, oldest)
            oldest = (oldest + 1) % capacity
        }
    }
}
