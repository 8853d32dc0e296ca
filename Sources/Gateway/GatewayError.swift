import SDP

/// Why a description is not carried over to the other leg. After an error nothing has changed.
package enum GatewayError: Error, Equatable, Sendable {
    /// It is no session description.
    case unreadable(SDPError)
    /// Both sides have offered at once.
    case glare
    /// The same side has offered before and has no answer yet.
    case offerPending
    /// There is no offer that this could be an answer to.
    case noOffer
    /// A later offer has fewer streams than there were (RFC 3264 §8).
    case streamsDropped
    /// An answer has other streams than its offer (RFC 3264 §6).
    case streamsDiffer
    /// No stream has a codec that both sides know, or that can be transcoded.
    case noSharedCodec
    /// There is no stream of sound or picture.
    case noMedia
    /// The browser's side has no DTLS, no ICE or no rtcp-mux.
    case notWebRTC
    /// The phone's side wants SRTP but gives no keys that we can use.
    case noUsableKeys
    /// Only encrypted calls are allowed, and the phone's side is not.
    case encryptionRequired
    /// Addresses of another network, such as multicast.
    case badAddress
    /// The browser restarts ICE: give `renewCredentials` new ones first. Our own omission, not the peer's.
    case freshCredentialsMissing

    /// The SIP status for a request with such an offer (RFC 3261 §21.4, §14.2).
    package var sipStatus: Int {
        switch self {
        case .unreadable(let error): error.sipStatus
        case .glare: 491
        case .offerPending, .freshCredentialsMissing: 500
        case .noOffer, .streamsDiffer: 400
        case .streamsDropped, .noSharedCodec, .noMedia, .notWebRTC, .noUsableKeys, .encryptionRequired, .badAddress: 488
        }
    }

    /// The code of a Warning header (RFC 3261 §20.43).
    package var warningCode: Int {
        switch self {
        case .noSharedCodec: 305
        case .noMedia: 304
        case .notWebRTC, .noUsableKeys, .encryptionRequired: 302
        case .badAddress: 301
        default: 399
        }
    }

    /// The text of a Warning or Reason header, for whoever looks why a call failed.
    package var reason: StaticString {
        switch self {
        case .unreadable: "Session description cannot be read"
        case .glare: "Both sides offered at once"
        case .offerPending: "The offer before has no answer yet"
        case .noOffer: "Answer without offer"
        case .streamsDropped: "Offer has fewer streams than before"
        case .streamsDiffer: "Answer has other streams than its offer"
        case .noSharedCodec: "No codec that both sides know"
        case .noMedia: "No sound or video"
        case .notWebRTC: "No DTLS, ICE or rtcp-mux"
        case .noUsableKeys: "No usable SRTP keys"
        case .encryptionRequired: "Only encrypted media is allowed"
        case .badAddress: "Media address cannot be used"
        case .freshCredentialsMissing: "ICE restart was not prepared"
        }
    }
}
