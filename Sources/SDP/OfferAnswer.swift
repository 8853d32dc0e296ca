import Base

/// The offer/answer exchange of one dialog (RFC 3264, RFC 6337).
///
/// ```
///            sendOffer ┌────────────────┐ receiveAnswer, offerRefused
///          ┌──────────►│ haveLocalOffer ├───────────┐
///          │           └────────────────┘           ▼
///      ┌───┴────┐                               ┌────────┐
///      │ stable │                               │ stable │
///      └───┬────┘                               └────────┘
///          │           ┌─────────────────┐          ▲
///          └──────────►│ haveRemoteOffer ├──────────┘
///         receiveOffer └─────────────────┘ sendAnswer, refuseOffer
/// ```
/// One offer is open at a time. What each SIP message may carry is the user agent's knowledge; that an answer fits its
/// offer, and that streams keep their places, is known here.
package struct OfferAnswer: Sendable {
    package indirect enum State: Equatable, Sendable {
        case stable
        case haveLocalOffer(SessionDescription)
        case haveRemoteOffer(SessionDescription)
    }

    package enum Refusal: Error, Equatable, Sendable {
        /// Both sides offered at once: answer 491 and try again later (RFC 3261 §14.2).
        case glare
        /// The peer offered again before its first offer was answered: 500 with Retry-After (RFC 3261 §14.2).
        case offerPending
        /// There is no offer to answer.
        case noOffer
        /// An answer has another number of streams than its offer, or another kind in some place (RFC 3264 §6).
        case streamsDiffer
        /// A later offer has fewer streams than were agreed on before (RFC 3264 §8).
        case streamsDropped
        /// A later description names another session than the first (RFC 3264 §8).
        case sessionChanged

        /// What to answer when it is the peer's offer that is refused.
        package var sipStatus: Int {
            switch self {
            case .glare: 491
            case .offerPending: 500
            case .noOffer, .streamsDiffer: 400
            case .streamsDropped, .sessionChanged: 488
            }
        }
    }

    private indirect enum Agreement: Sendable {
        case none
        case both(local: SessionDescription, remote: SessionDescription)
    }

    package private(set) var state = State.stable
    /// `indirect`, as the state is: descriptions are large, and an exchange is moved about with its dialog.
    private var agreement = Agreement.none

    /// What was last agreed on; nil before the first exchange is complete.
    package var local: SessionDescription? { if case .both(let local, _) = agreement { local } else { nil } }
    package var remote: SessionDescription? { if case .both(_, let remote) = agreement { remote } else { nil } }

    package init() {}

    package var isStable: Bool { if case .stable = state { true } else { false } }

    // MARK: Our offer

    package mutating func sendOffer(_ offer: SessionDescription) throws(Refusal) {
        try requireStable(orElse: .offerPending, whenRemote: .glare)
        try check(offer, follows: local)
        state = .haveLocalOffer(offer)
    }

    package mutating func receiveAnswer(_ answer: SessionDescription) throws(Refusal) {
        guard case .haveLocalOffer(let offer) = state else { throw .noOffer }
        try check(answer, fits: offer)
        (agreement, state) = (.both(local: offer, remote: answer), .stable)
    }

    /// The peer refused our offer: what was agreed on before stays (RFC 3261 §14.1).
    package mutating func offerRefused() {
        guard case .haveLocalOffer = state else { return }
        state = .stable
    }

    // MARK: The peer's offer

    /// A peer's session identifier may change, as it does behind servers that fork or bridge: streams are what counts.
    package mutating func receiveOffer(_ offer: SessionDescription) throws(Refusal) {
        try requireStable(orElse: .glare, whenRemote: .offerPending)
        guard offer.media.count >= remote?.media.count ?? 0 else { throw .streamsDropped }
        state = .haveRemoteOffer(offer)
    }

    package mutating func sendAnswer(_ answer: SessionDescription) throws(Refusal) {
        guard case .haveRemoteOffer(let offer) = state else { throw .noOffer }
        try check(answer, fits: offer)
        (agreement, state) = (.both(local: answer, remote: offer), .stable)
    }

    package mutating func refuseOffer() {
        guard case .haveRemoteOffer = state else { return }
        state = .stable
    }

    // MARK: Rules

    private func requireStable(orElse local: Refusal, whenRemote remote: Refusal) throws(Refusal) {
        switch state {
        case .stable: return
        case .haveLocalOffer: throw local
        case .haveRemoteOffer: throw remote
        }
    }

    private func check(_ offer: SessionDescription, follows previous: SessionDescription?) throws(Refusal) {
        guard let previous else { return }
        guard offer.origin.sessionID == previous.origin.sessionID else { throw .sessionChanged }
        guard offer.media.count >= previous.media.count else { throw .streamsDropped }
    }

    private func check(_ answer: SessionDescription, fits offer: SessionDescription) throws(Refusal) {
        guard answer.media.count == offer.media.count else { throw .streamsDiffer }
        for index in answer.media.indices where answer.media[index].kind != offer.media[index].kind {
            throw .streamsDiffer
        }
    }
}
