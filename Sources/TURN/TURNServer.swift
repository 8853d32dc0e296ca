import Base
import STUN

/// A TURN relay without sockets (RFC 8656): one packet in, one route out; what takes longer goes to a queue.
///
/// ```
///   client ──Allocate──▶ receive(from client) ─▶ .reply 401, 437, …  or  Output.open(relay) … opened(…) ─▶ Output.send
///   client ──ChannelData, Send──▶ receive(from client) ─▶ .peer (its socket)  or  .client (another allocation here)
///   peer ──UDP──▶ receive(from peer, at relay) ─▶ .client (ChannelData or Data)
/// ```
///
/// Packets are edited where they lie: their route is a range of the buffer they came in, which has `headroom` before
/// the packet and `tailroom` after it. Relaying one allocates nothing. The core belongs to one thread.
///
/// Two clients with allocations here reach each other inside: a packet for a relayed address of ours never leaves the
/// process, so that two browsers behind bad networks need the one open port and no relay's.
package struct TURNServer: ~Copyable, Sendable {
    /// Bytes to leave free before a packet: what a Data indication has before an IPv6 peer's payload.
    package static let headroom = STUNMessage.headerSize + 24 + 4
    /// Bytes to leave free after it, for padding.
    package static let tailroom = 3
    /// Bytes of the reply buffer.
    package static let maximumReply = 512

    package enum Output: Equatable, Sendable {
        /// Bind a UDP socket to this address and call `opened`.
        case open(RelayID, TransportAddress)
        /// Close that socket. What still comes from it is not for us.
        case close(RelayID)
        /// An answer that had to wait.
        case send([UInt8], TURNClient)
        /// For the log and the figures.
        case event(Event)
    }

    package enum Event: Equatable, Sendable {
        case allocated(user: [UInt8], relayed: TransportAddress)
        case ended(user: [UInt8])
    }

    /// Packets, counted for the figures. Those not relayed by why.
    package struct Counters: Equatable, Sendable {
        package var toPeers = 0
        package var toClients = 0
        /// Between two allocations here; these count in `toClients` as well.
        package var inside = 0
        package var malformed = 0
        /// No allocation, no channel, or no permission.
        package var notPermitted = 0
        package var overBandwidth = 0
        /// Strangers that were not told why, because they had been often enough.
        package var unanswered = 0
    }

    package internal(set) var counters = Counters()
    let configuration: TURNConfiguration
    let policy: PeerPolicy
    let nonces: NonceIssuer
    /// Seconds since 1970 at `Instant.zero`.
    var epoch: Int64
    var random: RandomSource
    /// For transaction IDs of indications, which nobody needs to be unable to guess.
    var indicationIDs: RandomSource
    var accounts = AccountTable()
    var strangers: StrangerLimiter
    var slots: [TURNClient: Int] = [:]
    var allocations = AllocationTable()
    var relays: [Relay] = []
    var freeRelays: [Int] = []
    /// Relays by the address peers know.
    var relaySlots: [TransportAddress: Int] = [:]
    var reservations: [UInt64: Int] = [:]
    var generation: UInt32
    var expiries = ExpiryHeap()
    var outputs = OutputQueue<Output>()

    /// - Parameter unixTime: seconds since 1970 at `now`: credentials expire by the calendar.
    package init(_ configuration: TURNConfiguration, random: RandomSource, unixTime: Int64, at now: Instant) {
        self.configuration = configuration
        policy = PeerPolicy(configuration)
        nonces = NonceIssuer(secret: configuration.nonceSecret)
        self.random = random
        indicationIDs = RandomSource(seed: self.random.next())
        strangers = StrangerLimiter(configuration.limits, key: self.random.next(), at: now)
        generation = UInt32(truncatingIfNeeded: self.random.next())
        epoch = unixTime - now.nanoseconds / 1_000_000_000
    }

    package var allocationCount: Int { slots.count }
    package var userCount: Int { accounts.count }

    /// The calendar was set: from now on it is `unixTime`.
    package mutating func setClock(unixTime: Int64, at now: Instant) {
        epoch = unixTime - now.nanoseconds / 1_000_000_000
    }

    // MARK: Packets

    /// Takes one message of a client: a datagram, or what `StreamFrame` cut out of its stream.
    ///
    /// - Parameters:
    ///   - packet: where it lies in `buffer`.
    ///   - reply: `maximumReply` bytes, other ones than `buffer`.
    package mutating func receive(
        _ buffer: UnsafeMutableRawBufferPointer, _ packet: Range<Int>, from client: TURNClient,
        reply: UnsafeMutableRawBufferPointer, at now: Instant
    ) -> Route {
        guard packet.lowerBound >= 0, packet.upperBound <= buffer.count, let first = buffer[packet].first else {
            return .nothing
        }
        if ChannelData.mayBegin(with: first) { return relayChannelData(buffer, packet, from: client, at: now) }
        guard STUNMessage.mayBegin(with: first) else { return .nothing }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[packet])
        guard let message = try? STUNMessage(parsing: bytes), !message.hasFingerprint || message.isFingerprintRight
        else {
            counters.malformed += 1
            return .nothing
        }
        switch message.messageClass {
        case .request:
            let count = answer(message, from: client, into: reply, at: now)
            return count > 0 ? .reply(count: count) : .nothing
        case .indication where message.method == .send:
            return relaySend(message, buffer, at: packet.lowerBound, from: client, at: now)
        default: return .nothing
        }
    }

    /// Takes one datagram that came to a relay's socket.
    package mutating func receive(
        _ buffer: UnsafeMutableRawBufferPointer, _ packet: Range<Int>, from peer: TransportAddress,
        at relay: RelayID, at now: Instant
    ) -> Route {
        guard packet.lowerBound >= 0, packet.upperBound <= buffer.count, let slot = index(of: relay) else {
            return .nothing
        }
        return deliver(buffer, packet, from: peer, to: slot, at: now)
    }

    // MARK: Requests

    private mutating func answer(
        _ request: STUNMessage, from client: TURNClient, into reply: UnsafeMutableRawBufferPointer, at now: Instant
    ) -> Int {
        switch request.method {
        case .binding: return BindingResponder.answer(request, from: client.remote, into: reply)
        case .allocate, .refresh, .createPermission, .channelBind: break
        default: return 0
        }
        let exchange = Exchange(request: request, client: client, reply: reply, time: now)
        switch authenticate(exchange) {
        case .answered(let count): return count
        case .accepted(let user):
            guard !request.hasUnknownAttributes(besides: Exchange.known) else {
                return exchange.refuseUnknown(user.key)
            }
            return serve(exchange, user)
        }
    }

    private mutating func serve(_ exchange: Exchange, _ user: AuthenticatedUser) -> Int {
        guard exchange.request.method != .allocate else { return allocate(exchange, user) }
        guard let slot = slots[exchange.client], allocations[slot].isOpen(at: exchange.time) else {
            return exchange.refuse(.allocationMismatch, user.key)
        }
        guard accounts.user(allocations[slot].account) == user.name else {
            return exchange.refuse(.wrongCredentials, user.key)
        }
        switch exchange.request.method {
        case .refresh: return refresh(slot, exchange, user)
        case .createPermission: return createPermission(slot, exchange, user)
        default: return bindChannel(slot, exchange, user)
        }
    }

    // MARK: Time and streams

    package var nextTimeout: Instant? { expiries.nextTimeout }

    package mutating func handleTimeout(at now: Instant) {
        while let entry = expiries.popDue(at: now) {
            switch entry.kind {
            case .allocation:
                guard entry.slot < allocations.count, allocations[entry.slot].generation == entry.generation,
                    allocations[entry.slot].state != .vacant, allocations[entry.slot].armed == entry.due
                else { continue }
                guard allocations[entry.slot].expires <= now else {
                    arm(entry.slot, at: allocations[entry.slot].expires)
                    continue
                }
                remove(entry.slot)
            case .reservation:
                guard entry.slot < relays.count, relays[entry.slot].generation == entry.generation,
                    relays[entry.slot].state != .vacant, relays[entry.slot].allocation < 0
                else { continue }
                close(relay: entry.slot)
            }
        }
    }

    /// The client's stream ended, and with it what it had (RFC 8656 §3.2).
    package mutating func closed(_ client: TURNClient) {
        if let slot = slots[client] { remove(slot) }
    }

    package mutating func pollOutput() -> Output? { outputs.popFirst() }

    // MARK: The tables

    func index(of relay: RelayID) -> Int? {
        let slot = Int(relay.slot)
        guard slot < relays.count, relays[slot].generation == relay.generation, relays[slot].state != .vacant else {
            return nil
        }
        return slot
    }

    mutating func arm(_ slot: Int, at due: Instant) {
        allocations[slot].armed = due
        expiries.set(.allocation, slot: slot, generation: allocations[slot].generation, at: due)
    }

    /// Ends an allocation with everything it has.
    mutating func remove(_ slot: Int) {
        guard allocations[slot].state != .vacant else { return }
        if allocations[slot].state == .open {
            outputs.append(.event(.ended(user: accounts.user(allocations[slot].account))))
        }
        for relay in [allocations[slot].relayV4, allocations[slot].relayV6] where relay >= 0 {
            close(relay: Int(relay))
        }
        if allocations[slot].pair >= 0 { close(relay: Int(allocations[slot].pair)) }
        slots[allocations[slot].client] = nil
        accounts.close(allocations[slot].account)
        allocations.release(slot)
    }

    mutating func close(relay slot: Int) {
        guard relays[slot].state != .vacant else { return }
        if configuration.opensSockets {
            outputs.append(.close(RelayID(slot: UInt32(slot), generation: relays[slot].generation)))
        }
        relaySlots[relays[slot].announced] = nil
        if relays[slot].token != 0 { reservations[relays[slot].token] = nil }
        relays[slot].state = .vacant
        relays[slot].reservedFor = -1
        freeRelays.append(slot)
    }
}
