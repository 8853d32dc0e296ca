import Base

/// How one source is received: validity, loss and jitter (RFC 3550 §6.4.1, §A.1, §A.3, §A.8).
///
/// ```
/// probation --- minSequential packets in order ---> valid
/// valid: a jump is held back; a second packet that continues it restarts the count
/// ```
package struct ReceptionStatistics: Sendable {
    package enum Verdict: Equatable, Sendable {
        /// Too few packets in order to believe that this is a stream.
        case probation
        /// The newest packet so far.
        case newest
        /// Reordered, or a copy.
        case late
        /// Too far from the others; believed when the next one continues it. Not counted.
        case jumped
        /// The second packet after a jump: the sender started anew.
        case restarted
    }

    /// A gap up to this is loss; a larger one is another stream (RFC 3550 §A.1 MAX_DROPOUT).
    package static let maximumDropout = 3000
    /// How late a packet may be (RFC 3550 §A.1 MAX_MISORDER).
    package static let maximumMisorder = 100
    /// Packets in order before a source is valid (RFC 3550 §A.1 MIN_SEQUENTIAL).
    package static let minimumSequential = 2

    private var ticks: TickCounter
    private var probation: Int
    private var isStarted = false
    private var highest = SequenceNumber(0)
    private var base = SequenceNumber(0)
    private var badNext: SequenceNumber?
    /// Wraps of the sequence number, times 65 536.
    private var cycles: UInt32 = 0
    private var received: UInt32 = 0
    private var expectedPrior: UInt32 = 0
    private var receivedPrior: UInt32 = 0
    /// Arrival time minus timestamp of the packet before, in ticks.
    private var transit: UInt32 = 0
    /// The estimate times sixteen, so that the division keeps its remainder (RFC 3550 §A.8).
    private var scaledJitter: UInt32 = 0
    private var lastSenderReport: (middle: UInt32, at: Instant)?

    /// - Parameters:
    ///   - clockRate: ticks per second of the payload format.
    ///   - probation: how many packets must be in order first; zero where packets are authenticated (SRTP).
    package init(clockRate: UInt32, probation: Int = minimumSequential) {
        ticks = TickCounter(clockRate: clockRate)
        self.probation = probation
    }

    /// Cycles and the highest sequence number.
    package var extendedHighest: UInt32 { cycles &+ UInt32(highest.rawValue) }
    /// In ticks of the source's clock.
    package var jitter: UInt32 { scaledJitter >> 4 }
    package var receivedCount: UInt32 { received }
    /// How many packets the source has sent as far as we can tell.
    package var expectedCount: UInt32 { isStarted ? extendedHighest &- UInt32(base.rawValue) &+ 1 : 0 }
    /// Negative when copies arrived (RFC 3550 §A.3).
    package var lostCount: Int32 { Int32(bitPattern: expectedCount &- received) }
    package var isValid: Bool { isStarted && probation == 0 }

    /// Counts a packet.
    ///
    /// - Parameter isTimed: false for packets that say nothing of the path's jitter, because their timestamp stands
    ///   still: telephone events (RFC 4733 §2.5.1.2) and retransmissions.
    package mutating func receive(
        sequence: SequenceNumber, timestamp: RTPTimestamp, isTimed: Bool = true, at now: Instant
    ) -> Verdict {
        let verdict = update(sequence)
        guard verdict != .jumped, verdict != .probation else { return verdict }
        if isTimed, verdict != .late { updateJitter(timestamp, isFirst: received == 1, at: now) }
        return verdict
    }

    /// RFC 3550 §A.1, update_seq.
    private mutating func update(_ sequence: SequenceNumber) -> Verdict {
        guard isStarted else {
            restart(at: sequence)
            isStarted = true
            guard probation > 0 else { return count(.newest) }
            probation -= 1
            return probation == 0 ? count(.newest) : .probation
        }
        let step = Int(sequence.rawValue &- highest.rawValue)
        guard probation == 0 else { return prove(sequence, step) }
        if step > 0, step < Self.maximumDropout {
            if sequence.rawValue < highest.rawValue { cycles &+= 0x1_0000 }
            highest = sequence
            badNext = nil
            return count(.newest)
        }
        if step == 0 || step > 0x1_0000 - Self.maximumMisorder { return count(.late) }
        guard sequence == badNext else {
            badNext = sequence + 1
            return .jumped
        }
        restart(at: sequence)
        return count(.restarted)
    }

    private mutating func prove(_ sequence: SequenceNumber, _ step: Int) -> Verdict {
        guard step == 1 else {
            probation = Self.minimumSequential - 1
            highest = sequence
            return .probation
        }
        highest = sequence
        probation -= 1
        guard probation == 0 else { return .probation }
        restart(at: sequence)
        return count(.newest)
    }

    private mutating func count(_ verdict: Verdict) -> Verdict {
        received &+= 1
        return verdict
    }

    /// RFC 3550 §A.1, init_seq.
    private mutating func restart(at sequence: SequenceNumber) {
        (base, highest, badNext, cycles) = (sequence, sequence, nil, 0)
        (received, expectedPrior, receivedPrior) = (0, 0, 0)
    }

    /// RFC 3550 §A.8.
    private mutating func updateJitter(_ timestamp: RTPTimestamp, isFirst: Bool, at now: Instant) {
        let arrived = ticks.count(at: now) &- timestamp.rawValue
        defer { transit = arrived }
        guard !isFirst else { return }
        let difference = Int32(bitPattern: arrived &- transit).magnitude
        // Beyond this the sender changed its clock, which is no jitter; it also keeps the sum within 32 bits.
        guard difference < 1 << 24 else { return }
        scaledJitter = scaledJitter &+ difference &- (scaledJitter &+ 8) >> 4
    }

    /// A report of the source's sender arrived: our next block names it.
    package mutating func receive(_ information: SenderInformation, at now: Instant) {
        lastSenderReport = (information.time.middle, now)
    }

    /// The report block for this source since the block before (RFC 3550 §A.3); nil before the source is valid.
    package mutating func reportBlock(ssrc: SSRC, at now: Instant) -> ReportBlock? {
        guard isValid else { return nil }
        let expectedInterval = expectedCount &- expectedPrior
        let receivedInterval = received &- receivedPrior
        (expectedPrior, receivedPrior) = (expectedCount, received)
        let lost = Int64(expectedInterval) - Int64(receivedInterval)
        let fraction = expectedInterval == 0 || lost <= 0 ? 0 : min(255, lost << 8 / Int64(expectedInterval))
        let delay = lastSenderReport.map { NTPClock.units(now - $0.at, perSecond: 16) } ?? 0
        return ReportBlock(
            ssrc: ssrc, fractionLost: UInt8(fraction), cumulativeLost: max(-0x80_0000, min(0x7f_ffff, lostCount)),
            extendedHighestSequence: extendedHighest, jitter: jitter, lastSenderReport: lastSenderReport?.middle ?? 0,
            delaySinceLastSenderReport: UInt32(truncatingIfNeeded: delay))
    }
}

/// Our clock in ticks of a payload format, wrapping like its timestamps do: one multiplication, no division.
struct TickCounter: Sendable {
    let clockRate: UInt32
    /// Ticks per nanosecond, times two to the power of 64.
    private let factor: UInt64

    init(clockRate: UInt32) {
        precondition(clockRate > 0, "a clock rate is not zero")
        self.clockRate = clockRate
        factor = UInt64(1_000_000_000).dividingFullWidth((UInt64(clockRate), 0)).quotient
    }

    @inline(__always) func count(at now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: UInt64(bitPattern: now.nanoseconds).multipliedFullWidth(by: factor).high)
    }

    /// Ticks in a duration that is not negative; saturates at what 32 bits signed hold.
    func count(in duration: Duration) -> Int {
        let nanoseconds = max(0, duration.wholeNanoseconds)
        let ticks = UInt64(nanoseconds).multipliedFullWidth(by: factor)
        // The factor is rounded down: without the half tick, 20 ms would be 159 of 160 ticks.
        return Int(min(ticks.high + (ticks.low >> 63), 0x7fff_ffff))
    }
}
