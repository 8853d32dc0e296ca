import Base
import CVirtualClock
import NetSimulation
import SDP

@testable import DTLS

/// Two sessions joined by a network in virtual time, in which OpenSSL's timers live too.
final class Pair {
    /// OpenSSL takes zero for "no time set": its day begins in 2001.
    private static let epoch: Int64 = 1_000_000_000_000_000

    let client, server: DTLSSession
    private(set) var network: SimulatedNetwork
    private(set) var now = Instant.zero
    /// What each side reported, without the datagrams.
    private(set) var clientEvents: [DTLSSession.Output] = [], serverEvents: [DTLSSession.Output] = []
    /// Every datagram that was sent, by whom.
    private(set) var sent: [(byClient: Bool, bytes: [UInt8])] = []
    /// What an attacker or a fault makes of a datagram on its way; empty: it is lost.
    var tamper: ([UInt8], _ byClient: Bool) -> [UInt8] = { bytes, _ in bytes }

    private let here, there: SimulatedNetwork.HostID

    init(client: DTLSSession, server: DTLSSession, link: Link = .clean, seed: UInt64 = 1) {
        (self.client, self.server) = (client, server)
        network = SimulatedNetwork(seed: seed)
        here = network.addHost(.v4(0x0a00_0001), link: link)
        there = network.addHost(.v4(0x0a00_0002), link: link)
        setClock()
    }

    /// Two sessions that expect each other.
    convenience init(link: Link = .clean, seed: UInt64 = 1) throws {
        let (one, other) = (Identities.one, Identities.other)
        self.init(
            client: try DTLSSession(identity: one, role: .active, fingerprints: [other.fingerprint], at: .zero),
            server: try DTLSSession(identity: other, role: .passive, fingerprints: [one.fingerprint], at: .zero),
            link: link, seed: seed)
    }

    deinit { hearth_virtual_clock_set(0) }

    var clientKeys: DTLSKeys? { Self.keys(clientEvents) }
    var serverKeys: DTLSKeys? { Self.keys(serverEvents) }

    private static func keys(_ events: [DTLSSession.Output]) -> DTLSKeys? {
        for case .connected(let keys) in events { return keys }
        return nil
    }

    func start() {
        setClock()
        client.start(at: now)
        drain()
    }

    /// Lets time pass.
    func run(for duration: Duration) {
        let end = now + duration
        while let next = [network.nextTimeout, client.nextTimeout, server.nextTimeout].compactMap(\.self).min(),
            next <= end
        {
            now = max(now, next)
            setClock()
            while let arrival = network.poll(at: now) {
                guard case .datagram(let host, _, _, let payload) = arrival else { continue }
                (host == here ? client : server).receive(payload.span.bytes, at: now)
                drain()
            }
            client.handleTimeout(at: now)
            server.handleTimeout(at: now)
            drain()
        }
        now = end
        setClock()
    }

    /// Both sides' outputs to the network and to the lists.
    func drain() {
        while let output = client.pollOutput() { take(output, byClient: true) }
        while let output = server.pollOutput() { take(output, byClient: false) }
    }

    private func take(_ output: DTLSSession.Output, byClient: Bool) {
        guard case .send(let bytes) = output else {
            if byClient { clientEvents.append(output) } else { serverEvents.append(output) }
            return
        }
        sent.append((byClient, bytes))
        let changed = tamper(bytes, byClient)
        guard !changed.isEmpty else { return }
        let (host, destination) = byClient ? (here, there) : (there, here)
        let address = TransportAddress(ip: network.address(of: destination), port: 5004)
        network.send(changed, from: host, port: 5004, to: address, at: now)
    }

    private func setClock() { hearth_virtual_clock_set(Self.epoch + now.nanoseconds / 1000) }
}

/// Made once for all tests: each costs a key.
enum Identities {
    static let one = make(), other = make(), stranger = make()

    private static func make() -> DTLSIdentity {
        do { return try DTLSIdentity() } catch { preconditionFailure("OpenSSL made no identity: \(error)") }
    }
}
