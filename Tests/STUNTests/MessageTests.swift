import Base
import STUN
import Testing

struct MessageTests {
    @Test func `type bits are interleaved as figure 3 shows`() {
        let written: [(STUNType, [UInt8])] = [
            (STUNType(.request, .binding), [0x00, 0x01]), (STUNType(.success, .binding), [0x01, 0x01]),
            (STUNType(.error, .allocate), [0x01, 0x13]), (STUNType(.indication, .send), [0x00, 0x16]),
            (STUNType(.error, STUNMethod(rawValue: 0xfff)), [0x3f, 0xff]),
        ]
        for (type, bits) in written {
            #expect(writing(type, someTransaction) { _ in }?.prefix(2).elementsEqual(bits) == true)
        }
        for method in UInt16(0)..<0x1000 {
            for messageClass in [STUNClass.request, .indication, .success, .error] {
                let type = STUNType(messageClass, STUNMethod(rawValue: method))
                let bytes = writing(type, someTransaction) { _ in } ?? []
                #expect((try? reading(bytes) { $0.type }) == type)
            }
        }
    }

    @Test(arguments: [
        ([], STUNError.tooShort(count: 0)),
        (bytes("00010000 2112a442 000000000000000000000"), .tooShort(count: 18)),
        (bytes("80010000 2112a442 000000000000000000000000"), .notSTUN),
        (bytes("00010000 2112a443 000000000000000000000000"), .noMagicCookie),
        (bytes("00010004 2112a442 000000000000000000000000"), .wrongLength(claimed: 24, count: 20)),
        (bytes("00010000 2112a442 000000000000000000000000 80220000"), .wrongLength(claimed: 20, count: 24)),
        (bytes("00010002 2112a442 000000000000000000000000 8022"), .wrongLength(claimed: 22, count: 22)),
        (bytes("00010004 2112a442 000000000000000000000000 80220001"), .malformedAttribute(offset: 20)),
        (bytes("00010008 2112a442 000000000000000000000000 00080004 00000000"), .malformedAttribute(offset: 20)),
        (bytes("00010008 2112a442 000000000000000000000000 80280003 00000000"), .malformedAttribute(offset: 20)),
        (bytes("0001000c 2112a442 000000000000000000000000 80280004 00000000 80220000"), .afterFingerprint(offset: 28)),
    ])
    func `refuses what is no message`(given: [UInt8], error: STUNError) {
        #expect(throws: error) { try reading(given) { _ in } }
    }

    @Test func `the first of equal attributes counts, and nothing after integrity`() throws {
        let key = IntegrityKey(sha1: [1])
        let bytes = try #require(
            writing(STUNType(.request, .binding), someTransaction) { writer in
                writer.add(.realm, "one")
                writer.add(.realm, "two")
                writer.add(key)
                writer.add(.nonce, "late")
                writer.add(IntegrityKey(sha256: [2]))
                writer.add(.username, "later")
                writer.addFingerprint()
            })
        try reading(bytes) { message in
            #expect(message.realm.map(Array.init) == Array("one".utf8))
            #expect(message.nonce == nil)
            #expect(message.username == nil)
            #expect(message.attributes.map(\.type) == [.realm, .realm])
            #expect(key.protects(message))
            #expect(IntegrityKey(sha256: [2]).protects(message))
            #expect(!IntegrityKey(sha1: [2]).protects(message))
            #expect(message.isFingerprintRight)
        }
    }

    @Test func `a truncated SHA-256 is not taken`() throws {
        let full = try #require(
            writing(STUNType(.request, .binding), someTransaction) { $0.add(IntegrityKey(sha256: [1])) })
        let short = try #require(
            writing(STUNType(.request, .binding), someTransaction) {
                $0.add(.messageIntegritySHA256, Array(full[24..<40]))
            })
        #expect(try reading(short) { $0.hasIntegritySHA256 && !IntegrityKey(sha256: [1]).protects($0) })
    }

    @Test func `reads error codes, alternate servers and nonces with features`() throws {
        let bytes = try #require(
            writing(STUNType(.error, .allocate), someTransaction) { writer in
                writer.add(.allocationQuotaReached, hasPhrase: true)
                writer.add(.alternateServer, address("2001:db8::7", 3478))
                writer.add(.nonce, SecurityFeatures.passwordAlgorithms.prefix + [1, 2])
            })
        try reading(bytes) { message in
            #expect(message.errorCode == .allocationQuotaReached)
            #expect(
                message.value(of: .errorCode).map { Array($0.dropFirst(4)) } == Array("Allocation Quota Reached".utf8))
            #expect(message.address(.alternateServer) == address("2001:db8::7", 3478))
            let nonce = try #require(message.nonce)
            #expect(SecurityFeatures(nonce: nonce) == .passwordAlgorithms)
        }
        #expect(SecurityFeatures.passwordAlgorithms.prefix == Array("obMatJos2AAAB".utf8))
    }

    @Test(arguments: [
        "00090004 00000200", "00090004 00000700", "00090004 00000464", "00090003 00000400", "00200008 0003000000000000",
        "00200008 0002000000000000", "00200004 00010000", "00200014 0001 0000 00000000000000000000000000000000",
    ])
    func `values that cannot be are absent`(attribute: String) throws {
        let attributes = bytes(attribute)
        let header = bytes("0111") + [0, UInt8(attributes.count)] + bytes("2112a442 000000000000000000000000")
        try reading(header + attributes) { message in
            #expect(message.errorCode == nil)
            #expect(message.xorAddress(.xorMappedAddress) == nil)
        }
    }

    @Test func `a buffer that is too small gives nothing`() {
        let type = STUNType(.success, .binding)
        for room in 0..<120 {
            let bytes = writing(type, someTransaction, room: room) { writer in
                writer.add(.software, "hearth")
                writer.add(.xorMappedAddress, xor: address("2001:db8::1", 1))
                writer.add(IntegrityKey(sha1: [1]))
                writer.addFingerprint()
            }
            #expect((bytes == nil) == (room < 20 + 12 + 24 + 24 + 8), "\(room)")
        }
        let long = writing(type, someTransaction, room: 70_000) { $0.add(.data, [UInt8](repeating: 1, count: 65_530)) }
        #expect(long == nil)
    }
}
