import Base
import STUN

extension TURNServer {
    enum Authentication {
        case accepted(AuthenticatedUser)
        /// Refused; so many bytes of answer, or 0 for silence.
        case answered(Int)
    }

    /// The value of PASSWORD-ALGORITHMS: SHA-256, then MD5, without parameters (RFC 8489 §14.11).
    private static let algorithms: [UInt8] = [0, 2, 0, 0, 0, 1, 0, 0]

    /// Long-term credentials, checked in the order of RFC 8489 §9.2.4.
    mutating func authenticate(_ exchange: Exchange) -> Authentication {
        let request = exchange.request
        guard request.hasIntegrity || request.hasIntegritySHA256 else { return challenge(exchange, .unauthenticated) }
        guard let realm = request.realm, let nonce = request.nonce, request.username != nil || request.userhash != nil
        else { return toStranger(exchange) { $0.refuse(.badRequest, nil) } }
        guard let algorithm = chosenAlgorithm(request, nonce) else {
            return toStranger(exchange) { $0.refuse(.badRequest, nil) }
        }
        // USERHASH is not offered by our nonces: a name that was never written down cannot be found by its hash.
        guard let name = request.username.map(Array.init), realm.elementsEqual(configuration.realm),
            let credentials = TimeLimitedCredentials.read(name),
            isInTime(credentials.expiry, exchange)
        else { return challenge(exchange, .unauthenticated) }
        let keys = keys(of: name, algorithm, isAsked: request.contains(.passwordAlgorithm))
        guard (request.hasIntegritySHA256 ? keys.sha256 : keys.sha1).protects(request) else {
            return challenge(exchange, .unauthenticated)
        }
        guard nonces.isFresh(nonce, for: exchange.client, at: seconds(exchange.time)) else {
            return challenge(exchange, .staleNonce)
        }
        return .accepted(AuthenticatedUser(name: credentials.user, key: keys.answer))
    }

    /// Seconds on our own clock, which never goes back.
    private func seconds(_ now: Instant) -> Int64 { now.nanoseconds / 1_000_000_000 }

    /// Credentials make allocations until they expire; what was made with them may be kept (a call that lasts longer
    /// than its credentials is not cut).
    private func isInTime(_ expiry: Int64, _ exchange: Exchange) -> Bool {
        if let slot = slots[exchange.client], allocations[slot].expires > exchange.time { return true }
        return expiry > epoch + seconds(exchange.time)
    }

    /// Which hash makes the key; nil for what a man in the middle would do to weaken it (400).
    private func chosenAlgorithm(_ request: STUNMessage, _ nonce: UnsafeRawBufferPointer) -> PasswordAlgorithm? {
        guard SecurityFeatures(nonce: nonce)?.contains(.passwordAlgorithms) == true else { return .md5 }
        let (offered, chosen) = (request.value(of: .passwordAlgorithms), request.value(of: .passwordAlgorithm))
        if offered == nil, chosen == nil { return .md5 }
        guard let offered, chosen != nil, offered.elementsEqual(Self.algorithms) else { return nil }
        return request.passwordAlgorithm
    }

    private func keys(
        of name: [UInt8], _ algorithm: PasswordAlgorithm, isAsked: Bool
    ) -> (sha1: IntegrityKey, sha256: IntegrityKey, answer: IntegrityKey) {
        let (realm, password) = (configuration.realm, configuration.credentials.password(of: name))
        let key =
            switch algorithm {
            case .md5: LongTermKey.md5(user: name, realm: realm, password: password)
            case .sha256: LongTermKey.sha256(user: name, realm: realm, password: password)
            }
        let (sha1, sha256) = (IntegrityKey(sha1: key), IntegrityKey(sha256: key))
        return (sha1, sha256, isAsked ? sha256 : sha1)
    }

    /// 401 or 438, with what the client needs to try again.
    private mutating func challenge(_ exchange: Exchange, _ code: STUNErrorCode) -> Authentication {
        let nonce = nonces.nonce(for: exchange.client, at: seconds(exchange.time))
        let realm = configuration.realm
        return toStranger(exchange) { exchange in
            var writer = exchange.begin(.error)
            writer.add(code, hasPhrase: false)
            writer.add(.realm, realm)
            writer.add(.nonce, nonce)
            writer.add(.passwordAlgorithms, Self.algorithms)
            return exchange.finish(writer, nil)
        }
    }

    /// Says something to an address that proved nothing, unless it heard enough already: the address may be forged.
    private mutating func toStranger(_ exchange: Exchange, _ write: (Exchange) -> Int) -> Authentication {
        guard strangers.admits(exchange.client.remote.ip, at: exchange.time) else {
            counters.unanswered += 1
            return .answered(0)
        }
        return .answered(write(exchange))
    }
}
