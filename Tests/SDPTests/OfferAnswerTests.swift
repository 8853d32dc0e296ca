import SDP
import Testing

struct OfferAnswerTests {
    private let audio: SessionDescription
    private let both: SessionDescription

    init() throws {
        audio = try description("m=audio 9 RTP/AVP 0")
        both = try description("m=audio 9 RTP/AVP 0", "m=video 9 RTP/AVP 99")
    }

    @Test func `offers and is answered`() throws {
        var exchange = OfferAnswer()
        try exchange.sendOffer(audio)
        #expect(exchange.state == .haveLocalOffer(audio))
        try exchange.receiveAnswer(audio)
        #expect(exchange.isStable && exchange.local == audio && exchange.remote == audio)
    }

    @Test func `is offered and answers`() throws {
        var exchange = OfferAnswer()
        try exchange.receiveOffer(both)
        #expect(throws: OfferAnswer.Refusal.streamsDiffer) { try exchange.sendAnswer(audio) }
        try exchange.sendAnswer(both)
        #expect(exchange.isStable && exchange.remote == both)
    }

    @Test func `refuses glare with 491 and a second offer with 500`() throws {
        var exchange = OfferAnswer()
        try exchange.sendOffer(audio)
        let glare = #expect(throws: OfferAnswer.Refusal.self) { try exchange.receiveOffer(audio) }
        #expect(glare == .glare && glare?.sipStatus == 491)
        #expect(throws: OfferAnswer.Refusal.offerPending) { try exchange.sendOffer(audio) }
        exchange.offerRefused()
        try exchange.receiveOffer(audio)
        let pending = #expect(throws: OfferAnswer.Refusal.self) { try exchange.receiveOffer(audio) }
        #expect(pending == .offerPending && pending?.sipStatus == 500)
        #expect(throws: OfferAnswer.Refusal.glare) { try exchange.sendOffer(audio) }
    }

    @Test func `keeps what was agreed on when a later offer is refused`() throws {
        var exchange = OfferAnswer()
        try exchange.sendOffer(audio)
        try exchange.receiveAnswer(audio)
        try exchange.sendOffer(both)
        exchange.refuseOffer()
        #expect(!exchange.isStable)
        exchange.offerRefused()
        #expect(exchange.isStable && exchange.local == audio)
        try exchange.receiveOffer(both)
        exchange.refuseOffer()
        #expect(exchange.isStable && exchange.remote == audio)
    }

    @Test func `never loses a stream`() throws {
        var exchange = OfferAnswer()
        try exchange.sendOffer(both)
        try exchange.receiveAnswer(both)
        #expect(throws: OfferAnswer.Refusal.streamsDropped) { try exchange.sendOffer(audio) }
        let refusal = #expect(throws: OfferAnswer.Refusal.self) { try exchange.receiveOffer(audio) }
        #expect(refusal?.sipStatus == 488)
        var other = both
        other.origin.sessionID = [0x37]
        #expect(throws: OfferAnswer.Refusal.sessionChanged) { try exchange.sendOffer(other) }
        try exchange.receiveOffer(other)
    }

    @Test func `answers nothing without an offer`() {
        var exchange = OfferAnswer()
        #expect(throws: OfferAnswer.Refusal.noOffer) { try exchange.sendAnswer(audio) }
        #expect(throws: OfferAnswer.Refusal.noOffer) { try exchange.receiveAnswer(audio) }
        exchange.offerRefused()
        exchange.refuseOffer()
        #expect(exchange.isStable)
    }

    @Test(arguments: Sample.all.filter { $0.name.hasSuffix("-offer") })
    func `joins a browser's offer and answer`(sample: Sample) throws {
        var exchange = OfferAnswer()
        try exchange.sendOffer(try SessionDescription(parsing: sample.bytes))
        try exchange.receiveAnswer(try Sample.named(sample.name.replacing("offer", with: "answer")))
        #expect(exchange.isStable)
    }
}
