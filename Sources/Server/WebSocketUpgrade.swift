import Base
import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import SIP
import SocketIO

/// What a WebSocket handshake for SIP must be (RFC 7118 §3, RFC 6455 §4.2), and why one is refused.
struct WebSocketUpgrade: Sendable {
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

    /// The 101 answer's headers to a handshake that is not refused.
    func responseHeaders(to head: HTTPRequestHead) -> HTTPHeaders {
        [
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Protocol": "sip",
            "Sec-WebSocket-Accept": Self.accept(head.headers.first(name: "sec-websocket-key") ?? ""),
        ]
    }

    /// RFC 6455 §4.2.2 step 5.
    static func accept(_ key: String) -> String {
        let joined = Data((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
        return Data(Insecure.SHA1.hash(data: joined)).base64EncodedString()
    }

    /// Who signed in on the page that opens the connection; nil for a phone like any other.
    func owner(of head: HTTPRequestHead) async -> FlowOwner? {
        guard let header = sessionCookie(head) else { return nil }
        return await signedIn(header)
    }

    /// The Cookie header when it holds a session; HTTPAPI names that cookie.
    private func sessionCookie(_ head: HTTPRequestHead) -> String? {
        let header = head.headers["cookie"].joined(separator: "; ")
        return header.contains("hearth_session=") ? header : nil
    }
}

/// Decides at the first request of an HTTP/1.1 connection: SIP over WebSocket, or HTTP for good.
///
///     waiting ── GET /sip ──▶ handshake ── answered 101 ──▶ WebSocketHandler alone in the pipeline
///        └────── another ───▶ the HTTP handlers that `otherwise` adds
///
/// Browsers open a WebSocket on a connection of its own, so later requests are not looked at.
final class FirstRequest: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case waiting
        /// A handshake whose end has not come, or whose session is being looked up.
        case handshake(HTTPRequestHead)
        case decided
    }

    private let upgrade: WebSocketUpgrade
    private let httpHandlers: [any RemovableChannelHandler]
    private let otherwise: (any Channel) throws -> Void
    private var state = State.waiting

    /// - Parameters:
    ///   - httpHandlers: what must go when the connection becomes a WebSocket; the decoder last.
    ///   - otherwise: adds the handlers that serve HTTP.
    init(
        _ upgrade: WebSocketUpgrade, httpHandlers: [any RemovableChannelHandler],
        otherwise: @escaping (any Channel) throws -> Void
    ) {
        (self.upgrade, self.httpHandlers, self.otherwise) = (upgrade, httpHandlers, otherwise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (state, unwrapInboundIn(data)) {
        case (.waiting, .head(let head)):
            guard head.uri.prefix(while: { $0 != "?" }) == WebSocketUpgrade.path else {
                return serveHTTP(context, data)
            }
            if let refusal = upgrade.refusal(of: head, on: context.channel) { return refuse(refusal, context) }
            state = .handshake(head)
        case (.handshake(let head), .end): shakeHands(head, context)
        case (.handshake, .body): refuse(.notWebSocket, context)
        case (.decided, _): context.fireChannelRead(data)
        default: break
        }
    }

    private func serveHTTP(_ context: ChannelHandlerContext, _ data: NIOAny) {
        state = .decided
        do {
            try otherwise(context.channel)
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }

    private func refuse(_ refusal: WebSocketUpgrade.Refusal, _ context: ChannelHandlerContext) {
        state = .decided
        let words = ByteBuffer(string: refusal.words + "\n")
        var headers: HTTPHeaders = [
            "Content-Type": "text/plain; charset=utf-8", "Content-Length": String(words.readableBytes),
            "Connection": "close",
        ]
        if refusal.status == .upgradeRequired {
            headers.replaceOrAdd(name: "Upgrade", value: "websocket")
            headers.replaceOrAdd(name: "Sec-WebSocket-Version", value: "13")
        }
        let head = HTTPResponseHead(version: .http1_1, status: refusal.status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(words))), promise: nil)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }

    private func shakeHands(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let (upgrade, channel) = (self.upgrade, context.channel)
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        context.eventLoop.makeFutureWithTask { await upgrade.owner(of: head) }.whenComplete { result in
            guard case .success(let owner) = result, channel.isActive else { return channel.close(promise: nil) }
            bound.value.handler.becomeWebSocket(head, owner, bound.value.context)
        }
    }

    private func becomeWebSocket(_ head: HTTPRequestHead, _ owner: FlowOwner?, _ context: ChannelHandlerContext) {
        state = .decided
        let answer = HTTPResponseHead(
            version: .http1_1, status: .switchingProtocols, headers: upgrade.responseHeaders(to: head))
        context.write(wrapOutboundOut(.head(answer)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        let pipeline = context.pipeline.syncOperations
        do {
            try pipeline.addHandler(WebSocketHandler(hub: upgrade.hub, transport: upgrade.transport, user: owner))
        } catch {
            return context.close(promise: nil)
        }
        // The decoder goes last: it hands what it holds, the first frames, to whoever stands behind it then.
        pipeline.removeHandler(context: context, promise: nil)
        for handler in httpHandlers.dropLast() { pipeline.removeHandler(handler, promise: nil) }
        guard let decoder = httpHandlers.last else { return }
        let removed = context.eventLoop.makePromise(of: Void.self)
        pipeline.removeHandler(decoder, promise: removed)
        let channel = context.channel
        removed.futureResult.whenSuccess { channel.pipeline.fireChannelReadComplete() }
    }
}
