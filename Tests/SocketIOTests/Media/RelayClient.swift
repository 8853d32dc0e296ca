import Base
import CSockets
import Glibc
import STUN
import TURN
import Testing

@testable import SocketIO

/// A relay on a loopback address, and its credentials.
final class RelaySite {
    static let realm = Array("hearth.test".utf8)
    static let credentials = TimeLimitedCredentials(secret: [UInt8](repeating: 7, count: 32))
    /// Where peers outside live: not an address of the relay's, though of the same machine.
    static let outside = IPAddress.v4(0x7f00_0002)

    let worker: MediaWorker
    let events: EventLog

    init(
        binding ips: [IPAddress] = [.v4(0x7f00_0001)], _ change: (inout TURNConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = TURNConfiguration(
            realm: Self.realm, credentials: Self.credentials, nonceSecret: [UInt8](repeating: 9, count: 32))
        configuration.relayV4 = .init(bound: .v4(0x7f00_0001), announced: .v4(0x7f00_0001))
        configuration.relayV6 = .init(bound: .v6(high: 0, low: 1), announced: .v6(high: 0, low: 1))
        configuration.relayPorts = 20_000...29_999
        configuration.peersOfTests = [Self.outside]
        change(&configuration)
        let log = EventLog()
        events = log
        worker = try MediaWorker(binding: ips.map { TransportAddress(ip: $0, port: 0) }, configuration) { log.add($0) }
        worker.start()
    }

    deinit { worker.stop() }

    func waitFor(_ name: MediaCounters.Name, _ value: Int) {
        // The worker publishes what it counted after it has sent what a test waits for.
        for _ in 0..<5_000 where worker.counters[name] < value { usleep(1_000) }
        #expect(worker.counters[name] >= value)
    }
}

/// What a worker reported.
final class EventLog: @unchecked Sendable {
    private var events: [MediaEvent] = []
    private var lock = pthread_mutex_t()

    func add(_ event: MediaEvent) {
        pthread_mutex_lock(&lock)
        events.append(event)
        pthread_mutex_unlock(&lock)
    }

    func contains(_ isWanted: (MediaEvent) -> Bool) -> Bool {
        pthread_mutex_lock(&lock)
        defer { pthread_mutex_unlock(&lock) }
        return events.contains(where: isWanted)
    }
}

/// A UDP socket with as much of a TURN client as the tests need.
final class RelayClient {
    let descriptor: Int32
    let address: TransportAddress
    private let server: TransportAddress
    private let requests: RelayRequests

    init(_ server: TransportAddress, at ip: IPAddress = .v4(0x7f00_0001), user: String = "anna") throws {
        var wanted = TransportAddress(ip: ip, port: 0).cAddress
        descriptor = hearth_media_open(&wanted, 1 << 20)
        var bound = hearth_address()
        #expect(descriptor >= 0 && hearth_socket_address(descriptor, &bound) == 0)
        (address, self.server) = (TransportAddress(bound), server)
        requests = RelayRequests(user: user)
    }

    deinit { close(descriptor) }

    // MARK: Datagrams

    /// Sends datagrams of one length as one buffer, as a sender with GSO does.
    func send(_ datagrams: [[UInt8]], to peer: TransportAddress? = nil) {
        let sender = hearth_sender_create()
        defer { hearth_sender_destroy(sender) }
        let all = datagrams.flatMap { $0 }
        all.withUnsafeBufferPointer { bytes in
            var start = 0
            var packets = datagrams.enumerated().map { index, datagram in
                defer { start += datagram.count }
                return hearth_packet(
                    bytes: bytes.baseAddress! + start, length: UInt32(datagram.count), next: UInt32(index + 1),
                    peer: (peer ?? server).cAddress, local: .init())
            }
            packets[packets.count - 1].next = HEARTH_LAST
            var result = hearth_sent()
            hearth_sender_send(sender, descriptor, packets, 0, 1, &result)
            #expect(result.sent == UInt32(datagrams.count))
        }
    }

    /// The next datagrams, in order, with whoever sent them.
    func receive(_ count: Int = 1) -> [(bytes: [UInt8], peer: TransportAddress)] {
        guard let batch = hearth_batch_create(64, 65_536) else { return [] }
        defer { hearth_batch_destroy(batch) }
        var found: [(bytes: [UInt8], peer: TransportAddress)] = []
        while found.count < count {
            var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&event, 1, 5_000) == 1 else { break }
            let received = hearth_batch_receive(batch, descriptor)
            for index in 0..<Int(max(0, received)) {
                let datagram = hearth_batch_datagrams(batch)![index]
                let bytes = Array(UnsafeBufferPointer(start: datagram.bytes, count: Int(datagram.length)))
                let (size, peer) = (Int(datagram.segment), TransportAddress(datagram.peer))
                guard size > 0 else {
                    found.append((bytes, peer))
                    continue
                }
                for start in stride(from: 0, to: bytes.count, by: size) {
                    found.append((Array(bytes[start..<min(bytes.count, start + size)]), peer))
                }
            }
        }
        return found
    }

    // MARK: Requests

    private func exchange(_ request: [UInt8]) -> RelayAnswer? {
        send([request])
        return receive().first.flatMap { RelayAnswer($0.bytes) }
    }

    func ask(_ method: STUNMethod, _ write: (inout STUNWriter) -> Void = { _ in }) -> RelayAnswer? {
        requests.ask(method, write) { exchange($0) }
    }

    func allocate(family: UInt32 = 1) -> TransportAddress? { requests.allocate(family: family) { exchange($0) } }

    func bind(_ channel: UInt16, to peer: TransportAddress) -> Bool {
        requests.bind(channel, to: peer) { exchange($0) }
    }

    static func channelData(_ channel: UInt16, _ payload: [UInt8]) -> [UInt8] {
        [UInt8(channel >> 8), UInt8(channel & 0xff), UInt8(payload.count >> 8), UInt8(payload.count & 0xff)] + payload
    }
}
