import Foundation
import HTTPTypes
import Testing

@testable import HTTPAPI

@Suite struct StaticFilesTests {
    @Test(arguments: Wire.allCases) func `the page and its files have their types`(wire: Wire) async throws {
        try await House().serve(wire) { client in
            let browser = Browser(client)
            for (path, type) in [
                ("/", "text/html; charset=utf-8"), ("/join/abc", "text/html; charset=utf-8"),
                ("/c/abc", "text/html; charset=utf-8"), ("/index.html", "text/html; charset=utf-8"),
                ("/app.js", "text/javascript; charset=utf-8"), ("/phone/hearth.wasm", "application/wasm"),
                ("/styles/page.css", "text/css; charset=utf-8"), ("/icon.svg", "image/svg+xml"),
                ("/hearth.webmanifest", "application/manifest+json"),
            ] {
                let exchange = try await browser.get(path)
                #expect(exchange.status == 200 && exchange.headers[.contentType] == type, "\(path)")
                #expect(exchange.headers[.cacheControl] == "no-cache" && exchange.headers[.eTag] != nil, "\(path)")
                let head = try await browser.send(.head, path)
                #expect(head.status == 200 && head.bytes.count == 0, "\(path)")
                #expect(head.headers[.contentLength] == String(exchange.bytes.count), "\(path)")
            }
        }
    }

    @Test(arguments: [
        "/../Package.swift", "/..%2fPackage.swift", "/phone/../app.js", "//app.js", "/app.js/", "/APP.JS", "/phone/",
        "/phone", "/join/", "/join", "/join/a/b", "/c/", "/c/../app.js", "/%61pp.js", "/app.js%00", "/.git/config",
        "/hearth.sqlite", "/join/app.js",
    ])
    func `no other path finds anything`(path: String) async throws {
        try await House().serve(.router) { client in
            let exchange = try await Browser(client).get(path)
            #expect(exchange.status == 404 && exchange.code == "not-found")
        }
    }

    @Test(arguments: Wire.allCases) func `files are compressed for whoever understands it`(wire: Wire) async throws {
        try await House().serve(wire) { client in
            func get(_ path: String, _ encoding: String?) async throws -> Exchange {
                try await Browser(client).send(.get, path) { $0[.acceptEncoding] = encoding }
            }
            let plain = try await get("/app.js", nil)
            #expect(plain.headers[.contentEncoding] == nil && plain.headers[.vary] == "Accept-Encoding")
            #expect(plain.bytes.count == 2600)
            for encoding in ["gzip", "br, gzip", "GZIP;q=0.5", "*", "deflate, *;q=0.1"] {
                let packed = try await get("/app.js", encoding)
                #expect(packed.headers[.contentEncoding] == "gzip" && packed.headers[.vary] == "Accept-Encoding")
                #expect(packed.headers[.eTag] != plain.headers[.eTag])
                #expect(packed.bytes.count < 200)
                #expect(Array(packed.bytes.prefix(3)) == [0x1f, 0x8b, 8])
            }
            for encoding in ["br", "identity", "gzip;q=0", "gzip; q=0.000", "*;q=0", "gzip;q=0, *"] {
                #expect(try await get("/app.js", encoding).headers[.contentEncoding] == nil, "\(encoding)")
            }
            // Too small to gain.
            #expect(try await get("/styles/page.css", "gzip").headers[.contentEncoding] == nil)
        }
    }

    @Test(arguments: Wire.allCases) func `an unchanged file costs no second transfer`(wire: Wire) async throws {
        try await House().serve(wire) { client in
            func get(_ match: String, _ encoding: String? = nil) async throws -> Exchange {
                try await Browser(client).send(.get, "/app.js") {
                    $0[.ifNoneMatch] = match
                    $0[.acceptEncoding] = encoding
                }
            }
            let first = try await get("\"other\"")
            #expect(first.status == 200)
            let tag = try #require(first.headers[.eTag])
            for match in [tag, "W/\(tag)", "\"a\", \(tag)", "*"] {
                let again = try await get(match)
                #expect(again.status == 304 && again.bytes.count == 0 && again.headers[.eTag] == tag)
            }
            #expect(try await get(tag, "gzip").status == 200)
        }
    }

    @Test func `gzip gives back what went in`() throws {
        let bytes = Array(String(repeating: "Hearth ", count: 1000).utf8)
        let packed = try #require(Gzip.compress(bytes))
        // CRC-32 and length stand at the end (RFC 1952 §2.3.1); zlib's own inflate is what browsers use.
        let length = packed.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(length == bytes.count && packed.count < 100)
        #expect(Gzip.compress([1, 2, 3]) == nil)
        #expect(Gzip.compress([]) == nil)
    }
}
