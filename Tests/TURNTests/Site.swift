import Base
import STUN

@testable import TURN

func address(_ text: String, _ port: UInt16) -> TransportAddress {
    TransportAddress(ip: IPAddress(parsing: text.utf8) ?? .loopback, port: port)
}

/// A relay and its driver, with sockets that are only numbers.
final class Site {
    static let unixTime = Int64(1_800_000_000)
    static let credentials = TimeLimitedCredentials(secret: [UInt8](repeating: 7, count: 32))
    static let realm = Array("hearth.test".utf8)

    var server: TURNServer
    var now = Instant.zero
    /// Sockets that are open, by where they are bound.
    var sockets: [TransportAddress: RelayID] = [:]
    /// What was sent late, in order.
    var sent: [([UInt8], TURNClient)] = []
    var events: [TURNServer.Event] = []
    /// How many of the next sockets cannot be opened.
    var failures = 0
    /// Sockets wait for `openWaiting()`.
    var isHolding = false
    private var waiting: [(RelayID, TransportAddress)] = []

    init(_ change: (inout TURNConfiguration) -> Void = { _ in }) {
        var configuration = TURNConfiguration(
            realm: Self.realm, credentials: Self.credentials, nonceSecret: [UInt8](repeating: 9, count: 32))
        configuration.relayV4 = .init(
            bound: address("10.0.0.5", 0).ip, announced: address("198.51.100.9", 0).ip)
        configuration.relayV6 = .init(
            bound: address("2a00::5", 0).ip, announced: address("2a00::5", 0).ip)
        configuration.relayPorts = 50_000...50_999
        change(&configuration)
        server = TURNServer(configuration, random: RandomSource(seed: 5), unixTime: Self.unixTime, at: .zero)
    }

    /// Gives one message of a client; what it brings at once.
    func give(_ message: [UInt8], from client: TURNClient) -> (Route, [UInt8]) {
        run(message) { server.receive($0, $1, from: client, reply: $2, at: now) }
    }

    /// Gives one datagram of a peer at the socket bound there.
    func give(_ payload: [UInt8], from peer: TransportAddress, to bound: TransportAddress) -> (Route, [UInt8]) {
        guard let relay = sockets[bound] else { return (.nothing, []) }
        return run(payload) { buffer, packet, _ in server.receive(buffer, packet, from: peer, at: relay, at: now) }
    }

    /// Runs one input; the bytes are those of the route.
    private func run(
        _ bytes: [UInt8],
        _ body: (UnsafeMutableRawBufferPointer, Range<Int>, UnsafeMutableRawBufferPointer) -> Route
    ) -> (Route, [UInt8]) {
        var buffer = [UInt8](repeating: 0xcc, count: TURNServer.headroom) + bytes
        buffer += [UInt8](repeating: 0xcc, count: TURNServer.tailroom)
        var reply = [UInt8](repeating: 0xcc, count: TURNServer.maximumReply)
        let packet = TURNServer.headroom..<TURNServer.headroom + bytes.count
        let route = buffer.withUnsafeMutableBytes { whole in reply.withUnsafeMutableBytes { body(whole, packet, $0) } }
        drain()
        switch route {
        case .nothing: return (route, [])
        case .reply(let count): return (route, Array(reply[..<count]))
        case .client(_, let range), .peer(_, _, let range): return (route, Array(buffer[range]))
        }
    }

    func fail(_ relay: RelayID) {
        server.failed(relay)
        drain()
    }

    func advance(_ seconds: Int) {
        now += .seconds(seconds)
        server.handleTimeout(at: now)
        drain()
    }

    /// Opens the sockets that wait; none after the first `count`.
    func openWaiting(failingAfter count: Int = .max) {
        let held = waiting
        waiting = []
        for (index, (relay, bound)) in held.enumerated() {
            if index == count { failures = .max }
            open(relay, bound)
        }
        drain()
        failures = 0
    }

    private func drain() {
        while let output = server.pollOutput() {
            switch output {
            case .open(let relay, let bound):
                if isHolding { waiting.append((relay, bound)) } else { open(relay, bound) }
            case .close(let relay):
                sockets = sockets.filter { $0.value != relay }
                waiting.removeAll { $0.0 == relay }
            case .send(let bytes, let client): sent.append((bytes, client))
            case .event(let event): events.append(event)
            }
        }
    }

    private func open(_ relay: RelayID, _ bound: TransportAddress) {
        let succeeds = failures == 0
        if succeeds { sockets[bound] = relay } else { failures -= 1 }
        server.opened(relay, succeeded: succeeds, at: now)
    }
}

/// An answer, read.
struct Answer {
    var type: STUNType
    var transactionID: TransactionID
    var code: STUNErrorCode?
    var attributes: [AttributeType] = []
    var relayed: [TransportAddress] = []
    var mapped: TransportAddress?
    var peer: TransportAddress?
    var data: [UInt8]?
    var lifetime: UInt32?
    var token: UInt64?
    var realm: [UInt8]?
    var nonce: [UInt8]?
    var unknown: [UInt8]?
    var addressError: [UInt8]?
    /// Protected by the key that was expected.
    var isProtected = false

    init?(_ bytes: [UInt8], _ key: IntegrityKey? = nil) {
        let read = bytes.withUnsafeBytes { buffer -> Answer? in
            guard let message = try? STUNMessage(parsing: buffer) else { return nil }
            var answer = Answer(type: message.type, transactionID: message.transactionID)
            answer.code = message.errorCode
            answer.attributes = message.attributes.map(\.type)
            answer.relayed = message.attributes.filter { $0.type == .xorRelayedAddress }
                .compactMap { message.xorAddress(in: $0) }
            answer.mapped = message.xorAddress(.xorMappedAddress)
            answer.peer = message.xorAddress(.xorPeerAddress)
            answer.data = message.value(of: .data).map(Array.init)
            answer.lifetime = message.number(.lifetime)
            answer.token = message.number(.reservationToken)
            answer.realm = message.realm.map(Array.init)
            answer.nonce = message.nonce.map(Array.init)
            answer.unknown = message.value(of: .unknownAttributes).map(Array.init)
            answer.addressError = message.value(of: .addressErrorCode).map(Array.init)
            answer.isProtected = key?.protects(message) ?? false
            return answer
        }
        guard let read else { return nil }
        self = read
    }

    private init(type: STUNType, transactionID: TransactionID) {
        (self.type, self.transactionID) = (type, transactionID)
    }
}
