import Base
import RTP
import SDP

/// What the two descriptions of a bridge amount to: all that whoever carries the media needs to know.
///
/// Plans are compared: a worker is told of a change only.
package struct MediaPlan: Equatable, Sendable {
    package var transport: WebTransport
    /// nil when the stream is not there, or was refused by one side.
    package var audio: StreamPlan?
    package var video: StreamPlan?

    package subscript(kind: MediaKind) -> StreamPlan? { kind == .audio ? audio : video }
}

/// The one transport of the WebRTC leg.
package struct WebTransport: Equatable, Sendable {
    /// Ours.
    package var credentials: ICECredentials
    package var peer: WebPeer
    package var isControlling: Bool
    package var role: DTLSRole
}

/// One stream between the two legs.
package struct StreamPlan: Equatable, Sendable {
    package var kind: MediaKind
    package var web: WebStream
    package var phone: PhoneStream
    /// What to do with each payload type that the browser, or the phone, may send.
    package var fromWeb: [FormatRoute]
    package var fromPhone: [FormatRoute]

    /// Whether the first codec of each side must be made from the other's: no codec is shared.
    package var isTranscoded: Bool { fromWeb.first?.isTranscoding ?? false }

    /// Whether packets go from the phone to the browser, and the other way.
    package var flowsToWeb: Bool { phone.end.direction.receives && web.end.direction.sends }
    package var flowsToPhone: Bool { web.end.direction.receives && phone.end.direction.sends }
}

/// What is the same for both ends of a stream.
package struct StreamEnd: Equatable, Sendable {
    /// As we see it: `sendOnly` is that we send.
    package var direction: Direction
    /// Codecs of sound or picture, the first of which is used first.
    package var codecs: [PlannedFormat]
    /// Keys; none means that they go by SIP INFO (RFC 6086).
    package var events: [PlannedFormat]
    package var comfortNoise: PlannedFormat?
    /// Milliseconds of sound in the packets that the peer likes to receive, and takes at most.
    package var packetTime: Int
    package var maximumPacketTime: Int?
    /// The feedback the peer understands.
    package var feedback: Feedback
    /// The source we send as.
    package var source: SSRC
    package var cname: [UInt8]

    /// How the peer is asked for a keyframe.
    package var keyframeMethod: KeyframeMethod {
        if feedback.contains(.pictureLoss) { return .pictureLoss }
        return feedback.contains(.fullIntraRequest) ? .fullIntraRequest : .information
    }
}

package struct WebStream: Equatable, Sendable {
    package var end: StreamEnd
    package var mid: [UInt8]?
    /// The source the browser said it sends as.
    package var peerSource: SSRC?
    package var hasReducedSize: Bool
    /// The identifiers of header extensions, the same in all streams of the bundle.
    package var extensions: [HeaderExtension: UInt8]
}

package struct PhoneStream: Equatable, Sendable {
    package var end: StreamEnd
    /// Where its description asks for RTP; nil when only its packets can tell.
    package var address: TransportAddress?
    package var controlAddress: TransportAddress?
    /// RTCP shares the port of RTP.
    package var isMuxed: Bool
    package var protection: PhoneProtection
}

/// A format with its two payload types on one leg: each side says which number it likes to receive (RFC 3264 §5.1).
package struct PlannedFormat: Equatable, Sendable {
    package var codec: Codec
    package var clockRate: UInt32
    /// What the peer sends it as.
    package var receives: PayloadType
    /// What we send it as.
    package var sends: PayloadType
    /// H.264: 0 or 1 (RFC 6184 §6.1).
    package var packetizationMode = 0
    var profile: H264Parameters.Profile?
    /// H.264: parameter sets that the peer gave in its description, in base64 with commas between.
    package var parameterSets: [UInt8]?
}

/// What becomes of one payload type that arrives.
package struct FormatRoute: Equatable, Sendable {
    package enum Treatment: Equatable, Sendable {
        /// Goes on as it is, under this number.
        case forward(PayloadType)
        /// Is decoded and encoded anew.
        case transcode(to: Codec, PayloadType)
        /// Keys, told again at the other leg's clock rate.
        case event(PayloadType, clockRate: UInt32)
        /// Keys, told by SIP INFO.
        case information
        /// Is heard as noise and goes no further.
        case endHere
    }

    package var payloadType: PayloadType
    package var codec: Codec
    package var clockRate: UInt32
    package var treatment: Treatment

    var isTranscoding: Bool { if case .transcode = treatment { true } else { false } }
}
