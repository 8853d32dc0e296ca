import Base

/// A network address translator in the terms of RFC 4787.
package struct NATBehavior: Sendable, Equatable {
    /// What mapping (§4.1) or filtering (§5) depends on.
    package enum Dependence: Sendable, CaseIterable {
        case endpointIndependent, addressDependent, addressAndPortDependent
    }

    package var mapping: Dependence
    package var filtering: Dependence
    /// Whether two hosts inside reach each other by their outside addresses (§6).
    package var hairpinning: Bool
    /// Whether the port outside is the one inside when that is free (§4.2.1).
    package var preservesPorts: Bool
    /// How long a mapping lives without a datagram going out (§4.3 asks for at least two minutes).
    package var lifetime: Duration

    package init(
        mapping: Dependence = .endpointIndependent, filtering: Dependence = .endpointIndependent,
        hairpinning: Bool = true, preservesPorts: Bool = false, lifetime: Duration = .seconds(120)
    ) {
        (self.mapping, self.filtering, self.hairpinning) = (mapping, filtering, hairpinning)
        (self.preservesPorts, self.lifetime) = (preservesPorts, lifetime)
    }

    /// The four kinds as RFC 3489 called them, which people still do.
    package static let fullCone = NATBehavior()
    package static let restrictedCone = NATBehavior(filtering: .addressDependent)
    package static let portRestrictedCone = NATBehavior(filtering: .addressAndPortDependent)
    package static let symmetric = NATBehavior(mapping: .addressAndPortDependent, filtering: .addressAndPortDependent)
}

/// One translator's table of mappings. Datagrams in, translated addresses or nothing out.
struct SimulatedNAT: Sendable {
    /// Who shares a mapping: an inside address, and as much of the destination as `mapping` looks at.
    private struct Key: Hashable {
        var inside: TransportAddress
        var address: IPAddress?
        var port: UInt16?
    }

    private struct Mapping {
        var key: Key
        var expires: Instant
        /// Everybody outside this mapping has sent to.
        var contacted: Set<TransportAddress> = []
    }

    /// More mappings than a test makes; a test that reaches it hears of it by lost datagrams.
    private static let maximumMappings = 4096

    let behavior: NATBehavior
    let external: IPAddress
    private var mappings: [UInt16: Mapping] = [:]
    private var ports: [Key: UInt16] = [:]

    init(behavior: NATBehavior, external: IPAddress) { (self.behavior, self.external) = (behavior, external) }

    /// The outside source of a datagram that goes out, nil when no port is left.
    mutating func translateOut(
        from inside: TransportAddress, to destination: TransportAddress, at now: Instant,
        using random: inout RandomSource
    ) -> TransportAddress? {
        let key = Key(
            inside: inside,
            address: behavior.mapping == .endpointIndependent ? nil : destination.ip,
            port: behavior.mapping == .addressAndPortDependent ? destination.port : nil)
        if let port = ports[key], let mapping = mappings[port], mapping.expires <= now { forget(mapping, port: port) }
        guard let port = ports[key] ?? freePort(preferring: inside.port, at: now, using: &random) else { return nil }
        ports[key] = port
        mappings[port, default: Mapping(key: key, expires: now)].expires = now + behavior.lifetime
        mappings[port]?.contacted.insert(destination)
        return TransportAddress(ip: external, port: port)
    }

    /// The inside destination of a datagram that came to one of our ports, nil when it is filtered.
    func translateIn(to port: UInt16, from source: TransportAddress, at now: Instant) -> TransportAddress? {
        guard let mapping = mappings[port], mapping.expires > now else { return nil }
        let allowed =
            switch behavior.filtering {
            case .endpointIndependent: true
            case .addressDependent: mapping.contacted.contains { $0.ip == source.ip }
            case .addressAndPortDependent: mapping.contacted.contains(source)
            }
        return allowed ? mapping.key.inside : nil
    }

    private mutating func freePort(
        preferring wish: UInt16, at now: Instant, using random: inout RandomSource
    ) -> UInt16? {
        if mappings.count >= Self.maximumMappings {
            for (port, mapping) in mappings where mapping.expires <= now { forget(mapping, port: port) }
            guard mappings.count < Self.maximumMappings else { return nil }
        }
        if behavior.preservesPorts, isFree(wish, at: now) { return wish }
        while true {
            let port = UInt16.random(in: 1024...65_535, using: &random)
            if isFree(port, at: now) { return port }
        }
    }

    private mutating func isFree(_ port: UInt16, at now: Instant) -> Bool {
        guard let mapping = mappings[port] else { return true }
        guard mapping.expires <= now else { return false }
        forget(mapping, port: port)
        return true
    }

    private mutating func forget(_ mapping: Mapping, port: UInt16) {
        mappings[port] = nil
        ports[mapping.key] = nil
    }
}
