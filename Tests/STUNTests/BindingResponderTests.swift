import Base
import STUN
import Testing

struct BindingResponderTests {
    private let remote = address("192.0.2.7", 5062)

    private func request(_ body: (inout STUNWriter) -> Void = { _ in }) -> [UInt8] {
        writing(STUNType(.request, .binding), someTransaction, body) ?? []
    }

    @Test(arguments: ["192.0.2.7", "2001:db8::7"])
    func `says where a request came from`(host: String) throws {
        let from = address(host, 40_000)
        let answer = try #require(BindingResponder.answer(request(), from: from))
        try reading(answer) { message in
            #expect(message.type == STUNType(.success, .binding))
            #expect(message.transactionID == someTransaction)
            #expect(message.attributes.map(\.type) == [.xorMappedAddress])
            #expect(message.xorAddress(.xorMappedAddress) == from)
        }
    }

    @Test func `a fingerprint is answered with one, a wrong one not at all`() throws {
        let asked = request { $0.addFingerprint() }
        let answer = try #require(BindingResponder.answer(asked, from: remote))
        #expect(try reading(answer) { $0.isFingerprintRight })
        var damaged = asked
        damaged[27] ^= 1
        #expect(BindingResponder.answer(damaged, from: remote) == nil)
    }

    @Test func `what it must understand and does not is listed in a 420`() throws {
        let asked = request { writer in
            writer.add(.software, "optional")
            writer.add(AttributeType(rawValue: 0x0003), UInt32(6))
            writer.add(.useCandidate)
            writer.add(AttributeType(rawValue: 0x7fff))
        }
        let answer = try #require(BindingResponder.answer(asked, from: remote))
        try reading(answer) { message in
            #expect(message.type == STUNType(.error, .binding))
            #expect(message.errorCode == .unknownAttribute)
            #expect(message.value(of: .unknownAttributes).map(Array.init) == [0x00, 0x03, 0x00, 0x25, 0x7f, 0xff])
        }
    }

    @Test func `credentials of others are no reason to refuse`() throws {
        let answer = try #require(BindingResponder.answer(RFC5769.longTermRequest, from: remote))
        #expect(try reading(answer) { $0.messageClass } == .success)
    }

    @Test func `nothing else is answered`() {
        let silent: [[UInt8]] = [
            [], [0], [0, 0, 0, 0], Array("\r\n\r\n".utf8), Array("OPTIONS sip:a SIP/2.0\r\n".utf8),
            RFC5769.responseV4, writing(STUNType(.indication, .binding), someTransaction) { _ in } ?? [],
            writing(STUNType(.error, .binding), someTransaction) { $0.add(.badRequest, hasPhrase: true) } ?? [],
            writing(STUNType(.request, .allocate), someTransaction) { _ in } ?? [],
            Array(request().dropLast()), request() + [0, 0, 0, 0],
        ]
        for datagram in silent { #expect(BindingResponder.answer(datagram, from: remote) == nil) }
    }

    /// 20 bytes are answered by 32 to IPv4: with IP and UDP headers 1.25 times what came.
    @Test func `no answer is longer than it must be`() throws {
        #expect(BindingResponder.answer(request(), from: remote)?.count == 32)
        #expect(BindingResponder.answer(request(), from: address("::1", 1))?.count == 44)
        for number in 0..<100 {
            let asked = request { writer in
                for type in 0..<number { writer.add(AttributeType(rawValue: 0x4000 + UInt16(type))) }
                writer.addFingerprint()
            }
            let answer = try #require(BindingResponder.answer(asked, from: address("::1", 1)))
            #expect(answer.count <= BindingResponder.maximumResponse)
            if number >= 6 { #expect(answer.count <= asked.count) }
        }
    }
}
