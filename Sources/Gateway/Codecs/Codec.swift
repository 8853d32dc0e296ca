import Base
import RTP
import SDP

/// Sound or picture: a bridge has at most one stream of each.
package enum MediaKind: CaseIterable, Hashable, Sendable {
    case audio, video

    init?(_ media: MediaDescription) {
        if media.isAudio { self = .audio } else if media.isVideo { self = .video } else { return nil }
    }
}

/// What the gateway can carry from one leg to the other.
package enum Codec: Hashable, Sendable {
    case opus, g722, pcma, pcmu
    case comfortNoise, telephoneEvent
    case vp8, h264

    /// The order in which sound is offered: the best that both sides have passes through.
    static let soundInOrder: [Codec] = [.opus, .g722, .pcma, .pcmu]

    /// Whether it carries sound or a picture, rather than keys or silence between the sound.
    package var isMain: Bool { self != .comfortNoise && self != .telephoneEvent }

    /// Sound that can be decoded and encoded anew.
    var isTranscodable: Bool { Self.soundInOrder.contains(self) }

    var kind: MediaKind { self == .vp8 || self == .h264 ? .video : .audio }

    /// Ticks of the RTP timestamp per second; that of telephone events varies.
    var clockRate: UInt32 {
        switch self {
        case .opus: 48_000
        case .vp8, .h264: 90_000
        case .g722, .pcma, .pcmu, .comfortNoise, .telephoneEvent: 8_000
        }
    }

    init?(_ map: RTPMap) {
        switch map.clockRate {
        case 8_000 where map.isNamed("PCMU") && map.channels == 1: self = .pcmu
        case 8_000 where map.isNamed("PCMA") && map.channels == 1: self = .pcma
        case 8_000 where map.isNamed("G722") && map.channels == 1: self = .g722
        case 8_000 where map.isNamed("CN") && map.channels == 1: self = .comfortNoise
        // Two channels whatever is in them (RFC 7587 §4.1); those who write one mean the same.
        case 48_000 where map.isNamed("opus"): self = .opus
        case 8_000 where map.isNamed("telephone-event"), 48_000 where map.isNamed("telephone-event"):
            self = .telephoneEvent
        case 90_000 where map.isNamed("VP8"): self = .vp8
        case 90_000 where map.isNamed("H264"): self = .h264
        default: return nil
        }
    }

    var encodingName: StaticString {
        switch self {
        case .opus: "opus"
        case .g722: "G722"
        case .pcma: "PCMA"
        case .pcmu: "PCMU"
        case .comfortNoise: "CN"
        case .telephoneEvent: "telephone-event"
        case .vp8: "VP8"
        case .h264: "H264"
        }
    }
}

/// RTCP feedback that can be agreed on (RFC 4585 §4.2, RFC 5104 §7.1).
package struct Feedback: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `nack`: single packets are asked for again.
    package static let nack = Feedback(rawValue: 1)
    /// `nack pli`: a keyframe, because pictures are lost.
    package static let pictureLoss = Feedback(rawValue: 2)
    /// `ccm fir`: a keyframe, because there is a new viewer.
    package static let fullIntraRequest = Feedback(rawValue: 4)
    /// `goog-remb`: how much the receiver believes to get through.
    package static let estimatedBitrate = Feedback(rawValue: 8)
    /// `transport-cc`: when each packet of the transport arrived.
    package static let transportWide = Feedback(rawValue: 16)
    /// `ccm tmmbr`: send no more than this.
    package static let temporaryBitrate = Feedback(rawValue: 32)

    static let names: [(Feedback, StaticString)] = [
        (.nack, "nack"), (.pictureLoss, "nack pli"), (.fullIntraRequest, "ccm fir"), (.estimatedBitrate, "goog-remb"),
        (.transportWide, "transport-cc"), (.temporaryBitrate, "ccm tmmbr"),
    ]

    /// Reads what follows the payload type in `a=rtcp-fb`; parameters such as TMMBR's `smaxpr` are dropped.
    init(parsing words: ArraySlice<ArraySlice<UInt8>>) {
        self = []
        for (value, name) in Self.names {
            let expected = [UInt8](ascii: name).split(separator: ASCII.space)
            guard words.count >= expected.count, words.count == expected.count || value == .temporaryBitrate,
                zip(words, expected).allSatisfy({ ASCII.equalIgnoringCase($0, $1) })
            else { continue }
            insert(value)
        }
    }
}
