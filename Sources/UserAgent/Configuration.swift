import SIP

/// Who the phone is and how it reaches its server. Text is bytes, as everywhere in the shared targets.
package struct Configuration: Sendable {
    /// Whether candidates may travel after the offer (RFC 8838 §3 and §16, RFC 8840 §3).
    ///
    /// In every case INFO with candidates goes only to a peer whose Recv-Info asks for it. What differs is what the page
    /// puts into its offers and answers.
    package enum Trickle: UInt8, Sendable {
        /// All candidates stand in the description, and nothing is said about trickling.
        case off
        /// The description waits until gathering has ended, or one second: what stands in it must do for a peer that cannot
        /// trickle. Later candidates follow to whoever can.
        case half
        /// The description goes at once, because every peer is known to trickle.
        case full
    }

    /// The address of record, `sip:anna@example.org`: From of every request, To of REGISTER.
    package var aor: [UInt8]
    package var displayName: [UInt8] = []
    /// The digest user name; empty means the user part of `aor`.
    package var authUser: [UInt8] = []
    /// nil: a challenge ends the request with its status (a page that is signed in by cookie needs none).
    package var password: [UInt8]?
    /// `urn:uuid:…` of this device (RFC 5626 §4.1), without brackets; empty: neither outbound nor GRUU is asked for.
    package var instanceID: [UInt8] = []
    package var transport: SIPTransport
    /// The sent-by of Via: a `….invalid` name in a browser (RFC 7118 §5), `192.0.2.1:5060` elsewhere.
    package var sentBy: [UInt8]
    /// `host[:port]` of the Contact until the registrar gives a GRUU; empty means `sentBy`.
    package var contactHost: [UInt8] = []
    /// The user part of the Contact; empty means the user part of `aor`.
    package var contactUser: [UInt8] = []
    /// Where REGISTER goes; empty means the domain of `aor`.
    package var registrar: [UInt8] = []
    /// A pre-loaded Route (`sip:proxy.example.org;lr`) for requests outside of dialogs while no Service-Route is known; empty: none.
    package var outboundProxy: [UInt8] = []
    /// What REGISTER asks for, in seconds.
    package var expires = 600
    /// RFC 4028 Session-Expires we ask for, in seconds; 0: no session timer of our own.
    package var sessionExpires = 1800
    package var userAgentHeader: [UInt8] = []
    package var trickle = Trickle.full

    package init(aor: [UInt8], transport: SIPTransport, sentBy: [UInt8]) {
        (self.aor, self.transport, self.sentBy) = (aor, transport, sentBy)
    }
}

/// Everything a peer, or a page gone wrong, could make grow.
package enum Limits {
    /// A family's phone shows one or two; more is an attack or a loop of transfers. Further INVITEs get 486.
    package static let calls = 16
    /// Early dialogs of one INVITE: ten devices of a person and some room; further forks are ignored until they answer.
    package static let legsPerCall = 16
    /// Subscriptions of ours: presence of the household, plus REFER's implicit ones.
    package static let subscriptions = 64
    /// Client and server transactions together; each holds at most one message. Beyond it requests get 503.
    package static let transactions = 512
    /// Publications held at once: one per event package.
    package static let publications = 8
    /// Bytes of one message body. A video offer with candidates is about 8 KB; 413 above.
    package static let body = 48 * 1024
    /// Tries of one request: challenges, 422, 423 and 491 together.
    package static let attempts = 6
    /// Contact or Record-Route entries looked at in one message.
    package static let routes = 16
}
