import HTTPTypes
import Hummingbird

/// Headers that every answer carries, whatever it is: they cost little, and an answer that forgets them is a hole.
struct SecurityHeaders: RouterMiddleware {
    let isSecure: Bool

    func handle(
        _ request: Request, context: HearthContext, next: (Request, HearthContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        add(to: &response.headers, authority: request.head.authority)
        return response
    }

    func add(to headers: inout HTTPFields, authority: String?) {
        headers[.contentSecurityPolicy] = policy(authority: authority)
        headers[.xContentTypeOptions] = "nosniff"
        headers[.referrerPolicy] = "no-referrer"
        headers[.permissionsPolicy] =
            "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), autoplay=(self), "
            + "screen-wake-lock=(self), geolocation=(), payment=(), usb=()"
        headers[.crossOriginOpenerPolicy] = "same-origin"
        headers[.crossOriginResourcePolicy] = "same-origin"
        // HSTS covers a host's every port (RFC 6797 §8.3), so it is said only where we have the default one: on 8443 it
        // would turn the plain redirect on 8080, and whatever else the host serves, into addresses nobody answers.
        if isSecure, let authority, !authority.contains(":"), authority.lowercased() != "localhost" {
            headers[.strictTransportSecurity] = "max-age=31536000"
        }
    }

    /// Content Security Policy Level 3, without any `unsafe-`: only our own files, and no frames around us.
    private func policy(authority: String?) -> String {
        var connect = "'self'"
        // Some browsers do not count WebSockets to the same host as 'self'.
        if let authority, Self.isPlain(authority) {
            connect += " wss://\(authority)"
            if !isSecure { connect += " ws://\(authority)" }
        }
        return "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src \(connect); "
            + "img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; manifest-src 'self'; "
            + "worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    }

    /// Whether an authority from the peer may stand in a header of ours: host and port, nothing that ends a directive.
    private static func isPlain(_ authority: String) -> Bool {
        authority.utf8.count <= 255
            && authority.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x3a, 0x5b, 0x5d: true
                default: false
                }
            }
    }
}

extension HTTPField.Name {
    static let referrerPolicy = fieldName("Referrer-Policy")
    static let permissionsPolicy = fieldName("Permissions-Policy")
    static let crossOriginOpenerPolicy = fieldName("Cross-Origin-Opener-Policy")
    static let crossOriginResourcePolicy = fieldName("Cross-Origin-Resource-Policy")
}
