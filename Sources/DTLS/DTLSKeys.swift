internal import COpenSSL
import SRTP

/// The keys of both directions that a handshake agreed on (RFC 5764 §4.2).
package struct DTLSKeys: Equatable, Sendable {
    /// Protects what we send.
    package let local: SRTPMasterKey
    package let remote: SRTPMasterKey
}

extension DTLSKeys {
    /// The exporter's label (RFC 5764 §4.2).
    private static let label = "EXTRACTOR-dtls_srtp"

    /// Asks OpenSSL for the keying material and cuts it up; nil when no profile of SRTP was agreed on.
    ///
    ///     client's key | server's key | client's salt | server's salt
    init?(exportedFrom ssl: OpaquePointer, role: DTLSSession.Role) {
        guard let profile = SSL_get_selected_srtp_profile(ssl), let suite = Self.suite(profile.pointee.id) else {
            return nil
        }
        let (key, salt) = (suite.keyCount, suite.saltCount)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * (key + salt), alignment: 16)
        defer {
            OPENSSL_cleanse(room.baseAddress, room.count)
            room.deallocate()
        }
        let material = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard
            SSL_export_keying_material(ssl, material, 2 * (key + salt), Self.label, Self.label.utf8.count, nil, 0, 0)
                == 1
        else {
            return nil
        }
        func half(_ side: Int) -> SRTPMasterKey? {
            // Put together behind the material, in the same memory that is wiped.
            let target = UnsafeMutableRawBufferPointer(
                rebasing: room[(2 + side) * (key + salt)..<(3 + side) * (key + salt)])
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: room[side * key..<(side + 1) * key]))
            let start = 2 * key + side * salt
            UnsafeMutableRawBufferPointer(rebasing: target[key...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: room[start..<start + salt]))
            return try? SRTPMasterKey(suite: suite, keyAndSalt: UnsafeRawBufferPointer(target).bytes)
        }
        guard let client = half(0), let server = half(1) else { return nil }
        (local, remote) = role == .active ? (client, server) : (server, client)
    }

    private static func suite(_ profile: CUnsignedLong) -> SRTPSuite? {
        switch CInt(truncatingIfNeeded: profile) {
        case SRTP_AEAD_AES_128_GCM: .aes128GCM
        case SRTP_AES128_CM_SHA1_80: .aes128CounterSHA1Tag80
        default: nil
        }
    }
}
