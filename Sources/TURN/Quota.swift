import Base

/// What one person has: how many allocations, and how much they may carry.
struct Account: Sendable {
    let user: [UInt8]
    var allocations = 0
    var bandwidth: TokenBucket
}

/// The people who have allocations, by slots that allocations hold.
struct AccountTable: Sendable {
    private var slots: [[UInt8]: Int] = [:]
    private var accounts: [Account] = []
    private var free: [Int] = []

    func user(_ slot: Int) -> [UInt8] { accounts[slot].user }
    func allocations(of user: [UInt8]) -> Int { slots[user].map { accounts[$0].allocations } ?? 0 }
    var count: Int { slots.count }

    /// Counts one allocation more for a person.
    mutating func open(_ user: [UInt8], _ limits: TURNLimits, at now: Instant) -> Int {
        if let slot = slots[user] {
            accounts[slot].allocations += 1
            return slot
        }
        let account = Account(
            user: user, allocations: 1, bandwidth: TokenBucket(full: limits.bytesPerSecond, at: now))
        if let slot = free.popLast() {
            accounts[slot] = account
            slots[user] = slot
            return slot
        }
        accounts.append(account)
        slots[user] = accounts.count - 1
        return accounts.count - 1
    }

    /// Counts one less; a person without any is forgotten.
    mutating func close(_ slot: Int) {
        accounts[slot].allocations -= 1
        guard accounts[slot].allocations == 0 else { return }
        slots[accounts[slot].user] = nil
        free.append(slot)
    }

    /// Whether a person may relay so many bytes more.
    mutating func spend(_ bytes: Int, of slot: Int, _ limits: TURNLimits, at now: Instant) -> Bool {
        accounts[slot].bandwidth.take(
            bytes, burst: limits.bytesPerSecond, perSecond: limits.bytesPerSecond, at: now)
    }
}

/// How often strangers are told why not: buckets by address, so many that guessing who shares one is idle.
struct StrangerLimiter: Sendable {
    private static let buckets = 1_024
    private var table: [TokenBucket]
    private let key: UInt64
    private let limits: TURNLimits

    init(_ limits: TURNLimits, key: UInt64, at now: Instant) {
        (self.limits, self.key) = (limits, key)
        table = [TokenBucket](repeating: TokenBucket(full: limits.strangerBurst, at: now), count: Self.buckets)
    }

    mutating func admits(_ address: IPAddress, at now: Instant) -> Bool {
        table[bucket(of: address)].take(1, burst: limits.strangerBurst, perSecond: limits.strangerRate, at: now)
    }

    /// A household's IPv6 addresses share their first 64 bits, and one bucket.
    private func bucket(of address: IPAddress) -> Int {
        let bits: UInt64 =
            switch address {
            case .v4(let bits): UInt64(bits)
            case .v6(let high, _): high
            }
        var mixed = (bits ^ key) &* 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ mixed >> 32) &* 0xd6e8_feb8_6659_fd93
        return Int(truncatingIfNeeded: mixed >> 48) & (Self.buckets - 1)
    }
}
