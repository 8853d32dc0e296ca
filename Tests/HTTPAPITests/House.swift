import Accounts
import Base
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Store
import Synchronization
import Testing

@testable import HTTPAPI

/// The two ways every test runs: straight into the router, and over a real socket.
enum Wire: CaseIterable, Sendable {
    case router
    case socket

    var setup: TestingSetup { self == .router ? .router : .live }
}

/// Clocks that tests turn: the time of day and the monotonic one.
final class TestClock: Sendable {
    private let elapsed = Mutex(Duration.zero)

    var wall: WallTime { WallTime(seconds: 1_800_000_000) + elapsed.withLock { $0 } }
    var monotonic: Instant { .zero + elapsed.withLock { $0 } }

    func advance(by duration: Duration) { elapsed.withLock { $0 += duration } }
}

/// A household in memory behind its HTTP interface.
struct House: Sendable {
    static let files = [
        StaticFile(
            path: "/index.html", bytes: Array("<!doctype html>\n".utf8), contentType: "text/html; charset=utf-8"),
        StaticFile(
            path: "/app.js", bytes: Array(String(repeating: "export const answer = 42;\n", count: 100).utf8),
            contentType: "text/javascript; charset=utf-8"),
        StaticFile(path: "/phone/hearth.wasm", bytes: [0, 0x61, 0x73, 0x6d], contentType: "application/wasm"),
        StaticFile(path: "/styles/page.css", bytes: Array("a{}".utf8), contentType: "text/css; charset=utf-8"),
        StaticFile(path: "/icon.svg", bytes: Array("<svg/>".utf8), contentType: "image/svg+xml"),
        StaticFile(path: "/hearth.webmanifest", bytes: Array("{}".utf8), contentType: "application/manifest+json"),
    ]

    let clock = TestClock()
    let store: HouseholdStore
    let interface: HTTPInterface

    init(tellsMetricsToAll: Bool = false) throws {
        let clock = clock
        store = try HouseholdStore.inMemory { clock.wall }
        let configuration = HTTPInterface.Configuration(
            domain: "home.example", publicURL: "https://home.example:8443", version: "1.0",
            phoneServer: HTTPInterface.PhoneServer(
                host: "home.example", transports: [(.udp, 5060), (.tcp, 5060), (.tls, 5061)]),
            files: StaticFiles(Self.files), tellsMetricsToAll: tellsMetricsToAll, metrics: { "hearth_test 1\n" },
            clock: { clock.monotonic }, random: RandomSource(seed: 5))
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        interface = HTTPInterface(
            store: store, configuration: configuration, secret: [UInt8](repeating: 9, count: 32), logger: logger)
    }

    /// Runs `body` with a client on the given wire.
    func serve(
        _ wire: Wire, secure: Bool = false, _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let application = Application(
            router: interface.router(secure: secure), configuration: .init(address: .hostname("localhost", port: 0)),
            logger: logger)
        try await application.test(wire.setup) { client in try await body(client) }
    }

    /// The owner, joined and signed in.
    func owner(_ client: any TestClientProtocol, _ name: String = "anna") async throws -> Browser {
        let fresh = try #require(try await store.makeOwnerLink(random: RandomSource(seed: 77)))
        let browser = Browser(client)
        var join = Keys(name).join
        join["userName"] = name
        join["fullName"] = name.uppercased()
        let answer = try await browser.post("/api/join/\(fresh.token.text)", join)
        #expect(answer.status == 201)
        return browser
    }

    /// A member, invited by the owner, joined and signed in.
    func member(_ client: any TestClientProtocol, _ name: String, by owner: Browser) async throws -> Browser {
        let link = try await owner.post("/api/invitations", ["userName": name, "fullName": name.uppercased()])
        #expect(link.status == 201)
        let browser = Browser(client)
        let token = try #require(link["url"].flatMap(Self.token))
        #expect(try await browser.post("/api/join/\(token)", Keys(name).join).status == 201)
        return browser
    }

    static func token(_ url: String) -> String? {
        url.split(separator: "/join/").last?.split(separator: "#").first.map(String.init)
    }
}

/// The keys and proofs of a person, the same each time for the same name and password.
struct Keys {
    let signing: [UInt8]
    let agreement: [UInt8]
    let auth: String
    let salt: String
    let recoveryAuth: String

