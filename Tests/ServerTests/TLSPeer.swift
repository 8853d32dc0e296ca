import Base
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

@testable import Server

/// A client over TLS, which trusts whoever answers and remembers the certificate.
final class TLSPeer: Sendable {
    private struct Seen {
        var certificate: [UInt8] = []
        var received: [UInt8] = []
        var isClosed = false
    }

    private final class Reader: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let take: @Sendable (ByteBuffer) -> Void
        init(take: @escaping @Sendable (ByteBuffer) -> Void) { self.take = take }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { take(unwrapInboundIn(data)) }
    }

    private let seen = Mutex(Seen())
    private let channel = Mutex<(any Channel)?>(nil)

    var certificate: [UInt8] { seen.withLock { $0.certificate } }
    var received: [UInt8] { seen.withLock { $0.received } }
    var text: String { String(decoding: received, as: UTF8.self) }
    var isClosed: Bool { seen.withLock { $0.isClosed } }

    static func connect(to port: UInt16, applicationProtocol: String? = nil) async throws -> TLSPeer {
        let peer = TLSPeer()
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = applicationProtocol.map { [$0] } ?? []
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let tls = try NIOSSLClientHandler(context: context, serverHostname: "localhost") {
                        certificates, verdict in
                        peer.seen.withLock { $0.certificate = (try? certificates.first?.toDERBytes()) ?? [] }
                        verdict.succeed(.certificateVerified)
                    }
                    try channel.pipeline.syncOperations.addHandlers([
                        tls, Reader { buffer in peer.seen.withLock { $0.received += Array(buffer.readableBytesView) } },
                    ])
                    channel.closeFuture.whenComplete { _ in peer.seen.withLock { $0.isClosed = true } }
                }
            }
            .connect(host: "127.0.0.1", port: Int(port)).get()
        peer.channel.withLock { $0 = channel }
        return peer
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.withLock { $0 }?.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// Sends, and waits for so many answers in all.
    func ask(_ bytes: [UInt8], answers count: Int) async throws {
        try await send(bytes)
        for _ in 0..<500 where text.components(separatedBy: "SIP/2.0 401").count <= count {
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    func close() async { try? await channel.withLock { $0 }?.close() }
}
