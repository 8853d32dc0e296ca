import Base

/// Sends one telephone event as packets on a timer (RFC 4733 §2.5.1).
///
/// ```
/// start: marker, duration of one interval ... every interval: the same timestamp, longer ... end, end, end
/// ```
/// The owner gets each packet's payload by `poll`, writes it with the stream's next sequence number, and the timestamp
/// that stands here, which is the event's first in all packets of a segment.
package struct TelephoneEventSender: Sendable {
    package struct Packet: Equatable, Sendable {
        package let event: TelephoneEvent
        package let timestamp: RTPTimestamp
        /// On the first packet of an event (RFC 4733 §2.2.2).
        package let marker: Bool
    }

    /// Updates come this often (RFC 4733 §2.5.1.2 recommends the audio codec's interval or 50 ms).
    package static let interval = Duration.milliseconds(50)
    /// The last packet is sent three times (RFC 4733 §2.5.1.4).
    package static let endCopies = 3
    /// And this close to each other, so that the next key need not wait long.
    package static let endInterval = Duration.milliseconds(20)
    /// The shortest tone that is surely heard: ITU-T Q.24 has 40 ms; ours is two updates long at least.
    package static let minimumDuration = Duration.milliseconds(100)
    /// A key that is held for longer has fallen from a table.
    package static let maximumDuration = Duration.seconds(30)
    /// The longest duration one segment can tell (RFC 4733 §2.5.1.3).
    private static let segmentTicks = 0xffff

    private enum State: Sendable {
        case idle
        case sounding(until: Instant?)
        case ending(copiesLeft: Int)
    }

    private let ticks: TickCounter
    private var state = State.idle
    private var code: UInt8 = 0
    private var volume: UInt8 = 10
    /// The first timestamp of the segment, and when that was.
    private var timestamp = RTPTimestamp(0)
    private var startedAt = Instant.zero
    private var segmentStartedAt = Instant.zero
    private var due: Instant?
    private var isFirst = false
    private var lastDuration: UInt16 = 0

    /// - Parameter clockRate: of the telephone-event format, the same as the audio's (RFC 4733 §2.1).
    package init(clockRate: UInt32) { ticks = TickCounter(clockRate: clockRate) }

    package var isIdle: Bool { if case .idle = state { true } else { false } }

    /// When `poll` has the next packet.
    package var nextTimeout: Instant? { due }

    /// Begins an event; one that is going on is cut off.
    ///
    /// - Parameters:
    ///   - duration: nil until `stop` is called.
    ///   - timestamp: of the stream, now.
    package mutating func start(
        code: UInt8, volume: UInt8 = 10, duration: Duration?, timestamp: RTPTimestamp, at now: Instant
    ) {
        (self.code, self.volume, self.timestamp) = (code, volume, timestamp)
        (startedAt, segmentStartedAt, isFirst, lastDuration) = (now, now, true, 0)
        let length = duration.map { min(Self.maximumDuration, max(Self.minimumDuration, $0)) }
        state = .sounding(until: now + (length ?? Self.maximumDuration))
        due = now
    }

    /// The key was released.
    package mutating func stop(at now: Instant) {
        guard case .sounding(let until) = state else { return }
        let earliest = max(now, startedAt + Self.minimumDuration)
        state = .sounding(until: min(until ?? earliest, earliest))
        due = min(due ?? earliest, earliest)
    }

    /// The packet that is due now; nil when none is.
    package mutating func poll(at now: Instant) -> Packet? {
        guard let due, now >= due else { return nil }
        switch state {
        case .idle: return nil
        case .sounding(let until):
            if let until, now >= until, !isFirst {
                state = .ending(copiesLeft: Self.endCopies)
                return end(at: until, now)
            }
            return update(until: until, at: now)
        case .ending: return end(at: now, now)
        }
    }

    private mutating func update(until: Instant?, at now: Instant) -> Packet {
        var passed = ticks.count(in: now - segmentStartedAt)
        // The first packet tells the interval it stands for, though that is still to come.
        if isFirst { passed = ticks.count(in: Self.interval) }
        if passed > Self.segmentTicks { return nextSegment(at: now) }
        let packet = packet(duration: passed, isEnd: false)
        let next = now + Self.interval
        due = until.map { min(next, max($0, now + .milliseconds(1))) } ?? next
        return packet
    }

    /// The segment is told to its full length once more; the next begins where it ended (RFC 4733 §2.5.1.3).
    private mutating func nextSegment(at now: Instant) -> Packet {
        let full = packet(duration: Self.segmentTicks, isEnd: false)
        timestamp = timestamp + Self.segmentTicks
        let length = Int64(Self.segmentTicks) * 1_000_000_000 / Int64(ticks.clockRate)
        (segmentStartedAt, lastDuration) = (segmentStartedAt + .nanoseconds(length), 0)
        due = now
        return full
    }

    private mutating func end(at end: Instant, _ now: Instant) -> Packet? {
        guard case .ending(let left) = state else { return nil }
        if left == Self.endCopies {
            let passed = min(ticks.count(in: end - segmentStartedAt), Self.segmentTicks)
            lastDuration = max(lastDuration, UInt16(passed))
        }
        state = left > 1 ? .ending(copiesLeft: left - 1) : .idle
        due = left > 1 ? now + Self.endInterval : nil
        return packet(duration: Int(lastDuration), isEnd: true)
    }

    private mutating func packet(duration: Int, isEnd: Bool) -> Packet {
        defer { isFirst = false }
        lastDuration = max(lastDuration, UInt16(clamping: duration))
        return Packet(
            event: TelephoneEvent(code: code, isEnd: isEnd, volume: volume, duration: lastDuration),
            timestamp: timestamp, marker: isFirst)
    }
}
