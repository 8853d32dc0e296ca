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
    private let challengeParts: [(before: [UInt8], after: [UInt8])]
    private var failures: FailureLimiter
    private let hash: KeyedHash
    private let limits: CallController.Limits
    /// Nonces remembered with their counts; 64 bytes each.
    private static let usedNonces = 65_536

    init(configuration: CallController.Configuration, hash: KeyedHash, random: inout RandomSource) {
        var settings = DigestServer.Configuration(realm: configuration.domain)
        settings.algorithms = configuration.digestAlgorithms.map { $0 == .md5 ? .md5 : .sha256 }
        settings.qualities = configuration.digestQualities
        settings.maximumUsedNonces = Self.usedNonces
        digest = DigestServer(configuration: settings, secret: configuration.secret, random: &random)
        challengeParts = digest.challenges(at: .zero).map { Self.parts(of: $0) }
        (self.hash, limits) = (hash, configuration.limits)
        failures = FailureLimiter(limits: configuration.limits)
    }

    /// Adds WWW-Authenticate or Proxy-Authenticate for each algorithm, in the order offered.
    mutating func addChallenges(_ header: HeaderName, stale: Bool, at now: Instant, to builder: inout MessageBuilder) {
        guard !stale else {
            for challenge in digest.challenges(stale: true, at: now) { builder.add(header, challenge) }
            return
        }
        let nonce = digest.nonce(at: now)
        for position in challengeParts.indices {
            let parts = challengeParts[position]
            builder.add(header, FreshChallenge(before: parts.before, nonce: nonce, after: parts.after))
        }
    }

    /// What stands around the nonce in a challenge, written once.
    private static func parts(of challenge: DigestChallenge) -> (before: [UInt8], after: [UInt8]) {
        let (text, nonce) = (challenge.text, challenge.nonce)
        var start = 0
        while start + nonce.count < text.count, !text[start..<(start + nonce.count)].equals(nonce[...]) { start += 1 }
        return (Array(text[..<start]), Array(text[(start + nonce.count)...]))
    }

    /// The credentials for our realm.
    private func credentials(_ message: SIPMessage, _ header: HeaderName) throws(SIPParseError) -> DigestProof? {
        if message.hasOne(header), let place = message.place(of: header),
            let quick = HeadScan.credentials(message.bytes, at: place)
        {
            return digest.isForUs(quick) ? quick : nil
        }
        return digest.select(try message.authorizations(header)).map { DigestProof($0) } ?? nil
    }

    /// Checks the credentials of a request.
    mutating func verify(
        _ message: SIPMessage, _ method: SIPMethod, header: HeaderName, on flow: Flow, location: borrowing Location,
        at now: Instant
    ) -> Verdict {
        guard message.contains(header) else { return .challenge(stale: false) }
        let credentials: DigestProof
        do throws(SIPParseError) {
            guard let chosen = try self.credentials(message, header) else { return .challenge(stale: false) }
            credentials = chosen
        } catch { return .malformed }
        let user = [UInt8](lowercasing: credentials.userName)
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

/// A challenge of which all but the nonce was written before.
private struct FreshChallenge: HeaderValue {
    let before: [UInt8]
    let nonce: [UInt8]
    let after: [UInt8]

    func serialize(into out: inout [UInt8]) {
        out += before
        out += nonce
        out += after
    }
}
