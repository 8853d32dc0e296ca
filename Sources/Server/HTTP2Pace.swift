import Logging
import NIOCore
import NIOHTTPTypes
import SocketIO

/// Closes what comes too slowly over one HTTP/2 connection, as `RequestPace` does over HTTP/1.1: a stream whose body is
/// not whole within `messageTime` of its head, or whose answer is not taken within `httpIdleTime` of that; and a
/// connection without a stream.
///
/// Hummingbird asks a connection that was idle for `httpIdleTime` to go (GOAWAY and a PING), and waits without limit for
/// the answer; a head in pieces (CONTINUATION) is no stream yet. So whoever has no stream for `closeTime` longer is closed.
///
/// Everything here only on the connection's event loop.
final class HTTP2Pace {
    private let channel: any Channel
    private let limits: SocketLimits
    private let logger: Logger
    private var streams = 0
    private var deadline: Deadline

    init(_ channel: any Channel, limits: SocketLimits, logger: Logger) {
        (self.channel, self.limits, self.logger) = (channel, limits, logger)
        deadline = Deadline(logger: logger)
        expectStream()
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.deadline.cancel() }
    }

    /// For the pipeline of a new stream, behind the codec.
    func streamHandler() -> any RemovableChannelHandler { StreamPace(self) }

    private func expectStream() {
        deadline.expect("a request", within: limits.httpIdleTime + limits.closeTime, on: channel)
    }

    private func streamBegan() {
        streams += 1
        deadline.cancel()
    }

    private func streamEnded() {
        streams -= 1
        if streams == 0, channel.isActive { expectStream() }
    }

    private final class StreamPace: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPRequestPart
        typealias InboundOut = HTTPRequestPart

        private let connection: HTTP2Pace
        private var deadline: Deadline

        init(_ connection: HTTP2Pace) {
            (self.connection, deadline) = (connection, Deadline(logger: connection.logger))
        }

        /// A stream begins with its whole head.
        func handlerAdded(context: ChannelHandlerContext) {
            connection.streamBegan()
            deadline.expect("the request's body", within: connection.limits.messageTime, on: context.channel)
        }

        func handlerRemoved(context: ChannelHandlerContext) {
            deadline.cancel()
            connection.streamEnded()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if case .end = unwrapInboundIn(data) {
                deadline.expect("the answer's end", within: connection.limits.httpIdleTime, on: context.channel)
            }
            context.fireChannelRead(data)
        }
    }
}
