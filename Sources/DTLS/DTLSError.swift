import SDP

/// Why a session ended before, or instead of, being of use. The media stream it was for is refused with these words.
package enum DTLSError: Error, Equatable, Sendable {
    /// OpenSSL could not do what every OpenSSL 3 can.
    case library(String)
    /// The peer's certificate is not the one its description named: somebody sits in between, or it is misconfigured.
    case wrongFingerprint(shown: Fingerprint)
    /// The description names fingerprints by hash functions alone that we do not take.
    case noUsableFingerprint
    /// The description with the fingerprint did not come in time.
    case fingerprintNeverCame
    case noCertificate
    case noCommonCipher
    /// Not DTLS 1.2.
    case wrongVersion
    /// The peer did not take part in `use_srtp`, or wants none of our profiles (RFC 5764 §4.1.2).
    case noSRTP
    /// The peer gave up, with this alert.
    case alert(DTLSAlert)
    case timedOut
    /// What the peer sent breaks the protocol; the words are OpenSSL's.
    case badHandshake(String)
}

extension DTLSError: CustomStringConvertible {
    /// For whoever looks into why a call has no sound.
    package var description: String {
        switch self {
        case .library(let what): "OpenSSL has \(what)"
        case .wrongFingerprint(let shown):
            "the peer's certificate is not the one in its session description: it has the fingerprint "
                + String(decoding: shown.bytes, as: UTF8.self)
        case .noUsableFingerprint: "the session description has no fingerprint by SHA-1 or SHA-2"
        case .fingerprintNeverCame: "the session description with the peer's fingerprint did not come"
        case .noCertificate: "the peer showed no certificate"
        case .noCommonCipher: "the peer has none of our cipher suites or curves"
        case .wrongVersion: "the peer does not speak DTLS 1.2"
        case .noSRTP: "the peer agreed on no protection of media (use_srtp)"
        case .alert(let alert): "the peer refused: \(alert)"
        case .timedOut: "the handshake was not finished in \(DTLSSession.handshakeLimit)"
        case .badHandshake(let reason): "the peer broke the protocol: \(reason)"
        }
    }
}

/// An alert's number (RFC 5246 §7.2).
package struct DTLSAlert: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt8
    package init(_ rawValue: UInt8) { self.rawValue = rawValue }

    package static let badCertificate = DTLSAlert(42)

    private static let names: [UInt8: String] = [
        0: "close notify", 10: "unexpected message", 20: "bad record MAC", 22: "record overflow",
        40: "handshake failure", 42: "bad certificate", 43: "unsupported certificate", 44: "certificate revoked",
        45: "certificate expired", 46: "certificate unknown", 47: "illegal parameter", 48: "unknown authority",
        49: "access denied", 50: "decode error", 51: "decrypt error", 70: "protocol version",
        71: "insufficient security", 80: "internal error", 86: "inappropriate fallback", 90: "user canceled",
        100: "no renegotiation", 110: "unsupported extension", 112: "unrecognized name", 120: "no application protocol",
    ]

    package var description: String { Self.names[rawValue] ?? "alert \(rawValue)" }
}
