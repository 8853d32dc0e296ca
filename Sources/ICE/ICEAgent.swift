import Base
import STUN

/// A full ICE agent for one component (RFC 8445), without sockets: packets and time in, packets and events out.
///
/// ```
///   description ──▶ setRemote, add, endRemoteCandidates          ┌─▶ Output.send(count, path)
///   socket ──STUN──▶ receive(along path) ─▶ .reply, .consumed    ├─▶ Event.selected(path): media goes there
///   timer ──▶ handleTimeout ──────────────▶ pollOutput(into:) ───┴─▶ Event.consentLost, .failed: it stops
/// ```
///
/// After every input the outputs are drained; packets are written into the caller's buffer. Once a pair is selected,
/// answering checks and asking for consent allocates nothing. The agent belongs to one thread.
package struct ICEAgent: Sendable {
    package enum Output: Equatable, Sendable {
        /// Send the first `count` bytes of the buffer along this path.
        case send(count: Int, Path)
        case event(Event)
    }

    package enum Event: Equatable, Sendable {
        /// Media goes here from now on. Also after a restart, when the new session's pair is the old one's.
        case selected(Path)
        /// Nothing may be sent any more until another pair is selected, or a restart succeeds.
        case consentLost(Path)
        /// No pair works.
        case failed
        /// Both sides had one role, and ours is another now.
        case roleChanged(isControlling: Bool)
        /// Somebody with our password writes from there, or writes there as well: for the demultiplexer.
        case heard(Path)
        /// An answer proved that the peer receives there: for the demultiplexer.
        case proven(Path)
    }

    package enum State: Sendable {
        /// The peer's credentials are not known yet.
        case new
        case checking
        /// A pair of this session is selected.
        case connected
        /// Consent was lost, and the peer has not nominated another pair.
        case disconnected
        case failed
    }

    /// What came of a packet.
    package enum Outcome: Equatable, Sendable {
        /// Send the first `count` bytes of the reply buffer back where the packet came from.
        case reply(count: Int)
        /// It was ours, and there is nothing to be sent at once.
        case consumed
        /// It was not taken. An answer of `count` bytes goes back when there are any.
        case refused(Refusal, count: Int)
    }

    /// Bytes of the buffers for replies and outputs: a request to a peer with the longest user fragment.
    package static let maximumMessage = 384

    enum Pending: Sendable {
        case check(CheckRequest, Path)
        case consent(CheckRequest, Path)
        case event(Event)
    }

    package let addresses: LocalAddresses
    /// The transaction IDs of all our requests begin with it.
    package let tag: UInt32
    package internal(set) var isControlling: Bool
    package internal(set) var state = State.new
    package internal(set) var refusals = RefusalCounters()
    var tieBreaker: UInt64
    var random: RandomSource
    var session: Session
    /// What answers requests of the session before a restart, whose pair may still be in use.
    var retired: LocalSecret?
    /// Of the selected pair, be it of this session or of the one before a restart.
    var consent: Consent?
    var outputs = OutputQueue<Pending>()

    /// - Parameters:
    ///   - tag: the demultiplexer's `AgentID.tag`.
    ///   - isControlling: true for whoever made the offer (RFC 8445 §6.1.1).
    package init(_ addresses: LocalAddresses, tag: UInt32, isControlling: Bool, random: RandomSource) {
        (self.addresses, self.tag, self.isControlling, self.random) = (addresses, tag, isControlling, random)
        tieBreaker = self.random.next()
        session = Session(ShortTermCredentials(using: &self.random))
    }

    /// For our description.
    package var localCredentials: ShortTermCredentials { session.local.credentials }
    /// Those of the session before a restart, with which the peer may still ask.
    package var retiredCredentials: ShortTermCredentials? { retired?.credentials }

    /// The peer's. A description with others begins a new session: `restart` comes first.
    package var remoteCredentials: ShortTermCredentials? { session.remote?.credentials }

    /// The selected pair, with consent; during a restart, the old session's.
    package var selected: Path? { consent?.path }

    /// Where an answer may go before a pair is selected: any that works (RFC 8445 §12.1), while the proof is fresh.
    package func path(at now: Instant) -> Path? {
        if let selected { return selected }
        guard state == .checking, let best = session.checklist.bestValid,
            now - session.checklist[best].proven < ICELimits.consentLifetime
        else { return nil }
        return session.checklist[best].path
    }

    // MARK: Packets

    /// Takes one datagram that begins as STUN does.
    ///
    /// - Parameter reply: `maximumMessage` bytes.
    package mutating func receive(
        _ packet: UnsafeRawBufferPointer, along path: Path, reply: UnsafeMutableRawBufferPointer, at now: Instant
    ) -> Outcome {
        guard let message = try? STUNMessage(parsing: packet), Int(path.local) < addresses.hosts.count,
            !message.hasFingerprint || message.isFingerprintRight
        else { return refuse(.malformed) }
        guard message.method == .binding else { return refuse(.otherMethod) }
        switch message.messageClass {
        case .request: return answer(Request(message, path, reply, now))
        case .success, .error: return take(message, along: path, at: now)
        // A keep-alive of a peer without consent (RFC 8445 §11).
        case .indication: return .consumed
        }
    }

    mutating func refuse(_ refusal: Refusal, count: Int = 0) -> Outcome {
        refusals.count(refusal)
        return .refused(refusal, count: count)
    }

    // MARK: Outputs

    /// What is to be done next; called until it gives nil.
    ///
    /// - Parameter buffer: `maximumMessage` bytes.
    package mutating func pollOutput(into buffer: UnsafeMutableRawBufferPointer) -> Output? {
        while let pending = outputs.popFirst() {
            switch pending {
            case .event(let event): return .event(event)
            case .check(let request, let path):
                guard let remote = session.remote, let count = request.write(to: remote, tag: tag, into: buffer)
                else { continue }
                return .send(count: count, path)
            case .consent(let request, let path):
                guard let consent, consent.path == path,
                    let count = request.write(to: consent.remote, tag: tag, into: buffer)
                else { continue }
                return .send(count: count, path)
            }
        }
        return nil
    }

    func request(id: UInt64, on local: UInt8, isNominating: Bool) -> CheckRequest {
        CheckRequest(
            id: id, priority: addresses.reflexivePriority(local), isControlling: isControlling,
            tieBreaker: tieBreaker, isNominating: isNominating)
    }
}
