import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import HTTPAPI

/// Holds answers against the interface's own description: enough of JSON Schema 2020-12 for what stands in it.
enum Contract {
    static var document: [String: Any] { Document.shared.json }

    /// Read once and never changed, which `Any` cannot promise.
    private struct Document: @unchecked Sendable {
        static let shared = Document()
        let json: [String: Any]

        init() {
            let text = OpenAPI.document(Endpoint.all, version: "1.0").text
            let json = try? JSONSerialization.jsonObject(with: Data(text.utf8))
            self.json = json as? [String: Any] ?? [:]
        }
    }

    /// Records an issue for an answer the description does not foresee.
    static func check(_ method: HTTPRequest.Method, _ path: String, _ response: TestResponse, _ json: Any?) {
        checkHeaders(response, path)
        let bare = String(path.prefix { $0 != "?" })
        guard bare.hasPrefix("/api/"), bare != "/api/openapi.json",
            let endpoint = Endpoint.all.first(where: { $0.method == method && $0.matches(bare) })
        else { return }
        let place = "\(method.rawValue) \(endpoint.path) answers \(response.status.code)"
        let operation = value(document, "paths", endpoint.path, method.rawValue.lowercased())
        guard let described = value(operation, "responses", String(response.status.code)) as? [String: Any] else {
            Issue.record("\(place), which is not described: \(String(buffer: response.body))")
            return
        }
        let schema = value(described, "content", "application/json", "schema")
        #expect((schema == nil) == (response.body.readableBytes == 0), "\(place) with the wrong amount of body")
        if let schema { for problem in problems(json, schema, "body") { Issue.record("\(place): \(problem)") } }
    }

    private static func checkHeaders(_ response: TestResponse, _ path: String) {
        let headers = response.headers
        #expect(headers[.xContentTypeOptions] == "nosniff", "\(path)")
        #expect(headers[.referrerPolicy] == "no-referrer", "\(path)")
        #expect(headers[.crossOriginOpenerPolicy] == "same-origin", "\(path)")
        #expect(
            headers[.permissionsPolicy]?.contains("camera=(self), microphone=(self), display-capture=(self)") == true)
        let policy = headers[.contentSecurityPolicy] ?? ""
        #expect(policy.hasPrefix("default-src 'none'; ") && policy.hasSuffix("frame-ancestors 'none'"), "\(path)")
        #expect(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "\(path)")
    }

    static func value(_ json: Any?, _ path: String...) -> Any? {
        path.reduce(json) { value, name in (value as? [String: Any])?[name] }
    }

    /// What does not fit.
    static func problems(_ json: Any?, _ schema: Any, _ place: String) -> [String] {
        guard let schema = schema as? [String: Any] else { return ["\(place): the schema is no object"] }
        var found: [String] = []
        if let reference = schema["$ref"] as? String {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            guard let target = value(document, "components", "schemas", name) else {
                return ["\(reference) leads nowhere"]
            }
            found += problems(json, target, place)
        }
        for part in schema["allOf"] as? [Any] ?? [] { found += problems(json, part, place) }
        if let type = schema["type"] {
            let names = type as? [String] ?? [type as? String ?? ""]
            if !names.contains(where: { fits(json, $0) }) { found.append("\(place) is no \(names)") }
        }
        if let values = schema["enum"] as? [Any], !values.contains(where: { "\($0)" == "\(json ?? "nothing")" }) {
            found.append("\(place) is \(json ?? "nothing"), none of \(values)")
        }
        if let text = json as? String {
            if let least = schema["minLength"] as? Int, text.count < least { found.append("\(place) is too short") }
            if let most = schema["maxLength"] as? Int, text.count > most { found.append("\(place) is too long") }
        }
        for (index, item) in (json as? [Any] ?? []).enumerated() {
            if let items = schema["items"] { found += problems(item, items, "\(place)[\(index)]") }
        }
        if let object = json as? [String: Any] {
            let properties = schema["properties"] as? [String: Any] ?? [:]
            for name in schema["required"] as? [String] ?? [] where object[name] == nil {
                found.append("\(place).\(name) is missing")
            }
            for (name, value) in object {
                if let property = properties[name] {
                    found += problems(value, property, "\(place).\(name)")
                } else if schema["required"] != nil {
                    found.append("\(place).\(name) is not described")
                }
            }
        }
        return found
    }

    private static func fits(_ json: Any?, _ type: String) -> Bool {
        switch type {
        case "object": json is [String: Any]
        case "array": json is [Any]
        case "string": json is String
        case "integer": json is Int
        case "boolean": json is Bool
        case "null": json is NSNull
        default: false
        }
    }
}

@Suite struct ContractTests {
    @Test func `the description and the routes are the same`() throws {
        let house = try House()
        let routes = Set(
            house.interface.router(secure: true).routes.filter { $0.method != .head }
                .map { "\($0.method.rawValue) \($0.path.description)" }
                .filter { $0.contains(" /api/") && !$0.contains("openapi.json") })
        let paths = try #require(Contract.document["paths"] as? [String: [String: Any]])
        var described: Set<String> = []
        for (path, operations) in paths {
            for method in operations.keys { described.insert("\(method.uppercased()) \(path)") }
        }
        #expect(routes == described)
        #expect(described.count == 27)
    }

    @Test func `every operation has its own id, and every reference leads somewhere`() throws {
        let paths = try #require(Contract.document["paths"] as? [String: [String: [String: Any]]])
        let ids = paths.values.flatMap { $0.values.compactMap { $0["operationId"] as? String } }
        #expect(Set(ids).count == ids.count && ids.count == Endpoint.all.count)
        let schemas = try #require(Contract.value(Contract.document, "components", "schemas") as? [String: Any])
        let text = OpenAPI.document(Endpoint.all, version: "1.0").text
        for part in text.split(separator: "#/components/schemas/").dropFirst() {
            let name = String(part.prefix { $0 != "\"" })
            #expect(schemas[name] != nil, "\(name)")
        }
    }

    @Test(arguments: Wire.allCases) func `the description is served`(wire: Wire) async throws {
        try await House().serve(wire) { client in
            let exchange = try await Browser(client).get("/api/openapi.json")
            #expect(exchange.status == 200 && exchange["openapi"] == "3.1.0" && exchange["info.version"] == "1.0")
            #expect(exchange.headers[.contentType] == "application/json")
        }
    }

    @Test func `the checker finds what does not fit`() {
        let schema: [String: Any] = ["$ref": "#/components/schemas/Error"]
        #expect(Contract.problems(["error": ["code": "a", "message": "b"]], schema, "body").isEmpty)
        #expect(!Contract.problems(["error": ["code": 1, "message": "b"]], schema, "body").isEmpty)
        #expect(!Contract.problems(["error": ["code": "a"]], schema, "body").isEmpty)
        #expect(!Contract.problems(["error": ["code": "a", "message": "b", "more": 1]], schema, "body").isEmpty)
        #expect(!Contract.problems([1], schema, "body").isEmpty)
    }
}
