import Base
import RTP
import SDP

/// A header extension of RTP that the gateway reads or writes on the WebRTC leg (RFC 8285). Nothing is forwarded: phones
/// have none. So `3gpp:video-orientation` is not there on purpose: without it a browser turns the picture itself.
package enum HeaderExtension: CaseIterable, Hashable, Sendable {
    /// Which stream of the bundle a packet belongs to (RFC 9143 §15).
    case mid
    /// The sequence number that transport-cc feedback counts.
    case transportSequence
    /// The time of sending, for estimating bandwidth.
    case absoluteSendTime

    var uri: StaticString {
        switch self {
        case .mid: "urn:ietf:params:rtp-hdrext:sdes:mid"
        case .transportSequence: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
        case .absoluteSendTime: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
        }
    }

    /// The identifier in our offers when it is free: Chromium's own.
    var usualID: UInt8 {
        switch self {
        case .mid: 4
        case .transportSequence: 3
        case .absoluteSendTime: 2
        }
    }
}

/// What we say of ourselves to a browser.
package struct WebParameters: Sendable {
    package var credentials: ICECredentials
    /// Values of `a=candidate`, without the name. All of them: we have no more to trickle.
    package var candidates: [[UInt8]]
    package var fingerprints: [Fingerprint]
    /// The default candidate, for the `m=` and `c=` lines; browsers do not look at it.
    package var defaultAddress: TransportAddress?
    /// Letters and digits; names our streams as one source's (RFC 7022).
    package var cname: [UInt8]
    package var audioSource: SSRC
    package var videoSource: SSRC
    /// The feedback that whoever carries the media understands.
    package var feedback: Feedback = [.nack, .pictureLoss, .fullIntraRequest, .estimatedBitrate]
    package var extensions: [HeaderExtension] = [.mid]
    /// RTCP packets that do not begin with a report (RFC 5506).
    package var takesReducedSize = true

    package init(
        credentials: ICECredentials, candidates: [[UInt8]], fingerprints: [Fingerprint],
        defaultAddress: TransportAddress? = nil, cname: [UInt8], audioSource: SSRC, videoSource: SSRC
    ) {
        (self.credentials, self.candidates, self.fingerprints) = (credentials, candidates, fingerprints)
        (self.defaultAddress, self.cname) = (defaultAddress, cname)
        (self.audioSource, self.videoSource) = (audioSource, videoSource)
    }

    func source(of kind: MediaKind) -> SSRC { kind == .audio ? audioSource : videoSource }
}

/// How media is offered to a phone.
package enum PhoneSecurity: Equatable, Sendable {
    /// `RTP/AVP` in the clear.
    case none
    /// `RTP/AVP` with `a=crypto`: a phone that knows SRTP takes it, others overlook it (RFC 8643).
    case opportunistic
    /// Two lines for one stream, `RTP/SAVP` before `RTP/AVP`: how phones did it before RFC 8643.
    case twoLines
    /// `RTP/SAVP` with keys in the description, or no call.
    case keys
    /// `UDP/TLS/RTP/SAVP`, or no call.
    case dtls
}

/// One stream's sockets and keys on the phone's leg.
package struct PhoneSocket: Sendable {
    package var port: UInt16
    package var controlPort: UInt16
    package var source: SSRC
    /// Our keys, one for each suite that we can do, best first. A stream has its own (RFC 4568 §6.1).
    package var keys: [SDESKey]

    package init(port: UInt16, controlPort: UInt16, source: SSRC, keys: [SDESKey] = []) {
        (self.port, self.controlPort, self.source, self.keys) = (port, controlPort, source, keys)
    }
}

/// What we say of ourselves to a phone.
package struct PhoneParameters: Sendable {
    package var address: IPAddress
    package var audio: PhoneSocket
    /// nil: no video on this leg.
    package var video: PhoneSocket?
    /// For phones that speak DTLS-SRTP.
    package var fingerprints: [Fingerprint]
    package var cname: [UInt8]
    /// What we offer.
    package var security = PhoneSecurity.none
    /// Whether a phone's plain offer is refused.
    package var requiresEncryption = false
    /// Whether RTCP may share the port of RTP (RFC 5761).
    package var offersMux = true
    /// Offered under AVPF; empty offers AVP, which every phone knows. A phone that offers AVPF gets it in any case.
    package var offeredFeedback: Feedback = []

    package init(
        address: IPAddress, audio: PhoneSocket, video: PhoneSocket? = nil, fingerprints: [Fingerprint] = [],
        cname: [UInt8]
    ) {
        (self.address, self.audio, self.video) = (address, audio, video)
        (self.fingerprints, self.cname) = (fingerprints, cname)
    }

    func socket(_ kind: MediaKind) -> PhoneSocket? { kind == .audio ? audio : video }
}
