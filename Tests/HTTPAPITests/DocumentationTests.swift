import Foundation
import HTTPTypes
import Testing

@testable import HTTPAPI

/// docs/protocol.md is for people; it may not say less or more than there is.
@Suite struct DocumentationTests {
    private let page: String

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        page = try String(contentsOf: root.appending(path: "docs/protocol.md"), encoding: .utf8)
    }

    @Test func `it has every operation, and says which are the owners'`() {
        let headings = Set(page.split(separator: "\n").filter { $0.hasPrefix("### `") }.map(String.init))
        let operations = Set(
            Endpoint.all.map { endpoint in
                "### `\(endpoint.method.rawValue) \(endpoint.path)`" + (endpoint.access == .owner ? " (owner)" : "")
            })
        #expect(headings == operations)
    }

    @Test func `it has every code with its status`() {
        var listed: [String: String] = [:]
        for row in page.split(separator: "\n") where row.hasPrefix("| ") {
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 3, Int(cells[0]) != nil else { continue }
            for code in cells[1].split(separator: " ") { listed[code.filter { $0 != "`" }] = cells[0] }
        }
        var answered = ["bad-request": "400", "loopback-only": "403", "method-not-allowed": "405"]
        for refusal in Endpoint.all.flatMap(OpenAPI.refusals) { answered[refusal.code] = String(refusal.status.code) }
        #expect(listed == answered)
    }
}
