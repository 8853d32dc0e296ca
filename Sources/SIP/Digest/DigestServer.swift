import Base

/// Challenges requests and checks credentials (RFC 3261 §22, RFC 7616, RFC 8760).
///
/// A nonce is its own record: the time it was made and a salt, signed with our key, so that challenging strangers costs
/// no memory. Only nonces that were used with the right password enter a table of bounded size, which keeps a nonce
/// count from being used twice.
package struct DigestServer: Sendable {
    package enum Verdict: Equatable, Sendable {
        /// The place in `ha1s` of the password that fits.
        case accepted(Int)
        /// The password fits, but the nonce is too old, not ours, or its count was used: challenge with `stale`.
        case stale
        /// No password fits: challenge as if nothing had been sent.
        case wrong
    }

    package struct Configuration: Sendable {
        package var realm: [UInt8]
        /// In the order offered, the preferred first.
        package var algorithms: [DigestAlgorithm] = [.sha256, .md5]
        package var qualities: [DigestQuality] = [.auth, .authInt]
        /// How long a nonce may be used: long enough that a phone which registers every minute or ten sees a challenge
        /// now and then only.
        package var nonceLifetime: Duration = .seconds(3600)
        /// Used nonces remembered, 64 bytes each. When more are in use, the oldest become stale, which costs their
        /// phones a round trip.
        package var maximumUsedNonces = 20_000

        package init(realm: [UInt8]) { self.realm = realm }
    }

    /// Which counts of a nonce were used: the highest, and the 64 below it, since datagrams overtake each other.
    private struct Use: Sendable {
        var highest: UInt32
        var window: UInt64

        /// - Returns: false when the count was used, or is too old to know.
        mutating func take(_ count: UInt32) -> Bool {
            if count > highest {
                let step = UInt64(count - highest)
                window = step < 64 ? window << step | 1 : 1
                highest = count
                return true
            }
            let age = UInt64(highest - count)
            guard age < 64, window >> age & 1 == 0 else { return false }
            window |= 1 << age
            return true
        }
    }

    private let configuration: Configuration
    private let signature: SipHash
    private var salts: UInt64
    /// Used nonces in the order they were first used, as a ring; `oldest` is the next to go.
    private var ring: [(nonce: Nonce, use: Use)] = []
    private var oldest = 0
    /// Places in the ring by salt. Nobody can choose salts that collide, since a nonce is signed.
    private var places = HashIndex()
    /// Nonces made up to here may have been used and forgotten.
    private var forgotten: Instant?

    /// - Parameter secret: at least 16 random bytes. Nonces made with it are still known after a restart, as stale ones.
    package init(configuration: Configuration, secret: [UInt8], random: inout RandomSource) {
        self.configuration = configuration
        signature = SipHash(key: secret)
        salts = random.next()
    }

    /// A nonce nobody has had before, 48 hexadecimal digits.
    package mutating func nonce(at now: Instant) -> [UInt8] {
        salts &+= 0x9e37_79b9_7f4a_7c15
        return Nonce(made: now, salt: salts).text(signature)
    }

    /// The challenges to put into WWW-Authenticate or Proxy-Authenticate, one line each, in this order.
    package mutating func challenges(stale: Bool = false, at now: Instant) -> [DigestChallenge] {
        let nonce = nonce(at: now)
        return configuration.algorithms.map { algorithm in
            DigestChallenge(
                realm: configuration.realm, nonce: nonce, algorithm: algorithm, qualities: configuration.qualities,
                isStale: stale)
        }
    }

    /// Finds the credentials meant for us among those of a request.
    package func select(_ credentials: [DigestCredentials]) -> DigestCredentials? {
        credentials.first { $0.realm == configuration.realm }
    }

    package func isForUs(_ credentials: DigestProof) -> Bool { credentials.realm == configuration.realm[...] }

    /// Checks credentials against the passwords of the user they name.
    ///
    /// The time this takes does not tell whether the user exists: with no `ha1s`, a made-up one is checked. The URI in
    /// the credentials is not held against the Request-URI, which proxies on the way may have changed (§22.4 item 5);
    /// the nonce count keeps the response from being used for another request.
    package mutating func verify(
        _ credentials: DigestCredentials, method: SIPMethod, body: ArraySlice<UInt8>, ha1s: [DigestHA1],
        at now: Instant
    ) -> Verdict {
        guard let proof = DigestProof(credentials) else { return .wrong }
        return verify(proof, method: method, body: body, ha1s: ha1s, at: now)
    }

    package mutating func verify(
        _ credentials: DigestProof, method: SIPMethod, body: ArraySlice<UInt8>, ha1s: [DigestHA1], at now: Instant
    ) -> Verdict {
        guard isForUs(credentials), configuration.algorithms.contains(credentials.algorithm),
            credentials.quality.map(configuration.qualities.contains) ?? true
        else { return .wrong }
        var match: Int?
        for position in 0..<max(1, ha1s.count) {
            let candidate = ha1s.isEmpty ? Self.decoy : ha1s[position]
            guard let ha1 = candidate.value(for: credentials.algorithm) else { continue }
            let expected = credentials.expectedResponse(ha1: ha1, method: method, body: body)
            if Self.areEqual(expected, credentials.response), match == nil { match = position }
        }
        guard let match, !ha1s.isEmpty else { return .wrong }
        return isFresh(credentials, at: now) ? .accepted(match) : .stale
    }

    private static let decoy = DigestHA1(
        md5: [UInt8](repeating: 0x2d, count: 32), sha256: [UInt8](repeating: 0x2d, count: 64))

    /// Without a shortcut at the first difference.
    private static func areEqual(_ left: [UInt8], _ right: ArraySlice<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { right in
                var difference = UInt8(0)
                for place in 0..<left.count { difference |= left[place] ^ right[place] }
                return difference == 0
            }
        }
    }

    /// Whether the nonce is ours and young, and its count new; marks the count as used.
    ///
    /// A response without `qop` has no count: its nonce serves once.
    private mutating func isFresh(_ credentials: DigestProof, at now: Instant) -> Bool {
        guard let nonce = Nonce(parsing: credentials.nonce, signature), nonce.made <= now,
            now - nonce.made <= configuration.nonceLifetime
        else { return false }
        let count = credentials.nonceCount ?? 1
        guard count > 0 else { return false }
        if let place = places.find(nonce.salt) { return ring[place].use.take(count) }
        if let forgotten, nonce.made <= forgotten { return false }
        remember(nonce, Use(highest: count, window: 1))
        return true
    }

    private mutating func remember(_ nonce: Nonce, _ use: Use) {
        guard ring.count >= max(1, configuration.maximumUsedNonces) else {
            places.set(nonce.salt, ring.count)
            return ring.append((nonce, use))
        }
        let gone = ring[oldest].nonce
        places.remove(gone.salt)
        places.set(nonce.salt, oldest)
        forgotten = max(forgotten ?? gone.made, gone.made)
        ring[oldest] = (nonce, use)
        oldest = (oldest + 1) % ring.count
    }
}

/// Time, salt and signature, 16 hexadecimal digits each.
private struct Nonce: Sendable {
    let made: Instant
    let salt: UInt64

    init(made: Instant, salt: UInt64) { (self.made, self.salt) = (made, salt) }

    /// - Returns: nil when the text was not made by us.
    init?(parsing text: ArraySlice<UInt8>, _ signature: SipHash) {
        let start = text.startIndex
        guard text.count == 48, let made = UInt64(hexadecimal: text[start..<(start + 16)]),
            let salt = UInt64(hexadecimal: text[(start + 16)..<(start + 32)]),
            let signed = UInt64(hexadecimal: text[(start + 32)...]), signed == signature.hash(made, salt)
        else { return nil }
        self.init(made: Instant(nanoseconds: Int64(bitPattern: made)), salt: salt)
    }

    func text(_ signature: SipHash) -> [UInt8] {
        let word = UInt64(bitPattern: made.nanoseconds)
        var out: [UInt8] = []
        out.reserveCapacity(48)
        out.appendHexadecimal(word)
        out.appendHexadecimal(salt)
        out.appendHexadecimal(signature.hash(word, salt))
        return out
    }
}
