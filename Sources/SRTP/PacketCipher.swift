internal import COpenSSL

/// The session keys of one kind of packet, media or reports, set up in OpenSSL's contexts (RFC 3711 §4.1, RFC 7714 §8).
///
/// OpenSSL wipes its contexts when they are freed; the rest is wiped here.
struct PacketCipher: ~Copyable {
    let suite: SRTPSuite
    /// Nil when the suite authenticates by itself.
    private let hmac: UnsafeMutablePointer<hearth_hmac>?
    private let context: OpaquePointer
    /// The session salt at the beginning of a block of 16 bytes, in host order.
    private let salt: (high: UInt64, low: UInt64)

    /// - Parameters:
    ///   - key: 16 bytes.
    ///   - salt: as long as the suite's master salt.
    ///   - authenticationKey: 20 bytes, not read by a suite that needs none.
    init(
        suite: SRTPSuite, key: UnsafeRawPointer, salt: UnsafeRawPointer, authenticationKey: UnsafeRawPointer
    ) throws(SRTPError) {
        guard let context = Self.makeContext(suite, key: key) else { throw .cipherUnavailable(suite) }
        self.context = context
        self.suite = suite
        var block = (UInt64(0), UInt64(0))
        withUnsafeMutableBytes(of: &block) { $0.baseAddress?.copyMemory(from: salt, byteCount: suite.saltCount) }
        self.salt = (UInt64(bigEndian: block.0), UInt64(bigEndian: block.1))
        guard suite != .aes128GCM else {
            hmac = nil
            return
        }
        let hmac = UnsafeMutablePointer<hearth_hmac>.allocate(capacity: 1)
        hmac.initialize(to: hearth_hmac())
        hearth_hmac_key(hmac, authenticationKey, 20)
        self.hmac = hmac
    }

    private static func makeContext(_ suite: SRTPSuite, key: UnsafeRawPointer) -> OpaquePointer? {
        guard let context = EVP_CIPHER_CTX_new() else { return nil }
        let kind = suite == .aes128GCM ? EVP_aes_128_gcm() : EVP_aes_128_ctr()
        guard EVP_CipherInit_ex(context, kind, nil, key.assumingMemoryBound(to: UInt8.self), nil, 1) == 1 else {
            EVP_CIPHER_CTX_free(context)
            return nil
        }
        return context
    }

    deinit {
        EVP_CIPHER_CTX_free(context)
        if let hmac {
            OPENSSL_cleanse(hmac, MemoryLayout<hearth_hmac>.size)
            hmac.deallocate()
        }
    }

    /// What no two packets under one key share: SSRC and index, mixed with the salt (RFC 3711 §4.1.1, RFC 7714 §8.1, §9.1).
    ///
    /// In counter mode the last two bytes of the block count; in Galois mode the first twelve bytes are used.
    @inline(__always)
    private func nonce(ssrc: UInt32, index: UInt64) -> (UInt64, UInt64) {
        let (high, low) =
            suite == .aes128GCM
            ? (UInt64(ssrc) << 16 | index >> 32, index << 32)
            : (UInt64(ssrc), index << 16)
        return ((salt.high ^ high).bigEndian, (salt.low ^ low).bigEndian)
    }

    /// Encrypts `text` and writes the tag of 16 bytes, or does either of the reverse.
    func seal(
        ssrc: UInt32, index: UInt64, associated: hearth_associated, text: UnsafeMutableRawPointer, count: Int,
        tag: UnsafeMutableRawPointer
    ) -> Bool {
        withUnsafePointer(to: nonce(ssrc: ssrc, index: index)) {
            hearth_gcm_seal(context, $0, associated, text, CInt(truncatingIfNeeded: count), tag) == 1
        }
    }

    /// False when the tag is wrong: then `text` is zero.
    func open(
        ssrc: UInt32, index: UInt64, associated: hearth_associated, text: UnsafeMutableRawPointer, count: Int,
        tag: UnsafeMutableRawPointer
    ) -> Bool {
        let right = withUnsafePointer(to: nonce(ssrc: ssrc, index: index)) {
            hearth_gcm_open(context, $0, associated, text, CInt(truncatingIfNeeded: count), tag) == 1
        }
        // Galois mode decrypts before it knows whether it should have.
        if !right { OPENSSL_cleanse(text, count) }
        return right
    }

    /// Counter mode: the same both ways.
    func apply(ssrc: UInt32, index: UInt64, text: UnsafeMutableRawPointer, count: Int) -> Bool {
        withUnsafePointer(to: nonce(ssrc: ssrc, index: index)) {
            hearth_ctr_apply(context, $0, text, CInt(truncatingIfNeeded: count)) == 1
        }
    }

    /// HMAC-SHA1 over a message and perhaps a word after it, in network byte order (RFC 3711 §4.2).
    func sum(_ message: UnsafeRawPointer, count: Int, word: UInt32?) -> Sum {
        var sum = Sum()
        guard let hmac else { return sum }
        withUnsafeMutableBytes(of: &sum) { target in
            withUnsafeBytes(of: (word ?? 0).bigEndian) {
                hearth_hmac_sum(hmac, message, count, $0.baseAddress, word == nil ? 0 : 4, target.baseAddress)
            }
        }
        return sum
    }

    /// 20 bytes as SHA-1 left them.
    struct Sum {
        private var words: (UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0)

        /// Writes the tag, which is the sum's beginning.
        func write(to target: UnsafeMutableRawPointer, count: Int) {
            withUnsafeBytes(of: words) {
                target.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(target), byteCount: count)
            }
        }

        /// In constant time.
        func matches(_ tag: UnsafeRawPointer, count: Int) -> Bool {
            withUnsafeBytes(of: words) { CRYPTO_memcmp($0.baseAddress, tag, count) == 0 }
        }
    }
}
