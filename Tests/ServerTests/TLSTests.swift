import Base
import Foundation
import Logging
import NIOPosix
import NIOSSL
import SIP
import SocketIO
import Testing

@testable import Server

/// Certificates in both directions, on a real server on loopback.
@Suite(.serialized) struct TLSTests {
    @Test func `new connections get a renewed certificate, old ones stay`() async throws {
        let house = try await TestHouse.open()
        let port = try #require(house.settings.sipsPort)
        let before = try await TLSPeer.connect(to: port)
        try await before.ask(Peer.register("anna", via: "TLS"), answers: 1)
        #expect(!before.certificate.isEmpty)
        let authority = LocalAuthority(folder: house.folder + "/tls")
        let names = LocalAuthority.Names(names: ["localhost", "new.example"], addresses: [.loopback])
        #expect(try authority.prepare(for: names))
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        try #require(house.server.tls).refresh(logger: logger)
        let after = try await TLSPeer.connect(to: port)
        try await after.ask(Peer.register("anna", via: "TLS"), answers: 1)
        #expect(!after.certificate.isEmpty && after.certificate != before.certificate)
        try await before.ask(Peer.register("anna", via: "TLS", extra: "X-Second: 1\r\n"), answers: 2)
        #expect(before.text.components(separatedBy: "SIP/2.0 401").count == 3)
        #expect(!before.isClosed)
        await before.close()
        await after.close()
        await house.close()
    }

    @Test func `another server over TLS must show a certificate we trust for its name, and the log says what is wrong`()
        async throws
    {
        let house = try await TestHouse.open()
        let hub = StreamHub(group: MultiThreadedEventLoopGroup.singleton, limits: .standard) { _ in true }
        let port = try #require(house.settings.sipsPort)
        let trusting = try TLSKeeper.clientContext(trusting: .file(house.folder + "/tls/ca.pem"))
        func connect(_ port: UInt16, _ name: String?, _ tls: NIOSSLContext) async -> StreamConnector.Outcome {
            await withCheckedContinuation { continuation in
                StreamConnector(hub: hub, tls: tls).connect(
                    to: TransportAddress(ip: .loopback, port: port), transport: .tls, name: name
                ) { continuation.resume(returning: $0) }
            }
        }
        func words(_ outcome: StreamConnector.Outcome) -> String {
            switch outcome {
            case .success(let flow): "connected by \(flow.transport)"
            case .failure(let failure): failure.words
            }
        }
        #expect(words(await connect(port, "localhost", trusting)) == "connected by tls")
        #expect(words(await connect(port, nil, trusting)) == "connected by tls")
        // Although the certificate is for the address, too.
        #expect(words(await connect(port, "other.example", trusting)) == "its certificate is for another name")
        let stranger = try TLSKeeper.clientContext()
        #expect(words(await connect(port, "localhost", stranger)) == "its certificate is not trusted")
        let nobody = words(await connect(TestHouse.freePort(), "localhost", trusting))
        #expect(nobody == "connection refused")
        hub.closeAll(reason: "the test ends")
        await house.close()
    }
}
