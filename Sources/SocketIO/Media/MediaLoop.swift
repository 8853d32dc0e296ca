import Base
import CSockets
import Glibc
import TURN

/// What the media worker's thread owns: sockets, buffers and the relay's core.
///
/// ```
///   wait ─▶ read a batch ─▶ core: one route for each packet, edited where it lies ─▶ … ─▶ send all ─▶ wait
/// ```
///
/// Nothing on that way allocates, locks or counts references. A value of the thread's own stack, not an object: the
/// compiler then needs no checks of exclusive access.
struct MediaLoop: ~Copyable {
    /// The wake-up's number among watched descriptors; sockets have their place in `sockets`.
    private static let wakeNumber = UInt64(1) << 32
    /// How often the calendar is read, which somebody may set.
    private static let calendarTime = Duration.seconds(10)

    let poll: Int32
    private let wakeUp: Int32
    private let counters: MediaCounters
    let report: @Sendable (MediaEvent) -> Void
    var server: TURNServer
    /// The media port's first, then relays by their slots.
    var sockets: [MediaSocket]
    let portCount: Int
    var inbox = Inbox()
    var outbox = Outbox()
    /// Sockets with packets in the outbox.
    private var sending: [Int] = []
    /// Cleared when this machine turns out to be unable to.
    private var joins = true
    var traffic = MediaTraffic()
    var streams = StreamTable()
    private var calendarRead: Instant

    init(
        ports: [MediaSocket], poll: Int32, wakeUp: Int32, _ configuration: TURNConfiguration,
        counters: MediaCounters, report: @escaping @Sendable (MediaEvent) -> Void
    ) {
        (self.poll, self.wakeUp, self.counters, self.report) = (poll, wakeUp, counters, report)
        (sockets, portCount) = (ports, ports.count)
        let now = MonotonicClock.now
        server = TURNServer(configuration, random: .system, unixTime: Int64(time(nil)), at: now)
        calendarRead = now
        sending.reserveCapacity(MediaLimits.packets)
        _ = hearth_poll_watch(poll, wakeUp, Self.wakeNumber)
        for (place, socket) in ports.enumerated() { _ = hearth_poll_watch(poll, socket.descriptor, UInt64(place)) }
    }

    /// The media port's sockets are the worker's.
    deinit { for socket in sockets[portCount...] where socket.descriptor >= 0 { Glibc.close(socket.descriptor) } }

