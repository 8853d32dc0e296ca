import Base
import STUN

/// An agent's place in the demultiplexer.
package struct AgentID: Hashable, Sendable {
    /// Small numbers, used again: an index into the owner's table of peers.
    package let slot: Int
    /// Random, and another for every tenant of a slot. The agent's transaction IDs begin with it.
    package let tag: UInt32
}

/// Says whose a datagram is that came to the one UDP port (RFC 8445 §7.3, RFC 7983).
///
/// ```
///   Binding request with USERNAME ──▶ by our user fragment in it
///   Binding response ───────────────▶ by the tag its transaction ID begins with
///   DTLS, RTP, indications ─────────▶ by the path it came along, when an agent has it
///   other STUN, ChannelData ────────▶ the STUN and TURN server
/// ```
///
/// Paths are won by proof. A request with the right password, whose sender's address may be forged, gives a path only
/// if nobody has it. An answer to a check of ours shows that the peer receives there, and takes the path from whoever
/// showed less, or showed it too long ago: nobody who has an account of ours can turn away another's media.
package struct Demultiplexer: Sendable {
    package enum Route: Equatable, Sendable {
        case agent(AgentID, PacketClass)
        /// For the STUN and TURN server on the same port.
        case server
        case refused(Refusal)
    }

    /// What an agent has in the tables below.
    private struct Holdings {
        var ufrags: [UInt64] = []
        /// Oldest first.
        var paths: [Path] = []
    }

    private struct Entry {
        let agent: AgentID
        /// When the peer showed last that it receives there; nil when it only sent.
        var proven: Instant?

        func yields(to proof: Instant?, at now: Instant) -> Bool {
            guard proof != nil else { return false }
            return proven.map { now - $0 > ICELimits.consentLifetime } ?? true
        }
    }

    package private(set) var refusals = RefusalCounters()
    private let maximumAgents: Int
    private var holdings: [Holdings] = []
    private var free: [Int] = []
    private var byTag: [UInt32: AgentID] = [:]
    private var byUfrag: [UInt64: AgentID] = [:]
    private var byPath: [Path: Entry] = [:]

    /// - Parameter maximumAgents: each may have `ICELimits.pathsPerAgent` paths.
    package init(maximumAgents: Int = 1_000) { self.maximumAgents = maximumAgents }

    package var agentCount: Int { byTag.count }
    package var pathCount: Int { byPath.count }

    // MARK: Agents

    /// A place for an agent; nil when there are too many.
    package mutating func add(using random: inout RandomSource) -> AgentID? {
        guard agentCount < maximumAgents else { return nil }
        var tag = UInt32(truncatingIfNeeded: random.next())
        while byTag[tag] != nil { tag = UInt32(truncatingIfNeeded: random.next()) }
        let agent = AgentID(slot: free.popLast() ?? holdings.count, tag: tag)
        if agent.slot == holdings.count { holdings.append(Holdings()) }
        byTag[tag] = agent
        return agent
    }

    /// By which user fragments the agent is asked for: `localCredentials` and, after a restart, `retiredCredentials`.
    ///
    /// - Returns: false when another agent has one of them: a new one is to be made.
    package mutating func setCredentials(_ credentials: [ShortTermCredentials], of agent: AgentID) -> Bool {
        guard has(agent) else { return false }
        let keys = credentials.compactMap { Self.key(of: $0.ufrag) }
        guard keys.allSatisfy({ byUfrag[$0].map { $0 == agent } ?? true }) else { return false }
        for old in holdings[agent.slot].ufrags { byUfrag[old] = nil }
        for key in keys { byUfrag[key] = agent }
        holdings[agent.slot].ufrags = keys
        return true
    }

    /// Forgets an agent with all it has.
    package mutating func remove(_ agent: AgentID) {
        guard has(agent) else { return }
        for key in holdings[agent.slot].ufrags { byUfrag[key] = nil }
        for path in holdings[agent.slot].paths { byPath[path] = nil }
        byTag[agent.tag] = nil
        holdings[agent.slot] = Holdings()
        free.append(agent.slot)
    }

    private func has(_ agent: AgentID) -> Bool { byTag[agent.tag] == agent }

    // MARK: Paths

    /// Tells what an agent learned: its events `heard` and, with a proof, `proven`.
    ///
    /// - Returns: whether packets on this path are now the agent's.
    @discardableResult
    package mutating func bind(_ path: Path, to agent: AgentID, isProven: Bool, at now: Instant) -> Bool {
        guard has(agent) else { return false }
        let proof = isProven ? now : nil
        if let entry = byPath[path] {
            if entry.agent == agent {
                if isProven { byPath[path]?.proven = now }
                return true
            }
            guard entry.yields(to: proof, at: now) else { return false }
            holdings[entry.agent.slot].paths.removeAll { $0 == path }
        }
        makeRoom(in: agent.slot)
        holdings[agent.slot].paths.append(path)
        byPath[path] = Entry(agent: agent, proven: proof)
        return true
    }

    /// The path shown least lately goes, unproven ones first.
    private mutating func makeRoom(in slot: Int) {
        let paths = holdings[slot].paths
        guard paths.count >= ICELimits.pathsPerAgent, let stalest = paths.min(by: { shown($0) < shown($1) }) else {
            return
        }
        holdings[slot].paths.removeAll { $0 == stalest }
        byPath[stalest] = nil
    }

    private func shown(_ path: Path) -> Instant { byPath[path]?.proven ?? Instant(nanoseconds: .min) }

    // MARK: Packets

    package mutating func route(_ packet: UnsafeRawBufferPointer, along path: Path) -> Route {
        guard let kind = PacketClass(packet) else { return refuse(.unknownProtocol) }
        switch kind {
        case .channelData: return .server
        case .stun: return routeSTUN(packet, along: path)
        case .dtls, .rtp, .rtcp, .zrtp:
            guard let agent = byPath[path]?.agent else { return refuse(.unknownPath) }
            return .agent(agent, kind)
        }
    }

    private mutating func routeSTUN(_ packet: UnsafeRawBufferPointer, along path: Path) -> Route {
        guard let message = try? STUNMessage(parsing: packet) else { return refuse(.malformed) }
        guard message.method == .binding else { return .server }
        switch message.messageClass {
        case .request:
            guard let username = message.username, let parts = UsernameParts(username) else { return .server }
            guard let key = Self.key(of: parts.receiver), let agent = byUfrag[key] else { return refuse(.unknownUser) }
            return .agent(agent, .stun)
        case .success, .error:
            guard let agent = byTag[message.transactionID.high] else { return refuse(.unknownTransaction) }
            return .agent(agent, .stun)
        case .indication:
            guard let agent = byPath[path]?.agent else { return refuse(.unknownPath) }
            return .agent(agent, .stun)
        }
    }

    private mutating func refuse(_ refusal: Refusal) -> Route {
        refusals.count(refusal)
        return .refused(refusal)
    }

    /// Our user fragments are eight bytes, so that one is a number: looking it up makes no array.
    private static func key(of ufrag: [UInt8]) -> UInt64? { ufrag.withUnsafeBytes { key(of: $0) } }
    private static func key(of ufrag: UnsafeRawBufferPointer) -> UInt64? {
        ufrag.count == ShortTermCredentials.ufragSize ? ufrag.uint64(at: 0) : nil
    }
}
