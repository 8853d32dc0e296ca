import Accounts
import HTTPTypes

/// A browser that has shown a session's cookie.
package struct SignedIn: Sendable {
    package var person: Person
    package var session: Session
    /// The cookie's secret when its 90 days begin again with this request; the answer then sets the cookie anew.
    var renewal: Token?
}

/// The cookie that carries a session's token.
enum SessionCookie {
    static let name = "hearth_session"

    /// Reads the token from a Cookie header (RFC 6265 §4.2.1). Of several the first that can be a token counts.
    static func token(in header: some StringProtocol) -> Token? {
        for pair in header.split(separator: ";") {
            let trimmed = pair.drop { $0 == " " }
            guard trimmed.hasPrefix(name + "="), let token = Token(parsing: trimmed.dropFirst(name.count + 1)) else {
                continue
            }
            return token
        }
        return nil
    }

    /// The Set-Cookie header's value: out of scripts' reach, and never sent along by another site.
    static func set(_ token: Token, isSecure: Bool) -> String {
        "\(name)=\(token.text); Path=/; Max-Age=\(Session.lifetime.components.seconds); HttpOnly; SameSite=Strict"
            + (isSecure ? "; Secure" : "")
    }

    static func clear(isSecure: Bool) -> String {
        "\(name)=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "")
    }
}
