import Base
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import SIP

/// How TLS connections are made: asked anew for each, so that a renewed certificate needs no restart.
package typealias TLSContextSource = @Sendable () -> NIOSSLContext

/// Opens listening TCP sockets, counts what they accept, and makes SIP connections of it.
package struct StreamListener: Sendable {
    /// Connections the kernel holds until we accept them: a household's devices after a power cut, all at once.
    private static let backlog = Int32(512)

    package let hub: StreamHub

    package init(hub: StreamHub) { self.hub = hub }

    /// SIP over TCP, or over TLS when there is a context.
    package func listen(_ address: TransportAddress, tls: TLSContextSource? = nil) async throws -> any Channel {
        let hub = self.hub
        return try await listen(address) { channel in
            let handler = FramedStreamHandler(hub: hub, transport: tls == nil ? .tcp : .tls)
            guard let tls else { return try channel.pipeline.syncOperations.addHandler(handler) }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls()))
            try channel.pipeline.syncOperations.addHandler(
                HandshakeGate(time: hub.limits.handshakeTime) { channel, _ in
                    try channel.pipeline.syncOperations.addHandler(handler)
                })
        }
    }

    /// Listens and gives each admitted connection to `setUp`, on that connection's event loop.
    package func listen(
        _ address: TransportAddress, setUp: @escaping @Sendable (any Channel) throws -> Void
    ) async throws -> any Channel {
        let hub = self.hub
        var bootstrap = ServerBootstrap(group: hub.group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 32_768, high: hub.limits.writeBacklog))
            // Small first reads: SIP messages and HTTP heads; it grows for those that send more.
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2_048, maximum: 65_536)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let remote = channel.remoteAddress.flatMap(TransportAddress.init),
                        hub.counter.admit(remote.ip)
                    else { throw AdmissionRefused() }
                    channel.closeFuture.whenComplete { _ in hub.counter.release(remote.ip) }
                    try setUp(channel)
                }
            }
        if !address.ip.isV4 {
            // IPv4 has a socket of its own.
            let onlyIPv6 = ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only)
            bootstrap = bootstrap.serverChannelOption(onlyIPv6, value: 1)
        }
        do {
            return try await bootstrap.bind(to: address.socketAddress).get()
        } catch let error as IOError {
            throw SocketError(errno: error.errnoCode, binding: address)
        }
    }
}

/// Thrown to have the bootstrap close a connection above the limits.
private struct AdmissionRefused: Error {}

/// Waits for the end of a TLS handshake, at most a given time, then configures the pipeline by what ALPN chose.
package final class HandshakeGate: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer

    private let time: Duration
    private let finished: (any Channel, _ applicationProtocol: String?) throws -> Void
    private let failed: (any Error) -> Void
    private var deadline: Scheduled<Void>?

    /// - Parameter failed: told of what broke the handshake, before the connection closes.
    package init(
        time: Duration, finished: @escaping (any Channel, String?) throws -> Void,
        failed: @escaping (any Error) -> Void = { _ in }
    ) {
        (self.time, self.finished, self.failed) = (time, finished, failed)
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: TimeAmount(time)) { channel.close(promise: nil) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let chosen)? = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        deadline?.cancel()
        do {
            try finished(context.channel, chosen)
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        } catch {
            failed(error)
            context.close(promise: nil)
        }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failed(error)
        context.close(promise: nil)
    }
}
