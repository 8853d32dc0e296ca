internal import COpenSSL

/// Session keys from a master key (RFC 3711 §4.3): the keystream of AES in counter mode, from a block that names the use.
///
/// The key derivation rate is zero: keys are derived once. AES-GCM uses the same function (RFC 7714 §11).
struct KeyDerivation {
    /// What a key is for (RFC 3711 §4.3.1 and §4.3.2).
    enum Label: UInt8 {
        case mediaEncryption = 0, mediaAuthentication, mediaSalt
        case reportEncryption, reportAuthentication, reportSalt
    }

    private let master: SRTPMasterKey

    init(_ master: SRTPMasterKey) { self.master = master }

    func mediaCipher() throws(SRTPError) -> PacketCipher {
        try cipher(encryption: .mediaEncryption, authentication: .mediaAuthentication, salt: .mediaSalt)
    }

    func reportCipher() throws(SRTPError) -> PacketCipher {
        try cipher(encryption: .reportEncryption, authentication: .reportAuthentication, salt: .reportSalt)
    }

    private func cipher(
        encryption: Label, authentication: Label, salt saltLabel: Label
    ) throws(SRTPError) -> PacketCipher {
        let suite = master.suite
        // 16 of key, 20 of authentication key, 14 of salt, each on a boundary of 16.
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 16)
        defer {
            OPENSSL_cleanse(room.baseAddress, room.count)
            room.deallocate()
        }
        guard let base = room.baseAddress, derive(encryption, into: base, count: 16),
            derive(authentication, into: base + 16, count: 20),
            derive(saltLabel, into: base + 48, count: suite.saltCount)
        else { throw .cipherUnavailable(suite) }
        return try PacketCipher(suite: suite, key: base, salt: base + 48, authenticationKey: base + 16)
    }

    /// Writes `count` bytes of the key for one use.
    func derive(_ label: Label, into target: UnsafeMutableRawPointer, count: Int) -> Bool {
        master.withUnsafeBytes { bytes in
            guard let context = EVP_CIPHER_CTX_new() else { return false }
            defer { EVP_CIPHER_CTX_free(context) }
            let key = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard EVP_CipherInit_ex(context, EVP_aes_128_ctr(), nil, key, nil, 1) == 1 else { return false }
            // The master salt, shorter ones padded on the right, with the label mixed into its eighth byte.
            var block = (UInt64(0), UInt64(0))
            return withUnsafeMutableBytes(of: &block) { counter in
                counter.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[master.suite.keyCount...]))
                counter[7] ^= label.rawValue
                target.initializeMemory(as: UInt8.self, repeating: 0, count: count)
                return hearth_ctr_apply(context, counter.baseAddress, target, CInt(count)) == 1
            }
        }
    }
}
