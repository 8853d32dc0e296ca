import Base

/// Where a phone's media comes from and goes to: symmetric RTP (RFC 4961, RFC 7362 §4) that a stranger cannot take over.
///
/// ```
/// learning --- signalled address: one packet; others: packets in a row, by rank ---> latched
/// latched, within the window: a better rank may still take over
/// latched, silent: another address may continue the same stream (SSRC and numbers), nothing else
/// signal(new address) ---> learning, the old address is heard until the new one speaks
/// reopen() ---> latched, but every rank may take over until the old address speaks
/// ```
/// The rank of an address is how well it fits what was signalled. A phone behind a router shows up with an address
/// that no SDP names, but nearly always with the one its SIP comes from.
package struct SourceLatch: Sendable {
    package enum Verdict: Equatable, Sendable {
        case accept
        /// Accept, and send to this address from now on.
        case moved
        /// Drop: not the peer, or not yet proven to be.
        case refuse
    }

    /// Better ranks are smaller.
    private enum Rank: Int, Comparable {
        /// Address and port of the SDP.
        case signalled
        /// The SDP's address, another port: a phone with two sockets, or a router that kept the address.
        case samePlace
        /// The address the phone's signalling comes from.
        case signallingSource
        case stranger

        static func < (left: Rank, right: Rank) -> Bool { left.rawValue < right.rawValue }
    }

    /// How long after the first accepted packet a better rank may take over.
    package static let window = Duration.seconds(3)
    /// How long a stranger must have had the line for itself before it is believed.
    package static let strangerPatience = Duration.milliseconds(300)
    /// Silence after which the stream may go on from another address: a router's binding changed.
    package static let silence = Duration.seconds(2)
    /// Packets in a row that prove an address other than the signalled one.
    private static let provenRun = 3, strangerRun = 5
    /// A candidate that has been silent for this long makes way for another of its rank.
    private static let candidatePatience = Duration.milliseconds(200)

    /// Whether an address may be learned although there is one.
    private enum Opening {
        case closed
        /// Until the old address speaks: it is the one that may have changed.
        case reopened
        /// Until the new address speaks, which is where media goes meanwhile.
        case moved
    }

    private struct Candidate {
        let address: TransportAddress
        let rank: Rank
        let ssrc: SSRC
        var highest: SequenceNumber
        var run = 1
        let since: Instant
        var heardAt: Instant
    }

    private struct Latched {
        var address: TransportAddress
        var rank: Rank
        var ssrc: SSRC
        var highest: SequenceNumber
        var heardAt: Instant
        var windowEnds: Instant
    }

    private var signalled: TransportAddress?
    private let signallingSource: IPAddress?
    private let acceptsStrangers: Bool
    private var latched: Latched?
    private var opening = Opening.closed
    /// The peer signalled no address: it wants no media.
    private var isSuspended = false
    private var candidate: Candidate?

    /// - Parameters:
    ///   - signalled: the address and port of the peer's SDP, nil when it gave none that can be used.
    ///   - signallingSource: where the peer's SIP messages come from.
    ///   - acceptsStrangers: whether an address that is neither may be learned when nothing better is heard. Needed only
    ///     for peers whose signalling and media leave by different routers.
    package init(signalled: TransportAddress?, signallingSource: IPAddress?, acceptsStrangers: Bool) {
        self.signalled = signalled
        self.signallingSource = signallingSource?.unmapped
        self.acceptsStrangers = acceptsStrangers
    }

    /// Where to send media to: what was learned, before that what was signalled.
    package var destination: TransportAddress? {
        if isSuspended { return nil }
        if case .moved = opening { return signalled }
        return latched?.address ?? signalled
    }

    /// A new SDP. The same address again changes nothing, so that a session refresh does not open the window; nil, which
    /// is 0.0.0.0 of old phones' hold, stops sending and forgets nothing.
    package mutating func signal(_ address: TransportAddress?) {
        let wasSuspended = isSuspended
        isSuspended = address == nil && signalled != nil
        guard let address else { return }
        guard address != signalled else {
            if wasSuspended { reopen() }
            return
        }
        (signalled, candidate) = (address, nil)
        if let latched { opening = latched.address == address ? .closed : .moved }
    }

    /// The peer resumed the call: behind a router its address may be another by now, and its stream too, though its SDP
    /// says the same as before.
    package mutating func reopen() {
        if latched != nil, case .closed = opening { opening = .reopened }
    }

    /// Whether RTCP from `address` is the peer's: reports come from its host, by another port if not multiplexed.
    package func acceptsControl(from address: TransportAddress) -> Bool {
        if let latched { return latched.address.ip.unmapped == address.ip.unmapped }
        return rank(of: address) != .stranger
    }

    /// Judges an RTP packet that its owner found sound: version 2, a payload type of the session, the right form.
    package mutating func receive(
        from address: TransportAddress, _ header: RTPHeader, at now: Instant
    ) -> Verdict {
        if latched != nil, latched?.address == address {
            latched?.ssrc = header.ssrc
            latched?.highest = header.sequenceNumber
            latched?.heardAt = now
            if case .reopened = opening { opening = .closed }
            return .accept
        }
        let rank = rank(of: address)
        guard isAdmissible(rank, address, header, at: now), isProven(address, rank, header, at: now) else {
            return .refuse
        }
        let isLearnedAnew = if case .closed = opening { false } else { true }
        let windowEnds = isLearnedAnew ? now + Self.window : latched?.windowEnds ?? now + Self.window
        latched = Latched(
            address: address, rank: rank, ssrc: header.ssrc, highest: header.sequenceNumber, heardAt: now,
            windowEnds: windowEnds)
        (opening, candidate) = (.closed, nil)
        return .moved
    }

    private func rank(of address: TransportAddress) -> Rank {
        if address == signalled { return .signalled }
        let ip = address.ip.unmapped
        if let signalled, signalled.ip.unmapped == ip { return .samePlace }
        return ip == signallingSource ? .signallingSource : .stranger
    }

    /// Whether this address may be learned at all at this time.
    private func isAdmissible(
        _ rank: Rank, _ address: TransportAddress, _ header: RTPHeader, at now: Instant
    ) -> Bool {
        guard let latched else { return rank < .stranger || acceptsStrangers }
        // Opened by the peer's signalling: the same rules hold as at the beginning.
        if case .closed = opening {} else if rank < .stranger || acceptsStrangers { return true }
        if rank < latched.rank, now < latched.windowEnds { return true }
        guard now - latched.heardAt >= Self.silence, header.ssrc == latched.ssrc else { return false }
        let step = header.sequenceNumber.distance(from: latched.highest)
        return step > 0 && step < ReceptionStatistics.maximumDropout
    }

    /// Counts packets in a row of one candidate; true when there are enough for its rank.
    private mutating func isProven(
        _ address: TransportAddress, _ rank: Rank, _ header: RTPHeader, at now: Instant
    ) -> Bool {
        if rank == .signalled { return true }
        guard var known = candidate, known.address == address, known.ssrc == header.ssrc else {
            if let other = candidate, other.rank <= rank, now - other.heardAt < Self.candidatePatience { return false }
            candidate = Candidate(
                address: address, rank: rank, ssrc: header.ssrc, highest: header.sequenceNumber, since: now,
                heardAt: now)
            return false
        }
        let step = header.sequenceNumber.distance(from: known.highest)
        known.heardAt = now
        // Reordering and loss of a packet or two are life; copies prove nothing.
        if step > 0 && step <= 3 { known.run += 1 } else if step != 0 { known.run = 1 }
        known.highest = header.sequenceNumber
        candidate = known
        guard rank == .stranger else { return known.run >= Self.provenRun }
        return known.run >= Self.strangerRun && now - known.since >= Self.strangerPatience
    }
}
