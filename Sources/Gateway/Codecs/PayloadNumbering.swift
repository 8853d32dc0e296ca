import Base
import RTP
import SDP

/// The payload types of one leg. A number keeps its meaning for the dialog's life (RFC 3264 §8.3.2), and within a bundle it
/// has one meaning for all streams (RFC 9143 §9.1).
struct PayloadNumbering: Sendable {
    private var numbers: [MediaFormat.Identity: PayloadType] = [:]
    /// Numbers that ever meant something on this leg, to the peer or to us.
    private var taken = Set<UInt8>()

    /// What stands in a description of the peer's is given to nothing else.
    mutating func reserve(_ media: MediaDescription) {
        for text in media.formats {
            if let number = ASCII.decimal(text).flatMap({ UInt8(exactly: $0) }), number < 128 { taken.insert(number) }
        }
    }

    /// The numbers of a peer's offer are ours too: whoever answers keeps them (RFC 3264 §6.1). Those of an answer are the
    /// peer's alone, when they are others than we offered.
    mutating func adopt(_ formats: [MediaFormat]) {
        for format in formats {
            taken.insert(format.payloadType.rawValue)
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
        taken.insert(type.rawValue)
        var copy = format
        copy.payloadType = type
        return copy
    }

    private func isFree(_ type: PayloadType) -> Bool { !taken.contains(type.rawValue) }

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
