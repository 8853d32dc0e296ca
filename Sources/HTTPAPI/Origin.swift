import HTTPTypes

/// Which requests come from our own page (Fetch standard, “Origin” header; RFC 6454).
struct OriginRule: Sendable {
    /// `https://home.example` from --public-url: what a reverse proxy in front is called.
    let publicOrigin: String
    let isSecure: Bool

    /// Whether a request that changes something may proceed.
    ///
    /// Browsers leave the origin out of some requests of pages that send no referrer; Sec-Fetch-Site, which scripts
    /// cannot write either, then says the same.
    func allows(_ headers: HTTPFields, authority: String?) -> Bool {
        if let origin = headers[.origin], origin != "null" { return isOwn(origin, authority: authority) }
        return headers[.secFetchSite] == "same-origin"
    }

    /// Whether an Origin header names the host the request was sent to, or the public URL.
    func isOwn(_ origin: String, authority: String?) -> Bool {
        let origin = origin.lowercased()
        if origin == publicOrigin { return true }
        guard let authority = authority?.lowercased(), !authority.isEmpty else { return false }
        let scheme = isSecure ? "https" : "http"
        return origin == "\(scheme)://\(Self.withoutDefaultPort(authority, isSecure: isSecure))"
    }

    private static func withoutDefaultPort(_ authority: String, isSecure: Bool) -> Substring {
        let suffix = isSecure ? ":443" : ":80"
        return authority.hasSuffix(suffix) ? authority.dropLast(suffix.count) : authority[...]
    }

    /// The origin of a URL: its scheme and authority in small letters, without default port, path or slash.
    static func origin(of url: String) -> String {
        let lowered = url.lowercased()
        guard let scheme = lowered.firstRange(of: "://") else { return lowered }
        let authority = String(lowered[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" })
        let isSecure = lowered.hasPrefix("https:")
        return String(lowered[..<scheme.upperBound]) + withoutDefaultPort(authority, isSecure: isSecure)
    }
}

extension HTTPField.Name {
    static let secFetchSite = fieldName("Sec-Fetch-Site")
    static let hearth = fieldName("X-Hearth")

    /// A name that is written in this program and so can be one.
    static func fieldName(_ literal: StaticString) -> HTTPField.Name {
        guard let name = HTTPField.Name(literal.description) else { preconditionFailure("\(literal) is no field name") }
        return name
    }
}
