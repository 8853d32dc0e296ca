import Base
internal import COpenSSL
import SDP

/// The hash functions of certificate fingerprints that we take, the best first (RFC 8122 §5).
///
/// MD2 and MD5 are forbidden there. SHA-1 is allowed still: to forge it here takes a second preimage, not a collision.
enum CertificateDigest: CaseIterable {
    case sha512, sha384, sha256, sha224, sha1

    var name: [UInt8] {
        switch self {
        case .sha512: [UInt8](ascii: "sha-512")
        case .sha384: [UInt8](ascii: "sha-384")
        case .sha256: [UInt8](ascii: "sha-256")
        case .sha224: [UInt8](ascii: "sha-224")
        case .sha1: [UInt8](ascii: "sha-1")
        }
    }

    private var function: OpaquePointer? {
        switch self {
        case .sha512: EVP_sha512()
        case .sha384: EVP_sha384()
        case .sha256: EVP_sha256()
        case .sha224: EVP_sha224()
        case .sha1: EVP_sha1()
        }
    }

    /// Of the certificate in DER; nil when OpenSSL cannot say.
    func digest(of certificate: OpaquePointer) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count = CUnsignedInt(0)
        guard X509_digest(certificate, function, &digest, &count) == 1 else { return nil }
        return Array(digest.prefix(Int(count)))
    }

    /// Whether a certificate is one of those that a description named.
    ///
    /// Several lines of one function name several certificates; of several functions the best counts (RFC 8122 §5).
    ///
    /// - Returns: nil when it is, otherwise what is wrong.
    static func mismatch(of certificate: OpaquePointer, with fingerprints: [Fingerprint]) -> DTLSError? {
        for digest in allCases {
            let named = fingerprints.filter { $0.hash == digest.name }
            guard !named.isEmpty else { continue }
            let shown = digest.digest(of: certificate) ?? []
            return named.contains { $0.digest == shown }
                ? nil : .wrongFingerprint(shown: Fingerprint(hash: digest.name, digest: shown))
        }
        return .noUsableFingerprint
    }
}
