/// What is kept for each SSRC under one key: where its packets are, and which were there (RFC 3711 §3.2.3).
///
/// Memory of our own instead of an array, so that the way of a packet touches no reference count. A call has two to six
/// sources; they are looked through in order, the one found last first.
struct SourceTable: ~Copyable {
    struct Source {
        let ssrc: UInt32
        /// Of the 48-bit index of media packets: rollover counter and sequence number.
        var media = ReplayWindow()
        /// Where the next packet's index is estimated from; set by hand when a counter was told us.
        var reference: UInt64?
        var reports = ReplayWindow()
        /// The index of the next report we send (RFC 3711 §3.4).
        var nextReport: UInt64 = 0

        init(ssrc: UInt32) { self.ssrc = ssrc }

        func deallocate() {
            media.deallocate()
            reports.deallocate()
        }
    }

    private(set) var count = 0
    private var capacity = 2
    private var sources = UnsafeMutablePointer<Source>.allocate(capacity: 2)
    private var last = 0

    deinit {
        for index in 0..<count { sources[index].deallocate() }
        sources.deallocate()
    }

    /// Valid until the next call of `add`.
    subscript(index: Int) -> UnsafeMutablePointer<Source> { sources + index }

    mutating func find(_ ssrc: UInt32) -> Int? {
        if last < count, sources[last].ssrc == ssrc { return last }
        for index in 0..<count where sources[index].ssrc == ssrc {
            last = index
            return index
        }
        return nil
    }

    mutating func add(_ ssrc: UInt32) -> Int {
        if count == capacity { grow() }
        (sources + count).initialize(to: Source(ssrc: ssrc))
        count += 1
        last = count - 1
        return last
    }

    mutating func removeAll() {
        for index in 0..<count { sources[index].deallocate() }
        (count, last) = (0, 0)
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Source>.allocate(capacity: 2 * capacity)
        larger.moveInitialize(from: sources, count: count)
        sources.deallocate()
        (sources, capacity) = (larger, 2 * capacity)
    }
}
