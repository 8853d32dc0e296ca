import Base
import STUN

/// Nonces nobody has to remember: the second they were made in, sealed for the address they were given to.
///
/// Another address never gets the same one (RFC 8489 §9.2.4), and an old or foreign one is stale (438), not wrong.
struct NonceIssuer: Sendable {
    /// The server offers two hashes for keys; user names are readable, since they are made by the server (§9.2).
    static let features = SecurityFeatures.passwordAlgorithms
    /// Bytes before the digits of time and seal.
    private static let sealedSize = 12
    static let size = SecurityFeatures.prefixSize + sealedSize / 3 * 4

    private let code: HMACSHA1
    private let prefix: [UInt8]

    init(secret: [UInt8]) { (code, prefix) = (HMACSHA1(key: secret), Self.features.prefix) }

    /// A nonce for a client.
    /// - Parameter second: of any clock that never goes back.
    func nonce(for client: TURNClient, at second: Int64) -> [UInt8] {
        prefix + Base64.standard.encode(sealed(UInt32(truncatingIfNeeded: second), for: client))
    }

    /// Whether this is a nonce of ours, for this client, and not too old.
    func isFresh(_ nonce: UnsafeRawBufferPointer, for client: TURNClient, at second: Int64) -> Bool {
        guard nonce.count == Self.size, let made = time(in: nonce) else { return false }
        let age = second - Int64(made)
        guard age >= 0, age < TURNLimits.nonceLifetime else { return false }
        let expected = prefix + Base64.standard.encode(sealed(made, for: client))
        return expected.withUnsafeBytes { $0.equalsInConstantTime(nonce) }
    }

    /// The first 32 of the 36 bits in the first six digits.
    private func time(in nonce: UnsafeRawBufferPointer) -> UInt32? {
        var bits = UInt64(0)
        for index in 0..<6 {
            guard let digit = nonce.uint8(at: SecurityFeatures.prefixSize + index),
                let value = Base64.standard.value(of: digit)
            else { return nil }
            bits = bits << 6 | UInt64(value)
        }
        return UInt32(truncatingIfNeeded: bits >> 4)
    }

    private func sealed(_ second: UInt32, for client: TURNClient) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(second)
        var message = bytes
        message.append(client.transport.rawValue)
        message.append(client.remote.port)
        switch client.remote.ip {
        case .v4(let bits): message.append(bits)
        case .v6(let high, let low):
            message.append(high)
            message.append(low)
        }
        var code = code
        message.withUnsafeBytes { code.update($0) }
        let sum = code.finish()
        for index in 0..<Self.sealedSize - 4 { bytes.append(sum[index]) }
        return bytes
    }
}

extension [UInt8] {
    /// Appends a number in network byte order.
    fileprivate mutating func append<Number: FixedWidthInteger & UnsignedInteger>(_ number: Number) {
        var shift = Number.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
    }
}
