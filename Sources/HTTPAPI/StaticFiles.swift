import Accounts
import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// One file of the page.
package struct StaticFile: Sendable {
    /// The path of its URL, such as `/phone/agent.js`.
    package var path: String
    package var bytes: [UInt8]
    /// The value of Content-Type.
    package var contentType: String

    package init(path: String, bytes: [UInt8], contentType: String) {
        (self.path, self.bytes, self.contentType) = (path, bytes, contentType)
    }
}

/// The page's files, read once at start and served from memory.
///
/// A request finds a file by comparing its whole path with the paths that were found at start, so that no path of a
/// request ever reaches the file system.
package struct StaticFiles: Sendable {
    /// One file as it is served.
    struct Asset: Sendable {
        var type: String
        var body: ByteBuffer
        /// Absent where compression gains nothing.
        var compressed: ByteBuffer?
        /// A strong validator (RFC 9110 §8.8.3): the hash of the bytes.
        var tag: String

        /// Another representation has another validator.
        var compressedTag: String { "\(tag.dropLast())-gz\"" }
    }

    /// Smaller files fit one packet either way.
    private static let smallestCompressed = 600

    private var assets: [String: Asset] = [:]

    /// - Parameter files: every file, by its path in URLs; the page itself is `/index.html`.
    package init(_ files: [StaticFile]) {
        for file in files {
            let hash = Array(SHA256.hash(data: file.bytes)).prefix(12)
            assets[file.path] = Asset(
                type: file.contentType, body: ByteBuffer(bytes: file.bytes),
                compressed: file.bytes.count >= Self.smallestCompressed && Self.isCompressible(file.contentType)
                    ? Gzip.compress(file.bytes).map { ByteBuffer(bytes: $0) } : nil,
                tag: "\"\(Base64URL.encode(hash))\"")
        }
    }

    /// The URLs that are served, for the log and tests.
    package var paths: [String] { assets.keys.sorted() }

    private static func isCompressible(_ type: String) -> Bool {
        switch type {
        case "image/png", "image/webp", "font/woff2", "audio/mpeg", "audio/ogg": false
        default: true
        }
    }

    // MARK: - Serving

    /// The answer to GET or HEAD; nil where there is no such file.
    ///
    /// `/`, `/join/TOKEN` and `/c/TOKEN` are the page. Browsers keep files but ask each time whether they still hold
    /// (`no-cache`), so that a new version is there at the next reload and an unchanged file costs a 304.
    func response(to path: String, headers: HTTPFields) -> Response? {
        guard let asset = assets[Self.isPage(path) ? "/index.html" : path] else { return nil }
        let compressed = Self.acceptsGzip(headers) ? asset.compressed : nil
        let tag = compressed == nil ? asset.tag : asset.compressedTag
        var fields: HTTPFields = [.eTag: tag, .cacheControl: "no-cache"]
        if asset.compressed != nil { fields[.vary] = "Accept-Encoding" }
        if let known = headers[.ifNoneMatch], Self.matches(known, tag) {
            return Response(status: .notModified, headers: fields)
        }
        fields[.contentType] = asset.type
        if compressed != nil { fields[.contentEncoding] = "gzip" }
        return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: compressed ?? asset.body))
    }

    private static func isPage(_ path: String) -> Bool {
        if path == "/" { return true }
        for prefix in ["/join/", "/c/"] where path.hasPrefix(prefix) {
            let token = path.dropFirst(prefix.count)
            return !token.isEmpty && !token.contains("/") && !token.contains(".")
        }
        return false
    }

    /// Accept-Encoding (RFC 9110 §12.5.3): `gzip` or `*`, unless its weight is 0.
    private static func acceptsGzip(_ headers: HTTPFields) -> Bool {
        guard let header = headers[.acceptEncoding] else { return false }
        var wildcard = false
        for item in header.lowercased().split(separator: ",") {
            let parts = item.split(separator: ";").map { $0.trimmingPrefix(while: { $0 == " " }) }
            guard let coding = parts.first?.prefix(while: { $0 != " " }) else { continue }
            let isRefused = parts.dropFirst().contains { parameter in
                guard parameter.hasPrefix("q=") else { return false }
                return !parameter.dropFirst(2).contains { ("1"..."9").contains($0) }
            }
            if coding == "gzip" { return !isRefused }
            if coding == "*" { wildcard = !isRefused }
        }
        return wildcard
    }

    /// If-None-Match (RFC 9110 §13.1.2) with weak comparison.
    private static func matches(_ header: String, _ tag: String) -> Bool {
        header.split(separator: ",").contains { item in
            let candidate = item.trimmingPrefix(while: { $0 == " " })
            let strong = candidate.hasPrefix("W/") ? candidate.dropFirst(2) : candidate
            return strong == tag || strong == "*"
        }
    }
}
