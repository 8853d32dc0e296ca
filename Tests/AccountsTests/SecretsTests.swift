import Accounts
import Base
import Crypto
import Testing

@Suite struct SecretsTests {
    private let anna: UserName
    private var random = RandomSource(seed: 1)

    init() throws { anna = try UserName(parsing: "anna") }

    /// Computed with Python's hmac and hashlib.
    @Test func `a verifier is HKDF over auth`() throws {
        let verifier = Verifier(
            salt: [UInt8](repeating: 2, count: 16),
            hash: [
                0x9f, 0x1d, 0xfc, 0x22, 0x31, 0x87, 0xe8, 0xfe, 0xfd, 0xaa, 0xa2, 0xe9, 0x5c, 0xbf, 0xf7, 0x01,
                0x6e, 0x5d, 0x8b, 0x4a, 0x5b, 0x02, 0x5a, 0x7b, 0x80, 0xa4, 0x4d, 0x14, 0x21, 0xa4, 0x74, 0x02,
            ])
        #expect(verifier.accepts(try Auth(parsing: [UInt8](repeating: 1, count: 32))))
        #expect(!verifier.accepts(try Auth(parsing: [UInt8](repeating: 3, count: 32))))
    }

    @Test mutating func `the same password has another verifier each time`() throws {
        let auth = try Auth(parsing: [UInt8](repeating: 1, count: 32))
        let (one, other) = (Verifier(of: auth, random: &random), Verifier(of: auth, random: &random))
        #expect(one != other && one.accepts(auth) && other.accepts(auth))
        #expect(!Verifier.refuse(auth))
        #expect(!Verifier(salt: one.salt, hash: Array(one.hash.dropLast())).accepts(auth))
    }

    @Test(arguments: [0, 31, 33, 64]) func `auth has 32 bytes`(count: Int) {
        #expect(throws: AccountError.self) { try Auth(parsing: [UInt8](repeating: 0, count: count)) }
    }

    /// Computed with Python's hmac.
    @Test func `salts of names nobody has are stable and look random`() throws {
        let secret = [UInt8](repeating: 3, count: 32)
        let salt = ClientSalt(believableFor: anna, purpose: .password, secret: secret)
        #expect(
            salt.bytes == [
                0xb9, 0x04, 0x23, 0x6d, 0x26, 0x87, 0x0a, 0x21, 0xc1, 0x2b, 0xc7, 0xc0, 0xf8, 0x9c, 0xc2, 0xaf,
            ])
        #expect(salt == ClientSalt(believableFor: anna, purpose: .password, secret: secret))
        #expect(salt != ClientSalt(believableFor: anna, purpose: .recovery, secret: secret))
        #expect(salt != ClientSalt(believableFor: try UserName(parsing: "bob"), purpose: .password, secret: secret))
        #expect(salt != ClientSalt(believableFor: anna, purpose: .password, secret: [UInt8](repeating: 4, count: 32)))
    }

    @Test mutating func `tokens are told once and kept as hashes`() throws {
        let token = Token(random: &random)
        #expect(token.text.count == 43)
        #expect(Token(parsing: token.text)?.hash == token.hash)
        #expect(Token(random: &random).hash != token.hash)
        #expect(token.hash.bytes == Array(SHA256.hash(data: try #require(Base64URL.decode(token.text)))))
        for text in ["", "abc", token.text + "A", String(token.text.dropLast()), String(repeating: "!", count: 43)] {
            #expect(Token(parsing: text) == nil)
        }
    }

    @Test mutating func `a phone's hashes are those of digest authentication`() throws {
        let (phone, password) = Phone.make(
            for: anna, label: try PhoneLabel(parsing: "Kitchen"), realm: "home.example", random: &random,
            at: WallTime(seconds: 9))
        let secret = Array("anna:home.example:\(password)".utf8)
        #expect(phone.md5 == Array(Insecure.MD5.hash(data: secret)))
        #expect(phone.sha256 == Array(SHA256.hash(data: secret)))
        #expect(password.count == 24 && password.split(separator: "-").allSatisfy { $0.count == 4 })
        #expect(password.allSatisfy { "0123456789abcdefghjkmnpqrstvwxyz-".contains($0) })
        #expect(phone.created == WallTime(seconds: 9))
    }

    @Test mutating func `no password of a phone begins as a hexadecimal number does`() throws {
        let label = try PhoneLabel(parsing: "Kitchen")
        let passwords = (0..<5_000).map { _ in
            Phone.make(for: anna, label: label, realm: "home.example", random: &random, at: WallTime(seconds: 9))
                .password
        }
        #expect(passwords.contains { $0.hasPrefix("0") } && !passwords.contains { $0.hasPrefix("0x") })
    }

    @Test func `public keys are points of the curve`() throws {
        let signing = Array(P256.Signing.PrivateKey().publicKey.x963Representation)
        let agreement = Array(P256.KeyAgreement.PrivateKey().publicKey.x963Representation)
        let keys = try PublicKeys(signing: signing, agreement: agreement)
        #expect(keys.fingerprint.bytes == Array(SHA256.hash(data: signing + agreement)))
        #expect(keys.fingerprint.description.count == 43)
        var bent = signing
        bent[64] ^= 1
        #expect(throws: AccountError.self) { try PublicKeys(signing: bent, agreement: agreement) }
        #expect(throws: AccountError.self) { try PublicKeys(signing: signing, agreement: bent) }
        #expect(throws: AccountError.self) { try PublicKeys(signing: signing, agreement: Array(agreement.dropLast())) }
        let compressed = Array(P256.Signing.PrivateKey().publicKey.compressedRepresentation)
        #expect(throws: AccountError.self) { try PublicKeys(signing: compressed, agreement: agreement) }
    }

    @Test func `wrapped keys have bounds`() throws {
        let iv = [UInt8](repeating: 0, count: 12)
        #expect(throws: Never.self) { try SealedKeys(iv: iv, data: [UInt8](repeating: 0, count: 4096)) }
        #expect(throws: AccountError.self) { try SealedKeys(iv: iv, data: [UInt8](repeating: 0, count: 4097)) }
        #expect(throws: AccountError.self) { try SealedKeys(iv: iv, data: [UInt8](repeating: 0, count: 16)) }
        #expect(throws: AccountError.self) { try SealedKeys(iv: iv + [0], data: [UInt8](repeating: 0, count: 100)) }
    }
}
