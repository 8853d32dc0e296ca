import Base
internal import COpenSSL

/// A master key and its salt (RFC 3711 §3.2.1), wiped from memory when the last copy of the value goes.
package struct SRTPMasterKey: Sendable {
    package let suite: SRTPSuite
    private let secret: Secret

    /// Key, then salt, in the lengths the suite has.
    package init(suite: SRTPSuite, keyAndSalt: RawSpan) throws(SRTPError) {
        guard keyAndSalt.byteCount == suite.keyCount + suite.saltCount else {
            throw .wrongKeyLength(suite: suite, count: keyAndSalt.byteCount)
        }
        self.suite = suite
        secret = Secret(keyAndSalt)
    }

    /// A new one, for an offer or answer with SDES.
    package init(suite: SRTPSuite, using random: inout RandomSource) {
        var bytes = random.bytes(count: suite.keyCount + suite.saltCount)
        self.suite = suite
        secret = Secret(bytes.span.bytes)
        bytes.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
    }

    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(secret.bytes))
    }
}

extension SRTPMasterKey: Equatable {
    /// In constant time.
    package static func == (left: SRTPMasterKey, right: SRTPMasterKey) -> Bool {
        left.suite == right.suite
            && CRYPTO_memcmp(left.secret.bytes.baseAddress, right.secret.bytes.baseAddress, left.secret.bytes.count)
                == 0
    }
}

/// Bytes that are overwritten before their memory is given back. Never changed after they were made, hence Sendable.
private final class Secret: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ source: RawSpan) {
        bytes = .allocate(byteCount: source.byteCount, alignment: 16)
        source.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }

    deinit {
        OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        bytes.deallocate()
    }
}
