import Base
import RTP
import SDP

/// The descriptions of one bridged dialog: a browser speaks WebRTC with us, a phone plain RTP, and each believes that it
/// speaks with the other (RFC 3264, RFC 8829, RFC 8643).
///
/// ```
///              browserOffer            phoneAnswer
///          ┌──────────────► browserOffered ──────────┐
///          │                                         ▼
///       stable ◄──────────── offerRefused ──────── stable (plan)
///          │                                         ▲
///          └──────────────► phoneOffered ────────────┘
///               phoneOffer             browserAnswer
/// ```
/// Each method takes one side's description and gives what the other side is to get. It does not matter which message
/// brings it: an INVITE without offer has its offer in the 2xx and its answer in the ACK, an UPDATE is like a re-INVITE.
/// An answer may come again, in another provisional response or the 2xx. Where an INVITE forks behind us, copy the value:
/// each early dialog answers the same offer for itself. After an error nothing has changed.
package struct Negotiation: Sendable {
    enum State: Sendable {
        case stable
        case browserOffered(BrowserExchange)
        case phoneOffered(PhoneExchange)
    }

    /// A browser's offer and what was made of it.
    struct BrowserExchange: Sendable {
        var offer: SessionDescription
        var reading: WebReading
        var sent: SessionDescription
        /// Where each stream stands in our offer; two places for one that is offered in two lines.
        var places: [MediaKind: [Int]]
        var web: WebLeg
        var phone: PhoneLeg
    }

    /// A phone's offer and what was made of it.
    struct PhoneExchange: Sendable {
        var offer: SessionDescription
        var lines: [PhoneLine]
        var sent: SessionDescription
        var places: [MediaKind: Int]
        var web: WebLeg
        var phone: PhoneLeg
    }

    let webParameters: WebParameters
    let phoneParameters: PhoneParameters
    var web: WebLeg
    var phone: PhoneLeg
    var state = State.stable
    /// The exchange that was completed last: its answer may be said again until somebody offers anew.
    var completed = State.stable
    /// For the next restart of ICE.
    private var nextCredentials: ICECredentials?

    /// What was agreed on last; stays while an offer is open.
    package internal(set) var plan: MediaPlan?

    package init(web: WebParameters, phone: PhoneParameters, random: inout RandomSource) {
        (webParameters, phoneParameters) = (web, phone)
        let address = web.defaultAddress?.ip ?? .loopback
        self.web = WebLeg(outbox: Outbox(random: &random, address: address), credentials: web.credentials)
        self.phone = PhoneLeg(outbox: Outbox(random: &random, address: phone.address))
    }

    package var isStable: Bool { if case .stable = state { true } else { false } }

    // MARK: ICE restart

    /// Whether the browser's open offer restarts ICE: `renewCredentials` must come before the answer.
    package var needsFreshCredentials: Bool {
        guard case .browserOffered(let exchange) = state else { return false }
        return exchange.web.isRestart(exchange.reading.peer) && nextCredentials == nil
    }

    /// New credentials of ours: for the answer to a restart of the browser's, or to restart with our next offer.
    package mutating func renewCredentials(_ credentials: ICECredentials) { nextCredentials = credentials }

    // MARK: The browser offers

    /// - Returns: the offer for the phone.
    package mutating func browserOffer(_ bytes: [UInt8]) throws(GatewayError) -> [UInt8] {
        try requireStable(againstPhone: true)
        let description = try Self.read(bytes)
        guard description.media.count >= web.slots.count else { throw .streamsDropped }
        let reading = try WebReading(description, before: web.places)
        var (web, phone) = (web, phone)
        web.take(offer: description, reading)
        let (sent, places) = try offerToPhone(reading.lines.map(\.terms), &phone)
        state = .browserOffered(
            BrowserExchange(
                offer: description, reading: reading, sent: sent, places: places, web: web, phone: phone))
        completed = .stable
        return sent.bytes
    }

    /// - Returns: the answer for the browser.
    package mutating func phoneAnswer(_ bytes: [UInt8]) throws(GatewayError) -> [UInt8] {
        var exchange: BrowserExchange
        switch (state, completed) {
        case (.browserOffered(let open), _):
            exchange = open
            exchange.web.nextCredentials = nextCredentials
        case (.stable, .browserOffered(let past)):
            exchange = past
            exchange.phone.rollBack(told: phone)
        default: throw .noOffer
        }
        exchange.web.outbox = web.outbox
        let description = try Self.read(bytes)
        let answer = try answerBrowser(description, exchange)
        if web.credentials == nextCredentials { nextCredentials = nil }
        (state, completed) = (.stable, .browserOffered(exchange))
        return answer.bytes
    }

    // MARK: The phone offers

    /// - Returns: the offer for the browser.
    package mutating func phoneOffer(_ bytes: [UInt8]) throws(GatewayError) -> [UInt8] {
        try requireStable(againstPhone: false)
        let description = try Self.read(bytes)
        guard description.media.count >= phone.slots.count else { throw .streamsDropped }
        let lines = try phone.pick(description, parameters: phoneParameters)
        var (web, phone) = (web, phone)
        phone.take(offer: description, lines)
        if let nextCredentials { web.credentials = nextCredentials }
        let (sent, places) = try offerToBrowser(lines.map(\.terms), &web)
        state = .phoneOffered(
            PhoneExchange(offer: description, lines: lines, sent: sent, places: places, web: web, phone: phone))
        completed = .stable
        return sent.bytes
    }

    /// - Returns: the answer for the phone.
    package mutating func browserAnswer(_ bytes: [UInt8]) throws(GatewayError) -> [UInt8] {
        var exchange: PhoneExchange
        switch (state, completed) {
        case (.phoneOffered(let open), _): exchange = open
        case (.stable, .phoneOffered(let past)):
            exchange = past
            exchange.web.rollBack(told: web)
        default: throw .noOffer
        }
        exchange.phone.outbox = phone.outbox
        let description = try Self.read(bytes)
        let answer = try answerPhone(description, exchange)
        if web.credentials == nextCredentials { nextCredentials = nil }
        (state, completed) = (.stable, .phoneOffered(exchange))
        return answer.bytes
    }

    // MARK: Refused

    /// The offer was answered 488, 491 or with any other refusal: what was agreed on before stays (RFC 3261 §14.1).
    package mutating func offerRefused() {
        switch state {
        case .stable: return
        case .browserOffered(let exchange): phone.rollBack(told: exchange.phone)
        case .phoneOffered(let exchange): web.rollBack(told: exchange.web)
        }
        state = .stable
    }

    // MARK: Rules

    private func requireStable(againstPhone: Bool) throws(GatewayError) {
        switch state {
        case .stable: return
        case .browserOffered: throw againstPhone ? .offerPending : .glare
        case .phoneOffered: throw againstPhone ? .glare : .offerPending
        }
    }

    static func read(_ bytes: [UInt8]) throws(GatewayError) -> SessionDescription {
        do throws(SDPError) {
            return try SessionDescription(parsing: bytes)
        } catch {
            throw .unreadable(error)
        }
    }
}
