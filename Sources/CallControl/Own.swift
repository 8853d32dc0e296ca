import Base
import SIP

/// A header value that is written as it stands; appending it is one copy.
struct RawValue: HeaderValue {
    var bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    func serialize(into out: inout [UInt8]) { out += bytes }
}

/// A Via of ours.
struct OwnVia: HeaderValue {
    /// All that stands before the branch.
    let beginning: [UInt8]
    let token: BranchToken

    func serialize(into out: inout [UInt8]) {
        out += beginning
        token.serialize(into: &out)
    }
}

/// A Record-Route entry of ours.
struct OwnRoute: HeaderValue {
    let user: [UInt8]
    /// All that follows the user part.
    let rest: [UInt8]

    func serialize(into out: inout [UInt8]) {
        out.append("<sip:")
        out += user
        out += rest
    }
}

/// What the server calls itself: its names, and the beginnings of the headers it writes, made once.
struct OwnNames: Sendable {
    /// One listener's part of Via and Record-Route.
    struct Hop: Sendable {
        var transport: SIPTransport
        var id: UInt64
        var local: TransportAddress
        var host: Host
        var port: UInt16
        /// `SIP/2.0/UDP host:port;branch=`
        var via: [UInt8]
        /// `@host:port;transport=tcp;lr>`
        var route: [UInt8]
    }

    /// What a listener is found by. Apart from its texts, because these are plain values that count no references.
    private struct Place: Sendable {
        var transport: SIPTransport
        var id: UInt64
        var local: TransportAddress
        var isV6: Bool
    }

    let domain: [UInt8]
    /// The Request-URI of nearly every REGISTER, and what it reads as.
    private let domainURI: (text: [UInt8], uri: SIPURI)
    let hops: [Hop]
    private let places: [Place]
    private let hosts: [Host]

    init(_ configuration: CallController.Configuration) {
        domain = configuration.domain
        let uri = SIPURI(host: Self.host(domain) ?? .name(domain))
        domainURI = (uri.text, uri)
        var hops = configuration.listeners.map { Self.hop($0) }
        // Transports nobody configured still need a name to answer under.
        for transport in SIPTransport.allCases where !hops.contains(where: { $0.transport == transport }) {
            hops.append(
                Self.hop(
                    CallController.Configuration.Listener(
                        transport: transport, id: .max, host: configuration.domain, port: transport.defaultPort,
                        local: TransportAddress(ip: .v4(0), port: 0))))
        }
        self.hops = hops
        places = hops.map { Place(transport: $0.transport, id: $0.id, local: $0.local, isV6: $0.local.ip.isV6) }
        let names = [configuration.domain] + configuration.aliases
        hosts = names.compactMap(Self.host) + hops.map(\.host)
    }

    /// A request's URI; the server's own is not read again.
    func requestURI(of message: SIPMessage) throws(SIPParseError) -> SIPURI {
        guard !domainURI.text.equals(message.requestURIText) else { return domainURI.uri }
        return try message.requestURI
    }

    private static func host(_ text: [UInt8]) -> Host? {
        if let address = IPAddress(parsing: text) { return .address(address) }
        return Host(text)
    }

    private static func hop(_ listener: CallController.Configuration.Listener) -> Hop {
        let host = host(listener.host) ?? .name(listener.host)
        var via = [UInt8](ascii: "SIP/2.0/") + listener.transport.viaToken + [ASCII.space]
        host.serialize(into: &via)
        via.append(ASCII.colon)
        via.appendDecimal(Int(listener.port))
        via += [UInt8](ascii: ";branch=")
        var route = [ASCII.at]
        host.serialize(into: &route)
        route.append(ASCII.colon)
        route.appendDecimal(Int(listener.port))
        switch listener.transport {
        case .udp: break
        case .tcp: route += [UInt8](ascii: ";transport=tcp")
        // RFC 5630 §3.1.4 would have `sips:` instead, which phones take for a promise about the whole way.
        case .tls: route += [UInt8](ascii: ";transport=tls")
        case .ws, .wss: route += [UInt8](ascii: ";transport=ws")
        }
        route += [UInt8](ascii: ";lr>")
        return Hop(
            transport: listener.transport, id: listener.id, local: listener.local, host: host, port: listener.port,
            via: via, route: route)
    }

    /// The listener whose name goes into messages on a flow: over UDP its socket's, over streams the one most like it.
    func hop(for flow: Flow) -> Int {
        let isV6 = flow.local.ip.isV6
        var best = 0
        var bestScore = -1
        for position in places.indices where places[position].transport == flow.transport {
            if flow.transport == .udp, places[position].id == flow.id { return position }
            var score = 0
            if places[position].local.port == flow.local.port { score += 2 }
            if places[position].local.ip == flow.local.ip { score += 4 }
            if places[position].isV6 == isV6 { score += 1 }
            if score > bestScore { (best, bestScore) = (position, score) }
        }
        return best
    }

    /// The user part of a Route entry that is ours to the byte, as nearly all are that come back.
    func userPart(ofRoute entry: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard entry.count > 5, entry.prefix(5).equals("<sip:"), let at = entry.firstIndex(of: ASCII.at) else {
            return nil
        }
        let rest = entry[at...]
        for position in hops.indices where rest.equals(hops[position].route[...]) {
            return entry[(entry.startIndex + 5)..<at]
        }
        return nil
    }

    /// A UDP flow to an address, through a socket of its family.
    func datagrams(to remote: TransportAddress, socket: UInt64? = nil) -> Flow? {
        let isV6 = remote.ip.isV6
        var best: Int?
        for position in places.indices where places[position].transport == .udp && places[position].id != .max {
            if places[position].id == socket {
                best = position
                break
            }
            if let best, places[best].isV6 == isV6 || places[position].isV6 != isV6 { continue }
            best = position
        }
        guard let best else { return nil }
        return Flow(transport: .udp, id: places[best].id, remote: remote, local: places[best].local)
    }

    /// Where a phone without outbound is called: over UDP at its Contact, if that is an address at the very host it sends
    /// from (it listens on another port than it sends from, and no NAT is between); else the way its requests come.
    func reach(_ contact: TransportAddress?, from flow: Flow) -> Flow {
        guard flow.transport == .udp, let contact, contact.ip.unmapped == flow.remote.ip.unmapped else { return flow }
        var flow = flow
        flow.remote.port = contact.port
        return flow
    }

    /// Where a Contact says that datagrams reach the phone; nil when its host is a name.
    static func address(_ contact: SIPURI) -> TransportAddress? {
        guard case .address(let ip) = contact.host else { return nil }
        return TransportAddress(ip: ip, port: contact.port ?? SIPTransport.udp.defaultPort)
    }

    /// Whether a host (and port, if one is written) means this server.
    func includes(_ host: Host, port: UInt16? = nil, arrivedBy flow: Flow) -> Bool {
        let isName = hosts.contains(host) || host == .address(flow.local.ip.unmapped) || host == .address(flow.local.ip)
        guard isName, let port else { return isName }
        return port == flow.local.port || hops.contains { $0.port == port || $0.local.port == port }
    }

    /// Whether a Via's sent-by is one of ours.
    func wrote(_ via: Via) -> Bool {
        hops.contains { $0.host == via.host && $0.port == via.effectivePort }
    }
}

extension IPAddress {
    /// IPv4 inside IPv6 counts as IPv4.
    var isV6: Bool { if case .v6 = unmapped { true } else { false } }
}
