import Base

/// What kind of address a candidate is (RFC 8445 §5.1.1).
package enum CandidateKind: Sendable, CaseIterable {
    case host, serverReflexive, peerReflexive, relayed

    /// RFC 8445 §5.1.2.2.
    package var typePreference: UInt32 {
        switch self {
        case .host: 126
        case .peerReflexive: 110
        case .serverReflexive: 100
        case .relayed: 0
        }
    }

    /// The word in a description (RFC 8839 §5.1).
    package var word: StaticString {
        switch self {
        case .host: "host"
        case .serverReflexive: "srflx"
        case .peerReflexive: "prflx"
        case .relayed: "relay"
        }
    }

    package init?(word: [UInt8]) {
        guard let kind = Self.allCases.first(where: { ASCII.equalIgnoringCase(word, $0.word) }) else { return nil }
        self = kind
    }
}

/// One address that may work, over UDP, for the one component there is.
package struct ICECandidate: Hashable, Sendable {
    package let kind: CandidateKind
    package let address: TransportAddress
    /// 1 to 2³¹-1.
    package let priority: UInt32
    /// Equal for candidates that will probably work or fail together: 1 to 32 letters and digits (RFC 8445 §5.1.1.3).
    package let foundation: [UInt8]
    /// The address behind a reflexive one, for people who diagnose (RFC 8839 §5.1).
    package let related: TransportAddress?

    package static let component = UInt16(1)
    private static let priorities = UInt32(1)...UInt32(Int32.max)

    /// What a request says is not refused for this; pairs' priorities have no room for more.
    static func clamped(_ priority: UInt32) -> UInt32 {
        min(max(priority, priorities.lowerBound), priorities.upperBound)
    }

    /// RFC 8445 §5.1.2.1, for component 1.
    package static func priority(_ kind: CandidateKind, localPreference: UInt16) -> UInt32 {
        kind.typePreference << 24 | UInt32(localPreference) << 8 | 255
    }

    package init(
        _ kind: CandidateKind, _ address: TransportAddress, priority: UInt32, foundation: [UInt8],
        related: TransportAddress? = nil
    ) {
        self.address = TransportAddress(ip: address.ip.unmapped, port: address.port)
        self.priority = Self.clamped(priority)
        (self.kind, self.foundation, self.related) = (kind, foundation, related)
    }

    /// Reads the parts of a peer's `a=candidate` (RFC 8839 §5.1).
    ///
    /// - Parameter host: an address as text.
    /// - Throws: why it cannot be used. Ignoring it is right then: others may be better.
    package init(
        foundation: [UInt8], component: UInt16, transport: [UInt8], priority: UInt32, host: [UInt8], port: UInt16,
        kind: [UInt8]
    ) throws(Refusal) {
        guard (1...32).contains(foundation.count), foundation.allSatisfy(ShortTermCredentials.isICECharacter),
            Self.priorities.contains(priority)
        else { throw .malformedCandidate }
        guard component == Self.component else { throw .otherComponent }
        guard ASCII.equalIgnoringCase(transport, "udp") else { throw .otherTransport }
        guard let kind = CandidateKind(word: kind) else { throw .unknownKind }
        guard let ip = IPAddress(parsing: host) else { throw .hostName }
        guard port != 0, ip.isUnicast else { throw .unusableAddress }
        self.init(
            kind, TransportAddress(ip: ip, port: port), priority: priority, foundation: foundation)
    }
}

/// The addresses of our one UDP port.
package struct LocalAddresses: Sendable {
    /// What sockets are bound to. A path has the index of one of these.
    package let hosts: [TransportAddress]
    /// All our candidates for descriptions, best first.
    package let candidates: [ICECandidate]

    /// - Parameters:
    ///   - hosts: best first; at most `ICELimits.hosts` are used.
    ///   - external: by which address the internet knows the host of that index, where a router stands before it.
    package init(hosts: [TransportAddress], external: [(host: Int, address: TransportAddress)] = []) {
        self.hosts = Array(hosts.prefix(ICELimits.hosts))
        var candidates: [ICECandidate] = []
        for (index, host) in self.hosts.enumerated() {
            let priority = ICECandidate.priority(.host, localPreference: Self.preference(index))
            candidates.append(
                ICECandidate(.host, host, priority: priority, foundation: Self.foundation(.host, index)))
        }
        for (index, address) in external where self.hosts.indices.contains(index) {
            guard !candidates.contains(where: { $0.address == address }) else { continue }
            let priority = ICECandidate.priority(.serverReflexive, localPreference: Self.preference(index))
            candidates.append(
                ICECandidate(
                    .serverReflexive, address, priority: priority,
                    foundation: Self.foundation(.serverReflexive, index), related: self.hosts[index]))
        }
        self.candidates = candidates
    }

    /// Each host's own, so that no two candidates of a kind are equal (RFC 8445 §5.1.2.1).
    private static func preference(_ index: Int) -> UInt16 { .max - UInt16(index) }

    /// A number per kind and host: our addresses differ in IP, so none have a foundation in common.
    private static func foundation(_ kind: CandidateKind, _ index: Int) -> [UInt8] {
        var out: [UInt8] = []
        out.appendDecimal(kind == .host ? 1 + index : 101 + index)
        return out
    }

    /// What the checks' PRIORITY says: of a candidate the peer may discover by them (RFC 8445 §7.1.1).
    func reflexivePriority(_ local: UInt8) -> UInt32 {
        ICECandidate.priority(.peerReflexive, localPreference: Self.preference(Int(local)))
    }

    /// The priority of the candidate a check turned out to come from (RFC 8445 §7.2.5.3.1).
    func priority(mapped: TransportAddress, _ local: UInt8) -> UInt32 {
        candidates.first { $0.address == mapped }?.priority ?? reflexivePriority(local)
    }
}
