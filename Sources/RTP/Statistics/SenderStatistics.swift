import Base

/// What we have sent of one stream, for sender reports (RFC 3550 §6.4.1).
package struct SenderStatistics: Sendable {
    private let ticks: TickCounter
    private var packetCount: UInt32 = 0
    private var octetCount: UInt32 = 0
    private var newest: (timestamp: RTPTimestamp, at: Instant)?

    package init(clockRate: UInt32) { ticks = TickCounter(clockRate: clockRate) }

    /// Counts a packet with `payloadCount` bytes of payload that goes out now.
    package mutating func send(timestamp: RTPTimestamp, payloadCount: Int, at now: Instant) {
        packetCount &+= 1
        octetCount &+= UInt32(truncatingIfNeeded: payloadCount)
        newest = (timestamp, now)
    }

    /// Whether something was sent since `instant`: only then is the report a sender report (RFC 3550 §6.4).
    package func hasSent(since instant: Instant) -> Bool { newest.map { $0.at >= instant } ?? false }

    /// The report's facts; the timestamp is the newest packet's, moved on to now. Nil before the first packet.
    package func information(clock: NTPClock, at now: Instant) -> SenderInformation? {
        newest.map {
            SenderInformation(
                time: clock.time(at: now), timestamp: $0.timestamp + ticks.count(in: now - $0.at),
                packetCount: packetCount, octetCount: octetCount)
        }
    }
}
