import Base

/// Makes one begin and one end out of the packets of an event, whatever of them arrives (RFC 4733 §2.5.2).
///
/// All packets of an event have its first packet's timestamp; the next event has another. A long event goes on in a
/// segment that begins where the one before ended (RFC 4733 §2.5.2.3).
package struct TelephoneEventReceiver: Sendable {
    package enum Outcome: Equatable, Sendable {
        /// Nothing new: a repeat, or an update.
        case none
        case began(code: UInt8)
        /// The event has lasted `ticks`.
        case ended(code: UInt8, ticks: UInt32)
        /// The end of the event before was lost; another has begun.
        case replaced(ended: UInt8, ticks: UInt32, began: UInt8)
        /// Began and ended with this packet, since nothing before it arrived.
        case whole(code: UInt8, ticks: UInt32)
    }

    /// Without a packet for this long an event is over: three times the longest packet interval (RFC 4733 §2.5.2.2).
    package static let patience = Duration.milliseconds(300)

    private struct Event {
        var code: UInt8
        var timestamp: RTPTimestamp
        /// Ticks of the segments before this one.
        var earlier: UInt32 = 0
        var duration: UInt16
        var hasEnded: Bool
        var heardAt: Instant
        var ticks: UInt32 { earlier &+ UInt32(duration) }
    }

    private var event: Event?

    package init() {}

    package var nextTimeout: Instant? {
        guard let event, !event.hasEnded else { return nil }
        return event.heardAt + Self.patience
    }

    package mutating func receive(
        _ packet: TelephoneEvent, timestamp: RTPTimestamp, at now: Instant
    ) -> Outcome {
        guard var known = event else { return begin(packet, timestamp, at: now) }
        let step = timestamp.distance(from: known.timestamp)
        // Of an event before the one we know: reordered.
        guard step >= 0 else { return .none }
        if step == 0 { return update(&known, with: packet, at: now) }
        guard !known.hasEnded else { return begin(packet, timestamp, at: now) }
        if known.code == packet.code, step == Int(known.duration) || step == 0xffff {
            known.earlier = known.earlier &+ UInt32(step)
            (known.timestamp, known.duration) = (timestamp, 0)
            return update(&known, with: packet, at: now)
        }
        let began = begin(packet, timestamp, at: now)
        // An event that came whole behind a lost end: the end of the first is told, the second by the next repeat.
        if case .whole = began { event?.hasEnded = false }
        return .replaced(ended: known.code, ticks: known.ticks, began: packet.code)
    }

    /// - Returns: `.ended` when the rest of an event never came.
    package mutating func handleTimeout(at now: Instant) -> Outcome {
        guard let nextTimeout, now >= nextTimeout, let known = event else { return .none }
        event?.hasEnded = true
        return .ended(code: known.code, ticks: known.ticks)
    }

    private mutating func begin(_ packet: TelephoneEvent, _ timestamp: RTPTimestamp, at now: Instant) -> Outcome {
        event = Event(
            code: packet.code, timestamp: timestamp, duration: packet.duration, hasEnded: packet.isEnd, heardAt: now)
        return packet.isEnd
            ? .whole(code: packet.code, ticks: UInt32(packet.duration)) : .began(code: packet.code)
    }

    private mutating func update(_ known: inout Event, with packet: TelephoneEvent, at now: Instant) -> Outcome {
        guard packet.code == known.code, !known.hasEnded else { return .none }
        known.duration = max(known.duration, packet.duration)
        (known.hasEnded, known.heardAt) = (packet.isEnd, now)
        event = known
        return packet.isEnd ? .ended(code: known.code, ticks: known.ticks) : .none
    }
}
