import Base
import SIP
import Testing

@Suite struct TransactionKeyTests {
    /// A request with the given first line, top Via and differences.
    private func incoming(
        _ method: String, via: String, uri: String = "sip:bob@biloxi.com", from: String = "1", to: String? = nil,
        callID: String = "a@b", cseq: String = "1"
    ) -> SIPMessage {
        message(
            "\(method) \(uri) SIP/2.0", "Via: \(via)", "From: <sip:a@a>;tag=\(from)",
            "To: <sip:b@b>" + (to.map { ";tag=\($0)" } ?? ""), "Call-ID: \(callID)", "CSeq: \(cseq) \(method)",
            "Content-Length: 0")
    }

    private func key(_ message: SIPMessage) throws -> TransactionKey {
        try #require(TransactionKey(request: message))
    }

    private static let via = "SIP/2.0/UDP pc33.atlanta.com:5060;branch=z9hG4bKabc"

    @Test(arguments: [
        via, "SIP/2.0/UDP PC33.Atlanta.COM:5060;branch=z9hG4bKabc",
        "SIP / 2.0 / UDP  pc33.atlanta.com:5060 ; branch = z9hG4bKabc ; rport",
        "SIP/2.0/UDP pc33.atlanta.com:5060;received=1.2.3.4;x=\"a;branch=z9hG4bKno\";BRANCH=z9hG4bKabc",
        "SIP/2.0/UDP pc33.atlanta.com:5060;branch=z9hG4bKabc, SIP/2.0/UDP other;branch=z9hG4bKother",
        "SIP/2.0/UDP pc33.atlanta.com:5060\r\n ;branch=z9hG4bKabc",
    ])
    func `finds the same transaction however the Via is written`(via: String) throws {
        let (one, other) = (try key(incoming("INVITE", via: Self.via)), try key(incoming("INVITE", via: via)))
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
    }

    @Test(arguments: [
        "SIP/2.0/UDP pc33.atlanta.com:5060;branch=z9hG4bKabd", "SIP/2.0/UDP pc33.atlanta.com:5060;branch=z9hG4bKABC",
        "SIP/2.0/UDP pc34.atlanta.com:5060;branch=z9hG4bKabc", "SIP/2.0/UDP pc33.atlanta.com:5061;branch=z9hG4bKabc",
        "SIP/2.0/UDP pc33.atlanta.com:5060;branch=z9hG4bKab", "SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKabc",
    ])
    func `another branch or sender is another transaction`(via: String) throws {
        #expect(try key(incoming("INVITE", via: Self.via)) != key(incoming("INVITE", via: via)))
    }

    @Test func `ACK belongs to its INVITE, CANCEL is a transaction of its own about it`() throws {
        let invite = try key(incoming("INVITE", via: Self.via))
        let cancel = try key(incoming("CANCEL", via: Self.via))
        #expect(try key(incoming("ACK", via: Self.via, to: "2")) == invite)
        #expect(cancel != invite)
        #expect(cancel.cancelled == invite)
        #expect(try key(incoming("BYE", via: Self.via)) != invite)
        #expect(try key(incoming("FOO", via: Self.via)) != key(incoming("BAR", via: Self.via)))
    }

    @Test func `a key that is kept equals one that borrows`() throws {
        let borrowed = try key(incoming("INVITE", via: Self.via))
        let table = [borrowed.stored(): 1]
        #expect(table[try key(incoming("INVITE", via: Self.via))] == 1)
        #expect(table[try key(incoming("ACK", via: Self.via))] == 1)
        #expect(table[try key(incoming("CANCEL", via: Self.via)).cancelled] == 1)
    }

    // MARK: RFC 2543

    @Test(arguments: [
        "SIP/2.0/UDP old.example.com", "SIP/2.0/UDP old.example.com;branch=3",
        "SIP/2.0/UDP old.example.com;branch=z9hG4bK",
    ])
    func `without the magic cookie the whole request counts`(via: String) throws {
        let invite = try key(incoming("INVITE", via: via))
        #expect(try key(incoming("INVITE", via: via)) == invite)
        #expect(try key(incoming("ACK", via: via, to: "ours")) == invite)
        #expect(try key(incoming("CANCEL", via: via)).cancelled == invite)
        #expect(try key(incoming("INVITE", via: via, uri: "sip:carol@biloxi.com")) != invite)
        #expect(try key(incoming("INVITE", via: via, from: "2")) != invite)
        #expect(try key(incoming("INVITE", via: via, callID: "a@c")) != invite)
        #expect(try key(incoming("INVITE", via: via, cseq: "2")) != invite)
        #expect(try key(incoming("INVITE", via: via + ";x=1")) != invite)
        #expect(try key(incoming("BYE", via: via)) != invite)
    }

    // MARK: The client's side

    @Test func `a response finds its request by branch and CSeq method alone`() throws {
        let sent = try #require(TransactionKey(sent: request("INVITE")))
        let cancel = try #require(TransactionKey(sent: request("CANCEL")))
        #expect(TransactionKey(response: response(180)) == sent)
        #expect(TransactionKey(response: response(200, to: "CANCEL")) == cancel)
        #expect(TransactionKey(response: response(200, to: "CANCEL")) != sent)
    }

    @Test func `messages without a Via have no key`() {
        let bare = message("INVITE sip:a@b SIP/2.0", "CSeq: 1 INVITE", "Content-Length: 0")
        #expect(TransactionKey(request: bare) == nil)
        #expect(TransactionKey(sent: bare) == nil)
        #expect(TransactionKey(response: message("SIP/2.0 200 OK", "CSeq: 1 INVITE", "Content-Length: 0")) == nil)
        #expect(TransactionKey(response: message("SIP/2.0 200 OK", "Via: SIP/2.0/UDP a;branch=b")) == nil)
    }

    /// Any bytes in the top Via give a key or none, and a key equals itself.
    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func `survives any Via`(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let alphabet = Array("SIP/2.0/UDP a:;,=\"\\<>bz9hG4bK branch\t[]1".utf8)
        for _ in 0..<200 {
            let count = Int.random(in: 0..<60, using: &random)
            let noise = (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            let via = String(decoding: noise, as: UTF8.self)
            guard
                let parsed = try? SIPMessage(
                    parsing: Array(
                        "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP \(via)\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n".utf8
                    ))
            else { continue }
            let key = TransactionKey(request: parsed)
            #expect(key?.stored() == key)
        }
    }
}
