import Base

/// Gives one peer's datagrams to sessions of both roles: for the fuzzer and the tests of damage.
///
/// A datagram is what stands between two bytes 0xff; records hold few of them. Without the peer's key no keys come out.
package func fuzzDTLS(_ bytes: [UInt8]) {
    guard let identity = fuzzIdentity else { preconditionFailure("OpenSSL has no DTLS 1.2 or no P-256") }
    for role in [DTLSSession.Role.active, .passive] {
        guard let session = try? DTLSSession(identity: identity, role: role, fingerprints: nil, at: .zero) else {
            preconditionFailure("OpenSSL made no session")
        }
        var now = Instant.zero
        session.start(at: now)
        for datagram in bytes.split(separator: 0xff) {
            session.receive(Array(datagram).span.bytes, at: now)
            now += .milliseconds(50)
            session.handleTimeout(at: now)
        }
        session.expect([identity.fingerprint], at: now)
        session.handleTimeout(at: now + .seconds(60))
        precondition(session.nextTimeout == nil, "a session without a peer goes on for ever")
        while let output = session.pollOutput() {
            switch output {
            case .send(let datagram):
                precondition(datagram.count <= DTLSSession.maximumDatagram, "a datagram is too long")
            case .connected: preconditionFailure("keys without a peer")
            case .closed, .failed: break
            }
        }
    }
}

private let fuzzIdentity = try? DTLSIdentity()
