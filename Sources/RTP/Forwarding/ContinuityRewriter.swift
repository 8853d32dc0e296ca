import Base

/// Makes one unbroken stream for a leg out of whatever sources follow each other (RFC 3550 §5.1, RFC 3711 §3.3.1).
///
/// The leg's peer sees one SSRC whose sequence numbers rise by one and whose timestamps go on with the clock, however
/// often the other side changes its source, its codec, its numbers or falls silent. So the peer's rollover counter never
/// needs to be told anything. Loss on the other leg stays visible as a gap; packets that we take out or put in do not.
package struct ContinuityRewriter: Sendable {
    package enum Outcome: Equatable, Sendable {
        /// Send it.
        case forward
        /// Send it; the source or its numbering is new. The owner may want a keyframe.
        case forwardFirst
        /// Too old to have a number left, or the first packet after a jump that nothing has confirmed: drop it.
        case drop
        /// Of the source that was left a moment ago: drop it.
        case retired
    }

    /// How long packets of the source before may still trickle in without being taken for a change back.
    package static let retirement = Duration.seconds(1)

    /// Incoming packets from `start` on are `offset` further on the outgoing side.
    private struct Segment {
        var start: SequenceNumber
        var offset: UInt16
    }

    /// The source that the peer sees.
    package let ssrc: SSRC
    /// Audio marks the first packet after a change (RFC 3551 §4.1); in video the marker ends a frame.
    private let marksStart: Bool
    private var ticks: TickCounter
    private var source: SSRC?
    private var retired: (ssrc: SSRC, until: Instant)?
    private var highestIn = SequenceNumber(0)
    private var badNext: SequenceNumber?
    private var current: Segment
    /// The segment before, and where it ends: what was taken out between the two has no number.
    private var previous: (segment: Segment, end: SequenceNumber)?
    private var timestampOffset: UInt32 = 0
    /// The newest packet sent: its number, timestamp and time.
    private var highestOut: SequenceNumber
    private var timestamp: RTPTimestamp
    private var timestampIn = RTPTimestamp(0)
    private var sentAt: Instant

    /// - Parameters:
    ///   - marksStart: true for audio.
    ///   - random: draws the first sequence number, below 32 768 so that the rollover counter's first turn is not missed
    ///     when the first packets are lost (RFC 3711 §3.3.1), and the first timestamp.
    package init(ssrc: SSRC, clockRate: UInt32, marksStart: Bool, random: inout RandomSource, at now: Instant) {
        (self.ssrc, self.marksStart, sentAt) = (ssrc, marksStart, now)
        ticks = TickCounter(clockRate: clockRate)
        highestOut = SequenceNumber(UInt16(truncatingIfNeeded: random.next()) & 0x7fff)
        timestamp = RTPTimestamp(UInt32(truncatingIfNeeded: random.next()))
        current = Segment(start: SequenceNumber(0), offset: 0)
    }

    /// The codec's clock rate is another from now on (RFC 7160): timestamps go on from where they are.
    package mutating func setClockRate(_ rate: UInt32) {
        guard rate != ticks.clockRate else { return }
        ticks = TickCounter(clockRate: rate)
        source = nil
    }

    /// The next packet begins a new source, whatever its SSRC: after a re-INVITE that moved the stream.
    package mutating func expectNewSource() { source = nil }

    /// Gives a packet's header its outgoing numbers and SSRC.
    package mutating func rewrite(_ header: inout RTPHeader, at now: Instant) -> Outcome {
        guard header.ssrc == source else { return change(&header, at: now) }
        let step = header.sequenceNumber.distance(from: highestIn)
        guard step > 0, step < ReceptionStatistics.maximumDropout else {
            if step <= 0, step > -ReceptionStatistics.maximumMisorder { return rewriteLate(&header) }
            guard header.sequenceNumber == badNext else {
                badNext = header.sequenceNumber + 1
                return .drop
            }
            start(&header, at: now)
            return .forwardFirst
        }
        badNext = nil
        if hasTimestampJumped(header.timestamp, at: now) { restartTimestamps(from: header.timestamp, at: now) }
        highestIn = header.sequenceNumber
        highestOut = highestOut + step
        timestampIn = header.timestamp
        apply(to: &header, number: highestOut)
        (timestamp, sentAt) = (header.timestamp, now)
        return .forward
    }

    /// Takes a packet out so that the peer sees no gap: what was in it goes another way, or nowhere.
    package mutating func skip(_ header: RTPHeader) {
        guard header.ssrc == source else { return }
        let step = header.sequenceNumber.distance(from: highestIn)
        guard step > 0, step < ReceptionStatistics.maximumDropout else { return }
        highestIn = header.sequenceNumber
        highestOut = highestOut + (step - 1)
        shift(by: UInt16.max, after: highestIn - 1)
    }

    /// A header for a packet of our own between the others, stamped with the present on the stream's clock.
    package mutating func insert(payloadType: PayloadType, payloadCount: Int, at now: Instant) -> RTPHeader {
        highestOut = highestOut + 1
        if source != nil { shift(by: 1, after: highestIn) }
        return RTPHeader(
            payloadType: payloadType, sequenceNumber: highestOut, timestamp: timestamp(at: now), ssrc: ssrc,
            payloadCount: payloadCount)
    }

    /// What the outgoing stream's clock shows.
    package func timestamp(at now: Instant) -> RTPTimestamp { timestamp + ticks.count(in: now - sentAt) }

    /// Packets after the newest are one further on, or one less, than those up to `last`.
    private mutating func shift(by step: UInt16, after last: SequenceNumber) {
        // A segment that no packet can be in is not worth remembering.
        if current.start != last + 1 { previous = (current, last + 1) }
        current = Segment(start: highestIn + 1, offset: current.offset &+ step)
    }

    private mutating func rewriteLate(_ header: inout RTPHeader) -> Outcome {
        guard let segment = segment(of: header.sequenceNumber) else { return .drop }
        apply(to: &header, number: SequenceNumber(header.sequenceNumber.rawValue &+ segment.offset))
        return .forward
    }

    private func segment(of number: SequenceNumber) -> Segment? {
        if number.distance(from: current.start) >= 0 { return current }
        guard let previous, number.distance(from: previous.segment.start) >= 0, number < previous.end else {
            return nil
        }
        return previous.segment
    }

    private func apply(to header: inout RTPHeader, number: SequenceNumber) {
        header.sequenceNumber = number
        header.timestamp = RTPTimestamp(header.timestamp.rawValue &+ timestampOffset)
        header.ssrc = ssrc
    }

    private mutating func change(_ header: inout RTPHeader, at now: Instant) -> Outcome {
        if let retired, retired.ssrc == header.ssrc, now < retired.until { return .retired }
        if let source { retired = (source, now + Self.retirement) }
        source = header.ssrc
        start(&header, at: now)
        return .forwardFirst
    }

    /// The first packet of a source or of a new numbering.
    private mutating func start(_ header: inout RTPHeader, at now: Instant) {
        highestOut = highestOut + 1
        (highestIn, previous, badNext) = (header.sequenceNumber, nil, nil)
        current = Segment(
            start: header.sequenceNumber, offset: highestOut.rawValue &- header.sequenceNumber.rawValue)
        restartTimestamps(from: header.timestamp, at: now)
        timestampIn = header.timestamp
        apply(to: &header, number: highestOut)
        (timestamp, sentAt) = (header.timestamp, now)
        if marksStart { header.marker = true }
    }

    /// Maps `incoming` to the time that has passed since the newest packet, one packet's usual 20 ms at least.
    private mutating func restartTimestamps(from incoming: RTPTimestamp, at now: Instant) {
        let passed = max(ticks.count(in: now - sentAt), Int(ticks.clockRate) / 50)
        timestampOffset = (timestamp + passed).rawValue &- incoming.rawValue
    }

    /// A sender that began its timestamps anew within one numbering: more than a second back, or ten ahead of the clock.
    private func hasTimestampJumped(_ incoming: RTPTimestamp, at now: Instant) -> Bool {
        let step = incoming.distance(from: timestampIn)
        let rate = Int(ticks.clockRate)
        guard step > rate || step < -rate else { return false }
        return step < 0 || step > ticks.count(in: now - sentAt) + 10 * rate
    }
}
