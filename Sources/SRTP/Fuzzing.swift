import Base

/// Drives the reader of `a=crypto`: for the fuzzer and the tests of damage. What was read is read again from its writing.
package func fuzzSDES(_ bytes: [UInt8]) {
    guard let crypto = try? SDESCrypto(parsing: bytes[...]) else { return }
    let again = try? SDESCrypto(parsing: crypto.bytes[...])
    precondition(again == crypto, "a key changed when written and read")
}

/// Gives a peer's bytes to a session as a media packet and as a report, and protects them as if they were ours.
///
/// Bytes nobody protected are never taken; what we protect, another session gives back as it was.
package func fuzzSRTP(_ bytes: [UInt8], suite: SRTPSuite) {
    var random = RandomSource(seed: 7)
    let key = SRTPMasterKey(suite: suite, using: &random)
    guard let session = try? SRTPSession(local: key, remote: key) else {
        preconditionFailure("OpenSSL has no \(suite.name)")
    }
    var copy = bytes
    precondition(!isDone(copy.withUnsafeMutableBytes { session.unprotect($0, count: $0.count) }), "forged")
    copy = bytes
    precondition(!isDone(copy.withUnsafeMutableBytes { session.unprotectReport($0, count: $0.count) }), "forged")

    let room = bytes + [UInt8](repeating: 0, count: SRTPSession.maximumOverhead)
    copy = room
    if case .done(let count) = copy.withUnsafeMutableBytes({ session.protect($0, count: bytes.count) }) {
        let outcome = copy.withUnsafeMutableBytes { session.unprotect($0, count: count) }
        precondition(outcome == .done(bytes.count) && copy.starts(with: bytes), "media came back changed")
    }
    copy = room
    if case .done(let count) = copy.withUnsafeMutableBytes({ session.protectReport($0, count: bytes.count) }) {
        let outcome = copy.withUnsafeMutableBytes { session.unprotectReport($0, count: count) }
        precondition(outcome == .done(bytes.count) && copy.starts(with: bytes), "a report came back changed")
    }
}

private func isDone(_ outcome: SRTPOutcome) -> Bool { if case .done = outcome { true } else { false } }
