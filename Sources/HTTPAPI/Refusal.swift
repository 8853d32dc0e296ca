import Accounts
import HTTPTypes

/// Why a request was refused: a status for machines, a code for programs, and words for the person who sees it.
struct Refusal: Error, Equatable {
    var status: HTTPResponse.Status
    var code: String
    var message: String
    /// Seconds, for the Retry-After header (RFC 9110 §10.2.3).
    var retryAfter: Int64?

    init(_ status: HTTPResponse.Status, _ code: String, _ message: String, retryAfter: Int64? = nil) {
        (self.status, self.code, self.message, self.retryAfter) = (status, code, message, retryAfter)
    }

    init(_ error: AccountError) {
        self.init(Self.status(of: error), error.code, error.message)
    }

    private static func status(of error: AccountError) -> HTTPResponse.Status {
        switch error {
        case .badUserName, .badFullName, .badLabel, .badKeys, .badSecret, .linkNeedsName, .linkHasName: .badRequest
        case .personUnknown, .linkUnknown, .phoneUnknown, .sessionUnknown: .notFound
        case .linkUsed, .linkExpired: .gone
        case .nameTaken, .lastOwner, .notJoined, .alreadyInvited, .tooManyLinks, .tooManyPhones, .labelTaken: .conflict
        }
    }

    static let notFound = Refusal(
        .notFound, "not-found", "There is nothing at this address. Check it for typing mistakes.")
    static let notSignedIn = Refusal(
        .unauthorized, "not-signed-in", "You are not signed in, or your session has ended. Sign in again.")
    static let notOwner = Refusal(
        .forbidden, "not-owner", "Only an owner of this household may do that. Ask one of them.")
    static let wrongPassword = Refusal(
        .unauthorized, "wrong-password",
        "The user name or the password is wrong. Try again, or use your recovery code if you forgot it.")
    static let wrongRecoveryCode = Refusal(
        .unauthorized, "wrong-recovery-code",
        "The user name or the recovery code is wrong. Check both, or ask an owner for a reset link.")
    static let badOrigin = Refusal(
        .forbidden, "bad-origin",
        "This request came from another site. Open Hearth's own page and try again. If a reverse proxy stands in between, "
            + "start Hearth with --public-url and the address people see.")
    static let missingHeader = Refusal(
        .forbidden, "missing-header", "The header “X-Hearth: 1” is missing. Reload the page and try again.")
    static let notJSON = Refusal(
        .unsupportedMediaType, "not-json", "The request must be JSON (Content-Type: application/json).")
    static let tooLarge = Refusal(
        .contentTooLarge, "too-large", "The request is larger than \(HTTPLimits.maximumBody / 1024) KiB.")
    static let unfinished = Refusal(
        .badRequest, "unfinished", "The request ended before all of it had come. Try again.")
    static let metricsElsewhere = Refusal(
        .forbidden, "loopback-only", "Metrics are told to programs on the server itself only. Ask from there.")
    static let storage = Refusal(
        .serviceUnavailable, "storage-failed",
        "The server could not store or read its data, so nothing was changed. Try again; if it stays so, see its log.",
        retryAfter: 5)
    static let broken = Refusal(
        .internalServerError, "internal", "Something went wrong in the server, and its log says what. Try again.")

    static func badJSON(_ what: String) -> Refusal {
        Refusal(.badRequest, "bad-json", "The request does not fit: \(what).")
    }

    static func methodNotAllowed(_ allowed: [String]) -> Refusal {
        Refusal(
            .methodNotAllowed, "method-not-allowed", "This address answers to \(allowed.joined(separator: ", ")) only.")
    }

    static func tooManyTries(_ wait: Duration) -> Refusal {
        let seconds = max(1, (wait.wholeMilliseconds + 999) / 1000)
        let words = seconds == 1 ? "a second" : seconds < 120 ? "\(seconds) seconds" : "\((seconds + 59) / 60) minutes"
        return Refusal(
            .tooManyRequests, "too-many-tries", "Too many wrong tries. Wait \(words), then try again.",
            retryAfter: seconds)
    }
}

/// The bounds of what a request may carry.
package enum HTTPLimits {
    /// The largest body: a join request takes about 3 KB, its two wrappings at their limits 12 KB; the rest is room.
    package static let maximumBody = 65_536
}
