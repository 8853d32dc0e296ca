import Base
import NIOCore
import NIOPosix
import NIOSSL
import SIP
import Synchronization

/// Makes outgoing TCP and TLS connections for the control plane (RFC 3261 §18.1.1).
package final class StreamConnector: Sendable {
    private let hub: StreamHub
    private let tls: NIOSSLContext
    private let pending = Atomic<Int>(0)

    /// - Parameter tls: how peers are verified; the system's trust anchors unless told otherwise.
    package init(hub: StreamHub, tls: NIOSSLContext) { (self.hub, self.tls) = (hub, tls) }

    /// What came of it: the connection's flow, or why there is none.
    package typealias Outcome = Result<Flow, ConnectFailure>

    /// Connects, and calls back with the flow, or why the peer could not be reached in time.
    ///
    /// The control plane has learnt of the flow (`Delivery.opened`) before the callback.
    ///
    /// - Parameter name: the host name the peer's certificate must show (RFC 5922 §7.1); nil to ask for its address.
    package func connect(
        to address: TransportAddress, transport: SIPTransport, name: String?,
        then finished: @escaping @Sendable (Outcome) -> Void
    ) {
        guard pending.add(1, ordering: .relaxed).newValue <= hub.limits.pendingConnects else {
            pending.subtract(1, ordering: .relaxed)
            return finished(.failure(.tooMany))
        }
        let once = Once { outcome in
            self.pending.subtract(1, ordering: .relaxed)
            finished(outcome)
        }
        let (hub, tls) = (self.hub, self.tls)
        ClientBootstrap(group: hub.group)
            .connectTimeout(TimeAmount(hub.limits.connectTime))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: .init(low: 32_768, high: hub.limits.writeBacklog))
            .channelInitializer { channel in
                // After whoever knows why it closed has said so.
                channel.closeFuture.whenComplete { _ in
                    channel.eventLoop.execute { once.call(.failure(.ended)) }
                }
                return channel.eventLoop.makeCompletedFuture {
                    let handler = FramedStreamHandler(hub: hub, transport: transport, isIntroduced: true) {
                        once.call(.success($0.flow))
                    }
                    guard transport.isSecure else { return try channel.pipeline.syncOperations.addHandler(handler) }
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: tls, serverHostname: name))
                    try channel.pipeline.syncOperations.addHandler(
                        HandshakeGate(time: hub.limits.connectTime) { channel, _ in
                            let tls = try channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
                            if let name, tls.peerCertificate?.isFor(host: name) != true {
                                throw ConnectFailure.wrongName
                            }
                            try channel.pipeline.syncOperations.addHandler(handler)
                        } failed: {
                            once.call(.failure(ConnectFailure($0)))
                        })
                }
            }
            .connect(to: address)
            .whenFailure { once.call(.failure(ConnectFailure($0))) }
    }
}

extension ClientBootstrap {
    fileprivate func connect(to address: TransportAddress) -> EventLoopFuture<any Channel> {
        connect(host: String(decoding: address.ip.text, as: UTF8.self), port: Int(address.port))
    }
}

/// Calls back for the first of several possible ends.
private final class Once: Sendable {
    private let body: Mutex<(@Sendable (StreamConnector.Outcome) -> Void)?>

    init(_ body: @escaping @Sendable (StreamConnector.Outcome) -> Void) { self.body = Mutex(body) }

    func call(_ outcome: StreamConnector.Outcome) {
        body.withLock { body in
            defer { body = nil }
            return body
        }?(outcome)
    }
}
