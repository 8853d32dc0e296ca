import Base

/// A network in virtual time: hosts, links that lose, delay, reorder and duplicate, translators, and streams that can
/// be cut. Everything that happens follows from the seed and the order of calls.
///
/// Hosts live in realms: the internet, and one behind each NAT. A datagram passes the sender's `up` link, is routed
/// from realm to realm through the translators on its way, and passes the receiver's `down` link.
///
///     host ── up ──> realm ── NAT ──> internet ── NAT ──> realm ── down ──> host
package struct SimulatedNetwork: Sendable {
    package struct HostID: Hashable, Sendable { fileprivate let number: Int }
    package struct NATID: Hashable, Sendable { fileprivate let number: Int }
    package struct StreamID: Hashable, Sendable { package let number: UInt64 }

    /// Something that reaches a host.
    package enum Arrival: Equatable, Sendable {
        /// `source` is whom an answer goes to, as the host sees it.
        case datagram(at: HostID, port: UInt16, source: TransportAddress, payload: [UInt8])
        /// Somebody connected to a port this host listens on.
        case accepted(StreamID, at: HostID, port: UInt16, peer: TransportAddress)
        /// The stream this host opened is there.
        case connected(StreamID, at: HostID)
        /// One message, whole, in order.
        case message(StreamID, at: HostID, payload: [UInt8])
        /// The stream is gone: refused, closed by the other side, or cut.
        case closed(StreamID, at: HostID)
    }

    /// What became of all datagrams, for tests that want to know that something did go wrong.
    package struct Statistics: Equatable, Sendable {
        package var sent = 0, delivered = 0, lost = 0, duplicated = 0, filtered = 0, unroutable = 0
    }

    /// Who hears that a stream was cut.
    package enum CutNotice: Sendable { case bothEnds, opener, acceptor, nobody }

    private struct Host {
        var address: IPAddress
        var realm: Int
        var up, down: Link
        var listening: Set<UInt16> = []
    }

    private struct NAT {
        var outerRealm: Int
        var innerRealm: Int
        var table: SimulatedNAT
    }

    private struct Stream {
        var opener, acceptor: HostID
        /// Pieces to each end arrive no earlier than the piece before.
        var lastToAcceptor, lastToOpener: Instant
    }

    private enum Event {
        /// A datagram has passed its sender's link.
        case routed(from: HostID, source: TransportAddress, destination: TransportAddress, payload: [UInt8])
        /// Something that arrives, a piece of a stream only while that stream is there.
        case arrival(Arrival)
        /// What a host hears of a stream that is not, or no longer, there.
        case notice(Arrival)
    }

    /// Datagrams and pieces under way at a time: more than any test has; what does not fit is lost.
    private static let maximumUnderWay = 1 << 20

    package private(set) var statistics = Statistics()
    private var random: RandomSource
    private var hosts: [Host] = []
    private var nats: [NAT] = []
    /// The translator that is each realm's way out; the internet, realm 0, has none.
    private var gateways: [Int?] = [nil]
    private var addresses: [[IPAddress: HostID]] = [[:]]
    private var natAddresses: [[IPAddress: Int]] = [[:]]
    private var streams: [StreamID: Stream] = [:]
    private var nextStream = UInt64(1)
    private var nextOpenerPort = UInt16(49_152)
    private var events = TimerQueue<Event>(capacity: maximumUnderWay)

    package init(seed: UInt64) { random = RandomSource(seed: seed) }

    // MARK: - Building

    /// A host in the internet, or behind a translator.
    package mutating func addHost(
        _ address: IPAddress, behind nat: NATID? = nil, link: Link = .clean
    ) -> HostID {
        let realm = nat.map { nats[$0.number].innerRealm } ?? 0
        let id = HostID(number: hosts.count)
        hosts.append(Host(address: address, realm: realm, up: link, down: link))
        precondition(addresses[realm].updateValue(id, forKey: address) == nil, "two hosts with one address")
        return id
    }

    /// A translator with an address in the internet, or behind another translator.
    package mutating func addNAT(
        _ behavior: NATBehavior, external: IPAddress, behind outer: NATID? = nil
    ) -> NATID {
        let outerRealm = outer.map { nats[$0.number].innerRealm } ?? 0
        let number = nats.count
        nats.append(
            NAT(
                outerRealm: outerRealm, innerRealm: gateways.count,
                table: SimulatedNAT(behavior: behavior, external: external)))
        gateways.append(number)
        addresses.append([:])
        natAddresses.append([:])
        natAddresses[outerRealm][external] = number
        return NATID(number: number)
    }

    /// Changes a host's links from now on; what is under way is not touched.
    package mutating func setLink(of host: HostID, up: Link, down: Link) {
        (hosts[host.number].up, hosts[host.number].down) = (up, down)
    }

    package func address(of host: HostID) -> IPAddress { hosts[host.number].address }

    /// Lets streams be opened to a port of the host.
    package mutating func listen(at host: HostID, port: UInt16) { hosts[host.number].listening.insert(port) }
    package mutating func stopListening(at host: HostID, port: UInt16) { hosts[host.number].listening.remove(port) }

    // MARK: - Time

    package var nextTimeout: Instant? { events.nextTimeout }

    /// What reaches a host next, at or before `now`; called until it gives nil.
    package mutating func poll(at now: Instant) -> Arrival? {
        while let due = events.nextTimeout, due <= now, let event = events.popDue(at: now) {
            switch event {
            case .routed(let host, let source, let destination, let payload):
                route(payload, from: source, to: destination, realm: hosts[host.number].realm, hops: 0, at: due)
            case .arrival(let arrival):
                if admits(arrival) { return arrival }
            case .notice(let arrival):
                return arrival
            }
        }
        return nil
    }

    // MARK: - Datagrams

    package mutating func send(
        _ payload: [UInt8], from host: HostID, port: UInt16, to destination: TransportAddress, at now: Instant
    ) {
        statistics.sent += 1
        let delays = hosts[host.number].up.passages(of: payload.count, using: &random)
        count(delays)
        let source = TransportAddress(ip: hosts[host.number].address, port: port)
        for delay in delays {
            let event = Event.routed(from: host, source: source, destination: destination, payload: payload)
            _ = events.schedule(event, at: now + delay)
        }
    }

    private mutating func count(_ copies: [Duration]) {
        if copies.isEmpty { statistics.lost += 1 }
        if copies.count > 1 { statistics.duplicated += 1 }
    }

    /// Moves a datagram that stands in `realm` towards its destination; `hops` ends loops of translators.
    private mutating func route(
        _ payload: [UInt8], from source: TransportAddress, to destination: TransportAddress, realm: Int, hops: Int,
        at now: Instant
    ) {
        guard hops < 8 else { return statistics.unroutable += 1 }
        if let host = addresses[realm][destination.ip] {
            return deliver(payload, to: host, port: destination.port, from: source, at: now)
        }
        if let number = natAddresses[realm][destination.ip] {
            guard let inside = nats[number].table.translateIn(to: destination.port, from: source, at: now) else {
                return statistics.filtered += 1
            }
            let realm = nats[number].innerRealm
            return route(payload, from: source, to: inside, realm: realm, hops: hops + 1, at: now)
        }
        guard let number = gateways[realm] else { return statistics.unroutable += 1 }
        let hairpin = destination.ip == nats[number].table.external
        guard !hairpin || nats[number].table.behavior.hairpinning else { return statistics.filtered += 1 }
        guard let outside = nats[number].table.translateOut(from: source, to: destination, at: now, using: &random)
        else {
            return statistics.unroutable += 1
        }
        route(payload, from: outside, to: destination, realm: nats[number].outerRealm, hops: hops + 1, at: now)
    }

    private mutating func deliver(
        _ payload: [UInt8], to host: HostID, port: UInt16, from source: TransportAddress, at now: Instant
    ) {
        let delays = hosts[host.number].down.passages(of: payload.count, using: &random)
        count(delays)
        for delay in delays {
            let arrival = Arrival.datagram(at: host, port: port, source: source, payload: payload)
            _ = events.schedule(.arrival(arrival), at: now + delay)
        }
    }

    // MARK: - Streams

    /// Opens a stream to a listening port. `connected` or `closed` follows at the opener, `accepted` at the other end.
    package mutating func open(from host: HostID, to destination: TransportAddress, at now: Instant) -> StreamID {
        let id = StreamID(number: nextStream)
        nextStream += 1
        nextOpenerPort = nextOpenerPort == .max ? 49_152 : nextOpenerPort + 1
        let inside = TransportAddress(ip: hosts[host.number].address, port: nextOpenerPort)
        let there = now + hosts[host.number].up.streamPassage(using: &random)
        guard
            let (acceptor, peer) = route(streamFrom: inside, to: destination, realm: hosts[host.number].realm, at: now),
            hosts[acceptor.number].listening.contains(destination.port)
        else {
            let back = there + hosts[host.number].down.streamPassage(using: &random)
            _ = events.schedule(.notice(.closed(id, at: host)), at: back)
            return id
        }
        let arrival = there + hosts[acceptor.number].down.streamPassage(using: &random)
        let back =
            arrival + hosts[acceptor.number].up.streamPassage(using: &random)
            + hosts[host.number].down.streamPassage(using: &random)
        streams[id] = Stream(opener: host, acceptor: acceptor, lastToAcceptor: arrival, lastToOpener: back)
        let accepted = Arrival.accepted(id, at: acceptor, port: destination.port, peer: peer)
        _ = events.schedule(.arrival(accepted), at: arrival)
        _ = events.schedule(.arrival(.connected(id, at: host)), at: back)
        return id
    }

    /// Streams go out through translators and in to hosts of the internet or of the same realm, not in through one.
    private mutating func route(
        streamFrom source: TransportAddress, to destination: TransportAddress, realm: Int, at now: Instant
    ) -> (acceptor: HostID, peer: TransportAddress)? {
        if let host = addresses[realm][destination.ip] { return (host, source) }
        guard let number = gateways[realm],
            let outside = nats[number].table.translateOut(from: source, to: destination, at: now, using: &random)
        else { return nil }
        return route(streamFrom: outside, to: destination, realm: nats[number].outerRealm, at: now)
    }

    /// Sends one message; on a stream that is gone it goes nowhere.
    package mutating func write(_ payload: [UInt8], to stream: StreamID, from host: HostID, at now: Instant) {
        schedule(on: stream, from: host, at: now) { .message(stream, at: $0, payload: payload) }
    }

    /// Closes a stream in good order: what was written before arrives before the other end hears of it.
    package mutating func close(_ stream: StreamID, from host: HostID, at now: Instant) {
        schedule(on: stream, from: host, at: now) { .closed(stream, at: $0) }
    }

    private mutating func schedule(
        on id: StreamID, from host: HostID, at now: Instant, _ arrival: (HostID) -> Arrival
    ) {
        guard var stream = streams[id], host == stream.opener || host == stream.acceptor else { return }
        let towardsAcceptor = host == stream.opener
        let receiver = towardsAcceptor ? stream.acceptor : stream.opener
        let passage =
            hosts[host.number].up.streamPassage(using: &random)
            + hosts[receiver.number].down.streamPassage(using: &random)
        let earliest = towardsAcceptor ? stream.lastToAcceptor : stream.lastToOpener
        let arrivalTime = max(earliest, now + passage)
        if towardsAcceptor { stream.lastToAcceptor = arrivalTime } else { stream.lastToOpener = arrivalTime }
        streams[id] = stream
        _ = events.schedule(.arrival(arrival(receiver)), at: arrivalTime)
    }

    /// Breaks a stream: everything under way on it is lost, and those named in `notice` hear of it at once.
    ///
    /// An end that does not hear of it writes into the void, as after a router's restart.
    package mutating func cut(_ id: StreamID, notice: CutNotice = .bothEnds, at now: Instant) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        let told =
            switch notice {
            case .bothEnds: [stream.opener, stream.acceptor]
            case .opener: [stream.opener]
            case .acceptor: [stream.acceptor]
            case .nobody: [] as [HostID]
            }
        for host in told { _ = events.schedule(.notice(.closed(id, at: host)), at: now) }
    }

    /// Streams that have an end at a host, oldest first.
    package func streams(at host: HostID) -> [StreamID] {
        streams.filter { $0.value.opener == host || $0.value.acceptor == host }.keys.sorted { $0.number < $1.number }
    }

    private mutating func admits(_ arrival: Arrival) -> Bool {
        switch arrival {
        case .datagram:
            statistics.delivered += 1
            return true
        case .closed(let id, _):
            return streams.removeValue(forKey: id) != nil
        case .accepted(let id, _, _, _), .connected(let id, _), .message(let id, _, _):
            return streams[id] != nil
        }
    }
}
