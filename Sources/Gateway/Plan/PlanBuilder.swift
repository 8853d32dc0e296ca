import RTP
import SDP

/// Makes the ends of a stream, and the ways between them, out of what was said on each leg.
enum PlanBuilder {
    static func end(
        _ said: (ours: StreamTerms, theirs: StreamTerms), feedback: Feedback, source: SSRC, cname: [UInt8]
    ) -> StreamEnd {
        let formats = said.ours.formats.compactMap { mine in planned(mine, said.theirs.formats) }
        // Both sides' wishes hold: we send what the peer takes of what we said we would.
        let direction = Direction(
            sends: said.ours.direction.sends && said.theirs.direction.receives,
            receives: said.ours.direction.receives && said.theirs.direction.sends)
        return StreamEnd(
            direction: direction, codecs: formats.filter(\.codec.isMain),
            events: formats.filter { $0.codec == .telephoneEvent },
            comfortNoise: formats.first { $0.codec == .comfortNoise },
            packetTime: said.theirs.packetTime ?? 20, maximumPacketTime: said.theirs.maximumPacketTime,
            feedback: feedback, source: source, cname: cname)
    }

    private static func planned(_ mine: MediaFormat, _ theirs: [MediaFormat]) -> PlannedFormat? {
        // A peer's answer keeps the number, or changes it (RFC 3264 §6.1): the same number first, since H.264 may stand
        // there several times.
        let found = theirs.first { $0.payloadType == mine.payloadType && $0.matches(mine) }
        guard let other = found ?? theirs.first(where: { $0.matches(mine) }) else { return nil }
        return PlannedFormat(
            codec: mine.codec, clockRate: mine.clockRate, receives: mine.payloadType, sends: other.payloadType,
            packetizationMode: mine.h264?.packetizationMode ?? 0, profile: mine.h264?.profile,
            parameterSets: other.codec == .h264 ? other.parameters["sprop-parameter-sets"] : nil)
    }

    /// What to do with what arrives at `from`: first the sound or picture that passes through, then what must be made anew,
    /// then keys and noise.
    static func routes(from: StreamEnd, to: StreamEnd) -> [FormatRoute] {
        var treated: [(PlannedFormat, FormatRoute.Treatment)] = []
        for format in from.codecs + from.events + (from.comfortNoise.map { [$0] } ?? []) {
            if let treatment = treatment(format, from: from, to: to) { treated.append((format, treatment)) }
        }
        let mains = treated.filter(\.0.codec.isMain)
        treated =
            mains.filter { !$0.1.isTranscoding } + mains.filter(\.1.isTranscoding)
            + treated.filter { !$0.0.codec.isMain }
        var routes: [FormatRoute] = []
        var claimed = Set<PayloadType>()
        // Some peers send under the number of their own description; where that means nothing else, it is understood.
        for number in [\PlannedFormat.receives, \.sends] {
            for (format, treatment) in treated where claimed.insert(format[keyPath: number]).inserted {
                routes.append(
                    FormatRoute(
                        payloadType: format[keyPath: number], codec: format.codec, clockRate: format.clockRate,
                        treatment: treatment))
            }
        }
        return routes
    }

    private static func treatment(
        _ format: PlannedFormat, from: StreamEnd, to: StreamEnd
    ) -> FormatRoute.Treatment? {
        switch format.codec {
        case .telephoneEvent: return event(format, from: from, to: to)
        case .comfortNoise: return to.comfortNoise.map { .forward($0.sends) } ?? .endHere
        default:
            if let other = to.codecs.first(where: format.matches) { return .forward(other.sends) }
            guard format.codec.isTranscodable, let other = to.codecs.first else { return nil }
            return .transcode(to: other.codec, other.sends)
        }
    }

    /// Events share the timestamps of the sound they stand among. So they go on as they are only where sound and events
    /// have one clock rate on both legs.
    private static func event(_ format: PlannedFormat, from: StreamEnd, to: StreamEnd) -> FormatRoute.Treatment {
        let clock = to.codecs.first?.clockRate
        guard let other = to.events.first(where: { $0.clockRate == clock }) ?? to.events.first else {
            return .information
        }
        let isPlain = format.clockRate == other.clockRate && clock == other.clockRate
        guard isPlain, from.codecs.first?.clockRate == clock else {
            return .event(other.sends, clockRate: other.clockRate)
        }
        return .forward(other.sends)
    }
}

extension PlannedFormat {
    /// Whether packets of one may go on as packets of the other.
    fileprivate func matches(_ other: PlannedFormat) -> Bool {
        guard codec == other.codec, clockRate == other.clockRate, packetizationMode == other.packetizationMode else {
            return false
        }
        guard let profile, let theirs = other.profile else { return true }
        return profile.isCompatible(with: theirs)
    }
}

extension FormatRoute.Treatment {
    fileprivate var isTranscoding: Bool { if case .transcode = self { true } else { false } }
}
