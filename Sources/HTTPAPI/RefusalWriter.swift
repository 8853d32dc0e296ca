import Accounts
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Store

/// Turns whatever a handler throws into the JSON of `ErrorAnswer`, and counts every answer.
struct RefusalWriter: RouterMiddleware {
    let interface: HTTPInterface
    let logger: Logger

    func handle(
        _ request: Request, context: HearthContext, next: (Request, HearthContext) async throws -> Response
    ) async throws -> Response {
        let response: Response
        do {
            response = try await next(request, context)
        } catch let error as CancellationError {
            throw error
        } catch {
            response = answer(refusal(for: error, request), request)
        }
        interface.counters.count(status: response.status.code)
        return response
    }

    private func refusal(for error: any Error, _ request: Request) -> Refusal {
        switch error {
        case let refusal as Refusal where refusal == .notFound: return unknownAddress(request) ?? refusal
        case let refusal as Refusal: return refusal
        case let error as AccountError: return Refusal(error)
        case let error as StoreError:
            logger.error("the store failed", metadata: ["reason": "\(error)"])
            return .storage
        case let error as HTTPError where error.status == .notFound: return unknownAddress(request) ?? .notFound
        case let error as HTTPError where error.status == .contentTooLarge: return .tooLarge
        case let error as HTTPError:
            return Refusal(
                error.status, "bad-request", "The request could not be understood. Reload the page and try again.")
        default:
            logger.error("a request failed", metadata: ["reason": "\(error)"])
            return .broken
        }
    }

    /// An address that exists, asked with a method it does not have.
    private func unknownAddress(_ request: Request) -> Refusal? {
        let methods = interface.methods(at: request.uri.path)
        return methods.isEmpty || methods.contains(request.method.rawValue) ? nil : .methodNotAllowed(methods)
    }

    private func answer(_ refusal: Refusal, _ request: Request) -> Response {
        var headers: HTTPFields = [.cacheControl: "no-store", .contentType: "application/json"]
        if let seconds = refusal.retryAfter { headers[.retryAfter] = String(seconds) }
        // RFC 9110 §11.6.1 asks for a challenge with every 401; browsers show nothing for a scheme they do not know.
        if refusal.status == .unauthorized { headers[.wwwAuthenticate] = "Hearth-Session realm=\"hearth\"" }
        if refusal.status == .methodNotAllowed {
            headers[.allow] = interface.methods(at: request.uri.path).joined(separator: ", ")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = (try? encoder.encode(ErrorAnswer(refusal))) ?? Data()
        return Response(
            status: refusal.status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
    }
}
