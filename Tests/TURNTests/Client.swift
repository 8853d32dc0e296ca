import Base
import STUN

@testable import TURN

/// As much of a TURN client as tests need: it answers challenges, and says what it was told.
final class Client {
    let site: Site
    let tuple: TURNClient
    var username: [UInt8]
    var password: [UInt8]
    var nonce: [UInt8]?
    /// Makes its keys with SHA-256, as RFC 8489 has it.
    var usesSHA256 = false
    private var random = RandomSource(seed: 77)

    init(
        _ site: Site, _ host: String = "203.0.113.7", _ port: UInt16 = 4_000, user: String = "anna",
        over transport: ClientTransport = .udp, lasting seconds: Int64 = 3_600
    ) {
        self.site = site
        let remote = address(host, port)
        tuple = TURNClient(
            transport: transport, remote: remote, local: address("198.51.100.9", 3_478),
            connection: transport.isStream ? UInt64(port) : 0)
        (username, password) = Site.credentials.issue(to: Array(user.utf8), until: Site.unixTime + seconds)
    }

    private var key: IntegrityKey {
        usesSHA256
            ? IntegrityKey(sha256: LongTermKey.sha256(user: username, realm: Site.realm, password: password))
            : IntegrityKey(sha1: LongTermKey.md5(user: username, realm: Site.realm, password: password))
    }

    /// One message, signed when a nonce is known.
    func message(
        _ method: STUNMethod, id: TransactionID? = nil, _ body: (inout STUNWriter) -> Void = { _ in }
    ) -> [UInt8] {
        var room = [UInt8](repeating: 0, count: 4_096)
        let transaction = id ?? TransactionID(high: 1, low: random.next())
        let count = room.withUnsafeMutableBytes { target -> Int? in
            var writer = STUNWriter(STUNType(.request, method), transaction, into: target)
            body(&writer)
            if let nonce {
                writer.add(.username, username)
                writer.add(.realm, Site.realm)
                writer.add(.nonce, nonce)
                if usesSHA256 {
                    writer.add(.passwordAlgorithms, [0, 2, 0, 0, 0, 1, 0, 0])
                    writer.add(.passwordAlgorithm, UInt32(0x0002_0000))
                }
                writer.add(key)
            }
            return writer.finish()
        }
        return Array(room[..<(count ?? 0)])
    }

    /// Sends bytes as they are; the answer, at once or late.
    func exchange(_ bytes: [UInt8]) -> Answer? {
        let before = site.sent.count
        let (route, reply) = site.give(bytes, from: tuple)
        if case .reply = route { return Answer(reply, key) }
        guard site.sent.count > before, let late = site.sent.last, late.1 == tuple else { return nil }
        return Answer(late.0, key)
    }

    /// Sends a request, again with credentials when it is challenged.
    func ask(
        _ method: STUNMethod, id: TransactionID? = nil, _ body: (inout STUNWriter) -> Void = { _ in }
    ) -> Answer? {
        let first = exchange(message(method, id: id, body))
        guard let code = first?.code, code == .unauthenticated || code == .staleNonce, let fresh = first?.nonce,
            fresh != nonce
        else { return first }
        nonce = fresh
        return exchange(message(method, id: id, body))
    }

    static func udp(_ writer: inout STUNWriter) { writer.add(.requestedTransport, UInt32(17) << 24) }

    func allocate(id: TransactionID? = nil, _ body: (inout STUNWriter) -> Void = { _ in }) -> Answer? {
        ask(.allocate, id: id) { writer in
            Self.udp(&writer)
            body(&writer)
        }
    }

    func refresh(_ lifetime: UInt32?) -> Answer? {
        ask(.refresh) { writer in if let lifetime { writer.add(.lifetime, lifetime) } }
    }

    func permit(_ peers: TransportAddress...) -> Answer? {
        ask(.createPermission) { writer in for peer in peers { writer.add(.xorPeerAddress, xor: peer) } }
    }

    func bind(_ channel: UInt16, to peer: TransportAddress) -> Answer? {
        ask(.channelBind) { writer in
            writer.add(.channelNumber, UInt32(channel) << 16)
            writer.add(.xorPeerAddress, xor: peer)
        }
    }

    /// A Send indication.
    func send(
        _ data: [UInt8], to peer: TransportAddress, _ body: (inout STUNWriter) -> Void = { _ in }
    ) -> (Route, [UInt8]) {
        var room = [UInt8](repeating: 0, count: 70_000)
        let count = room.withUnsafeMutableBytes { target -> Int? in
            let type = STUNType(.indication, .send)
            var writer = STUNWriter(type, TransactionID(high: 2, low: random.next()), into: target)
            writer.add(.xorPeerAddress, xor: peer)
            writer.add(.data, data)
            body(&writer)
            return writer.finish()
        }
        return site.give(Array(room[..<(count ?? 0)]), from: tuple)
    }

    /// ChannelData, padded over streams.
    func send(_ data: [UInt8], on channel: UInt16) -> (Route, [UInt8]) {
        var bytes =
            [UInt8(channel >> 8), UInt8(channel & 0xff), UInt8(data.count >> 8), UInt8(data.count & 0xff)] + data
        if tuple.transport.isStream { while bytes.count % 4 != 0 { bytes.append(0xaa) } }
        return site.give(bytes, from: tuple)
    }
}

/// Where a relayed address is bound, behind the router of the test site.
func bound(_ relayed: TransportAddress) -> TransportAddress {
    relayed.ip == address("198.51.100.9", 0).ip
        ? TransportAddress(ip: address("10.0.0.5", 0).ip, port: relayed.port) : relayed
}
