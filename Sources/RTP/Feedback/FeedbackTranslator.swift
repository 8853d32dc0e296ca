import Base

/// What the receiver of one video or audio stream says about it, turned into what its sender understands.
///
/// One for each direction of a bridge: the receiver may be a browser that speaks AVPF (RFC 4585) and the sender a phone
/// that speaks AVP, or the other way round. Reports are not passed on: each leg makes its own (RFC 3550 §7.2 lets a
/// translator that changes numbers do no less). Transport-wide feedback ends here.
package struct FeedbackTranslator: Sendable {
    package enum Action: Equatable, Sendable {
        case none
        /// Ask the sender for a keyframe now, by `keyframes.write` or SIP INFO.
        case requestKeyframe
        /// Send these again from the buffer, as long as `mayRetransmit` says so.
        case retransmit(RTCPList<NackEntry>)
        /// Ask the sender to keep within this many bits per second. When the wish came as TMMBR, its author is owed a
        /// notification (RFC 5104 §4.2.2).
        case limitBitrate(UInt64)
    }

    /// How many packets are sent again at once, and how many per second in the long run: a receiver that asks for more
    /// has lost its path, and sending everything twice makes that worse.
    package static let retransmissionBurst = 100, retransmissionsPerSecond = 500
    /// Bit rate limits that rise are passed on this often; those that fall at once.
    package static let bitrateInterval = Duration.seconds(1)
    /// No video worth seeing fits below; a receiver that asks for less is mistaken.
    package static let minimumBitrate: UInt64 = 30_000

    package var keyframes: KeyframeRequests
    /// The stream's SSRC as the receiver sees it.
    private let media: SSRC
    /// Whether the sender can be told a bit rate (REMB or TMMBR).
    private let limitsBitrate: Bool
    private var lastIntraRequest: (sender: SSRC, sequence: UInt8)?
    private var retransmissions = TokenBucket(full: retransmissionBurst, at: .zero)
    private var bitrate: (bitsPerSecond: UInt64, at: Instant)?

    /// - Parameters:
    ///   - media: the SSRC that the receiver's feedback names.
    ///   - method: how the sender is asked for keyframes.
    ///   - limitsBitrate: whether the sender takes REMB or TMMBR.
    package init(media: SSRC, method: KeyframeMethod, limitsBitrate: Bool) {
        (self.media, self.limitsBitrate) = (media, limitsBitrate)
        keyframes = KeyframeRequests(method: method)
    }

    /// What to do about one RTCP packet of the receiver.
    package mutating func receive(_ packet: RTCPPacket, in datagram: RawSpan, at now: Instant) -> Action {
        switch packet {
        case .pictureLoss(let sources) where sources.media == media: return keyframe(at: now)
        case .sliceLoss(let sources, _) where sources.media == media: return keyframe(at: now)
        case .legacyFullIntraRequest(let source) where source == media: return keyframe(at: now)
        case .fullIntraRequest(let sources, let requests):
            return intraRequest(requests, from: sources.sender, in: datagram, at: now)
        case .nack(let sources, let entries) where sources.media == media && entries.count > 0:
            return .retransmit(entries)
        case .estimatedMaximumBitrate(let estimate):
            guard contains(estimate.sources, in: datagram) else { return .none }
            return limit(estimate.bitsPerSecond, at: now)
        case .temporaryMaximumBitrate(_, let limits):
            for index in 0..<limits.count {
                let entry = limits.entry(index, in: datagram)
                if entry.ssrc == media { return limit(entry.bitsPerSecond, at: now) }
            }
            return .none
        default: return .none
        }
    }

    /// The receiver asked by SIP INFO (RFC 5168), or a new receiver has come.
    package mutating func keyframe(at now: Instant) -> Action { keyframes.request(at: now) ? .requestKeyframe : .none }

    /// Whether one more packet may be sent again.
    package mutating func mayRetransmit(at now: Instant) -> Bool {
        retransmissions.take(
            1, burst: Self.retransmissionBurst, perSecond: Self.retransmissionsPerSecond, at: now)
    }

    /// Entries for our source; one number counts once however often it is repeated (RFC 5104 §4.3.1.2).
    private mutating func intraRequest(
        _ requests: RTCPList<FullIntraRequest>, from sender: SSRC, in datagram: RawSpan, at now: Instant
    ) -> Action {
        for index in 0..<requests.count {
            let entry = requests.entry(index, in: datagram)
            guard entry.ssrc == media else { continue }
            if let last = lastIntraRequest, last == (sender, entry.sequence) { return .none }
            lastIntraRequest = (sender, entry.sequence)
            return keyframe(at: now)
        }
        return .none
    }

    private func contains(_ sources: RTCPList<SSRC>, in datagram: RawSpan) -> Bool {
        for index in 0..<sources.count where sources.entry(index, in: datagram) == media { return true }
        return false
    }

    private mutating func limit(_ bitsPerSecond: UInt64, at now: Instant) -> Action {
        guard limitsBitrate else { return .none }
        let wanted = max(bitsPerSecond, Self.minimumBitrate)
        if let bitrate, wanted >= bitrate.bitsPerSecond, now - bitrate.at < Self.bitrateInterval { return .none }
        bitrate = (wanted, now)
        return .limitBitrate(wanted)
    }
}
