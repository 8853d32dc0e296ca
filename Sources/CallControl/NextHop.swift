import Base
import SIP

/// Finds where a URI outside of the household leads (RFC 3263 §4): one question to the name servers at a time.
///
///     address or host with port ──────────────────────────┐
///     host ── SRV of each transport we may use ── found ──┤── A, AAAA ── candidates, tried in order
///                          └── none of them ──────────────┘
///
/// A large request that may choose its transport tries TCP at every address that UDP would go to, and UDP after it
/// (RFC 3261 §18.1.1).
///
/// NAPTR is left out: it would choose among transports of which we ask all, in the order UDP, TCP, TLS.
struct NextHop: Sendable {
    struct Candidate: Equatable, Sendable {
        var transport: SIPTransport
        var address: TransportAddress
        var serverName: [UInt8]
        /// TCP where nobody said that it is spoken there.
        var isTrial = false
    }

    enum Step: Equatable, Sendable {
        case ask(ResolutionQuestion)
        case go(Candidate)
        case exhausted
    }

    private struct Service: Sendable {
        var transport: SIPTransport
        var name: [UInt8]
    }

    private struct Server: Sendable {
        var transport: SIPTransport
        var host: Host
        var port: UInt16
    }

    private enum Question: Sendable {
        case services(SIPTransport)
        case addresses(Server)
    }

    /// SRV names not asked yet.
    private var services: [Service] = []
    /// Hosts whose addresses are not known yet.
    private var servers: [Server] = []
    private var candidates: [Candidate] = []
    private var question: Question?
    /// Tried when no SRV record exists.
    private var fallback: Server?
    private var remaining: Int
    private let name: [UInt8]
    private let prefersStream: Bool
    /// Whether there was an address to go to at all.
    private(set) var hasTried = false

    /// - Parameter isLarge: too large for a datagram, with what we add to it.
    init(to uri: SIPURI, limit: Int, isLarge: Bool = false) {
        remaining = limit
        let host = uri.parameters["maddr"].flatMap { Host($0) } ?? uri.host
        name = if case .name(let name) = uri.host { name } else { [] }
        let explicit = uri.isSecure ? .tls : uri.transport
        prefersStream = isLarge && explicit == nil
        // Nobody listens for WebSockets at an address we could only guess.
        guard explicit != .ws, explicit != .wss else { return }
        let transport = explicit ?? .udp
        if case .address(let ip) = host {
            add(
                Candidate(
                    transport: transport, address: TransportAddress(ip: ip, port: uri.port ?? transport.defaultPort),
                    serverName: []))
        } else if let port = uri.port {
            servers = [Server(transport: transport, host: host, port: port)]
        } else {
            fallback = Server(transport: transport, host: host, port: transport.defaultPort)
            let transports: [SIPTransport] = explicit.map { [$0] } ?? [.udp, .tcp, .tls]
            services = transports.map { Service(transport: $0, name: Self.serviceName($0) + name) }
        }
    }

    private static func serviceName(_ transport: SIPTransport) -> [UInt8] {
        switch transport {
        case .udp: [UInt8](ascii: "_sip._udp.")
        case .tls: [UInt8](ascii: "_sips._tcp.")
        default: [UInt8](ascii: "_sip._tcp.")
        }
    }

    /// The name servers have not answered yet.
    var isAsking: Bool { question != nil }

    /// Whether anything is left to try.
    var hasMore: Bool {
        remaining > 0 && !(candidates.isEmpty && servers.isEmpty && services.isEmpty && fallback == nil)
    }

    /// What to do: at the start, after an answer, and after a candidate failed.
    mutating func next() -> Step {
        while remaining > 0 {
            if !candidates.isEmpty {
                let candidate = candidates.removeFirst()
                if !candidate.isTrial { remaining -= 1 }
                hasTried = true
                return .go(candidate)
            }
            if !servers.isEmpty {
                let server = servers.removeFirst()
                guard case .name(let host) = server.host else {
                    if case .address(let ip) = server.host { append([ip], of: server) }
                    continue
                }
                question = .addresses(server)
                return .ask(.addresses(host: host))
            }
            if !services.isEmpty {
                let service = services.removeFirst()
                question = .services(service.transport)
                return .ask(.services(name: service.name))
            }
            guard let last = fallback else { break }
            fallback = nil
            servers = [last]
        }
        return .exhausted
    }

    mutating func take(_ resolution: Resolution, random: inout RandomSource) {
        defer { question = nil }
        switch (question, resolution) {
        case (.services(let transport), .services(let records)) where !records.isEmpty:
            fallback = nil
            services = []
            // RFC 2782: a single record with the target "." says that there is no such service.
            servers = Self.ordered(records, random: &random).prefix(remaining).compactMap { record in
                Host(record.target).map { Server(transport: transport, host: $0, port: record.port) }
            }
        case (.addresses(let server), .addresses(let addresses)):
            append(addresses, of: server)
        default:
            return
        }
    }

    private mutating func append(_ addresses: [IPAddress], of server: Server) {
        for ip in addresses.prefix(remaining) {
            add(
                Candidate(
                    transport: server.transport, address: TransportAddress(ip: ip, port: server.port), serverName: name)
            )
        }
    }

    private mutating func add(_ candidate: Candidate) {
        if prefersStream, candidate.transport == .udp {
            var trial = candidate
            (trial.transport, trial.isTrial) = (.tcp, true)
            candidates.append(trial)
        }
        candidates.append(candidate)
    }

    /// RFC 2782: by priority, within one by chance in proportion to the weights.
    static func ordered(_ records: [ServiceRecord], random: inout RandomSource) -> [ServiceRecord] {
        var out: [ServiceRecord] = []
        // Zero weights first, as the RFC's algorithm wants them.
        var rest = records.sorted { ($0.priority, $0.weight) < ($1.priority, $1.weight) }
        while let first = rest.first {
            let group = rest.prefix { $0.priority == first.priority }
            let total = group.reduce(0) { $0 + Int($1.weight) }
            var pick = Int.random(in: 0...total, using: &random)
            var chosen = 0
            for (position, record) in group.enumerated() {
                pick -= Int(record.weight)
                chosen = position
                if pick <= 0 { break }
            }
            out.append(rest.remove(at: chosen))
        }
        return out
    }
}
