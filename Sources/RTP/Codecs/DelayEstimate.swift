/// How late packets come, and how long they should be held for it.
///
/// The delay of a packet is arrival minus timestamp, which is off by a constant nobody knows; what counts is how much more
/// it is than the least of the last seconds.
struct DelayEstimate: Sendable {
    /// Bins of the histogram: 64 of 10 ms.
    private static let bins = 64
    /// What of the past is left after each packet: about four seconds of 20 ms packets.
    private static let forgetting: Float = 0.995
    /// The share of packets that may come too late.
    private static let tolerated: Float = 0.03
    /// The held delay is lowered by a bin at most once in so many packets; raised at once.
    private static let packetsPerDecrease = 50

    private let minimum: Int
    private let maximum: Int
    private let bin: Int
    private let window: Int
    private var histogram = [Float](repeating: 0, count: bins)
    private var weight: Float = 1
    /// The delay all others are measured from, and the least of the window that is running and of the one before.
    private var reference: UInt32?
    private var (least, leastBefore) = (Int.max, Int.max)
    private var windowStart: UInt32 = 0
    private var sinceDecrease = 0
    /// What packets are held for, in ticks, beyond the least delay.
    private(set) var target: Int

    /// - Parameters: in ticks: the target's bounds, the width of a bin, and how long a least delay is remembered.
    init(minimum: Int, maximum: Int, bin: Int, window: Int) {
        (self.minimum, self.maximum, self.bin, self.window) = (minimum, maximum, bin, window)
        target = minimum
    }

    /// The stream began anew; the shape of the jitter is kept, since the path is the same.
    mutating func restart() { (reference, least, leastBefore) = (nil, .max, .max) }

    mutating func observe(timestamp: RTPTimestamp, clock: UInt32) {
        let delay = clock &- timestamp.rawValue
        guard let reference else {
            (reference, least, windowStart) = (delay, 0, clock)
            return
        }
        let relative = Int(Int32(bitPattern: delay &- reference))
        least = min(least, relative)
        if Int(Int32(bitPattern: clock &- windowStart)) >= window {
            (leastBefore, least, windowStart) = (least, relative, clock)
        }
        count(late: relative - base)
        adjust()
    }

    /// The least delay of the last two windows, relative to the reference.
    private var base: Int { min(least, leastBefore) }

    /// The timestamp that is to be played when the clock shows this.
    func due(clock: UInt32) -> RTPTimestamp {
        RTPTimestamp(clock &- (reference ?? 0) &- UInt32(truncatingIfNeeded: (reference == nil ? 0 : base) + target))
    }

    /// New counts weigh more and more instead of old ones less and less: one addition for each packet.
    private mutating func count(late: Int) {
        histogram[max(0, min(Self.bins - 1, late / bin))] += weight
        weight /= Self.forgetting
        guard weight > 1e6 else { return }
        for index in histogram.indices { histogram[index] /= weight }
        weight = 1
    }

    private mutating func adjust() {
        let total = histogram.reduce(0, +)
        var (sum, index) = (Float(0), Self.bins)
        while index > 0, sum <= total * Self.tolerated {
            index -= 1
            sum += histogram[index]
        }
        let wanted = min(maximum, max(minimum, (index + 1) * bin + bin))
        sinceDecrease += 1
        if wanted > target {
            target = wanted
        } else if wanted < target, sinceDecrease >= Self.packetsPerDecrease {
            (target, sinceDecrease) = (max(wanted, target - bin), 0)
        }
    }
}
