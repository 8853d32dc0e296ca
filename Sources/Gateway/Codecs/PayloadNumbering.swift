import RTP

/// The payload types of one leg. A number keeps its meaning for the dialog's life (RFC 3264 §8.3.2), and within a bundle it
/// has one meaning for all streams (RFC 9143 §9.1).
struct PayloadNumbering: Sendable {
    private var numbers: [MediaFormat.Identity: PayloadType] = [:]
    /// What the peer uses for formats that we do not carry.
    private var taken = Set<UInt8>()

    /// The peer's numbers are ours: whoever answers keeps the offer's (RFC 3264 §6.1).
    mutating func adopt(_ formats: [MediaFormat], allNumbers: [UInt8]) {
        for number in allNumbers { taken.insert(number) }
        for format in formats {
            numbers = numbers.filter { $0.value != format.payloadType }
            numbers[format.identity] = format.payloadType
        }
    }

    /// Gives a format its number: the one it has, the one everybody knows, or a free one.
    ///
    /// - Returns: nil when the dynamic range is used up.
    mutating func number(_ format: MediaFormat) -> MediaFormat? {
        guard let type = numbers[format.identity] ?? Self.usual(format).first(where: isFree) ?? free() else {
            return nil
        }
        numbers[format.identity] = type
        var copy = format
        copy.payloadType = type
        return copy
    }

    private func isFree(_ type: PayloadType) -> Bool {
        !taken.contains(type.rawValue) && !numbers.values.contains(type)
    }

    private func free() -> PayloadType? {
        // RFC 3551 §6: 96 to 127 are dynamic; RFC 5761 §4 leaves 35 to 63 for when those do not do.
        for range in [96...127, 35...63] {
            for number in range where isFree(PayloadType(UInt8(number))) { return PayloadType(UInt8(number)) }
        }
        return nil
    }

    /// Static types where there are, else those that phones and browsers use by habit: some take no other.
    private static func usual(_ format: MediaFormat) -> [PayloadType] {
        switch format.codec {
        case .pcmu: [.pcmu]
        case .pcma: [.pcma]
        case .g722: [.g722]
        case .comfortNoise: [.comfortNoise]
        case .opus: [PayloadType(111)]
        case .telephoneEvent: [PayloadType(format.clockRate == 8_000 ? 101 : 110)]
        case .vp8: [PayloadType(96)]
        case .h264: [PayloadType(format.identity.packetizationMode == 1 ? 102 : 104)]
        }
    }
}
