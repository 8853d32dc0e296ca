import Accounts
import Base
import Crypto
import Store
import Synchronization

/// A clock that tests turn.
final class TestClock: Sendable {
    private let time = Mutex(WallTime(seconds: 1_800_000_000))

    var now: WallTime { time.withLock { $0 } }

    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// A store in memory with what tests put into it.
struct Household: Sendable {
    let clock = TestClock()
    let store: HouseholdStore
    private let random = Generators(RandomSource(seed: 11))

    init() throws {
        let clock = clock
        store = try HouseholdStore.inMemory { clock.now }
    }

    init(path: String) throws {
        let clock = clock
        store = try HouseholdStore.open(path: path) { clock.now }
    }

    /// Another generator each time.
    func fork() -> RandomSource { random.fork() }

    /// Joins by a link of whatever kind.
    @discardableResult func accept(
        _ fresh: FreshLink, userName: UserName? = nil, fullName: FullName? = nil
    ) async throws -> (person: Person, session: Session, token: Token) {
        let newcomer = try Newcomer(
            userName: userName, fullName: fullName, keys: newKeys(), credentials: credentials())
        let (random, now) = (fork(), clock.now)
        return try await store.accept(fresh.token.hash, newcomer) { name in
            var random = random
            return Session.make(for: name, userAgent: "test", random: &random, at: now)
        }
    }

    /// The owner, who joins by the first link.
    @discardableResult func joinOwner(_ name: String = "anna") async throws -> (person: Person, token: Token) {
        guard let fresh = try await store.makeOwnerLink(random: fork()) else { throw AccountError.linkUnknown }
        let (person, _, token) = try await accept(
            fresh, userName: UserName(parsing: name), fullName: FullName(parsing: name))
        return (person, token)
    }

    @discardableResult func join(_ name: String) async throws -> (person: Person, token: Token) {
        let fresh = try await store.invite(
            UserName(parsing: name), fullName: FullName(parsing: name), inviter: nil, random: fork())
        let (person, _, token) = try await accept(fresh)
        return (person, token)
    }

    func credentials(_ byte: UInt8 = 1) throws -> Credentials {
        var random = fork()
        func proof() throws -> Credentials.Proof {
            Credentials.Proof(
                salt: try ClientSalt(parsing: random.bytes(count: 16)),
                verifier: Verifier(of: try Auth(parsing: [UInt8](repeating: byte, count: 32)), random: &random))
        }
        return Credentials(
            password: try proof(), wrapped: try sealed(byte),
            recovery: Credentials.Recovery(proof: try proof(), sealed: try sealed(byte &+ 1)))
    }

    func sealed(_ byte: UInt8) throws -> SealedKeys {
        try SealedKeys(iv: [UInt8](repeating: byte, count: 12), data: [UInt8](repeating: byte, count: 300))
    }

    func newKeys() throws -> PublicKeys {
        try PublicKeys(
            signing: Array(P256.Signing.PrivateKey().publicKey.x963Representation),
            agreement: Array(P256.KeyAgreement.PrivateKey().publicKey.x963Representation))
    }
}

/// A generator that hands out generators.
final class Generators: Sendable {
    private let source: Mutex<RandomSource>

    init(_ source: RandomSource) { self.source = Mutex(source) }

    func fork() -> RandomSource { source.withLock { RandomSource(seed: $0.next()) } }
}