    /// - Parameter password: any text; the proof is its hash, since the real derivation happens in browsers.
    init(_ name: String, password: String = "secret") {
        let seed = Array(SHA256.hash(data: Array("key \(name)".utf8)))
        // A hash below the order of P-256 is a private key; all but one in 2^32 are.
        signing =
            (try? P256.Signing.PrivateKey(rawRepresentation: seed)).map { Array($0.publicKey.x963Representation) } ?? []
        agreement = signing
        auth = Self.derived("auth \(name) \(password)")
        recoveryAuth = Self.derived("recovery \(name)")
        salt = Base64URL.encode(Array(SHA256.hash(data: Array("salt \(name) \(password)".utf8))).prefix(16))
    }

    static func derived(_ text: String) -> String { Base64URL.encode(Array(SHA256.hash(data: Array(text.utf8)))) }

    var wrapped: [String: any Sendable] { ["iv": Self.bytes(12), "data": Self.bytes(300)] }

    var recovery: [String: any Sendable] {
        ["salt": Self.bytes(16), "iv": Self.bytes(12), "data": Self.bytes(301), "auth": recoveryAuth]
    }

    var join: [String: any Sendable] {
        let keys: [String: any Sendable] = [
            "signingPublic": Base64URL.encode(signing), "agreementPublic": Base64URL.encode(agreement),
            "wrapped": wrapped, "recovery": recovery,
        ]
        return ["salt": salt, "auth": auth, "keys": keys]
    }

    static func bytes(_ count: Int) -> String { Base64URL.encode([UInt8](repeating: 7, count: count)) }
}

/// One exchange, as a test looks at it.
struct Exchange {
    let response: TestResponse
    let json: Any?

    var status: Int { response.status.code }
    var bytes: [UInt8] { Array(response.body.readableBytesView) }
    var text: String { String(buffer: response.body) }
    var headers: HTTPFields { response.headers }
    var code: String? { self["error.code"] }
    var message: String? { self["error.message"] }

    /// The text at a path of member names.
    subscript(path: String) -> String? { value(path) as? String }

    func value(_ path: String) -> Any? {
        path.split(separator: ".").reduce(json) { value, name in (value as? [String: Any])?[String(name)] }
    }

    var list: [[String: Any]] { json as? [[String: Any]] ?? [] }
}

/// A browser with its cookie, which says what browsers say. Every answer is held against `/api/openapi.json`.
final class Browser: Sendable {
    private let client: any TestClientProtocol
    private let cookie = Mutex<String?>(nil)
    let origin: String?

    init(_ client: any TestClientProtocol, origin: String? = "http://localhost", cookie: String? = nil) {
        (self.client, self.origin) = (client, origin)
        self.cookie.withLock { $0 = cookie }
    }

    var cookieHeader: String? { cookie.withLock { $0 } }

    func get(_ path: String) async throws -> Exchange { try await send(.get, path) }
    func delete(_ path: String) async throws -> Exchange { try await send(.delete, path) }

    func post(_ path: String, _ message: [String: any Sendable] = [:]) async throws -> Exchange {
        try await send(.post, path, JSONSerialization.data(withJSONObject: message))
    }

    func patch(_ path: String, _ message: [String: any Sendable]) async throws -> Exchange {
        try await send(.patch, path, JSONSerialization.data(withJSONObject: message))
    }

    /// - Parameter changing: the last word on the headers.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: Data? = nil,
        changing: (inout HTTPFields) -> Void = { _ in }
    ) async throws -> Exchange {
        var headers: HTTPFields = [.userAgent: "Test browser"]
        if method != .get && method != .head {
            headers[.hearth] = "1"
            headers[.contentType] = "application/json"
            headers[.origin] = origin
        }
        headers[.cookie] = cookieHeader
        changing(&headers)
        let response = try await client.execute(
            uri: path, method: method, headers: headers, body: body.map { ByteBuffer(bytes: $0) })
        if let set = response.headers[.setCookie] {
            let pair = String(set.prefix { $0 != ";" })
            cookie.withLock { $0 = pair.hasSuffix("=") ? nil : pair }
        }
        let json = try? JSONSerialization.jsonObject(
            with: Data(response.body.readableBytesView), options: .fragmentsAllowed)
        Contract.check(method, path, response, json)
        return Exchange(response: response, json: json)
    }
}
