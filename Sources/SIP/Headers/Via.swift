import Base

/// One hop of a message's way (RFC 3261 §20.42).
package struct Via: HeaderValue, Equatable {
    /// `UDP`, `TLS` … as written; `transport` is its meaning.
    package var transportToken: [UInt8]
    package var host: Host
    package var port: UInt16?
    package var parameters: Parameters

    /// A hop of ours.
    package init(transport: SIPTransport, host: Host, port: UInt16? = nil, branch: [UInt8]) {
        (transportToken, self.host, self.port, parameters) = (transport.viaToken, host, port, Parameters())
        parameters.append("branch", branch)
    }

    package init(parsing text: ArraySlice<UInt8>) throws(SIPParseError) {
        var scanner = Scanner(text)
        scanner.skipSpace()
        guard let protocolName = scanner.token(), ASCII.equalIgnoringCase(protocolName, "SIP"),
            scanner.takeSeparator(0x2f), let version = scanner.token(), ASCII.equalIgnoringCase(version, "2.0"),
            scanner.takeSeparator(0x2f), let transport = scanner.token()
        else { throw .malformed(.via) }
        let gap = scanner.index
        scanner.skipSpace()
        guard scanner.index > gap, let host = Host(scanning: &scanner) else { throw .malformed(.via) }
        transportToken = Array(transport)
        self.host = host
        port = nil
        if scanner.takeSeparator(ASCII.colon) {
            guard let number = scanner.number(), let port = UInt16(exactly: number) else { throw .malformed(.via) }
            self.port = port
        }
        guard let parameters = Parameters(scanning: &scanner, rules: .header) else { throw .malformed(.via) }
        self.parameters = parameters
        scanner.skipSpace()
        guard scanner.isAtEnd else { throw .malformed(.via) }
    }

    package func serialize(into out: inout [UInt8]) {
        out.append("SIP/2.0/")
        out += transportToken
        out.append(ASCII.space)
        host.serialize(into: &out)
        if let port {
            out.append(ASCII.colon)
            out.appendDecimal(Int(port))
        }
        parameters.serialize(into: &out)
    }

    /// Nil for a transport Hearth does not speak, which a proxy may still meet in lower Vias.
    package var transport: SIPTransport? { SIPTransport(token: transportToken) }

    /// The port answers go to when `rport` does not say otherwise.
    package var effectivePort: UInt16 { port ?? transport?.defaultPort ?? 5060 }

    /// The transaction's identity (RFC 3261 §17.1.3).
    package var branch: [UInt8]? { parameters["branch"] }

    /// The branch follows RFC 3261 §8.1.1.7: the magic cookie and at least one more byte.
    package var hasModernBranch: Bool {
        guard let branch, branch.count > Self.magicCookie.count else { return false }
        return branch.starts(with: Self.magicCookie)
    }

    package static let magicCookie = [UInt8](ascii: "z9hG4bK")

    /// Where the message really came from (RFC 3261 §18.2.1); with or without brackets around IPv6 (RFC 5118 §4.5).
    package var received: IPAddress? {
        get { parameters["received"].flatMap { IPAddress(parsing: $0) } }
        set { parameters["received"] = newValue.map { $0.text } }
    }

    /// The sender asks to be answered at the port it sent from (RFC 3581 §3).
    package var asksForRport: Bool { parameters.contains("rport") }

    /// The port it sent from, once the receiver has written it (RFC 3581 §4).
    package var rport: UInt16? {
        get { parameters.number("rport").flatMap { UInt16(exactly: $0) } }
        set {
            parameters.remove("rport")
            if let newValue { parameters.append("rport", number: Int(newValue)) }
        }
    }

    /// The multicast or other address answers shall go to (RFC 3261 §18.2.2).
    package var maddr: Host? { parameters["maddr"].flatMap { Host($0) } }

    /// The connection may carry requests in the other direction (RFC 5923).
    package var hasAlias: Bool { parameters.contains("alias") }

    /// Keep-alives are offered or, with seconds, agreed (RFC 6223).
    package var hasKeep: Bool { parameters.contains("keep") }

    /// Writes `received` and `rport` as RFC 3261 §18.2.1 and RFC 3581 §4 ask of whoever receives a request.
    ///
    /// `received` is written when the host differs, and always beside `rport`.
    package mutating func note(source: TransportAddress) {
        let asked = asksForRport
        let same = host == .address(source.ip.unmapped) || host == .address(source.ip)
        // What the sender wrote itself is not to be believed.
        parameters.remove("received")
        if asked { rport = source.port }
        if asked || !same { received = source.ip.unmapped }
    }
}
