import Base

/// Which packets of a video stream are missing, and when to ask for them again (RFC 4585 §6.2).
///
/// Asked after a short wait, in which reordered packets come in by themselves, then once per round trip, until they
/// come, are too old, or too many: then only a keyframe helps, and `takeKeyframeNeed` says so.
package struct LossTracker: Sendable {
    /// How many packets are asked for at once. More missing means that the path was gone.
    package static let maximumMissing = 128
    /// How often a packet is asked for.
    package static let maximumTries = 8
    /// How long reordering may take.
    package static let patience = Duration.milliseconds(10)
    /// The least time between two requests for the same packet, whatever the round trip.
    package static let minimumInterval = Duration.milliseconds(20)

    private struct Missing {
        var number: SequenceNumber
        var tries = 0
        var due: Instant
    }

    /// In the order of their numbers.
    private var missing: [Missing] = []
    private var highest: SequenceNumber?
    private var needsKeyframe = false

    package init() { missing.reserveCapacity(Self.maximumMissing) }

    package var missingCount: Int { missing.count }
    package var nextTimeout: Instant? { missing.lazy.map(\.due).min() }

    /// Takes note of a packet that arrived, retransmitted ones included.
    package mutating func receive(_ number: SequenceNumber, at now: Instant) {
        guard let newest = highest else {
            highest = number
            return
        }
        let step = number.distance(from: newest)
        guard step > 0 else {
            if let index = missing.firstIndex(where: { $0.number == number }) { missing.remove(at: index) }
            return
        }
        highest = number
        guard step > 1 else { return }
        guard missing.count + step - 1 <= Self.maximumMissing else { return giveUp() }
        for skipped in 1..<step {
            missing.append(Missing(number: newest + skipped, due: now + Self.patience))
        }
    }

    /// The source changed: nothing of the old one is missed.
    package mutating func reset() {
        missing.removeAll(keepingCapacity: true)
        (highest, needsKeyframe) = (nil, false)
    }

    /// Whether packets were given up since the last call.
    package mutating func takeKeyframeNeed() -> Bool {
        defer { needsKeyframe = false }
        return needsKeyframe
    }

    /// Writes one NACK for all that is due; false when nothing is, or there is no room.
    package mutating func write(
        _ writer: inout RTCPWriter, sources: FeedbackSources, roundTrip: Duration, into buffer: inout MutableRawSpan,
        at now: Instant
    ) -> Bool {
        if missing.contains(where: { $0.due <= now && $0.tries == Self.maximumTries }) { giveUp() }
        let again = now + max(roundTrip, Self.minimumInterval)
        var entry: NackEntry?
        var isBegun = false
        for index in missing.indices where missing[index].due <= now {
            missing[index].tries += 1
            missing[index].due = again
            let number = missing[index].number
            if let open = entry, let bit = bit(of: number, after: open.packetID) {
                entry?.followingLost |= 1 << bit
                continue
            }
            if let open = entry, !put(open, &isBegun, &writer, sources, &buffer) { return isBegun }
            entry = NackEntry(packetID: number, followingLost: 0)
        }
        if let open = entry { return put(open, &isBegun, &writer, sources, &buffer) || isBegun }
        return false
    }

    private func bit(of number: SequenceNumber, after first: SequenceNumber) -> UInt16? {
        let step = number.distance(from: first)
        return (1...16).contains(step) ? UInt16(step - 1) : nil
    }

    private func put(
        _ entry: NackEntry, _ isBegun: inout Bool, _ writer: inout RTCPWriter, _ sources: FeedbackSources,
        _ buffer: inout MutableRawSpan
    ) -> Bool {
        guard isBegun else {
            isBegun = writer.beginNack(sources, entry, into: &buffer)
            return isBegun
        }
        return writer.add(entry, into: &buffer)
    }

    private mutating func giveUp() {
        missing.removeAll(keepingCapacity: true)
        needsKeyframe = true
    }
}
