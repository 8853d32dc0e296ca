import Base
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOSSL
import SIP
import SocketIO

/// The web port: TLS with ALPN, HTTP/2, HTTP/1.1 and the way from there to a WebSocket; or plain HTTP/1.1.
///
///     TCP ─▶ TLS ─▶ ALPN ─┬─ h2 ─▶ pace ──────────────────────▶ responder
///                         └─ http/1.1 ─▶ pace ─▶ upgrade? ─┬──▶ responder
///                                                          └──▶ SIP over WebSocket
///
/// A connection that became a WebSocket keeps none of the HTTP handlers and no task.
struct WebListener: Sendable {
    /// The largest request head: browsers' are 1 to 2 KB, with large cookies 8.
    private static let maximumHead = 16_384
    private static let maximumHeaderCount = 100

    let hub: StreamHub
    let upgrade: WebSocketUpgrade
    let responder: HTTPChannelHandler.Responder
    let logger: Logger

    /// Listens; with a TLS context for HTTPS, without for HTTP.
    func listen(_ address: TransportAddress, tls: TLSContextSource?) async throws -> any Channel {
        try await StreamListener(hub: hub).listen(address) { channel in
            guard let tls else { return try setUpHTTP1(channel) }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls()))
            try channel.pipeline.syncOperations.addHandler(
                HandshakeGate(time: hub.limits.handshakeTime) { channel, chosen in
                    if chosen == "h2" {
                        setUpHTTP2(channel)
                    } else {
                        try setUpHTTP1(channel)
                    }
                })
        }
    }

    private func setUpHTTP2(_ channel: any Channel) {
        let idle = hub.limits.httpIdleTime
        let pace = NIOLoopBound(
            HTTP2Pace(channel, limits: hub.limits, logger: logger), eventLoop: channel.eventLoop)
        let http2 = HTTP2Channel(
            responder: responder,
            configuration: .init(
                idleTimeout: idle, gracefulCloseTimeout: hub.limits.closeTime,
                streamConfiguration: .init(
                    additionalChannelHandlers: [pace.value.streamHandler()], idleTimeout: TimeAmount(idle))))
        let logger = self.logger
        http2.setup(channel: channel, logger: logger).whenComplete { result in
            switch result {
            case .success(let value): Task { await http2.handle(value: value, logger: logger) }
            case .failure: channel.close(promise: nil)
            }
        }
    }

    private func setUpHTTP1(_ channel: any Channel) throws {
        let http1 = PlainHTTP1(responder: responder)
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderFieldSize = Self.maximumHead
        decoderLimits.maxHeaderListSize = Self.maximumHead
        decoderLimits.maxHeaderFieldCount = Self.maximumHeaderCount
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: decoderLimits))
        let pace = RequestPace(limits: hub.limits, logger: logger)
        let (logger, isSecure) = (self.logger, upgrade.transport.isSecure)
        let first = FirstRequest(upgrade, httpHandlers: [pace, encoder, decoder]) { channel in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: isSecure))
            try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: nil, logger: logger))
            let asyncChannel = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            Task { await http1.handle(value: asyncChannel, logger: logger) }
        }
        try channel.pipeline.syncOperations.addHandlers([encoder, decoder, pace, first])
    }
}

/// Hummingbird's loop over the requests of one HTTP/1.1 connection, on a pipeline that was set up here.
private struct PlainHTTP1: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let responder: HTTPChannelHandler.Responder

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
    }

    func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
}
