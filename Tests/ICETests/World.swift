import Base
import NetSimulation
import STUN
import Testing

@testable import ICE

/// One side of a call at a host of the simulated network: an agent behind the demultiplexer of its port.
final class Side {
    let host: SimulatedNetwork.HostID
    let port: UInt16
    var agent: ICEAgent
    var table = Demultiplexer(maximumAgents: 1)
    let id: AgentID
    var events: [ICEAgent.Event] = []
    /// Media that came and was ours, by where from.
    var heard: [Path: Int] = [:]

    init(
        _ host: SimulatedNetwork.HostID, _ address: TransportAddress, external: TransportAddress? = nil,
        isControlling: Bool, random: inout RandomSource
    ) {
        (self.host, port) = (host, address.port)
        id = table.add(using: &random) ?? AgentID(slot: 0, tag: 0)
        let addresses = LocalAddresses(hosts: [address], external: external.map { [(0, $0)] } ?? [])
        agent = ICEAgent(
            addresses, tag: id.tag, isControlling: isControlling, random: RandomSource(seed: random.next()))
        announce()
    }

    func announce() {
        let known = [agent.localCredentials] + [agent.retiredCredentials].compactMap { $0 }
        let isOurs = table.setCredentials(known, of: id)
        #expect(isOurs)
    }

    var selected: Path? { agent.selected }
    func has(_ event: ICEAgent.Event) -> Bool { events.contains(event) }
}

/// Sides of calls, and perhaps an attacker, in virtual time.
final class World {
    var network: SimulatedNetwork
    var random: RandomSource
    var now = Instant.zero
    var sides: [Side] = []
    /// Sees every packet before it is delivered, as somebody on the way would.
    var tap: ((_ packet: [UInt8], _ side: Side, _ source: TransportAddress) -> Void)?
    private var errands = TimerQueue<() -> Void>(capacity: 1_000)

    init(seed: UInt64) {
        network = SimulatedNetwork(seed: seed)
        random = RandomSource(seed: seed &+ 1)
    }

    func add(
        _ ip: String, port: UInt16, behind nat: SimulatedNetwork.NATID? = nil, link: Link = .clean,
        external: TransportAddress? = nil, isControlling: Bool
    ) -> Side {
        let place = address(ip, port)
        let host = network.addHost(place.ip, behind: nat, link: link)
        let side = Side(host, place, external: external, isControlling: isControlling, random: &random)
        sides.append(side)
        return side
    }

    /// Does something later.
    func after(_ delay: Duration, _ errand: @escaping () -> Void) { _ = errands.schedule(errand, at: now + delay) }

    /// Tells `receiver` what `sender` has: credentials after `delay`, each candidate on its own, in any order.
    func signal(_ sender: Side, to receiver: Side, delay: Duration, spread: Duration) {
        let credentials = sender.agent.localCredentials
        after(delay) { [self] in
            try? receiver.agent.setRemote(credentials, at: now)
            drain(receiver)
        }
        var last = delay
        for candidate in sender.agent.addresses.candidates {
            let wait = .nanoseconds(Int64.random(in: 0...spread.wholeNanoseconds, using: &random)) + delay / 2
            last = max(last, wait)
            after(wait) { [self] in
                receiver.agent.add(candidate, ufrag: credentials.ufrag, at: now)
                drain(receiver)
            }
        }
        after(last + .milliseconds(1)) { [self] in
            receiver.agent.endRemoteCandidates(at: now)
            drain(receiver)
        }
    }

    /// Runs until then, or until `isDone`.
    func run(for duration: Duration, until isDone: () -> Bool = { false }) {
        let end = now + duration
        while !isDone() {
            let next = ([network.nextTimeout, errands.nextTimeout] + sides.map(\.agent.nextTimeout)).compactMap { $0 }
                .min()
            guard let next, next <= end else { break }
            now = max(now, next)
            while let errand = errands.popDue(at: now) { errand() }
            while let arrival = network.poll(at: now) { deliver(arrival) }
            for side in sides where side.agent.nextTimeout.map({ $0 <= now }) ?? false {
                side.agent.handleTimeout(at: now)
                drain(side)
                #expect(side.agent.nextTimeout.map { $0 > now } ?? true, "a timer that is due does not go away")
            }
        }
        if !isDone() { now = end }
    }

    private func deliver(_ arrival: SimulatedNetwork.Arrival) {
        guard case .datagram(let host, let port, let source, let payload) = arrival,
            let side = sides.first(where: { $0.host == host && $0.port == port })
        else { return }
        tap?(payload, side, source)
        receive(payload, side, from: source)
    }

    func receive(_ packet: [UInt8], _ side: Side, from source: TransportAddress) {
        let path = Path(local: 0, remote: source)
        guard case .agent(_, let kind) = packet.withUnsafeBytes({ side.table.route($0, along: path) }) else { return }
        guard kind == .stun else { return side.heard[path, default: 0] += 1 }
        var reply = [UInt8](repeating: 0, count: ICEAgent.maximumMessage)
        let outcome = packet.withUnsafeBytes { bytes in
            reply.withUnsafeMutableBytes { side.agent.receive(bytes, along: path, reply: $0, at: now) }
        }
        switch outcome {
        case .reply(let count), .refused(_, let count):
            if count > 0 { send(Array(reply[..<count]), from: side, to: source) }
        case .consumed: break
        }
        drain(side)
    }

    func drain(_ side: Side) {
        var buffer = [UInt8](repeating: 0, count: ICEAgent.maximumMessage)
        while let output = buffer.withUnsafeMutableBytes({ side.agent.pollOutput(into: $0) }) {
            switch output {
            case .send(let count, let path): send(Array(buffer[..<count]), from: side, to: path.remote)
            case .event(let event):
                side.events.append(event)
                if case .heard(let path) = event { side.table.bind(path, to: side.id, isProven: false, at: now) }
                if case .proven(let path) = event { side.table.bind(path, to: side.id, isProven: true, at: now) }
            }
        }
    }

    func send(_ packet: [UInt8], from side: Side, to remote: TransportAddress) {
        network.send(packet, from: side.host, port: side.port, to: remote, at: now)
    }

    /// One media packet along a side's selected pair.
    func sendMedia(from side: Side) {
        if let path = side.selected { send([0x80, 96, 0, 1], from: side, to: path.remote) }
    }
}
