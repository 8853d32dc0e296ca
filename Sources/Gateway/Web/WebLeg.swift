import Base
import RTP
import SDP

/// Our half of the WebRTC leg: what was agreed on, and what we say next (RFC 8829 §5.2, §5.3).
struct WebLeg: Sendable {
    var outbox: Outbox
    var slots: [Slot] = []
    /// Where the streams are.
    var places: [MediaKind: Int] = [:]
    var numbering = PayloadNumbering()
    /// The credentials the browser was last told.
    var credentials: ICECredentials
    /// Those for the next restart.
    var nextCredentials: ICECredentials?
    private(set) var peer: WebPeer?
    private(set) var role: DTLSRole?
    /// Who opened the exchange of candidates decides about pairs (RFC 8445 §6.1.1).
    private(set) var isControlling: Bool?
    private var identifiers: [HeaderExtension: UInt8] = [:]
    private var usedMids: Set<[UInt8]> = []

    init(outbox: Outbox, credentials: ICECredentials) {
        (self.outbox, self.credentials) = (outbox, credentials)
    }

    // MARK: The browser offers

    /// Whether an offer of this peer restarts ICE: its credentials are new (RFC 8839 §4.4.1.1.1).
    func isRestart(_ offered: WebPeer) -> Bool {
        guard let known = peer?.credentials else { return false }
        return known.ufrag != offered.credentials.ufrag || known.password != offered.credentials.password
    }

    /// Takes note of an offer; nothing is answered yet.
    mutating func take(offer description: SessionDescription, _ reading: WebReading) {
        remember(description, reading)
        numbering.adopt(reading.lines.flatMap(\.terms.formats))
        places = Dictionary(uniqueKeysWithValues: reading.lines.map { ($0.terms.kind, $0.index) })
    }

    /// Settles the transport against an offer.
    ///
    /// We answer `active`, as RFC 8842 §5.3 recommends: our ClientHello goes out with the first pair that works, before the
    /// browser has even seen the answer, and a shared port never has to serve handshakes to strangers.
    mutating func accept(offerOf offered: WebPeer) throws(GatewayError) {
        if isRestart(offered) {
            guard let fresh = nextCredentials else { throw .freshCredentialsMissing }
            (credentials, nextCredentials) = (fresh, nil)
        }
        let isSameCertificate = peer?.fingerprints == offered.fingerprints
        switch offered.setup {
        case .active: role = .server
        case .passive: role = .client
        default: role = isSameCertificate ? role ?? .client : .client
        }
        isControlling = isControlling ?? offered.isLite
        peer = offered
    }

    /// Settles the transport against an answer to our offer.
    mutating func take(answer description: SessionDescription, _ reading: WebReading) {
        role = DTLSRole(answered: reading.peer.setup)
        isControlling = isControlling ?? true
        peer = reading.peer
        remember(description, reading)
    }

    /// A browser that names its lines anew in every offer is forgotten what it called them long ago.
    private static let maximumMids = 1_024

    private mutating func remember(_ description: SessionDescription, _ reading: WebReading) {
        if usedMids.count > Self.maximumMids { usedMids = Set(slots.compactMap(\.mid)) }
        for media in description.media {
            if let mid = media.mid { usedMids.insert(Array(mid)) }
        }
        for line in reading.lines {
            numbering.reserve(description.media[line.index])
            for (known, id) in line.extensions { identifiers[known] = id }
        }
    }

    // MARK: We offer

    /// Where a stream goes in our next offer, and under which mid: a line that was dead is a new stream, and has a mid that
    /// nobody used before (RFC 8829 §5.2.2).
    mutating func placeForOffer(_ kind: MediaKind, among count: Int) -> (index: Int, mid: [UInt8]) {
        let index = slots.place(for: kind, before: places[kind]) ?? count
        if slots.indices.contains(index), slots[index].isLive, let mid = slots[index].mid { return (index, mid) }
        var number = 0
        while usedMids.contains(decimal(number)) { number += 1 }
        usedMids.insert(decimal(number))
        return (index, decimal(number))
    }

    /// The identifier of each extension in an offer of ours; those agreed on keep theirs.
    mutating func identifiersForOffer(_ wanted: [HeaderExtension]) -> [HeaderExtension: UInt8] {
        for known in wanted where identifiers[known] == nil {
            let used = Set(identifiers.values)
            identifiers[known] =
                used.contains(known.usualID) ? (1...14).first { !used.contains($0) } : known.usualID
        }
        return identifiers.filter { wanted.contains($0.key) }
    }

    /// Back to where we were, when an offer was refused or is answered once more; but what the peer was told since stays
    /// told: versions rise, and a number is not given to anything else.
    mutating func rollBack(told latest: WebLeg) {
        (outbox, numbering, identifiers) = (latest.outbox, latest.numbering, latest.identifiers)
        usedMids = latest.usedMids
    }
}
