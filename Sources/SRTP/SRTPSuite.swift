/// How packets are protected: cipher, authentication and lengths (RFC 3711 §8.2, RFC 7714 §12, RFC 5764 §4.1.2).
package enum SRTPSuite: Sendable, CaseIterable {
    /// AES in Galois/counter mode with tags of 16 bytes (RFC 7714).
    case aes128GCM
    /// AES in counter mode, HMAC-SHA1 of 10 bytes: what every implementation has (RFC 3711 §5).
    case aes128CounterSHA1Tag80
    /// The same with tags of 4 bytes on media; reports keep 10 (RFC 4568 §6.2.2). Only phones with SDES ask for it.
    case aes128CounterSHA1Tag32

    /// Bytes of the master key and of every cipher key.
    package var keyCount: Int { 16 }
    /// Bytes of the master salt.
    package var saltCount: Int { self == .aes128GCM ? 12 : 14 }

    /// Bytes that protection adds to a media packet.
    package var mediaTagCount: Int {
        switch self {
        case .aes128GCM: 16
        case .aes128CounterSHA1Tag80: 10
        case .aes128CounterSHA1Tag32: 4
        }
    }

    /// Bytes of the tag of a report; its index takes four more.
    package var reportTagCount: Int { self == .aes128GCM ? 16 : 10 }

    /// The name in `a=crypto` (RFC 4568 §6.2, RFC 7714 §14.2).
    package var name: StaticString {
        switch self {
        case .aes128GCM: "AEAD_AES_128_GCM"
        case .aes128CounterSHA1Tag80: "AES_CM_128_HMAC_SHA1_80"
        case .aes128CounterSHA1Tag32: "AES_CM_128_HMAC_SHA1_32"
        }
    }
}

/// Why a session could not be made.
package enum SRTPError: Error, Equatable, Sendable {
    /// OpenSSL has not what a suite needs: too old, or without AES-GCM.
    case cipherUnavailable(SRTPSuite)
    /// A key that is not of the length its suite has.
    case wrongKeyLength(suite: SRTPSuite, count: Int)
}

/// What became of a packet. Everything but `done` means: send nothing, forward nothing, count the reason.
package enum SRTPOutcome: Equatable, Sendable {
    /// The length of the packet in bytes, which begins where it began.
    case done(Int)
    /// This index was there before (RFC 3711 §3.3.2); on the way out, the caller used a sequence number twice.
    case replayed
    /// Too far behind the newest packet to know whether it was there before.
    case tooOld
    /// The tag is wrong. The payload has been zeroed where it could have been read.
    case notAuthentic
    /// Shorter than its header and tag, or not of version 2, or a report that is not encrypted.
    case malformed
    /// The buffer ends before the tag would.
    case noRoom
    /// More sources than `SRTPContext.maximumSources` under one key.
    case tooManySources
    /// The key has protected as many packets as it may (RFC 3711 §9.2).
    case keyExpired
}
