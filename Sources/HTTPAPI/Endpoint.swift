import Accounts
import Base
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Store

/// One operation of the JSON interface: what the router serves and what `/api/openapi.json` tells.
struct Endpoint: Sendable {
    /// Who may ask.
    enum Access: Sendable {
        case anyone
        case signedIn
        case owner
    }

    /// A parameter in the query.
    struct Query: Sendable {
        var name: String
        var about: String
    }

    var method: HTTPRequest.Method
    /// With parameters in braces, as OpenAPI writes them: `/api/join/{token}`.
    var path: String
    var summary: String
    var access: Access
    var query: [Query] = []
    /// The schema of the body, by its name among the components.
    var body: String?
    var status: HTTPResponse.Status
    /// The schema of the answer; nil where there is no body.
    var answer: String?
    /// Codes of refusals of its own, beside those that every operation of its kind has.
    var refusals: [Refusal] = []
    var handle: @Sendable (Call) async throws -> Answer

    /// Whether it changes something, so that other sites must not be able to cause it.
    var isUnsafe: Bool { method != .get && method != .head }

    /// The path as the router wants it: `/api/join/:token`.
    var routerPath: RouterPath {
        RouterPath(path.replacing("{", with: ":").replacing("}", with: ""))
    }

    /// Whether a request's path is this one's, whatever the method.
    func matches(_ requested: String) -> Bool {
        let own = path.split(separator: "/", omittingEmptySubsequences: false)
        let other = requested.split(separator: "/", omittingEmptySubsequences: false)
        return own.count == other.count && zip(own, other).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
    }
}

/// One request to an endpoint, after everything that is checked before it.
struct Call: Sendable {
    let interface: HTTPInterface
    let isSecure: Bool
    let request: Request
    let context: HearthContext
    /// The collected body; empty where the endpoint has none.
    let body: ByteBuffer
    /// Whoever asks; nil only where anyone may ask.
    let caller: SignedIn?

    var store: HouseholdStore { interface.store }
    var configuration: HTTPInterface.Configuration { interface.configuration }

    /// The peer, for slowing down.
    var address: IPAddress { context.remote ?? .v4(0) }

    func signedIn() throws -> SignedIn {
        guard let caller else { throw Refusal.notSignedIn }
        return caller
    }

    func parameter(_ name: String) throws -> String {
        guard let value = context.parameters.get(name) else { throw Refusal.notFound }
        return value
    }

    func query(_ name: String) throws -> String {
        guard let value = request.uri.queryParameters[Substring(name)] else {
            throw Refusal.badJSON("the query parameter “\(name)” is missing")
        }
        return String(value)
    }

    /// The user name in the path. What cannot be a name is nobody's.
    func userName() throws -> UserName {
        guard let name = try? UserName(parsing: parameter("userName")) else { throw Refusal.notFound }
        return name
    }

    /// The body as JSON.
    func decode<Message: Decodable>(_ type: Message.Type) throws -> Message {
        do {
            return try JSONDecoder().decode(type, from: Data(body.readableBytesView))
        } catch let error as DecodingError {
            throw Refusal.badJSON(Self.words(for: error))
        }
    }

    private static func words(for error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "the body" : "“" + path.map(\.stringValue).joined(separator: ".") + "”"
        }
        return switch error {
        case .keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing"
        case .typeMismatch(_, let context): "\(place(context.codingPath)) has the wrong type"
        case .valueNotFound(_, let context): "\(place(context.codingPath)) is null"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty ? "it is not JSON" : "\(place(context.codingPath)): \(context.debugDescription)"
        @unknown default: "it cannot be read"
        }
    }

    /// The headers' User-Agent.
    var userAgent: String { request.headers[.userAgent] ?? "" }
}

/// What an endpoint answers when it does not refuse.
struct Answer: Sendable {
    var json: Data?
    /// Sets the session's cookie, or takes it away.
    var cookie: Cookie = .unchanged

    enum Cookie: Sendable {
        case unchanged
        case set(Token)
        case clear
    }

    static let empty = Answer(json: nil)

    init(json: Data?) { self.json = json }

    init(_ message: some Encodable, cookie: Cookie = .unchanged) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        json = try encoder.encode(message)
        self.cookie = cookie
    }

    func with(cookie: Cookie) -> Answer {
        var answer = self
        answer.cookie = cookie
        return answer
    }
}
