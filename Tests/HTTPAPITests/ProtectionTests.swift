import Base
import Foundation
import HTTPTypes
import Testing

@testable import HTTPAPI

@Suite struct ProtectionTests {
    @Test func `every change needs our origin and our header`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            _ = try await house.owner(client)
            for endpoint in Endpoint.all where endpoint.isUnsafe {
                let path = endpoint.path.replacing("{userName}", with: "anna").replacing("{id}", with: "x")
                for origin in [
                    "https://evil.example", "http://localhost:81", "https://localhost", "null", "", "localhost",
                ] {
                    let exchange = try await Browser(client, origin: origin).send(
                        endpoint.method, path, Data("{}".utf8))
                    #expect(exchange.status == 403 && exchange.code == "bad-origin", "\(endpoint.method) \(path)")
                }
                let missing = try await Browser(client).send(endpoint.method, path, Data("{}".utf8)) {
                    $0[.hearth] = nil
                }
                #expect(missing.status == 403 && missing.code == "missing-header", "\(endpoint.method) \(path)")
            }
        }
    }

    @Test(
        arguments: [
            ("http://localhost", nil, 204), ("HTTP://LOCALHOST", nil, 204), ("https://home.example:8443", nil, 204),
            (nil, "same-origin", 204), ("null", "same-origin", 204), (nil, "cross-site", 403), (nil, "same-site", 403),
            (nil, nil, 403), ("https://evil.example", "same-origin", 403),
        ] as [(String?, String?, Int)])
    func `our own page may`(origin: String?, site: String?, status: Int) async throws {
        let house = try House()
        try await house.serve(.router) { client in
            let cookie = try await house.owner(client).cookieHeader
            let exchange = try await Browser(client, origin: origin, cookie: cookie).send(.delete, "/api/session") {
                $0[.secFetchSite] = site
            }
            #expect(exchange.status == status)
        }
    }

    @Test(arguments: [
        ("https://home.example", "home.example", true, true), ("https://home.example", "home.example:443", true, true),
        ("http://home.example", "home.example", true, false), ("https://home.example", "home.example", false, false),
        ("https://home.example:1", "home.example", true, false),
        ("https://public.example", "10.0.0.1:8443", true, true),
        ("https://public.example.evil", "10.0.0.1:8443", true, false), ("https://", "", true, false),
        ("http://[::1]:8080", "[::1]:8080", false, true),
    ])
    func `origins are compared whole`(origin: String, authority: String, secure: Bool, isOwn: Bool) {
        let rule = OriginRule(publicOrigin: OriginRule.origin(of: "HTTPS://Public.example:443/x"), isSecure: secure)
        #expect(rule.isOwn(origin, authority: authority) == isOwn)
    }

    @Test(arguments: Wire.allCases) func `bodies have a kind and a size`(wire: Wire) async throws {
        let house = try House()
        try await house.serve(wire) { client in
            for type in [nil, "text/plain", "application/jsonp", "multipart/form-data; boundary=x"] {
                let exchange = try await Browser(client).send(.post, "/api/session", Data("{}".utf8)) {
                    $0[.contentType] = type
                }
                #expect(exchange.status == 415 && exchange.code == "not-json")
            }
            let room = try await Browser(client).send(.post, "/api/session", Data(repeating: 0x20, count: 65_536)) {
                $0[.contentType] = "application/json; charset=utf-8"
            }
            #expect(room.status == 400 && room.code == "bad-json")
        }
        // One connection each: the server closes it rather than read on.
        try await house.serve(wire) { client in
            let large = try await Browser(client).send(.post, "/api/session", Data(repeating: 0x20, count: 65_537))
            #expect(large.status == 413 && large.code == "too-large")
        }
    }

    @Test func `an address that exists answers to its methods`() async throws {
        try await House().serve(.router) { client in
            let browser = Browser(client)
            let exchange = try await browser.send(.put, "/api/session", Data("{}".utf8))
            #expect(exchange.status == 405 && exchange.code == "method-not-allowed")
            #expect(exchange.headers[.allow] == "POST, DELETE")
            #expect(try await browser.get("/api/session").status == 405)
            #expect(try await browser.send(.post, "/").headers[.allow] == "GET, HEAD")
            #expect(try await browser.send(.delete, "/healthz").status == 405)
            for path in ["/api", "/api/", "/api/nothing", "/api/join", "/api/people/anna/more"] {
                let nothing = try await browser.get(path)
                #expect(nothing.status == 404 && nothing.code == "not-found", "\(path)")
            }
        }
    }

    @Test func `HSTS is said on the default port of a real host`() {
        func strictness(_ authority: String?, secure: Bool) -> String? {
            var headers = HTTPFields()
            SecurityHeaders(isSecure: secure).add(to: &headers, authority: authority)
            return headers[.strictTransportSecurity]
        }
        #expect(strictness("home.example", secure: true) == "max-age=31536000")
        #expect(strictness("home.example", secure: false) == nil)
        #expect(strictness("home.example:8443", secure: true) == nil)
        #expect(strictness("localhost", secure: true) == nil)
        #expect(strictness(nil, secure: true) == nil)
    }

    @Test func `the policy names the host's WebSockets and nothing a peer made up`() {
        func policy(_ authority: String?, secure: Bool = true) -> String {
            var headers = HTTPFields()
            SecurityHeaders(isSecure: secure).add(to: &headers, authority: authority)
            return headers[.contentSecurityPolicy] ?? ""
        }
        #expect(policy("home.example:8443").contains("; connect-src 'self' wss://home.example:8443; "))
        #expect(policy("[::1]:8080", secure: false).contains("; connect-src 'self' wss://[::1]:8080 ws://[::1]:8080; "))
        for authority in [nil, "", "x; script-src *", "x y", "x'", "é", String(repeating: "a", count: 256)] {
            #expect(!policy(authority).contains("wss://x") && !policy(authority).contains("*"), "\(authority ?? "nil")")
        }
        #expect(policy("h").contains("script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "))
    }

    @Test func `metrics are for the machine itself`() async throws {
        try await House().serve(.router) { client in
            let exchange = try await Browser(client).get("/metrics")
            #expect(exchange.status == 403 && exchange.code == "loopback-only")
        }
        try await House().serve(.socket) { client in
            _ = try await Browser(client).get("/nothing")
            let exchange = try await Browser(client).get("/metrics")
            let text = exchange.text
            #expect(exchange.status == 200 && text.hasSuffix("hearth_test 1\n"))
            #expect(text.contains("hearth_http_responses_total{status=\"4xx\"} 1\n"))
        }
        try await House(tellsMetricsToAll: true).serve(.router) { client in
            let exchange = try await Browser(client).get("/metrics")
            #expect(exchange.status == 200)
        }
    }

    @Test(arguments: Wire.allCases) func `health is told to everybody`(wire: Wire) async throws {
        try await House().serve(wire) { client in
            let exchange = try await Browser(client).get("/healthz")
            #expect(exchange.status == 200 && exchange.text == "ok\n")
        }
    }

    /// Bodies made of the words of the interface, mangled: nothing a peer sends may be our mistake.
    @Test(arguments: 0..<4) func `any JSON gives a value or a refusal`(seed: UInt64) async throws {
        let house = try House()
        try await house.serve(.router) { client in
            let anna = try await house.owner(client)
            var random = RandomSource(seed: seed)
            for _ in 0..<300 {
                let endpoints = Endpoint.all.filter { $0.body != nil }
                guard let endpoint = endpoints.randomElement(using: &random) else { return }
                let path = endpoint.path.replacing("{userName}", with: "bob").replacing("{id}", with: "x")
                    .replacing("{token}", with: String(repeating: "A", count: 43))
                let exchange = try await anna.send(endpoint.method, path, Mangled.body(&random))
                #expect(exchange.status < 500, "seed \(seed): \(endpoint.method) \(path)")
            }
        }
    }
}

