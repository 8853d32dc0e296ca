import Base
import SDP

/// Which formats one leg's peer is offered or answered with, given what the other leg's peer has said.
enum Translation {
    enum Side { case web, phone }

    /// More video formats than this are not offered: a phone has no use for eight shades of H.264.
    static let maximumVideoFormats = 8

    /// The formats to offer on `side` for terms that came from the other side.
    ///
    /// - Parameter allowsTranscoding: whether codecs follow that only we could make, behind those that both sides share.
    static func offer(_ terms: StreamTerms, to side: Side, allowsTranscoding: Bool) -> [MediaFormat] {
        terms.kind == .audio
            ? sound(terms, to: side, allowsTranscoding: allowsTranscoding) : pictures(terms, to: side)
    }

    private static func sound(_ terms: StreamTerms, to side: Side, allowsTranscoding: Bool) -> [MediaFormat] {
        var formats: [MediaFormat] = []
        for codec in Codec.soundInOrder {
            guard let format = terms.mains.first(where: { $0.codec == codec }) else { continue }
            formats.append(carried(format))
        }
        // What every browser has and what every phone has, or nearly.
        let fallbacks: [Codec] = side == .web ? [.opus] : [.g722, .pcma, .pcmu]
        for codec in fallbacks where allowsTranscoding && !formats.contains(where: { $0.codec == codec }) {
            var format = MediaFormat(codec)
            if codec == .opus { format.parameters = .opus }
            formats.append(format)
        }
        if terms.comfortNoise != nil, formats.contains(where: { $0.clockRate == 8_000 }) {
            formats.append(MediaFormat(.comfortNoise))
        }
        // Keys are offered whether or not the other side has them: what does not go on as a packet goes on by INFO. Phones
        // that take Opus often know events at 8 kHz alone.
        if formats.contains(where: { $0.codec == .opus }) { formats.append(keys(48_000)) }
        formats.append(keys(8_000))
        return formats
    }

    private static func keys(_ clockRate: UInt32) -> MediaFormat {
        var format = MediaFormat(.telephoneEvent, clockRate: clockRate)
        format.parameters = .keys
        return format
    }

    private static func pictures(_ terms: StreamTerms, to side: Side) -> [MediaFormat] {
        var formats: [MediaFormat] = []
        for format in terms.mains {
            var copy = carried(format)
            if side == .web, let h264 = format.h264 { copy.parameters = h264.forBrowser.apply(to: copy.parameters) }
            // A browser has Baseline beside constrained Baseline; the phone is offered the one that everybody can show.
            if let index = formats.firstIndex(where: { $0.matches(copy) }) {
                if copy.h264?.profile == .constrainedBaseline, formats[index].h264?.profile == .baseline {
                    formats[index] = copy
                }
                continue
            }
            if formats.count < maximumVideoFormats { formats.append(copy) }
        }
        return formats
    }

    private static func carried(_ format: MediaFormat) -> MediaFormat {
        var copy = MediaFormat(format.codec, clockRate: format.clockRate)
        copy.parameters = format.parameters.forwarded(for: format.codec)
        if format.codec == .opus, copy.parameters.entries.isEmpty { copy.parameters = .opus }
        return copy
    }

    /// The formats to answer `offer` with when the other leg's peer has answered `other`: those that both have, in the
    /// answer's order; only when there are none, one codec for us to make.
    ///
    /// - Returns: nil when nothing fits. Feedback is left for the leg to add.
    static func answer(to offer: StreamTerms, from other: StreamTerms) -> [MediaFormat]? {
        guard offer.kind == other.kind else { return nil }
        var formats: [MediaFormat] = []
        for answered in other.mains {
            // Of a browser's many kinds of H.264 the one that the phone was offered.
            guard
                let offered = offer.mains.first(where: { $0.identity == answered.identityForBrowser })
                    ?? offer.mains.first(where: { $0.matches(answered) }),
                !formats.contains(where: { $0.payloadType == offered.payloadType })
            else { continue }
            formats.append(answer(offered, from: answered))
        }
        let isTranscoded = formats.isEmpty
        if isTranscoded {
            guard other.mains.contains(where: \.codec.isTranscodable), let codec = transcoded(offer) else { return nil }
            formats.append(codec)
        }
        guard offer.kind == .audio else { return formats }
        if let noise = offer.comfortNoise, isTranscoded || other.comfortNoise != nil,
            formats.contains(where: { $0.clockRate == 8_000 })
        {
            formats.append(withoutParameters(noise))
        }
        return formats + events(offer, beside: formats)
    }

    private static func answer(_ offered: MediaFormat, from answered: MediaFormat) -> MediaFormat {
        var copy = offered
        copy.parameters = answered.parameters.forwarded(for: offered.codec)
        if offered.codec == .opus, copy.parameters.entries.isEmpty { copy.parameters = .opus }
        if let mine = offered.h264, let theirs = answered.h264 {
            copy.parameters = mine.answer(given: theirs).apply(to: copy.parameters)
        }
        return copy
    }

    private static func transcoded(_ offer: StreamTerms) -> MediaFormat? {
        for codec in Codec.soundInOrder {
            guard var format = offer.mains.first(where: { $0.codec == codec }) else { continue }
            format.parameters = codec == .opus ? .opus : FormatParameters()
            return format
        }
        return nil
    }

    /// Events at the clock rate of a codec beside them (RFC 4733 §2.1), else whatever was offered.
    private static func events(_ offer: StreamTerms, beside formats: [MediaFormat]) -> [MediaFormat] {
        var events = offer.events.filter { event in formats.contains { $0.clockRate == event.clockRate } }
        if events.isEmpty { events = Array(offer.events.prefix(1)) }
        return events.map { event in
            var copy = event
            copy.parameters = .keys
            return copy
        }
    }

    private static func withoutParameters(_ format: MediaFormat) -> MediaFormat {
        var copy = format
        copy.parameters = FormatParameters()
        return copy
    }
}
