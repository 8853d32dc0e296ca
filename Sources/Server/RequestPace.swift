import Logging
import NIOCore
import NIOHTTP1
import SocketIO

/// Closes HTTP/1.1 connections whose requests come too slowly (RFC 9112 §9.5): the first head must be there within
/// `headerTime` of the connection's start, a body whole within `messageTime` of its head however steadily it drips, and
/// every further request within `httpIdleTime` of the last. `HTTP2Pace` says the same of HTTP/2.
final class RequestPace: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let limits: SocketLimits
    private var deadline: Deadline
    /// Between a request's head and its end. An early answer, a refusal, does not give the body more time.
    private var isInRequest = false

    init(limits: SocketLimits, logger: Logger) { (self.limits, deadline) = (limits, Deadline(logger: logger)) }

    func handlerAdded(context: ChannelHandlerContext) {
        deadline.expect("the first request", within: limits.headerTime, on: context.channel)
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        deadline.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            isInRequest = true
            deadline.expect("the request's body", within: limits.messageTime, on: context.channel)
        case .body: break
        case .end:
            isInRequest = false
            deadline.expect("another request", within: limits.httpIdleTime, on: context.channel)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), !isInRequest {
            deadline.expect("another request", within: limits.httpIdleTime, on: context.channel)
        }
        context.write(data, promise: promise)
    }
}
