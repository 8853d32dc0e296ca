import Base
import SDP
import Testing

@testable import DTLS

struct FingerprintTests {
    private func pair(client: [Fingerprint]?, server: [Fingerprint]?) throws -> Pair {
        Pair(
            client: try DTLSSession(identity: Identities.one, role: .active, fingerprints: client, at: .zero),
            server: try DTLSSession(identity: Identities.other, role: .passive, fingerprints: server, at: .zero))
    }

    private let one = Identities.one.fingerprint
    private let other = Identities.other.fingerprint
    private let stranger = Identities.stranger.fingerprint

    @Test func `identities differ, and say so by SHA-256`() {
        #expect(one.hash == Array("sha-256".utf8))
        #expect(one.digest.count == 32)
        #expect(one != other)
    }

    @Test func `the passive side refuses a wrong certificate, and the active one hears why`() throws {
        let pair = try pair(client: [other], server: [stranger])
        pair.start()
        pair.run(for: .seconds(2))
        #expect(pair.serverEvents == [.failed(.wrongFingerprint(shown: one))])
        #expect(pair.clientEvents == [.failed(.alert(.badCertificate))])
        #expect(pair.clientKeys == nil && pair.serverKeys == nil)
    }

    @Test func `the active side refuses a wrong certificate, and the passive one hears why`() throws {
        let pair = try pair(client: [stranger], server: [one])
        pair.start()
        pair.run(for: .seconds(2))
        #expect(pair.clientEvents == [.failed(.wrongFingerprint(shown: other))])
        #expect(pair.serverEvents == [.failed(.alert(.badCertificate))])
        #expect(DTLSError.wrongFingerprint(shown: other).description.contains("SHA-256 ") == false)
        #expect(DTLSError.alert(.badCertificate).description == "the peer refused: bad certificate")
    }

    @Test func `a fingerprint that comes late holds the keys back until then`() throws {
        let pair = try pair(client: [other], server: nil)
        pair.start()
        pair.run(for: .seconds(5))
        #expect(pair.clientKeys != nil)
        #expect(pair.serverEvents.isEmpty)
        pair.server.expect([one], at: pair.now)
        pair.drain()
        #expect(pair.serverKeys?.remote == pair.clientKeys?.local)
        #expect(pair.server.nextTimeout == nil)
    }

    @Test func `one that comes in the middle of the handshake counts`() throws {
        let pair = try pair(client: nil, server: [one])
        pair.start()
        pair.client.expect([stranger], at: pair.now)
        pair.run(for: .seconds(2))
        #expect(pair.clientEvents == [.failed(.wrongFingerprint(shown: other))])
    }

    @Test func `a late one that is wrong ends the association, and the peer hears it`() throws {
        let pair = try pair(client: nil, server: [one])
        pair.start()
        pair.run(for: .seconds(2))
        pair.client.expect([stranger], at: pair.now)
        pair.drain()
        pair.run(for: .seconds(2))
        #expect(pair.clientEvents == [.failed(.wrongFingerprint(shown: other))])
        #expect(pair.serverEvents.last == .closed)
    }

    @Test func `one that never comes ends it`() throws {
        let pair = try pair(client: [other], server: nil)
        pair.start()
        pair.run(for: DTLSSession.handshakeLimit + DTLSSession.verificationLimit)
        #expect(pair.serverEvents == [.failed(.fingerprintNeverCame)])
    }

    @Test func `of several lines with one function any may match, of several functions the best must`() throws {
        let weak = Fingerprint(hash: Array("sha-1".utf8), digest: Array(repeating: 7, count: 20))
        let unknown = Fingerprint(hash: Array("md5".utf8), digest: Array(repeating: 7, count: 16))
        let strong = Fingerprint(hash: Array("sha-512".utf8), digest: Array(repeating: 7, count: 64))
        for (named, isRight) in [
            ([stranger, one], true), ([weak, unknown, one], true), ([one, strong], false), ([weak], false),
        ] {
            let pair = try pair(client: [other], server: named)
            pair.start()
            pair.run(for: .seconds(2))
            #expect((pair.serverKeys != nil) == isRight)
        }
        let pair = try pair(client: [unknown], server: [one])
        pair.start()
        pair.run(for: .seconds(2))
        #expect(pair.clientEvents == [.failed(.noUsableFingerprint)])
    }

    @Test func `a later description names the same peer, or another`() throws {
        let pair = try pair(client: [other], server: [one])
        #expect(pair.client.isNamed(by: [other]))
        #expect(!pair.client.isNamed(by: [stranger]))
        pair.start()
        pair.run(for: .seconds(2))
        #expect(pair.client.isNamed(by: [stranger, other]))
        #expect(!pair.client.isNamed(by: [stranger]))
    }
}
