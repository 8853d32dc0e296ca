import Base
internal import COpenSSL
import SDP
import SRTP

/// One DTLS 1.2 association of a media stream: agrees on keys for SRTP and carries nothing else (RFC 5764, RFC 8842).
///
///     active:  start() ── ClientHello ──>                                passive: waits
///              <── ServerHello, Certificate, …, CertificateRequest ──
///              ── Certificate, …, CertificateVerify, Finished ──>
///              <── Finished ──
///     handshaking ──> connected ──> ended          keys are given out at `connected`
///                └──> unverified ──┘               when the peer's fingerprint is not known yet
///
/// OpenSSL speaks the protocol; datagrams and time are ours. Times for repeating a flight come from OpenSSL, which
/// measures them by the system's clock; `handshakeLimit` is by the clock of whoever drives us.
///
/// Answers to a ClientHello are up to five times its size: give only datagrams from addresses that were validated, as
/// ICE does. One thread at a time.
package final class DTLSSession {
    /// active: `a=setup:active`, the client (RFC 5763 §5).
    package enum Role: Sendable { case active, passive }

    package enum Output: Equatable, Sendable {
        /// One datagram to the peer, at most `maximumDatagram` bytes.
        case send([UInt8])
        /// The peer is who its description says; media may flow.
        case connected(DTLSKeys)
        /// The peer ended the association in good order.
        case closed
        /// It ended otherwise; nothing follows.
        case failed(DTLSError)
    }

    package struct Statistics: Equatable, Sendable {
        /// Datagrams with something that is no record of DTLS.
        package var malformed = 0
        /// Datagrams that came when none was expected, and those that held nothing: repeated, forged, or data.
        package var ignored = 0
    }

    /// Bytes of the largest datagram we send: what IPv6, tunnels and TURN let through everywhere (RFC 8261 §5 has 1200).
    package static let maximumDatagram = 1200
    /// How long a handshake may take. Ten copies of a flight are gone by then.
    package static let handshakeLimit = Duration.seconds(20)
    /// How long a finished one waits for the description with the fingerprint: media may overtake an answer by a bit.
    package static let verificationLimit = Duration.seconds(30)
    /// The first wait before a flight is repeated, then doubled up to the last. RFC 6347 §4.2.4.1 has a second for the first,
    /// less where the round trip is known to be short; browsers take 50 ms.
    private static let firstWait: UInt32 = 200_000, lastWait: UInt32 = 3_000_000  // µs

    private enum State { case handshaking, unverified, connected, ended }

    package private(set) var statistics = Statistics()
    private let identity: DTLSIdentity
    private let role: Role
    private let ssl: OpaquePointer
    private var state = State.handshaking
    private var fingerprints: [Fingerprint]?
    private var refusal: DTLSError?
    private var deadline: Instant
    private var retransmission: Instant?
    private var input = UnsafeRawBufferPointer(start: nil, count: 0)
    private var outputs = OutputQueue<Output>()

    /// - Parameter fingerprints: of the peer's description; nil when that is still to come, see `expect`.
    package init(
        identity: DTLSIdentity, role: Role, fingerprints: [Fingerprint]?, at now: Instant
    ) throws(DTLSError) {
        guard let ssl = SSL_new(identity.context) else { throw .library("no memory for a session") }
        (self.identity, self.role, self.ssl, self.fingerprints) = (identity, role, ssl, fingerprints)
        deadline = now + Self.handshakeLimit
        guard let bio = DatagramBIO.make(for: self) else { throw .library("no memory for a session") }
        SSL_set_bio(ssl, bio, bio)
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        hearth_dtls_set_mtu(ssl, Self.maximumDatagram)
        DTLS_set_timer_cb(ssl) { _, wait in wait == 0 ? DTLSSession.firstWait : min(2 * wait, DTLSSession.lastWait) }
        if role == .active { SSL_set_connect_state(ssl) } else { SSL_set_accept_state(ssl) }
    }

    deinit { SSL_free(ssl) }

    // MARK: - Inputs

    /// Sends the ClientHello of the active side; the passive side waits for it.
    package func start(at now: Instant) {
        guard role == .active, state == .handshaking, retransmission == nil else { return }
        advance(at: now)
    }

    /// One datagram of the peer's. What is no DTLS, forged or repeated does nothing but count.
    package func receive(_ datagram: RawSpan, at now: Instant) {
        datagram.withUnsafeBytes { bytes in
            let count = DTLSRecords.wellFormedCount(of: bytes)
            if count < bytes.count || count == 0 { statistics.malformed += 1 }
            guard count > 0 else { return }
            guard state != .ended else { return statistics.ignored += 1 }
            input = UnsafeRawBufferPointer(rebasing: bytes[..<count])
            advance(at: now)
            input = UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }

    /// The peer's description came: it must show one of these certificates (RFC 8122 §5).
    package func expect(_ fingerprints: [Fingerprint], at now: Instant) {
        guard state == .handshaking || state == .unverified else { return }
        self.fingerprints = fingerprints
        guard state == .unverified else { return }
        verify()
    }

    /// Whether the peer is one that this description, perhaps a later one, names. Otherwise it wants another association
    /// (RFC 8842 §4).
    package func isNamed(by fingerprints: [Fingerprint]) -> Bool {
        guard let certificate = SSL_get0_peer_certificate(ssl) else { return self.fingerprints == fingerprints }
        return CertificateDigest.mismatch(of: certificate, with: fingerprints) == nil
    }

    /// Says goodbye (close_notify) when there is somebody to say it to. Nothing follows but that datagram.
    package func close() {
        if state == .connected || state == .unverified { _ = SSL_shutdown(ssl) }
        end()
    }

    package var nextTimeout: Instant? {
        switch state {
        case .handshaking, .unverified: min(deadline, retransmission ?? deadline)
        case .connected: retransmission
        case .ended: nil
        }
    }

    package func handleTimeout(at now: Instant) {
        guard let due = nextTimeout, now >= due else { return }
        if state != .connected, now >= deadline {
            return fail(state == .unverified ? .fingerprintNeverCame : .timedOut)
        }
        ERR_clear_error()
        // Zero when OpenSSL's clock is not there yet: then it says again how long.
        if hearth_dtls_handle_timeout(ssl) < 0 { return fail(.timedOut) }
        rearm(at: now)
    }

    package func pollOutput() -> Output? { outputs.popFirst() }

    // MARK: - OpenSSL's side

    func write(_ datagram: UnsafeRawBufferPointer) { outputs.append(.send(Array(datagram))) }

    /// The datagram that is there, once; nil when there is none.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard !input.isEmpty else { return nil }
        let count = min(input.count, buffer.count)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
        input = UnsafeRawBufferPointer(start: nil, count: 0)
        return count
    }

    /// Called for the peer's certificate, before its signature is checked: 1 to go on.
    static func judge(_ store: OpaquePointer?) -> CInt {
        guard let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
            let owner = SSL_get_ex_data(OpaquePointer(ssl), 0), let certificate = X509_STORE_CTX_get0_cert(store)
        else { return 0 }
        let session = Unmanaged<DTLSSession>.fromOpaque(owner).takeUnretainedValue()
        guard let fingerprints = session.fingerprints else { return 1 }
        session.refusal = CertificateDigest.mismatch(of: certificate, with: fingerprints)
        guard session.refusal != nil else { return 1 }
        // The peer hears `bad_certificate`, as RFC 8122 §6.2 demands.
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
        return 0
    }

    /// Lets OpenSSL work on what is there.
    private func advance(at now: Instant) {
        ERR_clear_error()
        let wasConnected = state == .connected
        if state == .handshaking {
            let result = SSL_do_handshake(ssl)
            if result == 1 { finishHandshake(at: now) } else { handle(SSL_get_error(ssl, result)) }
        }
        if state == .unverified || state == .connected, readRest(), wasConnected { statistics.ignored += 1 }
        rearm(at: now)
    }

    /// What comes after a handshake: the peer's last flight again, an alert, or data, which nobody asked for.
    ///
    /// - Returns: whether there was nothing that changed anything.
    private func readRest() -> Bool {
        var isIdle = true
        withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 16) { buffer in
            while state == .unverified || state == .connected {
                let result = SSL_read(ssl, buffer.baseAddress, CInt(buffer.count))
                guard result <= 0 else { continue }
                isIdle = handle(SSL_get_error(ssl, result))
                if isIdle { break }
            }
        }
        return isIdle
    }

    private func finishHandshake(at now: Instant) {
        state = .unverified
        deadline = now + Self.verificationLimit
        if fingerprints != nil { verify() }
    }

    private func verify() {
        guard let fingerprints else { return }
        guard let certificate = SSL_get0_peer_certificate(ssl) else { return fail(.noCertificate) }
        if let mismatch = CertificateDigest.mismatch(of: certificate, with: fingerprints) {
            _ = SSL_shutdown(ssl)
            return fail(mismatch)
        }
        guard let keys = DTLSKeys(exportedFrom: ssl, role: role) else {
            _ = SSL_shutdown(ssl)
            return fail(.noSRTP)
        }
        state = .connected
        outputs.append(.connected(keys))
    }

    /// What OpenSSL stopped at. True when it only waits for more.
    @discardableResult
    private func handle(_ error: CInt) -> Bool {
        switch error {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE:
            return true
        case SSL_ERROR_ZERO_RETURN:
            _ = SSL_shutdown(ssl)
            end()
            outputs.append(.closed)
        default:
            fail(refusal ?? DTLSError(reason: ERR_peek_error()))
        }
        return false
    }

    private func rearm(at now: Instant) {
        let left = hearth_dtls_timeout(ssl)
        // Never at once: OpenSSL rounds what is left, and would say "not yet".
        retransmission = left < 0 || state == .ended ? nil : now + .microseconds(max(left, 1000))
    }

    private func fail(_ error: DTLSError) {
        guard state != .ended else { return }
        end()
        outputs.append(.failed(error))
    }

    private func end() { (state, retransmission) = (.ended, nil) }
}
