import Accounts
import Base
import CallControl
import Foundation
import HTTPAPI
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import SIP
import SocketIO
import Store

/// What the two web ports serve: HTTPAPI's routes, and on the plain port the way to the other.
struct WebSite: Sendable {
    let secure: WebListener
    let plain: WebListener

    init(
        settings: Settings, site: Site, store: HouseholdStore, hub: StreamHub, plane: ControlPlane,
        registry: PrometheusRegistry, secret: [UInt8], files: StaticFiles, logger: Logger
    ) {
        var configuration = HTTPInterface.Configuration(
            domain: site.domain, publicURL: site.publicURL, version: HearthVersion.text,
            phoneServer: site.phoneServer(settings), files: files, clock: { MonotonicClock.now }, random: .system)
        configuration.tellsMetricsToAll = settings.metrics == .everyone
        configuration.metrics = { await ProcessNumbers.text(plane, hub, registry) }
        let interface = HTTPInterface(store: store, configuration: configuration, secret: secret, logger: logger)
        secure = Self.listener(interface, isSecure: true, hub, settings, logger)
        plain = Self.listener(interface, isSecure: false, hub, settings, logger)
    }

    private static func listener(
        _ interface: HTTPInterface, isSecure: Bool, _ hub: StreamHub, _ settings: Settings, _ logger: Logger
    ) -> WebListener {
        let upgrade = WebSocketUpgrade(
            hub: hub, transport: isSecure ? .wss : .ws,
            isRefusedInPlain: !isSecure && settings.httpsPort != nil,
            isOwnOrigin: { interface.isOwnOrigin($0, authority: $1, secure: isSecure) },
            signedIn: { header in
                guard let found = await interface.signedIn(cookieHeader: header) else { return nil }
                return FlowOwner(user: found.person.userName.bytes, session: found.session.id.description)
            })
        let routes = responder(interface.router(secure: isSecure).buildResponder(), settings, logger)
        guard !isSecure, let httpsPort = settings.httpsPort else {
            return WebListener(hub: hub, upgrade: upgrade, responder: routes, logger: logger)
        }
        let redirect = Redirect(httpsPort: httpsPort, publicURL: settings.publicURL)
        return WebListener(
            hub: hub, upgrade: upgrade,
            responder: { request, writer, channel in
                if Locality.isLocal(channel, authority: request.head.authority) {
                    try await routes(request, writer, channel)
                } else {
                    try await redirect.respond(request, writer)
                }
            }, logger: logger)
    }

    /// Runs the router, as Hummingbird's own application does.
    private static func responder(
        _ router: some HTTPResponder<HearthContext>, _ settings: Settings, _ logger: Logger
    ) -> HTTPChannelHandler.Responder {
        { request, writer, channel in
            guard settings.metrics != .off || request.uri.path != "/metrics" else {
                return try await writer.writeResponse(
                    HTTPResponse(status: .notFound, headerFields: [.contentLength: "0"]))
            }
            let context = HearthContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
            let response: Response
            do {
                response = try await router.respond(to: request, context: context)
            } catch {
                logger.error("a request could not be answered", metadata: ["reason": "\(error)"])
                response = Response(status: .internalServerError, headers: [.contentLength: "0"])
            }
            try await writer.write(response: response.head, body: response.body)
        }
    }
}

/// Sends a browser from the plain port to the secure one.
private struct Redirect: Sendable {
    let httpsPort: UInt16
    let publicURL: String?

    func respond(_ request: Request, _ writer: consuming ResponseWriter) async throws {
        var headers: HTTPFields = [.contentLength: "0", .connection: "close"]
        guard let base = base(request.head.authority) else {
            return try await writer.writeResponse(HTTPResponse(status: .badRequest, headerFields: headers))
        }
        headers[.location] = base + (request.head.path ?? "/")
        // 308 keeps method and body (RFC 9110 §15.4.9); a page's GET is the same either way.
        try await writer.writeResponse(HTTPResponse(status: .permanentRedirect, headerFields: headers))
    }

    private func base(_ authority: String?) -> String? {
        if let publicURL, publicURL.hasPrefix("https://") { return publicURL }
        guard let host = authority.flatMap(Locality.host), !host.isEmpty else { return nil }
        return httpsPort == 443 ? "https://\(host)" : "https://\(host):\(httpsPort)"
    }
}

/// Whether a request comes from this machine and means it: browsers call that a secure context without TLS.
enum Locality {
    static func isLocal(_ channel: any Channel, authority: String?) -> Bool {
        guard isLoopback(channel), let host = authority.flatMap(host) else { return false }
        if host == "localhost" || host.hasSuffix(".localhost") { return true }
        return IPAddress(parsing: Array(host.utf8))?.isLoopback == true
    }

    static func isLoopback(_ channel: any Channel) -> Bool {
        channel.remoteAddress.flatMap(TransportAddress.init)?.ip.isLoopback == true
    }

    /// The host of an authority, lower case, IPv6 in brackets; nil for what could not be one.
    static func host(_ authority: String) -> String? {
        let lowered = authority.lowercased()
        let host =
            lowered.hasPrefix("[")
            ? lowered.firstIndex(of: "]").map { String(lowered[...$0]) } ?? ""
            : String(lowered.prefix { $0 != ":" })
        let isHost = host.utf8.allSatisfy { byte in
            ASCII.isAlphanumeric(byte) || [0x2d, 0x2e, 0x5f, 0x3a, 0x5b, 0x5d].contains(byte)
        }
        return isHost && !host.isEmpty ? host : nil
    }
}
