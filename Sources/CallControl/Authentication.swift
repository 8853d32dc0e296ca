import Base
import SIP

/// Finds out who sent a request: the signed-in person of a page's connection, or whoever digest proves (RFC 3261 §22).
///
/// A challenge is the same whether or not a user exists, and so is the work to refuse a wrong answer. Failures are
/// counted per address and per name; beyond a limit the answer is 503 with Retry-After, without looking at the
/// credentials, except from where that person is registered at the moment: nobody is locked out by a stranger.
struct Authenticator: Sendable {
    enum Verdict: Equatable {
        case person(Int, phone: [UInt8])
        case challenge(stale: Bool)
        /// Too many failures: seconds to wait.
        case wait(Int)
        /// The credentials break their grammar.
        case malformed
        /// Counted as a failure; challenged like anybody.
        case failed(user: [UInt8])
    }

    private var digest: DigestServer
    private var failures: FailureLimiter
    private let hash: KeyedHash
    private let limits: CallController.Limits
    /// Nonces remembered with their counts; 40 bytes each.
    private static let usedNonces = 65_536

    init(configuration: CallController.Configuration, hash: KeyedHash, random: inout RandomSource) {
        var settings = DigestServer.Configuration(realm: configuration.domain)
        settings.algorithms = configuration.digestAlgorithms.map { $0 == .md5 ? .md5 : .sha256 }
        settings.qualities = configuration.digestQualities
        settings.maximumUsedNonces = Self.usedNonces
        digest = DigestServer(configuration: settings, secret: configuration.secret, random: &random)
        (self.hash, limits) = (hash, configuration.limits)
        failures = FailureLimiter(limits: configuration.limits)
    }

    mutating func challenges(stale: Bool, at now: Instant) -> [DigestChallenge] {
        digest.challenges(stale: stale, at: now)
    }

    /// Checks the credentials of a request.
    mutating func verify(
        _ message: SIPMessage, _ method: SIPMethod, header: HeaderName, on flow: Flow, location: borrowing Location,
        at now: Instant
    ) -> Verdict {
        guard message.contains(header) else { return .challenge(stale: false) }
        let all: [DigestCredentials]
        do throws(SIPParseError) { all = try message.authorizations(header) } catch { return .malformed }
        guard let credentials = digest.select(all) else { return .challenge(stale: false) }
        let user = credentials.userName.map(ASCII.lowercased)
        let person = location.find(user[...])
        let account = hash(.accountFailures, user[...])
        let address = addressHash(flow)
        if !failures.isEmpty, !isHome(person, flow, location),
            let wait = failures.wait(address, limit: limits.failuresPerAddress, at: now)
                ?? failures.wait(account, limit: limits.failuresPerAccount, at: now)
        {
            return .wait(wait)
        }
        let passwords = person.map { location.people.elements[$0].passwords } ?? []
        switch digest.verify(credentials, method: method, body: message.body, ha1s: passwords, at: now) {
        case .accepted(let position):
            guard let person else { return .challenge(stale: false) }
            let labels = location.people.elements[person].labels
            return .person(person, phone: position < labels.count ? labels[position] : [])
        case .stale:
            return .challenge(stale: true)
        case .wrong:
            failures.count(address, limit: limits.failuresPerAddress, at: now)
            failures.count(account, limit: limits.failuresPerAccount, at: now)
            return .failed(user: user)
        }
    }

    /// Whether a device of that person is registered from this very address.
    private func isHome(_ person: Int?, _ flow: Flow, _ location: borrowing Location) -> Bool {
        guard let person else { return false }
        return location.people.elements[person].bindings.contains { $0.binding.flow.remote.ip == flow.remote.ip }
    }

    /// IPv6 by its /64: one household or one attacker has all of it.
    private func addressHash(_ flow: Flow) -> UInt64 {
        var state = hash.begin(.addressFailures)
        switch flow.remote.ip.unmapped {
        case .v4(let bits): state.add(UInt64(bits))
        case .v6(let high, _): state.add(high)
        }
        return state.finish()
    }
}
