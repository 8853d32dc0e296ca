import Base

/// The reports of one media stream of one leg, both ways: ours on a timer, the peer's read (RFC 3550 §6).
///
/// The owner calls `send` and `receive` for each packet, `write` when `nextTimeout` has come, and gives it the peer's
/// RTCP packets.
package struct RTCPReporter: Sendable {
    /// The longest name we give ourselves: what fits an SDES item is 255, ours are far shorter.
    package static let maximumNameLength = 255

    /// Our own source.
    package let ssrc: SSRC
    private let canonicalName: [UInt8]
    private let clock: NTPClock
    private let clockRate: UInt32
    private let probation: Int
    private var schedule: ReportSchedule
    private var sender: SenderStatistics
    private var lastReport: Instant
    /// The source we receive, and how.
    package private(set) var source: SSRC?
    package private(set) var reception: ReceptionStatistics
    /// What the peer last said of our stream.
    package private(set) var remote: ReportBlock?
    /// Time to the peer and back by the latest report that tells (RFC 3550 §6.4.1).
    package private(set) var roundTrip: Duration?

    /// - Parameter probation: as in `ReceptionStatistics`.
    package init(
        ssrc: SSRC, canonicalName: [UInt8], clockRate: UInt32, clock: NTPClock,
        probation: Int = ReceptionStatistics.minimumSequential, schedule: ReportSchedule, at now: Instant
    ) {
        (self.ssrc, self.clock, self.clockRate, self.probation) = (ssrc, clock, clockRate, probation)
        self.canonicalName = Array(canonicalName.prefix(Self.maximumNameLength))
        (self.schedule, lastReport) = (schedule, now)
        sender = SenderStatistics(clockRate: clockRate)
        reception = ReceptionStatistics(clockRate: clockRate, probation: probation)
    }

    /// When `write` is due.
    package var nextTimeout: Instant { schedule.nextTimeout }

    /// Counts a packet that we send.
    package mutating func send(_ header: RTPHeader, at now: Instant) {
        sender.send(timestamp: header.timestamp, payloadCount: header.payloadCount, at: now)
    }

    /// Counts a packet that arrived; another SSRC than before starts new statistics.
    package mutating func receive(
        _ header: RTPHeader, isTimed: Bool = true, at now: Instant
    ) -> ReceptionStatistics.Verdict {
        if source != header.ssrc {
            source = header.ssrc
            reception = ReceptionStatistics(clockRate: clockRate, probation: probation)
        }
        return reception.receive(
            sequence: header.sequenceNumber, timestamp: header.timestamp, isTimed: isTimed, at: now)
    }

    /// Takes what a packet of the peer says about us and about the peer's own sending.
    package mutating func receive(_ packet: RTCPPacket, in datagram: RawSpan, at now: Instant) {
        switch packet {
        case .senderReport(let sender, let information, let blocks):
            if sender == source { reception.receive(information, at: now) }
            take(blocks, in: datagram, at: now)
        case .receiverReport(_, let blocks): take(blocks, in: datagram, at: now)
        default: break
        }
    }

    private mutating func take(_ blocks: RTCPList<ReportBlock>, in datagram: RawSpan, at now: Instant) {
        for index in 0..<blocks.count {
            let block = blocks.entry(index, in: datagram)
            guard block.ssrc == ssrc else { continue }
            remote = block
            roundTrip = roundTrip(of: block, at: now) ?? roundTrip
        }
    }

    /// Now minus the delay at the peer minus when our report left (RFC 3550 §6.4.1, figure 2).
    private func roundTrip(of block: ReportBlock, at now: Instant) -> Duration? {
        guard block.lastSenderReport != 0 else { return nil }
        let units = clock.time(at: now).middle &- block.lastSenderReport &- block.delaySinceLastSenderReport
        // A peer that overstates its delay gives a negative time; one of minutes is no measurement either.
        guard units < 60 << 16 else { return nil }
        return .nanoseconds(Int64(units) * 1_000_000_000 >> 16)
    }

    /// Writes a report, with what follows it in the same datagram left to the caller's `writer`.
    ///
    /// - Returns: false when the buffer is too small for a report and our name; it needs 52 bytes and the name.
    package mutating func write(
        _ writer: inout RTCPWriter, into buffer: inout MutableRawSpan, at now: Instant
    ) -> Bool {
        let since = lastReport
        lastReport = now
        schedule.sent(at: now)
        if sender.hasSent(since: since), let information = sender.information(clock: clock, at: now) {
            guard writer.beginSenderReport(ssrc: ssrc, information, into: &buffer) else { return false }
        } else {
            guard writer.beginReceiverReport(ssrc: ssrc, into: &buffer) else { return false }
        }
        if let source, let block = reception.reportBlock(ssrc: source, at: now) {
            guard writer.add(block, into: &buffer) else { return false }
        }
        return writer.sourceDescription(ssrc: ssrc, canonicalName: canonicalName.span.bytes, into: &buffer)
    }

    /// The last report of a call: with BYE (RFC 3550 §6.6).
    package mutating func writeGoodbye(into buffer: inout MutableRawSpan, at now: Instant) -> Int? {
        var writer = RTCPWriter()
        guard write(&writer, into: &buffer, at: now), writer.goodbye(ssrc: ssrc, into: &buffer) else { return nil }
        return writer.count
    }
}
