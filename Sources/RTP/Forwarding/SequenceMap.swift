/// Which incoming packet an outgoing number stood for, so that feedback about the one can be said of the other.
///
/// A ring of fixed size: one store per packet forwarded.
package struct SequenceMap: Sendable {
    /// About eight seconds of audio, a second or more of video: feedback about older packets has lost its use.
    package static let capacity = 1024

    /// Outgoing number, incoming number, and one bit that says that the slot was ever used.
    private var slots = [UInt64](repeating: 0, count: capacity)

    package init() {}

    package mutating func record(outgoing: SequenceNumber, incoming: SequenceNumber) {
        slots[Int(outgoing.rawValue) % Self.capacity] =
            1 << 32 | UInt64(outgoing.rawValue) << 16 | UInt64(incoming.rawValue)
    }

    /// The incoming number; nil when it was too long ago, or the packet was one of our own.
    package func incoming(of outgoing: SequenceNumber) -> SequenceNumber? {
        let slot = slots[Int(outgoing.rawValue) % Self.capacity]
        guard slot >> 16 == 1 << 16 | UInt64(outgoing.rawValue) else { return nil }
        return SequenceNumber(UInt16(truncatingIfNeeded: slot))
    }
}
