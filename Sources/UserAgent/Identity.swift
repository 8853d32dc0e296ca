import Base
import SIP

/// Who we are on the wire: address of record, Contact, GRUU, and the way out.
final class Identity: @unchecked Sendable {
    let aor: SIPURI
    /// The user part of `aor`, or the digest user name the configuration gives.
    let authUser: [UInt8]
    let registrar: SIPURI
    let sentBy: (host: Host, port: UInt16?)
    /// The Contact's URI while no GRUU is known.
    let contactURI: SIPURI
    /// `pub-gruu` of the registrar (RFC 5627 §5.1): reaches this device over whatever flow it has.
    private(set) var gruu: SIPURI?
    /// Route lines for requests outside of dialogs: Service-Route (RFC 3608) when registered, else the configured proxy.
    private(set) var serviceRoute: [[UInt8]] = []
    private let outboundProxy: [UInt8]

    init(_ configuration: Configuration) throws(CommandError) {
        do throws(SIPParseError) {
            aor = try SIPURI(parsing: configuration.aor)
            if configuration.registrar.isEmpty {
                registrar = SIPURI(scheme: aor.scheme, host: aor.host, port: aor.port)
            } else {
                registrar = try SIPURI(parsing: configuration.registrar)
            }
        } catch { throw .badURI }
        authUser = configuration.authUser.isEmpty ? aor.plainUser ?? [] : configuration.authUser
        sentBy = try Self.hostAndPort(configuration.sentBy)
        let contactHost = configuration.contactHost.isEmpty ? sentBy : try Self.hostAndPort(configuration.contactHost)
        var contact = SIPURI(host: contactHost.host, port: contactHost.port)
        contact.user = configuration.contactUser.isEmpty ? aor.user : SIPURI.escapedUser(configuration.contactUser)
        if configuration.transport != .udp { contact.parameters.append("transport", configuration.transport.uriToken) }
        contactURI = contact
        outboundProxy = configuration.outboundProxy
    }

    private static func hostAndPort(_ text: [UInt8]) throws(CommandError) -> (host: Host, port: UInt16?) {
        do throws(SIPParseError) {
            let uri = try SIPURI(parsing: [UInt8](ascii: "sip:") + text)
            guard uri.user == nil, uri.parameters.isEmpty else { throw .badURI }
            return (uri.host, uri.port)
        } catch { throw .badValue }
    }

    /// The Contact of dialogs: the GRUU once there is one (RFC 5627 §4.4.1).
    ///
    /// - Parameter isSecure: the way to the peer begins with a SIPS URI, so ours must be one too (RFC 3261 §8.1.1.8,
    ///   §12.1.1).
    @inline(never)
    func contact(isSecure: Bool) -> NameAddress {
        guard isSecure else { return NameAddress(uri: gruu ?? contactURI) }
        var uri = gruu ?? contactURI
        uri.scheme = .sips
        return NameAddress(uri: uri)
    }

    /// Whether a request outside of a dialog takes a way that begins with a SIPS URI.
    @inline(never)
    func isSecure(_ target: SIPURI) -> Bool {
        target.isSecure || routes.first?.starts(with: [UInt8](ascii: "<sips:")) == true
    }

    /// Route values for a request outside of a dialog.
    var routes: [[UInt8]] {
        if !serviceRoute.isEmpty { return serviceRoute }
        return outboundProxy.isEmpty ? [] : [[ASCII.lessThan] + outboundProxy + [ASCII.greaterThan]]
    }

    /// What a 2xx to REGISTER taught us.
    func learn(gruu text: [UInt8]?, serviceRoute: [[UInt8]]) {
        if let text {
            do throws(SIPParseError) { gruu = try SIPURI(parsing: text) } catch { gruu = nil }
        }
        self.serviceRoute = serviceRoute
    }
}
