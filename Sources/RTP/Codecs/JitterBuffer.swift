import Base

/// Puts the packets of one sound stream into order and holds them just long enough that few come too late.
///
/// ```
/// insert: packets in any order ---> slots by sequence number
/// pull:   what is due by the playing clock ---> frame | lost | wait
/// ```
/// A packet is due when the clock shows its timestamp plus `base` plus `target`: `base` is the least delay seen in the
/// last seconds (it follows the drift between the clocks), `target` what 97 of 100 packets stay below, plus half a frame.
/// When the target grows, a pull or two get `wait` and the decoder conceals; when it shrinks, single frames are left out.
/// Sequence numbers only ever go up from one frame to the next.
package struct JitterBuffer: Sendable {
    package enum Pull: Equatable, Sendable {
        /// The payload's bytes were copied; they are to be decoded.
        case frame(count: Int, payloadType: PayloadType, timestamp: RTPTimestamp, marker: Bool)
        /// The next packet never came while a later one is here: conceal one frame.
        case lost
        /// Nothing is due: the sender pauses, or packets are late. Play on with concealment or comfort noise.
        case wait
    }

    /// Slots, a power of two: 1.28 s of 20 ms packets.
    package static let capacity = 64
    /// The longest payload kept: Opus' largest frame is 1275 bytes (RFC 6716 §3.2.1).
    package static let slotCount = 1280
    /// The bounds of the target: one 20 ms packet, and what a conversation bears.
    package static let minimumTarget = Duration.milliseconds(20), maximumTarget = Duration.milliseconds(400)

    private struct Slot {
        var number = SequenceNumber(0)
        var isFull = false
        var count: UInt16 = 0
        var payloadType = PayloadType(0)
        var timestamp = RTPTimestamp(0)
        var marker = false
    }

    private let ticks: TickCounter
    private var slots = [Slot](repeating: Slot(), count: capacity)
    private var bytes = [UInt8](repeating: 0, count: capacity * slotCount)
    /// The next number to be played; nil before the first packet.
    private var next: SequenceNumber?
    private var newest = SequenceNumber(0)
    /// The numbers began anew: a packet that continues a jump is believed.
    private var badNext: SequenceNumber?
    private var delays: DelayEstimate
    /// Ticks of one frame, learned from packets in a row.
    private var frameTicks: Int
    private var lastTimestamp: RTPTimestamp?
    /// Packets that came too late, and frames left out to catch up.
    package private(set) var lateCount = 0
    package private(set) var skippedCount = 0

    /// - Parameter clockRate: of the RTP timestamps.
    package init(clockRate: UInt32) {
        ticks = TickCounter(clockRate: clockRate)
        frameTicks = Int(clockRate) / 50
        delays = DelayEstimate(
            minimum: ticks.count(in: Self.minimumTarget), maximum: ticks.count(in: Self.maximumTarget),
            bin: Int(clockRate) / 100, window: 2 * Int(clockRate))
    }

    /// How long a packet that took the least delay is held, in ticks.
    package var targetTicks: Int { delays.target }
    /// How many packets wait.
    package var count: Int { slots.count { $0.isFull } }

    /// Takes a packet.
    ///
    /// - Returns: false when it is dropped: a copy, too late, or too long.
    package mutating func insert(_ header: RTPHeader, payload: RawSpan, at now: Instant) -> Bool {
        guard payload.byteCount <= Self.slotCount, payload.byteCount > 0 else { return false }
        let number = header.sequenceNumber
        guard place(number) else { return false }
        let index = Int(number.rawValue) % Self.capacity
        if slots[index].isFull, slots[index].number == number { return false }
        slots[index] = Slot(
            number: number, isFull: true, count: UInt16(payload.byteCount), payloadType: header.payloadType,
            timestamp: header.timestamp, marker: header.marker)
        var span = bytes.mutableSpan
        var raw = span.mutableBytes
        raw.copy(payload, at: index * Self.slotCount)
        delays.observe(timestamp: header.timestamp, clock: ticks.count(at: now))
        return true
    }

    /// Finds the packet's place in the window of `capacity` numbers; false when it has none.
    private mutating func place(_ number: SequenceNumber) -> Bool {
        guard let next else {
            restart(at: number)
            return true
        }
        let ahead = number.distance(from: next)
        if ahead >= 0, ahead < Self.capacity {
            if newest < number { newest = number }
            badNext = nil
            return true
        }
        if ahead < 0, ahead > -ReceptionStatistics.maximumMisorder {
            lateCount += 1
            return false
        }
        // A burst that is longer than the window: what does not fit pushes the oldest out.
        if ahead >= 0, ahead < ReceptionStatistics.maximumDropout || number == badNext {
            advance(to: number - (Self.capacity - 1))
            newest = number
            return true
        }
        guard number == badNext else {
            badNext = number + 1
            return false
        }
        restart(at: number)
        return true
    }

    private mutating func restart(at number: SequenceNumber) {
        for index in slots.indices { slots[index].isFull = false }
        (next, newest, badNext, lastTimestamp) = (number, number, nil, nil)
        delays.restart()
    }

    private mutating func advance(to number: SequenceNumber) {
        guard let old = next else { return }
        for step in 0..<min(number.distance(from: old), Self.capacity) {
            let index = Int((old + step).rawValue) % Self.capacity
            if slots[index].isFull { skippedCount += 1 }
            slots[index].isFull = false
        }
        next = number
    }

    /// The next frame, when it is due; called whenever the decoder's output has been played.
    package mutating func pull(into buffer: inout MutableRawSpan, at now: Instant) -> Pull {
        guard let next, let head = firstFull(from: next) else { return .wait }
        let due = delays.due(clock: ticks.count(at: now))
        var chosen = head
        var early = slots[slotIndex(chosen)].timestamp.distance(from: due)
        // More than a frame and a half overdue, with another behind it: leave one out.
        if early < -(frameTicks * 3 / 2), let second = firstFull(from: chosen + 1) {
            let other = slots[slotIndex(second)].timestamp.distance(from: due)
            if other <= 0 {
                slots[slotIndex(chosen)].isFull = false
                skippedCount += 1
                (chosen, early) = (second, other)
            }
        }
        guard early <= 0 else {
            // Not its time yet. When numbers are missing before it, this is the time of one of them.
            let missing = head.distance(from: next)
            guard missing > 0, early <= missing * frameTicks else { return .wait }
            self.next = next + 1
            return .lost
        }
        return deliver(chosen, into: &buffer)
    }

    private mutating func deliver(_ number: SequenceNumber, into buffer: inout MutableRawSpan) -> Pull {
        let index = slotIndex(number)
        let slot = slots[index]
        slots[index].isFull = false
        if let lastTimestamp, let next, number == next {
            let step = slot.timestamp.distance(from: lastTimestamp)
            if step > 0, step <= 6 * Int(ticks.clockRate) / 50 { frameTicks = step }
        }
        (next, lastTimestamp) = (number + 1, slot.timestamp)
        let count = Int(slot.count)
        guard count <= buffer.byteCount else { return .lost }
        let start = index * Self.slotCount
        buffer.copy(bytes.span.bytes.extracting(start..<start + count), at: 0)
        return .frame(count: count, payloadType: slot.payloadType, timestamp: slot.timestamp, marker: slot.marker)
    }

    private func slotIndex(_ number: SequenceNumber) -> Int { Int(number.rawValue) % Self.capacity }

    /// The first number from `number` on that is here.
    private func firstFull(from number: SequenceNumber) -> SequenceNumber? {
        let last = newest.distance(from: number)
        guard last >= 0 else { return nil }
        for step in 0...min(last, Self.capacity - 1) {
            let slot = slots[slotIndex(number + step)]
            if slot.isFull, slot.number == number + step { return slot.number }
        }
        return nil
    }
}
