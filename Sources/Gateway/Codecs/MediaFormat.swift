import Base
import RTP
import SDP

/// One payload type of a media description that we know how to carry.
struct MediaFormat: Hashable, Sendable {
    /// What makes two formats of one leg the same, so that their payload type never changes (RFC 3264 §8.3.2).
    struct Identity: Hashable, Sendable {
        var codec: Codec
        var clockRate: UInt32
        var profile: H264Parameters.Profile?
        var packetizationMode = 0
    }

    var payloadType: PayloadType
    var codec: Codec
    var clockRate: UInt32
    var parameters = FormatParameters()
    var feedback: Feedback = []

    init(_ codec: Codec, clockRate: UInt32? = nil, payloadType: PayloadType = PayloadType(0)) {
        (self.codec, self.clockRate) = (codec, clockRate ?? codec.clockRate)
        self.payloadType = payloadType
    }

    var h264: H264Parameters? { codec == .h264 ? H264Parameters(parameters) : nil }

    var identity: Identity { identity(h264) }
    /// With Baseline taken for constrained Baseline.
    var identityForBrowser: Identity { identity(h264?.forBrowser) }

    private func identity(_ h264: H264Parameters?) -> Identity {
        Identity(
            codec: codec, clockRate: clockRate, profile: h264?.profile, packetizationMode: h264?.packetizationMode ?? 0)
    }

    func keepingFeedback(_ known: Feedback) -> MediaFormat {
        var copy = self
        copy.feedback = feedback.intersection(known)
        return copy
    }

    /// Whether packets of one may go on as packets of the other.
    func matches(_ other: MediaFormat) -> Bool {
        guard codec == other.codec, clockRate == other.clockRate else { return false }
        guard codec == .h264 else { return true }
        guard let mine = h264, let theirs = other.h264 else { return false }
        return mine.matches(theirs)
    }

    /// The encoder's `rtpmap`.
    var map: RTPMap {
        RTPMap(
            payloadType: payloadType.rawValue, encoding: [UInt8](ascii: codec.encodingName), clockRate: Int(clockRate),
            channels: codec == .opus ? 2 : 1)
    }
}

extension MediaFormat {
    /// How many formats of one line are looked at. Browsers have about thirty for video.
    static let maximumCount = 128

    /// The formats of a line that we can carry, in the line's order, each payload type once.
    static func read(_ media: MediaDescription) -> [MediaFormat] {
        let kind = MediaKind(media)
        let tables = AttributeTables(media.list)
        var seen = Set<UInt8>()
        var found: [MediaFormat] = []
        for text in media.formats.prefix(maximumCount) {
            guard let number = ASCII.decimal(text), let type = UInt8(exactly: number), type < 128,
                seen.insert(type).inserted, let map = tables.maps[type] ?? RTPMap.assigned(type),
                let codec = Codec(map), codec.kind == kind
            else { continue }
            var format = MediaFormat(codec, clockRate: UInt32(map.clockRate), payloadType: PayloadType(type))
            // An answer repeats the offer's formats as they are written, and 08 would come back as 8.
            guard format.number == text else { continue }
            if let text = tables.parameters[type] { format.parameters = FormatParameters(parsing: text) }
            format.feedback = (tables.feedback[type] ?? []).union(tables.feedbackOfAll)
            if codec == .h264, format.h264 == nil { continue }
            found.append(format)
        }
        return found
    }

    /// `rtpmap`, `fmtp` and `rtcp-fb` lines by payload type, each line read once.
    private struct AttributeTables {
        var maps: [UInt8: RTPMap] = [:]
        var parameters: [UInt8: ArraySlice<UInt8>] = [:]
        var feedback: [UInt8: Feedback] = [:]
        /// `a=rtcp-fb:* …` (RFC 4585 §4.2).
        var feedbackOfAll: Feedback = []

        init(_ list: LineList) {
            for value in list.attributes("rtpmap") {
                guard let map = RTPMap(parsing: value), maps[map.payloadType] == nil else { continue }
                maps[map.payloadType] = map
            }
            for value in list.attributes("fmtp") {
                guard let space = value.firstIndex(of: ASCII.space),
                    let type = ASCII.decimal(value[..<space]).flatMap({ UInt8(exactly: $0) }), parameters[type] == nil
                else { continue }
                parameters[type] = value[(space + 1)...]
            }
            for value in list.attributes("rtcp-fb") {
                let words = value.words
                guard let first = words.first else { continue }
                let meant = Feedback(parsing: words.dropFirst())
                if ASCII.equalIgnoringCase(first, "*") {
                    feedbackOfAll.formUnion(meant)
                } else if let type = ASCII.decimal(first).flatMap({ UInt8(exactly: $0) }) {
                    feedback[type, default: []].formUnion(meant)
                }
            }
        }
    }

    /// Writes the format's lines.
    func write(into list: inout LineList) {
        list.append("rtpmap", map.bytes)
        for (value, name) in Feedback.names where feedback.contains(value) {
            list.append("rtcp-fb", numbered([UInt8](ascii: name)))
        }
        let text = parameters.bytes
        if !text.isEmpty { list.append("fmtp", numbered(text)) }
    }

    private func numbered(_ text: [UInt8]) -> [UInt8] {
        var out = number
        out.append(ASCII.space)
        return out + text
    }

    /// The payload type as it stands in the `m=` line.
    var number: [UInt8] {
        var out: [UInt8] = []
        out.appendDecimal(Int(payloadType.rawValue))
        return out
    }
}
