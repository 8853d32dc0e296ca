import Base
import SIP

/// What this phone can do, in the words of Allow, Supported, Accept and their kin; and what it reads of a peer's.
enum Abilities {
    static var allow: [UInt8] {
        [UInt8](ascii: "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK, MESSAGE, NOTIFY, REFER")
    }

    static func allows(_ method: SIPMethod) -> Bool {
        switch method {
        case .invite, .ack, .bye, .cancel, .options, .info, .update, .prack, .message, .notify, .refer: true
        case .register, .subscribe, .publish, .other: false
        }
    }

    /// `trickle-ice` and `Recv-Info` only when candidates may come late (RFC 8840 §5.1).
    ///
    /// - Parameter reliably: 100rel too, which is of use in the INVITE that begins a call alone.
    static func supported(_ configuration: Configuration, reliably: Bool) -> [UInt8] {
        var out = [UInt8](
            ascii: reliably ? "100rel, timer, replaces, outbound, gruu" : "timer, replaces, outbound, gruu")
        if configuration.trickle != .off { out += [UInt8](ascii: ", trickle-ice") }
        return out
    }

    static var accept: [UInt8] { [UInt8](ascii: "application/sdp, application/trickle-ice-sdpfrag, message/sipfrag") }

    /// What a Require header may ask of us (RFC 3261 §8.2.2.3).
    static var understood: TokenSet {
        TokenSet([
            [UInt8](ascii: "100rel")[...], [UInt8](ascii: "timer")[...], [UInt8](ascii: "replaces")[...],
            [UInt8](ascii: "outbound")[...], [UInt8](ascii: "gruu")[...], [UInt8](ascii: "trickle-ice")[...],
        ])
    }

    static var sdp: [UInt8] { [UInt8](ascii: "application/sdp") }
    static var candidates: [UInt8] { [UInt8](ascii: "application/trickle-ice-sdpfrag") }
    static var infoPackage: [UInt8] { [UInt8](ascii: "trickle-ice") }
}

/// What the messages of a dialog have told about the peer.
struct PeerAbilities: Sendable {
    private(set) var allowsUpdate = false
    /// Its Recv-Info names trickle-ice (RFC 6086 §5, RFC 8840 §5.1).
    private(set) var takesCandidates = false
    private(set) var supportsTimer = false

    /// Each header counts until a later message has it again.
    mutating func learn(from message: SIPMessage) {
        if message.contains(.allow) { allowsUpdate = message.allow.contains(.update) }
        if message.contains(.recvInfo) {
            takesCandidates = TokenSet(message.values(of: .recvInfo)).contains("trickle-ice")
        }
        if message.contains(.supported) { supportsTimer = message.supported.contains("timer") }
    }
}