    /// Works until told to stop. What other threads bring is asked for whenever one of them woke the loop up.
    mutating func run(_ mailbox: MediaMailbox) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 128) { ready in
            while true {
                let timeout = milliseconds(until: server.nextTimeout)
                let count = hearth_poll_wait(poll, ready.baseAddress, Int32(ready.count), timeout)
                for index in 0..<Int(count) {
                    guard ready[index] != Self.wakeNumber else {
                        hearth_wake_clear(wakeUp)
                        guard take(mailbox.take()) else { return }
                        continue
                    }
                    serve(Int(ready[index] & ~HEARTH_POLL_ERROR), hasError: ready[index] & HEARTH_POLL_ERROR != 0)
                }
                endTurn()
            }
        }
    }

    private mutating func endTurn() {
        let now = MonotonicClock.now
        if let due = server.nextTimeout, due <= now {
            server.handleTimeout(at: now)
            takeOutputs(at: now)
        }
        flush()
        streams.flush()
        if now - calendarRead >= Self.calendarTime {
            server.setClock(unixTime: Int64(time(nil)), at: now)
            calendarRead = now
        }
        traffic.publish(to: counters, server)
        if let event = traffic.losses(at: now) { report(event) }
    }

    private func milliseconds(until due: Instant?) -> Int32 {
        guard let due else { return -1 }
        let now = MonotonicClock.now
        guard due > now else { return 0 }
        return Int32(clamping: (due.nanoseconds &- now.nanoseconds &+ 999_999) / 1_000_000)
    }

    // MARK: In

    /// Reads what waits at a socket, and routes it.
    private mutating func serve(_ place: Int, hasError: Bool) {
        guard place < sockets.count, sockets[place].descriptor >= 0 else { return }
        if hasError {
            let error = hearth_socket_error(sockets[place].descriptor)
            if error != 0 { fail(place, error) }
        }
        let isPort = place < portCount
        let batch = isPort ? MediaLimits.portBatch : MediaLimits.relayBatch
        for _ in 0..<MediaLimits.callsPerTurn where sockets[place].descriptor >= 0 {
            if inbox.isFull { flush() }
            let now = MonotonicClock.now
            let (buffers, room, error) = inbox.receive(sockets[place].descriptor, atMost: batch)
            if error < 0 { fail(place, -error) }
            for buffer in buffers { route(buffer, from: place, at: now) }
            takeOutputs(at: now)
            guard buffers.count == room else { return }
        }
    }

    private mutating func route(_ buffer: Int, from place: Int, at now: Instant) {
        let count = inbox.spread(buffer)
        traffic.received += count
        for index in 0..<count {
            if outbox.isFull { sendAll() }
            route(inbox.packet(index, of: buffer), of: buffer, from: place, at: now)
        }
    }

    private mutating func route(_ packet: Inbox.Packet, of buffer: Int, from place: Int, at now: Instant) {
        let peer = TransportAddress(inbox[buffer].peer)
        let route: Route
        if let relay = sockets[place].relay {
            route = server.receive(packet.bytes, packet.range, from: peer, at: relay, at: now)
        } else {
            let client = TURNClient(
                transport: .udp, remote: peer, local: sockets[place].local(asked: inbox[buffer].local))
            route = server.receive(packet.bytes, packet.range, from: client, reply: outbox.reply, at: now)
        }
        switch route {
        case .nothing: break
        case .reply(let size):
            begin(place)
            let source = sockets[place].source(sockets[place].local(asked: inbox[buffer].local))
            outbox.addReply(size, to: inbox[buffer].peer, from: source, &sockets[place].waiting)
        case .client, .peer: follow(route, of: packet)
        }
    }

    /// Sends a relayed packet on its way.
    mutating func follow(_ route: Route, of packet: Inbox.Packet) {
        switch route {
        case .nothing, .reply: break
        case .client(let client, let range):
            send(UnsafeRawBufferPointer(rebasing: packet.bytes[range]), to: client)
        case .peer(let relay, let peer, let range):
            let place = portCount + Int(relay.slot)
            guard place < sockets.count, sockets[place].relay == relay else { return }
            begin(place)
            outbox.add(
                UnsafeRawBufferPointer(rebasing: packet.bytes[range]), to: peer.cAddress, from: hearth_address(),
                &sockets[place].waiting)
        }
    }

    // MARK: Out

    /// Sends a packet over the client's connection, or from the socket of the media port that it uses.
    mutating func send(_ bytes: UnsafeRawBufferPointer, to client: TURNClient) {
        guard client.transport == .udp else {
            if streams.add(bytes, to: client) { traffic.sent += 1 }
            return
        }
        let isV4 = client.local.ip.isV4
        for place in 0..<portCount where sockets[place].address.ip.isV4 == isV4 {
            begin(place)
            let source = sockets[place].source(client.local)
            return outbox.add(bytes, to: client.remote.cAddress, from: source, &sockets[place].waiting)
        }
    }

    /// A packet is about to be added for this socket.
    private mutating func begin(_ place: Int) { if sockets[place].waiting.isEmpty { sending.append(place) } }

    /// Sends what waits. The buffers it lies in are then free.
    mutating func flush() {
        sendAll()
        inbox.clear()
    }

    mutating func sendAll() {
        guard !outbox.isEmpty else { return }
        for place in sending {
            let result = outbox.send(&sockets[place].waiting, through: sockets[place].descriptor, joins: joins)
            if result.cannot_join != 0 { joins = false }
            traffic.count(result)
        }
        sending.removeAll(keepingCapacity: true)
        outbox.clear()
    }
}
