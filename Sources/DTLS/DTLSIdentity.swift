internal import COpenSSL
import SDP

/// Who we are to DTLS peers: a fresh P-256 key with a certificate that nobody signed but itself (RFC 8827 §6.5), and the
/// settings that all sessions share.
///
/// One for each run of the program. What a peer trusts is the fingerprint in the session description (RFC 8122).
/// Immutable after it was made, and OpenSSL counts references to it under locks: it may be used from several threads.
package final class DTLSIdentity: @unchecked Sendable {
    /// What browsers have in common, and phones with certificates of either kind. Forward secrecy and AEAD alone (RFC 9325).
    private static let cipherSuites = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
    ].joined(separator: ":")
    private static let groups = "X25519:P-256:P-384"
    /// In the order we like them (RFC 7714 §14.2, RFC 5764 §4.1.2).
    private static let protectionProfiles = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"
    /// Bytes of a peer's certificate and what it sends with it; self-signed ones have 300 to 1,300.
    private static let maximumCertificates = 8192

    /// Of our certificate, by SHA-256: what `a=fingerprint` says.
    package let fingerprint: Fingerprint
    let context: OpaquePointer

    package init() throws(DTLSError) {
        guard let context = hearth_dtls_context() else { throw .library("no context for DTLS 1.2") }
        guard let certificate = SelfSignedCertificate() else {
            SSL_CTX_free(context)
            throw .library("no certificate on the curve P-256")
        }
        self.context = context
        fingerprint = certificate.fingerprint
        // From here on `deinit` frees the context. OpenSSL's answer for success is 1, but 0 for the profiles.
        guard SSL_CTX_use_certificate(context, certificate.certificate) == 1,
            SSL_CTX_use_PrivateKey(context, certificate.key) == 1
        else { throw .library("its own certificate refused") }
        guard SSL_CTX_set_cipher_list(context, Self.cipherSuites) == 1,
            hearth_dtls_set_groups(context, Self.groups) == 1,
            SSL_CTX_set_tlsext_use_srtp(context, Self.protectionProfiles) == 0
        else { throw .library("no cipher suites, curves or SRTP profiles") }
        hearth_dtls_set_certificate_limit(context, Self.maximumCertificates)
        // Both ends show a certificate; whether it is the right one is for the fingerprint to say, not for an authority.
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        SSL_CTX_set_cert_verify_callback(context, { store, _ in DTLSSession.judge(store) }, nil)
    }

    deinit { SSL_CTX_free(context) }
}

/// Key and certificate as OpenSSL's objects, freed with this one; OpenSSL wipes the key.
private final class SelfSignedCertificate {
    /// RFC 5280 §4.1.2.5: the last second there is, for "no end". Peers check no dates; ours tell nobody when we started.
    private static let (start, end) = ("20000101000000Z", "99991231235959Z")

    let key: OpaquePointer
    let certificate: OpaquePointer
    let fingerprint: Fingerprint

    init?() {
        guard let key = hearth_generate_p256() else { return nil }
        guard let certificate = X509_new() else {
            EVP_PKEY_free(key)
            return nil
        }
        (self.key, self.certificate) = (key, certificate)
        let digest = Self.sign(certificate, with: key) ? CertificateDigest.sha256.digest(of: certificate) : nil
        fingerprint = Fingerprint(hash: CertificateDigest.sha256.name, digest: digest ?? [])
        guard digest != nil else { return nil }
    }

    private static func sign(_ certificate: OpaquePointer, with key: OpaquePointer) -> Bool {
        let name = X509_get_subject_name(certificate)
        var serial: UInt64 = 0
        let drawn = withUnsafeMutableBytes(of: &serial) {
            RAND_bytes($0.baseAddress?.assumingMemoryBound(to: UInt8.self), CInt($0.count))
        }
        return drawn == 1 && X509_set_version(certificate, 2) == 1
            && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1
            && ASN1_TIME_set_string(X509_getm_notBefore(certificate), start) == 1
            && ASN1_TIME_set_string(X509_getm_notAfter(certificate), end) == 1
            && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, "Hearth", -1, -1, 0) == 1
            && X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1
            && X509_sign(certificate, key, EVP_sha256()) > 0
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }
}
