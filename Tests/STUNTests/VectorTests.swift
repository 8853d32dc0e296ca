import Base
import STUN
import Testing

/// Reads, checks and writes again the published messages.
struct VectorTests {
    private let shortTerm = IntegrityKey(sha1: RFC5769.password)

    @Test func `RFC 5769 2.1: a request of ICE`() throws {
        try reading(RFC5769.request) { message in
            #expect(message.type == STUNType(.request, .binding))
            #expect(message.transactionID == someTransaction)
            #expect(message.software.map(Array.init) == Array("STUN test client".utf8))
            #expect(message.priority == 0x6e00_01ff)
            #expect(message.iceControlled == 0x932f_f9b1_5126_3b36)
            #expect(message.username.map(Array.init) == Array("evtj:h6vY".utf8))
            #expect(shortTerm.protects(message))
            #expect(message.isFingerprintRight)
            #expect(!message.hasUnknownAttributes(besides: .ice))
            #expect(message.hasUnknownAttributes(besides: .base))
        }
    }

    @Test(arguments: [
        (RFC5769.responseV4, "192.0.2.1"), (RFC5769.responseV6, "2001:db8:1234:5678:11:2233:4455:6677"),
    ])
    func `RFC 5769 2.2 and 2.3: responses, also written`(vector: [UInt8], host: String) throws {
        let mapped = address(host, 32853)
        try reading(vector) { message in
            #expect(message.type == STUNType(.success, .binding))
            #expect(message.xorAddress(.xorMappedAddress) == mapped)
            #expect(shortTerm.protects(message))
            #expect(message.isFingerprintRight)
        }
        var written = writing(STUNType(.success, .binding), someTransaction) { writer in
            writer.add(.software, "test vector")
            writer.add(.xorMappedAddress, xor: mapped)
        }
        // The RFC pads with a space, we with zero: all that can differ before the hashes.
        #expect(written?.count == vector.count - 32)
        written?[35] = 0x20
        #expect(written.map { Array($0[4...]) } == Array(vector[4..<vector.count - 32]))
    }

    @Test func `RFC 5769 2.4: long-term credentials, also written`() throws {
        let (user, password, realm) = (RFC5769.user, RFC5769.longTermPassword, Array("example.org".utf8))
        let key = IntegrityKey(sha1: LongTermKey.md5(user: user, realm: realm, password: password))
        let nonce = try reading(RFC5769.longTermRequest) { message in
            #expect(key.protects(message))
            #expect(message.username.map(Array.init) == user)
            #expect(message.realm.map(Array.init) == realm)
            #expect(message.nonce.flatMap { SecurityFeatures(nonce: $0) } == nil)
            return message.nonce.map(Array.init) ?? []
        }
        let transaction = TransactionID(high: 0x78ad_3433, low: 0xc6ad_72c0_29da_412e)
        let written = writing(STUNType(.request, .binding), transaction) { writer in
            writer.add(.username, user)
            writer.add(.nonce, nonce)
            writer.add(.realm, realm)
            writer.add(key)
        }
        #expect(written == RFC5769.longTermRequest)
    }

    @Test func `RFC 8489 B.1: SHA-256 and USERHASH, also written`() throws {
        let (user, password, realm) = (RFC5769.user, RFC5769.longTermPassword, Array("example.org".utf8))
        let key = IntegrityKey(sha256: LongTermKey.sha256(user: user, realm: realm, password: password))
        let hash = LongTermKey.userhash(user: user, realm: realm)
        let nonce = try reading(RFC8489.request) { message in
            #expect(key.protects(message))
            #expect(message.userhash.map(Array.init) == hash)
            #expect(message.passwordAlgorithm == .sha256)
            let nonce = try #require(message.nonce)
            #expect(SecurityFeatures(nonce: nonce) == .usernameAnonymity)
            return Array(nonce)
        }
        let transaction = TransactionID(high: 0x78ad_3433, low: 0xc6ad_72c0_29da_412e)
        let written = writing(STUNType(.request, .binding), transaction) { writer in
            writer.add(.userhash, hash)
            writer.add(.nonce, nonce)
            writer.add(.realm, realm)
            writer.add(.passwordAlgorithm, UInt32(0x0002_0000))
            writer.add(key)
        }
        #expect(written == RFC8489.request)
    }

    /// The fingerprint and the integrity of every vector cover every byte before them.
    @Test(arguments: [RFC5769.request, RFC5769.responseV4, RFC5769.responseV6])
    func `one bit anywhere breaks what protects a message`(vector: [UInt8]) {
        for bit in 0..<(vector.count - 8) * 8 {
            var damaged = vector
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            damaged.withUnsafeBytes { bytes in
                guard let message = try? STUNMessage(parsing: bytes) else { return }
                #expect(!message.isFingerprintRight, "bit \(bit)")
                if bit / 8 < vector.count - 8 { #expect(!shortTerm.protects(message), "bit \(bit)") }
            }
        }
    }
}
