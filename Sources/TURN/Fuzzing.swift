import Base
import STUN

/// Drives a relay with a script of inputs: for the fuzzer and the replay of its corpus.
///
/// The script is steps of one byte of kind, one of length, and that many bytes. Kinds 0 to 3 are packets of a client as
/// they stand; 4 to 7 are requests whose attributes stand in the script and which get credentials that fit, so that the
/// fuzzer comes past the door; then packets of peers, time, sockets and closed streams.
///
/// - Returns: what the relay did, so that tests know how far a script came.
@discardableResult
package func fuzzTURN(_ script: [UInt8]) -> TURNServer.Counters {
    var rig = FuzzRig()
    var rest = script[...]
    while let kind = rest.popFirst(), let length = rest.popFirst() {
        let data = Array(rest.prefix(Int(length)))
        rest = rest.dropFirst(data.count)
        rig.step(kind % 16, data)
    }
    rig.end()
    return rig.server.counters
}

private struct FuzzRig: ~Copyable {
    private static let clients: [TURNClient] = (0..<4).map { number in
        let transports: [ClientTransport] = [.udp, .udp, .tcp, .tls]
        return TURNClient(
            transport: transports[number],
            remote: TransportAddress(ip: .v4(0xcb00_7100 + UInt32(number)), port: 4_000 + UInt16(number)),
            local: TransportAddress(ip: .v4(0x0808_0808), port: 3_478), connection: UInt64(number / 2))
    }

    private let credentials = TimeLimitedCredentials(secret: [UInt8](repeating: 1, count: 32))
    private let realm = [UInt8](ascii: "fuzz")
    var server: TURNServer
    private var now = Instant.zero
    private var sockets: [RelayID] = []
    private var buffer = [UInt8](repeating: 0, count: TURNServer.headroom + 2_048)
    private var reply = [UInt8](repeating: 0, count: TURNServer.maximumReply)

    init() {
        var configuration = TURNConfiguration(
            realm: realm, credentials: credentials, nonceSecret: [UInt8](repeating: 2, count: 32))
        configuration.relayV4 = .init(bound: .v4(0x0a00_0001), announced: .v4(0x0808_0808))
        configuration.relayV6 = .init(
            bound: .v6(high: 0x2600 << 48, low: 1), announced: .v6(high: 0x2600 << 48, low: 1))
        configuration.relayPorts = 50_000...50_031
        configuration.limits.allocationsPerUser = 3
        server = TURNServer(configuration, random: RandomSource(seed: 1), unixTime: 1_000, at: .zero)
    }

    mutating func step(_ kind: UInt8, _ data: [UInt8]) {
        let client = Self.clients[Int(kind & 3)]
        switch kind {
        case 0..<4: give(data, from: client)
        case 4..<8: give(signed(data, for: client), from: client)
        case 8, 9:
            let relay = sockets.isEmpty ? nil : sockets[Int(data.first ?? 0) % sockets.count]
            if let relay { givePeer(data, at: relay) }
        case 10:
            now += .seconds(Int(data.first ?? 1) * 4)
            server.handleTimeout(at: now)
        case 11: server.closed(Self.clients[Int((data.first ?? 0) & 3)])
        default: give(data, from: Self.clients[1])
        }
        drain(failing: kind == 15)
    }

    /// A request: its method in the first byte, its attributes in the others.
    private func signed(_ data: [UInt8], for client: TURNClient) -> [UInt8] {
        let (user, password) = credentials.issue(to: [UInt8](ascii: "anna"), until: 100_000)
        let nonce = NonceIssuer(secret: [UInt8](repeating: 2, count: 32))
            .nonce(for: client, at: now.nanoseconds / 1_000_000_000)
        let key = IntegrityKey(sha1: LongTermKey.md5(user: user, realm: realm, password: password))
        let type = STUNType(.request, STUNMethod(rawValue: UInt16(data.first ?? 3)))
        var room = [UInt8](repeating: 0, count: 1_024)
        let count = room.withUnsafeMutableBytes { target -> Int? in
            var writer = STUNWriter(type, TransactionID(high: 1, low: UInt64(data.count)), into: target)
            data.dropFirst().withUnsafeBytes { bytes in
                var offset = 0
                while let number = bytes.uint8(at: offset), let size = bytes.uint8(at: offset + 1),
                    let value = bytes.slice(offset + 2, Int(size & 31))
                {
                    writer.add(AttributeType(rawValue: UInt16(number & 0x3f) | UInt16(number & 0x80) << 8), value)
                    offset += 2 + value.count
                }
            }
            writer.add(.username, user)
            writer.add(.realm, realm)
            writer.add(.nonce, nonce)
            writer.add(key)
            return writer.finish()
        }
        return Array(room[..<(count ?? 0)])
    }

    private mutating func give(_ packet: [UInt8], from client: TURNClient) {
        let range = place(packet)
        let route = buffer.withUnsafeMutableBytes { bytes in
            reply.withUnsafeMutableBytes { server.receive(bytes, range, from: client, reply: $0, at: now) }
        }
        check(route)
    }

    private mutating func givePeer(_ packet: [UInt8], at relay: RelayID) {
        let range = place(packet)
        let peer = TransportAddress(ip: .v4(0x0909_0909), port: 50_000 + UInt16(packet.count & 15))
        let route = buffer.withUnsafeMutableBytes { server.receive($0, range, from: peer, at: relay, at: now) }
        check(route)
    }

    private mutating func place(_ packet: [UInt8]) -> Range<Int> {
        let range = TURNServer.headroom..<TURNServer.headroom + min(packet.count, 2_000)
        buffer.replaceSubrange(range, with: packet.prefix(2_000))
        return range
    }

    private func check(_ route: Route) {
        switch route {
        case .nothing: break
        case .reply(let count):
            let isMessage = reply.withUnsafeBytes { bytes in
                (try? STUNMessage(parsing: UnsafeRawBufferPointer(rebasing: bytes[..<count]))) != nil
            }
            precondition(isMessage, "an answer cannot be read")
        case .client(_, let range): precondition(range.lowerBound >= 0 && range.upperBound <= buffer.count)
        case .peer(_, let peer, let range):
            precondition(range.lowerBound >= 0 && range.upperBound <= buffer.count)
            precondition(!peer.ip.isLoopback && peer.port != 0, "a peer that was to be refused")
        }
    }

    private mutating func drain(failing: Bool) {
        while let output = server.pollOutput() {
            switch output {
            case .open(let relay, _):
                if !failing { sockets.append(relay) }
                server.opened(relay, succeeded: !failing, at: now)
            case .close(let relay): sockets.removeAll { $0 == relay }
            default: break
            }
        }
    }

    mutating func end() {
        now += .seconds(100_000)
        server.handleTimeout(at: now)
        drain(failing: false)
        precondition(server.allocationCount == 0 && server.userCount == 0, "something outlived its time")
        precondition(sockets.isEmpty && server.nextTimeout == nil, "a socket was forgotten")
    }
}
