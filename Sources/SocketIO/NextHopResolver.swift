import Base
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Finds next hops for the control plane (RFC 3263): addresses by the system's resolver, SRV by a question of our own to
/// the name servers of `/etc/resolv.conf`. Never blocks an event loop; bounded in time, number and memory.
package final class NextHopResolver: Sendable {
    /// Questions being asked at once; more fail at once.
    private static let maximumPending = 64
    /// Names remembered.
    private static let maximumCached = 1_024
    /// Name servers asked, in their order (as `MAXNS` of resolv.conf(5)).
    private static let maximumServers = 3
    /// How long one name server may take, and how often the round is made: 2 × 3 × 1.5 s at most.
    private static let patience = Duration.milliseconds(1_500), rounds = 2
    /// An answer is kept as long as it says, within these bounds; addresses, whose lifetime the system does not tell,
    /// and failures for the shortest.
    private static let shortest = Duration.seconds(5), longest = Duration.seconds(300)

    private enum Key: Hashable {
        case addresses(String)
        case services(String)
    }

    private enum Answer: Sendable {
        case addresses([IPAddress])
        case services([DNSService])
    }

    private struct State {
        var pending = 0
        var cache: [Key: (answer: Answer?, until: Instant)] = [:]
    }

    private let group: any EventLoopGroup
    private let threads: NIOThreadPool
    private let servers: [SocketAddress]
    private let state = Mutex(State())

    /// - Parameter servers: name servers for SRV; those of `/etc/resolv.conf` when nil.
    package init(group: any EventLoopGroup, servers: [TransportAddress]? = nil) {
        self.group = group
        // getaddrinfo blocks: two threads of its own.
        threads = NIOThreadPool(numberOfThreads: 2)
        threads.start()
        let chosen = servers ?? Self.configuredServers()
        self.servers = chosen.prefix(Self.maximumServers).compactMap { try? $0.socketAddress }
    }

    package func stop() { threads.shutdownGracefully { _ in } }

    /// IPv4 and IPv6 addresses of a host name in the system's order of preference (RFC 6724); nil when there is none.
    package func addresses(of host: String) async -> [IPAddress]? {
        guard case .addresses(let found)? = await answer(.addresses(host)) else { return nil }
        return found
    }

    /// SRV records of a name such as `_sip._udp.example.org`, unsorted; nil when there is no answer.
    package func services(of name: String) async -> [DNSService]? {
        guard case .services(let found)? = await answer(.services(name)) else { return nil }
        return found
    }

    private func answer(_ key: Key) async -> Answer? {
        let now = MonotonicClock.now
        let (cached, admitted): (Answer??, Bool) = state.withLock { state in
            if let entry = state.cache[key], entry.until > now { return (.some(entry.answer), false) }
            guard state.pending < Self.maximumPending else { return (nil, false) }
            state.pending += 1
            return (nil, true)
        }
        if let cached { return cached }
        guard admitted else { return nil }
        let (answer, lifetime) = await ask(key)
        state.withLock { state in
            state.pending -= 1
            if state.cache.count >= Self.maximumCached { state.cache = state.cache.filter { $0.value.until > now } }
            guard state.cache.count < Self.maximumCached else { return }
            state.cache[key] = (answer, MonotonicClock.now + min(max(lifetime, Self.shortest), Self.longest))
        }
        return answer
    }

    private func ask(_ key: Key) async -> (Answer?, Duration) {
        switch key {
        case .addresses(let host):
            let found = try? await threads.runIfActive { Self.systemAddresses(of: host) }
            return (found.flatMap { $0.isEmpty ? nil : .addresses($0) }, Self.shortest)
        case .services(let name):
            guard let (records, lifetime) = await askServers(for: name) else { return (nil, Self.shortest) }
            return (.services(records), .seconds(Int64(lifetime)))
        }
    }

    // MARK: Addresses

    private static func systemAddresses(of host: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            guard let name = entry.pointee.ai_addr, let address = TransportAddress(system: name)?.ip,
                !found.contains(address)
            else { continue }
            found.append(address)
        }
        return found
    }

    // MARK: SRV

    private static func configuredServers() -> [TransportAddress] {
        guard let file = fopen("/etc/resolv.conf", "re") else { return [] }
        defer { fclose(file) }
        // resolv.conf(5) lines are short; what is longer than this is not one of them.
        var line = [CChar](repeating: 0, count: 512)
        var servers: [TransportAddress] = []
        while fgets(&line, Int32(line.count), file) != nil {
            let words = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                .split { $0 == ASCII.space || $0 == ASCII.tab || $0 == ASCII.lineFeed }
            guard words.count >= 2, Array(words[0]) == Array("nameserver".utf8),
                let ip = IPAddress(parsing: words[1])
            else { continue }
            servers.append(TransportAddress(ip: ip, port: 53))
        }
        return servers.isEmpty ? [TransportAddress(ip: .loopback, port: 53)] : servers
    }

    private func askServers(for name: String) async -> (records: [DNSService], timeToLive: UInt32)? {
        for _ in 0..<Self.rounds {
            for server in servers {
                do {
                    return try await ask(server, for: Array(name.utf8))
                } catch DNSError.noSuchName {
                    return ([], 0)
                } catch { continue }
            }
        }
        return nil
    }

    /// One question from a fresh port with a random id, so that forged answers have 2³² to guess.
    private func ask(
        _ server: SocketAddress, for name: [UInt8]
    ) async throws -> (records: [DNSService], timeToLive: UInt32) {
        let id = UInt16.random(in: .min ... .max)
        let question = try DNSMessage.serviceQuestion(id: id, name: name)
        let promise = group.any().makePromise(of: (records: [DNSService], timeToLive: UInt32).self)
        let channel: any Channel
        do {
            channel = try await DatagramBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            AnswerHandler(id: id, name: name, server: server, promise: promise))
                    }
                }
                .connect(to: server).get()
        } catch {
            promise.fail(error)
            throw error
        }
        let timeout = channel.eventLoop.scheduleTask(in: TimeAmount(Self.patience)) {
            promise.fail(DNSError.refused)
        }
        defer {
            timeout.cancel()
            channel.close(promise: nil)
        }
        let envelope = AddressedEnvelope(remoteAddress: server, data: ByteBuffer(bytes: question))
        channel.writeAndFlush(envelope).whenFailure { promise.fail($0) }
        return try await promise.futureResult.get()
    }
}

/// Waits for the answer to one question.
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let id: UInt16
    private let name: [UInt8]
    private let server: SocketAddress
    private let promise: EventLoopPromise<(records: [DNSService], timeToLive: UInt32)>

    init(
        id: UInt16, name: [UInt8], server: SocketAddress,
        promise: EventLoopPromise<(records: [DNSService], timeToLive: UInt32)>
    ) {
        (self.id, self.name, self.server, self.promise) = (id, name, server, promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Array(unwrapInboundIn(data).data.readableBytesView)
        do throws(DNSError) {
            promise.succeed(try DNSMessage.services(in: bytes, id: id, name: name))
        } catch {
            // What is no answer to this question may be somebody's guess: wait for the real one.
            if error != .malformed { promise.fail(error) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
}
