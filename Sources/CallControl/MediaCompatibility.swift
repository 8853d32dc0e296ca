import Base
import SDP
import SIP

/// What an offer asks of the device it goes to. Until a gateway joins them, a browser (DTLS, ICE) and a plain telephone
/// cannot talk; such a branch is answered 488 here, with words, instead of ringing for nothing.
enum MediaNeed: Sendable, Equatable {
    /// The offer is a browser's.
    case browser
    /// The offer is plain RTP.
    case telephone

    /// - Returns: nil when there is no offer, or any device may try: a telephone that itself speaks DTLS and ICE is left
    ///   to find out what its peer can do.
    init?(offer message: SIPMessage, from transport: SIPTransport) {
        guard message.method == .invite, !message.body.isEmpty else { return nil }
        let isBrowser = transport == .ws || transport == .wss
        switch MediaProfile.classify(Self.description(in: message)) {
        case .webRTC where isBrowser: self = .browser
        case .telephone: self = .telephone
        default: return nil
        }
    }

    /// The SDP of the body; inside multipart it is found by its first line.
    private static func description(in message: SIPMessage) -> ArraySlice<UInt8> {
        let body = message.body
        guard body.starts(with: [UInt8](ascii: "--")) else { return body }
        var index = body.startIndex
        while let line = body[index...].firstIndex(of: ASCII.lineFeed) {
            index = line + 1
            if body[index...].starts(with: [UInt8](ascii: "v=0")) { return body[index...] }
        }
        return []
    }

    func suits(_ transport: SIPTransport) -> Bool {
        let isBrowser = transport == .ws || transport == .wss
        return isBrowser == (self == .browser)
    }
}
