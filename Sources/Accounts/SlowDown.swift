import Base

/// Makes guessing passwords slow, per account and per address, without locking anybody out.
///
/// A try is charged when it is admitted and given back when it succeeds, so that many tries at once gain nothing.
///
///     admit ──▶ wrong: nothing to do, the charge stays; after the free tries each one doubles the wait
///           └─▶ right: `succeeded` clears the account and gives the address its charge back
///
/// An address that has signed in to an account before waits only for its own mistakes there: a stranger who keeps
/// guessing slows himself down, not the owner at home.
package struct SlowDown: Sendable {
    /// How tries turn into waiting.
    package struct Policy: Sendable {
        /// Tries before the first wait: people mistype.
        package var freeTries: Int
        package var firstWait: Duration
        package var longestWait: Duration

        package init(freeTries: Int, firstWait: Duration, longestWait: Duration) {
            (self.freeTries, self.firstWait, self.longestWait) = (freeTries, firstWait, longestWait)
        }

        /// Short at most, because strangers can cause it: 1440 guesses a day against a password behind PBKDF2.
        package static let account = Policy(freeTries: 5, firstWait: .seconds(1), longestWait: .seconds(60))
        /// Longer, because only the one who guesses feels it; more free tries, because a household shares one address.
        package static let address = Policy(freeTries: 15, firstWait: .seconds(1), longestWait: .seconds(900))

        func wait(after tries: Int) -> Duration {
            guard tries >= freeTries else { return .zero }
            let doublings = min(tries - freeTries, 30)
            return min(firstWait * (1 << doublings), longestWait)
        }
    }

    /// Names and addresses remembered, each: some 100 bytes an entry, so a few MB under a flood from everywhere.
    package static let capacity = 10_000

    /// Mistakes are forgotten after this long without one.
    package static let memory = Duration.seconds(3600)

    package enum Decision: Equatable, Sendable {
        case admitted
        /// Refused without looking at the password; worth trying again after this.
        case wait(Duration)
    }

    private struct Tries: Sendable {
        var count = 0
        var notBefore: Instant
        var last: Instant
    }

    private struct Acquaintance: Hashable, Sendable {
        var account: UserName
        var network: IPAddress
    }

    private let accountPolicy: Policy
    private let addressPolicy: Policy
    private var accounts: [UserName: Tries] = [:]
    private var networks: [IPAddress: Tries] = [:]
    /// When an account was last signed in to from an address.
    private var acquaintances: [Acquaintance: Instant] = [:]

    package init(account: Policy = .account, address: Policy = .address) {
        (accountPolicy, addressPolicy) = (account, address)
    }

    /// Charges one try, or says how long to wait. Names that exist and names that do not are treated alike.
    package mutating func admit(_ account: UserName, from address: IPAddress, at now: Instant) -> Decision {
        let network = Self.network(of: address)
        let isAcquainted = acquaintances[Acquaintance(account: account, network: network)] != nil
        let accountTries = accounts[account].flatMap { Self.isForgotten($0, at: now) ? nil : $0 }
        let networkTries = networks[network].flatMap { Self.isForgotten($0, at: now) ? nil : $0 }

        var due = networkTries?.notBefore ?? now
        if !isAcquainted, let accountTries { due = max(due, accountTries.notBefore) }
        guard due <= now else { return .wait(due - now) }

        // The tries of acquaintances would otherwise lengthen the wait of strangers only, which tells nobody anything.
        if !isAcquainted {
            accounts[account] = Self.charge(accountTries, accountPolicy, at: now)
            Self.bound(&accounts, at: now)
        }
        networks[network] = Self.charge(networkTries, addressPolicy, at: now)
        Self.bound(&networks, at: now)
        return .admitted
    }

    /// The try admitted last for this account and address was right.
    package mutating func succeeded(_ account: UserName, from address: IPAddress, at now: Instant) {
        let network = Self.network(of: address)
        accounts[account] = nil
        if var tries = networks[network] {
            // Only this try is given back: signing in to an account of one's own must not wipe out guesses at another.
            tries.count -= 1
            tries.notBefore = now
            networks[network] = tries.count > 0 ? tries : nil
        }
        acquaintances[Acquaintance(account: account, network: network)] = now
        guard acquaintances.count > Self.capacity else { return }
        let oldest = acquaintances.sorted { $0.value < $1.value }.prefix(Self.capacity / 10)
        for (acquaintance, _) in oldest { acquaintances[acquaintance] = nil }
    }

    /// What is remembered, for tests and metrics.
    package var count: Int { max(accounts.count, networks.count, acquaintances.count) }

    /// One household or server has a whole IPv6 /64, so that its addresses count as one.
    private static func network(of address: IPAddress) -> IPAddress {
        guard case .v6(let high, _) = address.unmapped else { return address.unmapped }
        return .v6(high: high, low: 0)
    }

    private static func isForgotten(_ tries: Tries, at now: Instant) -> Bool {
        now >= max(tries.notBefore, tries.last + memory)
    }

    private static func charge(_ tries: Tries?, _ policy: Policy, at now: Instant) -> Tries {
        var tries = tries ?? Tries(notBefore: now, last: now)
        tries.count += 1
        tries.last = now
        tries.notBefore = now + policy.wait(after: tries.count)
        return tries
    }

    /// Forgets what is stale, and then the tenth tried longest ago: rarely done, so that a flood stays cheap.
    private static func bound<Key>(_ table: inout [Key: Tries], at now: Instant) {
        guard table.count > capacity else { return }
        table = table.filter { !isForgotten($0.value, at: now) }
        guard table.count > capacity else { return }
        for (key, _) in table.sorted(by: { $0.value.last < $1.value.last }).prefix(capacity / 10) { table[key] = nil }
    }
}
