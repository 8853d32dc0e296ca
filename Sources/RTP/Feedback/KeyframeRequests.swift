import Base

/// How a video sender is asked for a picture that needs no other.
package enum KeyframeMethod: Equatable, Sendable {
    /// RTCP feedback `nack pli` (RFC 4585 §6.3.1): every browser.
    case pictureLoss
    /// RTCP feedback `ccm fir` (RFC 5104 §4.3.1).
    case fullIntraRequest
    /// The H.261 packet of RFC 2032, without being agreed on.
    case legacyFullIntraRequest
    /// SIP INFO with picture_fast_update (RFC 5168): the owner of the dialog sends it.
    case information

    /// The least time between two requests. An encoder that makes keyframes on every request has no bits left for
    /// anything else; a SIP transaction costs more than an RTCP packet.
    package var minimumInterval: Duration { self == .information ? .seconds(2) : .milliseconds(500) }
}

/// Asks one sender for a keyframe, not too often, and again until one arrives.
///
/// ```
/// idle --- request ---> wanted (asked, asked again each interval) --- keyframe, or given up ---> idle
/// ```
package struct KeyframeRequests: Sendable {
    /// How often one keyframe is asked for: after this the sender cannot, or is on hold.
    package static let maximumTries = 10

    package let method: KeyframeMethod
    private var lastAsked: Instant?
    private var tries = 0
    private var isWanted = false
    /// Counts the full intra requests: a new number is a new request (RFC 5104 §4.3.1.1).
    package private(set) var sequence: UInt8 = 0

    package init(method: KeyframeMethod) { self.method = method }

    /// When to call `handleTimeout`.
    package var nextTimeout: Instant? {
        guard isWanted, let lastAsked else { return nil }
        return lastAsked + method.minimumInterval
    }

    /// Somebody needs a keyframe.
    ///
    /// - Returns: true when it is to be asked for now; else it has just been, or will be when the interval is over.
    package mutating func request(at now: Instant) -> Bool {
        guard !isWanted else { return false }
        (isWanted, tries) = (true, 0)
        sequence &+= 1
        if let lastAsked, now - lastAsked < method.minimumInterval { return false }
        return ask(at: now)
    }

    /// A keyframe went through.
    package mutating func keyframeArrived() { isWanted = false }

    /// - Returns: true when the keyframe is to be asked for again.
    package mutating func handleTimeout(at now: Instant) -> Bool {
        guard let nextTimeout, now >= nextTimeout else { return false }
        guard tries < Self.maximumTries else {
            isWanted = false
            return false
        }
        return ask(at: now)
    }

    private mutating func ask(at now: Instant) -> Bool {
        (lastAsked, tries) = (now, tries + 1)
        return true
    }

    /// Writes the request as feedback; false when it goes by INFO or does not fit.
    package func write(
        _ writer: inout RTCPWriter, sources: FeedbackSources, into buffer: inout MutableRawSpan
    ) -> Bool {
        switch method {
        case .pictureLoss: writer.pictureLoss(sources, into: &buffer)
        case .fullIntraRequest:
            writer.fullIntraRequest(
                sender: sources.sender, FullIntraRequest(ssrc: sources.media, sequence: sequence), into: &buffer)
        case .legacyFullIntraRequest: writer.legacyFullIntraRequest(media: sources.media, into: &buffer)
        case .information: false
        }
    }
}
