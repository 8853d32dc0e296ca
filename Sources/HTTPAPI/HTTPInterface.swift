import Accounts
import Base
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Store
import Synchronization

/// The household over HTTP: the JSON interface of docs/protocol.md, the page's files, health and metrics.
///
/// One object serves every port; `router(secure:)` is mounted once per kind of port.
package final class HTTPInterface: Sendable {
    /// What the interface is told of the server around it.
    package struct Configuration: Sendable {
        /// The part after @ of everybody's address; also the realm of the phones' passwords.
        package var domain: String
        /// What links start with: `https://home.example:8443`.
        package var publicURL: String
        package var version: String
        /// Where native phones register: a host, and the transports with their ports.
        package var phoneServer: PhoneServer
        package var files: StaticFiles
        /// Metrics for everybody who asks; otherwise for programs on this machine only.
        package var tellsMetricsToAll: Bool
        /// More lines for `/metrics`, in Prometheus' text format.
        package var metrics: @Sendable () async -> String
        /// The monotonic clock, for slowing down.
        package var clock: @Sendable () -> Instant
        package var random: RandomSource

        package init(
            domain: String, publicURL: String, version: String, phoneServer: PhoneServer, files: StaticFiles,
            tellsMetricsToAll: Bool = false, metrics: @escaping @Sendable () async -> String = { "" },
            clock: @escaping @Sendable () -> Instant, random: RandomSource
        ) {
            (self.domain, self.publicURL, self.version) = (domain, publicURL, version)
            (self.phoneServer, self.files) = (phoneServer, files)
            (self.tellsMetricsToAll, self.metrics, self.clock) = (tellsMetricsToAll, metrics, clock)
            self.random = random
        }
    }

    /// What a person types into a native phone beside user and password.
    package struct PhoneServer: Sendable {
        package enum Transport: String, Sendable {
            case udp
            case tcp
            case tls
        }

        package var host: String
        package var transports: [(transport: Transport, port: Int)]

        package init(host: String, transports: [(transport: Transport, port: Int)]) {
            (self.host, self.transports) = (host, transports)
        }
    }

    let store: HouseholdStore
    let configuration: Configuration
    let counters = HTTPCounters()
    /// For salts of names nobody has.
    let secret: [UInt8]
    let endpoints = Endpoint.all
    private let logger: Logger
    private let guesses = Mutex(SlowDown())
    private let random: Mutex<RandomSource>
    private let document: ByteBuffer

    /// - Parameter secret: the store's `serverSecret`.
    package init(store: HouseholdStore, configuration: Configuration, secret: [UInt8], logger: Logger) {
        (self.store, self.configuration, self.secret, self.logger) = (store, configuration, secret, logger)
        random = Mutex(configuration.random)
        document = ByteBuffer(string: OpenAPI.document(endpoints, version: configuration.version).text)
    }

    /// The routes for one kind of port.
    ///
    /// - Parameter secure: whether the port speaks TLS. Cookies are then `Secure`, and our origin starts with https.
    package func router(secure: Bool) -> Router<HearthContext> {
        let router = Router(context: HearthContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: SecurityHeaders(isSecure: secure))
        router.add(middleware: RefusalWriter(interface: self, logger: logger))
        for endpoint in endpoints {
            router.on(endpoint.routerPath, method: endpoint.method) { [self] request, context in
                try await respond(to: request, endpoint, context, isSecure: secure)
            }
        }
        router.get("/api/openapi.json") { [document] _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-cache"],
                body: ResponseBody(byteBuffer: document))
        }
        router.get("/healthz") { [store] _, _ in
            _ = try await store.setting("health")
            return Response.text("ok\n")
        }
        router.get("/metrics") { [self] _, context in
            guard configuration.tellsMetricsToAll || context.remote?.isLoopback == true else {
                throw Refusal.metricsElsewhere
            }
            return Response.text(counters.text + (await configuration.metrics()), type: "text/plain; version=0.0.4")
        }
        router.get("/") { [self] request, _ in try file(request) }
        router.get("**") { [self] request, _ in try file(request) }
        return router
    }

    // MARK: - For the WebSocket

    /// Who a Cookie header signs in; nil for nobody, an ended session, or a store that does not answer.
    package func signedIn(cookieHeader: String) async -> SignedIn? {
        guard let token = SessionCookie.token(in: cookieHeader) else { return nil }
        do {
            return try await signedIn(token)
        } catch {
            logger.error("a session could not be read", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    /// Whether an Origin header names this server; other sites' pages must not use a signed-in WebSocket.
    package func isOwnOrigin(_ origin: String, authority: String?, secure: Bool) -> Bool {
        originRule(secure).isOwn(origin, authority: authority)
    }

    // MARK: - Requests

    /// The order of refusals: origin and form first, then who asks, then what.
    private func respond(
        to request: Request, _ endpoint: Endpoint, _ context: HearthContext, isSecure: Bool
    ) async throws -> Response {
        if endpoint.isUnsafe {
            guard originRule(isSecure).allows(request.headers, authority: request.head.authority) else {
                throw Refusal.badOrigin
            }
            guard request.headers[.hearth] == "1" else { throw Refusal.missingHeader }
        }
        let body = endpoint.body == nil ? ByteBuffer() : try await collect(request)
        let caller = try await caller(of: request, for: endpoint)
        let call = Call(
            interface: self, isSecure: isSecure, request: request, context: context, body: body, caller: caller)
        let answer = try await endpoint.handle(call)
        var response = Response(status: endpoint.status, headers: [.cacheControl: "no-store"])
        if let json = answer.json {
            response.headers[.contentType] = "application/json"
            response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: json))
        }
        switch answer.cookie {
        case .set(let token): response.headers[.setCookie] = SessionCookie.set(token, isSecure: isSecure)
        case .clear: response.headers[.setCookie] = SessionCookie.clear(isSecure: isSecure)
        case .unchanged:
            if let token = caller?.renewal {
                response.headers[.setCookie] = SessionCookie.set(token, isSecure: isSecure)
            }
        }
        return response
    }

    private func collect(_ request: Request) async throws -> ByteBuffer {
        guard let type = request.headers[.contentType]?.lowercased(),
            type == "application/json" || type.hasPrefix("application/json;")
        else { throw Refusal.notJSON }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > HTTPLimits.maximumBody {
            throw Refusal.tooLarge
        }
        do {
            return try await request.body.collect(upTo: HTTPLimits.maximumBody)
        } catch is NIOTooManyBytesError {
            throw Refusal.tooLarge
        } catch {
            // The connection or the stream ended within the body: the peer's doing, and nothing for the log.
            throw Refusal.unfinished
        }
    }

    private func caller(of request: Request, for endpoint: Endpoint) async throws -> SignedIn? {
        let token = request.headers[.cookie].flatMap { SessionCookie.token(in: $0) }
        guard let token, let caller = try await signedIn(token) else {
            guard endpoint.access == .anyone else { throw Refusal.notSignedIn }
            return nil
        }
        guard endpoint.access != .owner || caller.person.role == .owner else { throw Refusal.notOwner }
        return caller
    }

    private func signedIn(_ token: Token) async throws -> SignedIn? {
        guard let (session, person) = try await store.session(token.hash) else { return nil }
        guard session.needsTouch(at: store.clock()) else { return SignedIn(person: person, session: session) }
        try await store.touch(session.id)
        return SignedIn(person: person, session: session, renewal: token)
    }

    /// A file of the page. Unknown paths are refused; under `/api/` a known path with another method is told apart.
    private func file(_ request: Request) throws -> Response {
        guard let response = configuration.files.response(to: request.uri.path, headers: request.headers) else {
            throw Refusal.notFound
        }
        return response
    }

    private func originRule(_ isSecure: Bool) -> OriginRule {
        OriginRule(publicOrigin: OriginRule.origin(of: configuration.publicURL), isSecure: isSecure)
    }

    /// The methods an address answers to; empty where there is nothing.
    func methods(at path: String) -> [String] {
        if path == "/api/openapi.json" || path == "/healthz" || path == "/metrics" { return ["GET", "HEAD"] }
        let methods = endpoints.filter { $0.matches(path) }.map { $0.method.rawValue }
        if methods.isEmpty, configuration.files.response(to: path, headers: [:]) != nil { return ["GET", "HEAD"] }
        return methods.contains("GET") ? methods + ["HEAD"] : methods
    }

    // MARK: - For the endpoints

    func withRandom<Value>(_ body: (inout RandomSource) -> sending Value) -> Value {
        random.withLock { body(&$0) }
    }

    /// A generator for what is made inside the store's transaction: an id and a token.
    func fork() -> RandomSource {
        random.withLock { source in
            let fork = source
            // A seeded generator must not give the same numbers again: it skips more than a fork draws.
            _ = source.bytes(count: 256)
            return fork
        }
    }

    /// Charges a try to prove something, or refuses it unseen.
    func admitTry(_ name: UserName, from address: IPAddress) throws {
        let now = configuration.clock()
        guard case .wait(let duration) = guesses.withLock({ $0.admit(name, from: address, at: now) }) else { return }
        counters.count(.slowedDown)
        throw Refusal.tooManyTries(duration)
    }

    func trySucceeded(_ name: UserName, from address: IPAddress) {
        let now = configuration.clock()
        guesses.withLock { $0.succeeded(name, from: address, at: now) }
        counters.count(.provedRight)
    }
}

extension Response {
    static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
