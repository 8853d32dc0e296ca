import Base
import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import SIP
import SocketIO

/// Turns `GET /sip` into a SIP connection (RFC 7118, RFC 6455 §4.2), and knows why it will not.
struct WebSocketUpgrade: NIOTypedHTTPServerProtocolUpgrader {
    static let path = "/sip"

    /// Why a handshake is refused, in words for whoever looks at the network tab.
    enum Refusal: Error {
        case notWebSocket
        case wrongVersion
        case noSubprotocol
        case foreignOrigin
        case notSecure

        var status: HTTPResponseStatus {
            switch self {
            case .notWebSocket, .wrongVersion: .upgradeRequired
            case .noSubprotocol: .badRequest
            case .foreignOrigin, .notSecure: .forbidden
            }
        }

        var words: String {
            switch self {
            case .notWebSocket: "This is a SIP over WebSocket address (RFC 7118). Open it as a WebSocket."
            case .wrongVersion: "Use WebSocket version 13 (RFC 6455)."
            case .noSubprotocol: "Offer the WebSocket subprotocol \"sip\" (RFC 7118)."
            case .notSecure: "Use the secure port, with wss instead of ws."
            case .foreignOrigin: "A page of another origin may not use the session of this one."
            }
        }
    }

    let supportedProtocol = "websocket"
    let requiredUpgradeHeaders = ["sec-websocket-key"]

    let hub: StreamHub
    let transport: SIPTransport
    /// On a plain port beside a secure one: only this machine's own programs may.
    let isRefusedInPlain: Bool
    /// Whether an Origin header names this server.
    let isOwnOrigin: @Sendable (_ origin: String, _ authority: String?) -> Bool
    /// Who is behind a Cookie header, or nil.
    let signedIn: @Sendable (_ cookieHeader: String) async -> FlowOwner?

    /// What is wrong with a handshake, or nil.
    func refusal(of head: HTTPRequestHead, on channel: any Channel) -> Refusal? {
        guard !isRefusedInPlain || Locality.isLoopback(channel) else { return .notSecure }
        guard head.method == .GET, head.headers.first(name: "upgrade")?.lowercased() == "websocket",
            let key = head.headers.first(name: "sec-websocket-key"), Data(base64Encoded: key)?.count == 16
        else { return .notWebSocket }
        guard head.headers.first(name: "sec-websocket-version") == "13" else { return .wrongVersion }
        guard head.headers[canonicalForm: "sec-websocket-protocol"].contains(where: { $0.lowercased() == "sip" }) else {
            return .noSubprotocol
        }
        // Without a session a page of anybody's is a phone like any other and must pass digest authentication.
        guard sessionCookie(head) != nil else { return nil }
        // Every browser says where the page that opens a WebSocket comes from.
        guard let origin = head.headers.first(name: "origin"), isOwnOrigin(origin, head.headers.first(name: "host"))
        else {
            return .foreignOrigin
        }
        return nil
    }

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest head: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        let path = head.uri.prefix { $0 != "?" }
        guard path == Self.path, refusal(of: head, on: channel) == nil,
            let key = head.headers.first(name: "sec-websocket-key")
        else {
            return channel.eventLoop.makeFailedFuture(Refusal.notWebSocket)
        }
        var headers = initialResponseHeaders
        headers.replaceOrAdd(name: "Upgrade", value: "websocket")
        headers.replaceOrAdd(name: "Sec-WebSocket-Accept", value: Self.accept(key))
        headers.replaceOrAdd(name: "Sec-WebSocket-Protocol", value: "sip")
        return channel.eventLoop.makeSucceededFuture(headers)
    }

    /// RFC 6455 §4.2.2 step 5.
    static func accept(_ key: String) -> String {
        let joined = Data((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
        return Data(Insecure.SHA1.hash(data: joined)).base64EncodedString()
    }

    func upgrade(channel: any Channel, upgradeRequest head: HTTPRequestHead) -> EventLoopFuture<Void> {
        let (hub, transport, signedIn) = (self.hub, self.transport, self.signedIn)
        let attach: @Sendable (FlowOwner?) -> EventLoopFuture<Void> = { user in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(
                    WebSocketHandler(hub: hub, transport: transport, user: user))
            }
        }
        guard let cookie = sessionCookie(head) else { return attach(nil) }
        return channel.eventLoop.makeFutureWithTask { await signedIn(cookie) }.flatMap(attach)
    }

    /// The Cookie header when it holds a session; HTTPAPI names that cookie.
    private func sessionCookie(_ head: HTTPRequestHead) -> String? {
        let header = head.headers["cookie"].joined(separator: "; ")
        return header.contains("hearth_session=") ? header : nil
    }
}