/// JSON that is nearly right, or not at all.
enum Mangled {
    private static let names = [
        "userName", "fullName", "salt", "auth", "keys", "signingPublic", "agreementPublic", "wrapped", "recovery", "iv",
        "data", "recoveryAuth", "currentAuth", "label", "role",
    ]

    static func body(_ random: inout RandomSource) -> Data {
        if Int.random(in: 0..<8, using: &random) == 0 { return Data(random.bytes(count: 40)) }
        var text = value(&random, depth: 0)
        if Int.random(in: 0..<6, using: &random) == 0 { text = String(text.dropLast(3)) }
        if Int.random(in: 0..<40, using: &random) == 0 { text = String(repeating: "[", count: 5000) }
        return Data(text.utf8)
    }

    private static func value(_ random: inout RandomSource, depth: Int) -> String {
        guard depth > 0, depth < 4 else { return depth == 0 ? object(&random, depth: 1) : "null" }
        switch Int.random(in: 0..<10, using: &random) {
        case 0: return "null"
        case 1: return "true"
        case 2: return "-1e999"
        case 3: return "[" + value(&random, depth: depth + 1) + "]"
        case 4, 5: return object(&random, depth: depth + 1)
        case 6: return "\"\\ud800\""
        case 7: return "\"anna\""
        default:
            let count = [12, 16, 32, 65, 300].randomElement(using: &random) ?? 1
            return "\"\(Keys.bytes(count))\""
        }
    }

    private static func object(_ random: inout RandomSource, depth: Int) -> String {
        let members = names.filter { _ in Bool.random(using: &random) }
        return "{" + members.map { "\"\($0)\":" + value(&random, depth: depth) }.joined(separator: ",") + "}"
    }
}
