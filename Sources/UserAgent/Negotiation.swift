import Base
import SDP
import SIP

/// The offers and answers of one dialog (RFC 3264, RFC 6337), and who owes the next one.
///
/// ```
/// page:  offer ──► waiting ──► sent ──► answered | refused
///                     ▲          │ 491, 500 with Retry-After, the dialog is busy
///                     └──────────┘
/// peer:  offered ──► owed ──► answerOffer | rejectOffer | too late
/// ```
struct Negotiation: Sendable {
    /// An offer of the page that has no answer yet.
    struct Outgoing: Sendable {
        let sdp: [UInt8]
        var attempts = 0
        /// Not before this; nil: as soon as the dialog is free.
        var notBefore: Instant?
        var isSent = false
    }

    /// How long the page may think about an offer: less than the peer's transaction lives.
    static let patience = Duration.seconds(25)

    private var exchange = OfferAnswer()
    var outgoing: Outgoing?
    /// The peer's request that the page shall answer, and until when.
    private(set) var owed: ServerRequest?
    private(set) var owedUntil: Instant?

    /// Our side of what was agreed on last: what a refresh of the session repeats.
    var local: [UInt8] { exchange.local?.bytes ?? [] }
    var remote: [UInt8] { exchange.remote?.bytes ?? [] }

    /// No offer is open in either direction.
    var isStable: Bool { exchange.isStable && owed == nil }
    var hasLocalOffer: Bool { if case .haveLocalOffer = exchange.state { true } else { false } }

    // MARK: Ours

    mutating func sendOffer(_ sdp: [UInt8]) throws(CommandError) {
        let offer = try Self.ours(sdp)
        do throws(OfferAnswer.Refusal) { try exchange.sendOffer(offer) } catch {
            throw error == .glare || error == .offerPending ? .wrongState : .badValue
        }
    }

    /// - Returns: false when what came is no answer to our offer.
    mutating func receiveAnswer(_ sdp: ArraySlice<UInt8>) -> Bool {
        guard let answer = Self.parse(sdp) else { return false }
        do throws(OfferAnswer.Refusal) { try exchange.receiveAnswer(answer) } catch { return false }
        return true
    }

    mutating func offerRefused() { exchange.offerRefused() }

    // MARK: The peer's

    /// The offer is what was agreed on already: a refresh, which needs no decision (RFC 4028 §7.4, RFC 3264 §8).
    func isUnchanged(_ sdp: ArraySlice<UInt8>) -> Bool {
        guard let agreed = exchange.remote else { return false }
        return Self.parse(sdp)?.bytes == agreed.bytes
    }

    /// - Returns: the status to refuse the offer with, or nil when it is now open.
    mutating func receiveOffer(_ sdp: ArraySlice<UInt8>) -> Int? {
        guard let offer = Self.parse(sdp) else { return 400 }
        do throws(OfferAnswer.Refusal) { try exchange.receiveOffer(offer) } catch { return error.sipStatus }
        return nil
    }

    mutating func sendAnswer(_ sdp: [UInt8]) throws(CommandError) {
        let answer = try Self.ours(sdp)
        do throws(OfferAnswer.Refusal) { try exchange.sendAnswer(answer) } catch {
            throw error == .noOffer ? .wrongState : .badValue
        }
    }

    mutating func refuseOffer() { exchange.refuseOffer() }

    /// The page is asked to answer this request.
    mutating func owe(_ request: ServerRequest, at now: Instant) {
        (owed, owedUntil) = (request, now + Self.patience)
    }

    /// The request the page's decision goes to.
    mutating func settleOwed() -> ServerRequest? {
        defer { (owed, owedUntil) = (nil, nil) }
        return owed
    }

    // MARK: -

    /// A description of the page's, before it is needed.
    static func check(_ sdp: [UInt8]) throws(CommandError) { _ = try ours(sdp) }

    private static func parse(_ sdp: ArraySlice<UInt8>) -> SessionDescription? {
        do throws(SDPError) { return try SessionDescription(parsing: sdp) } catch { return nil }
    }

    private static func ours(_ sdp: [UInt8]) throws(CommandError) -> SessionDescription {
        guard sdp.count <= Limits.body else { throw .tooLarge }
        guard let description = parse(sdp[...]) else { throw .badValue }
        return description
    }
}
