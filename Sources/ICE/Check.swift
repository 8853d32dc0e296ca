import Base
import STUN

/// What one Binding request of ours says besides credentials; the same in each of its copies.
struct CheckRequest: Equatable, Sendable {
    /// The part of the transaction ID that is new for every request.
    let id: UInt64
    let priority: UInt32
    let isControlling: Bool
    let tieBreaker: UInt64
    /// USE-CANDIDATE.
    let isNominating: Bool

    /// Writes the request (RFC 8445 §7.1).
    ///
    /// - Parameter tag: the other part of the transaction ID, by which the demultiplexer knows the agent.
    func write(to remote: RemoteSecret, tag: UInt32, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        var writer = STUNWriter(
            STUNType(.request, .binding), TransactionID(high: tag, low: id), into: buffer)
        writer.add(.username, remote.username)
        writer.add(.priority, priority)
        writer.add(isControlling ? .iceControlling : .iceControlled, tieBreaker)
        if isNominating { writer.add(.useCandidate) }
        writer.add(remote.key)
        writer.addFingerprint()
        return writer.finish()
    }
}

/// A connectivity check under way: a STUN transaction with its retransmissions (RFC 8489 §6.2.1).
struct Check: Sendable {
    let request: CheckRequest
    private let rto: Duration
    private var sent = 1
    /// When the next copy is sent, or the check has failed.
    private(set) var due: Instant

    init(_ request: CheckRequest, rto: Duration, at now: Instant) {
        (self.request, self.rto, due) = (request, rto, now + rto)
    }

    enum Step { case wait, resend, fail }

    mutating func handleTimeout(at now: Instant) -> Step {
        guard now >= due else { return .wait }
        guard sent < ICELimits.copies else { return .fail }
        sent += 1
        // The interval doubles; the last wait is its own.
        due = now + (sent == ICELimits.copies ? rto * ICELimits.lastWait : rto * (1 << (sent - 1)))
        return .resend
    }
}
