import Base
import CallControl
import NetSimulation
import SIP
import UserAgent

/// One household in virtual time: a real `CallController` with its disk, real `UserAgent`s, and a bad network between.
///
/// Phones speak SIP over UDP, pages over streams that may break. Everything follows from the seed; `failures` says what
/// was broken, and with `isTraced` the whole exchange is kept as text.
final class World {
    static let domain = "hearth.test"
    static let serverAddress = IPAddress.v4(0x0a00_0001)
    static let udp = TransportAddress(ip: serverAddress, port: 5060)
    static let webSocket = TransportAddress(ip: serverAddress, port: 443)

    /// 20 % of datagrams lost each way, others late, out of order and twice.
    static let badLink = Link(
        loss: 0.2, delay: .milliseconds(20), jitter: .milliseconds(30), reordering: 0.1,
        reorderingDelay: .milliseconds(120), duplication: 0.1)

    let seed: UInt64
    let isTraced: Bool
    private(set) var now = Instant.zero
    private(set) var trace: [String] = []
    private(set) var failures: [String] = []
    private(set) var phones: [Phone] = []
    var random: RandomSource
    var network: SimulatedNetwork

    /// What a faulty phone makes of its messages to the server.
    var tamper: ([UInt8]) -> [UInt8] = { $0 }
    /// The last messages that were sent, if somebody asked to keep them.
    private(set) var payloads: [[UInt8]] = []
    private let keepsPayloads: Bool
    private let link: Link
    private let stranger: SimulatedNetwork.HostID
    private let server: SimulatedNetwork.HostID
    private(set) var controller: CallController
    private let configuration: CallController.Configuration
    private var accounts: [SIPAccount] = []
    private var isServerUp = true
    /// Counts restarts: what was asked of the disk by a server that is gone is not answered.
    private var generation = 0
    private var flows: [SimulatedNetwork.StreamID: Flow] = [:]
    private var streams: [UInt64: SimulatedNetwork.StreamID] = [:]
    /// What is on disk, by user and key, with the end of each lifetime.
    private var disk: [[UInt8]: [[UInt8]: (binding: Binding, expires: Instant)]] = [:]
    private var tasks = TimerQueue<() -> Void>(capacity: 100_000)

    init(seed: UInt64, link: Link = World.badLink, isTraced: Bool = false, keepsPayloads: Bool = false) {
        (self.seed, self.link, self.isTraced, self.keepsPayloads) = (seed, link, isTraced, keepsPayloads)
        random = RandomSource(seed: seed)
        network = SimulatedNetwork(seed: random.next())
        server = network.addHost(Self.serverAddress, link: Link(delay: .milliseconds(1)))
        network.listen(at: server, port: Self.webSocket.port)
        stranger = network.addHost(.v4(0xcb00_7109))
        var configuration = CallController.Configuration(
            domain: Array(Self.domain.utf8), secret: random.bytes(count: 32))
        configuration.aliases = [Array("10.0.0.1".utf8)]
        configuration.listeners = [
            .init(transport: .udp, id: 1, host: Array("10.0.0.1".utf8), port: 5060, local: Self.udp),
            .init(transport: .wss, id: 0, host: Array("10.0.0.1".utf8), port: 443, local: Self.webSocket),
        ]
        self.configuration = configuration
        controller = CallController(configuration: configuration, random: RandomSource(seed: random.next()), at: now)
        controller.load(accounts: [], bindings: [], at: now)
    }

    // MARK: - People and devices

    private func addAccount(_ user: String) {
        let (name, realm) = (Array(user.utf8), Array(Self.domain.utf8))
        guard !accounts.contains(where: { $0.user == name }) else { return }
        let colon = [UInt8](":".utf8)
        let secret = name + colon + realm + colon + Phone.password(of: user)
        let credential = PhoneCredential(
            label: Array("desk".utf8), md5: MessageDigest.MD5.hash(secret), sha256: MessageDigest.SHA256.hash(secret))
        accounts.append(SIPAccount(user: name, phones: [credential]))
        controller.set(account: accounts[accounts.count - 1], at: now)
    }

    /// A device of the person, behind a translator of its own if one is given.
    @discardableResult
    func add(_ user: String, _ access: Phone.Access, nat: NATBehavior? = nil, link: Link? = nil) -> Phone {
        addAccount(user)
        let number = UInt32(phones.count + 1)
        var gateway: SimulatedNetwork.NATID?
        if let nat { gateway = network.addNAT(nat, external: .v4(0xc633_6400 + number)) }
        let host = network.addHost(.v4(0xc0a8_0000 + number), behind: gateway, link: link ?? self.link)
        let phone = Phone(user: user, number: Int(number), access: access, host: host, world: self)
        phones.append(phone)
        return phone
    }

    // MARK: - Time

    /// Lets time pass until `condition` holds, for at most `longest`.
    ///
    /// - Returns: whether it holds.
    @discardableResult
    func run(for longest: Duration, until condition: () -> Bool = { false }) -> Bool {
        let end = now + longest
        while !condition() {
            guard let next = nextInstant, next <= end else {
                now = end
                return condition()
            }
            step(to: max(next, now))
        }
        return true
    }

    /// Does something later, in order of time.
    func after(_ delay: Duration, _ action: @escaping () -> Void) { _ = tasks.schedule(action, at: now + delay) }

    /// Lets go of everything that knows this world, so that it can end: a thousand of them do in one run.
    func end() {
        tasks = TimerQueue(capacity: 0)
        tamper = { $0 }
        for phone in phones { phone.onIncoming = { _, _ in } }
        phones = []
    }

    /// A random duration up to `longest`.
    func someTime(upTo longest: Duration) -> Duration {
        .nanoseconds(Int64.random(in: 0...longest.wholeNanoseconds, using: &random))
    }

    private var nextInstant: Instant? {
        var next = [tasks.nextTimeout, network.nextTimeout].compactMap { $0 }.min()
        if isServerUp, let due = controller.nextTimeout { next = min(next ?? due, due) }
        for phone in phones { if let due = phone.agent.nextTimeout { next = min(next ?? due, due) } }
        return next
    }

    private var stepsAtThisInstant = 0

    private func step(to instant: Instant) {
        stepsAtThisInstant = instant == now ? stepsAtThisInstant + 1 : 0
        precondition(stepsAtThisInstant < 10_000, "seed \(seed): time stands still")
        now = instant
        while let task = tasks.popDue(at: now) { task() }
        while let arrival = network.poll(at: now) { handle(arrival) }
        if isServerUp, let due = controller.nextTimeout, due <= now {
            controller.handleTimeout(at: now)
            drainController()
        }
        for phone in phones {
            guard let due = phone.agent.nextTimeout, due <= now else { continue }
            phone.agent.handleTimeout(at: now)
            phone.drain()
        }
    }

    // MARK: - The network

    private func handle(_ arrival: SimulatedNetwork.Arrival) {
        switch arrival {
        case .datagram(server, _, let source, let payload):
            guard isServerUp else { return }
            receive(payload, on: Flow(transport: .udp, id: 1, remote: source, local: Self.udp))
        case .datagram(let host, _, _, let payload):
            phone(at: host)?.receive(payload)
        case .accepted(let stream, _, _, let peer):
            accept(stream, from: peer)
        case .connected(let stream, let host):
            phone(at: host)?.connected(stream)
        case .message(let stream, server, let payload):
            guard isServerUp, let flow = flows[stream] else { return }
            receive(payload, on: flow)
        case .message(_, let host, let payload):
            phone(at: host)?.receive(payload)
        case .closed(let stream, server):
            forget(stream)
        case .closed(let stream, let host):
            phone(at: host)?.closed(stream)
        }
    }

    private func phone(at host: SimulatedNetwork.HostID) -> Phone? { phones.first { $0.host == host } }

    private func receive(_ payload: [UInt8], on flow: Flow) {
        controller.receive(payload, on: flow, at: now)
        drainController()
    }

    /// A page is signed in by its cookie: the server knows whose stream it is.
    private func accept(_ stream: SimulatedNetwork.StreamID, from peer: TransportAddress) {
        guard isServerUp, let phone = phones.first(where: { $0.stream == stream }) else { return }
        let flow = Flow(transport: .wss, id: 1000 + stream.number, remote: peer, local: Self.webSocket)
        flows[stream] = flow
        streams[flow.id] = stream
        controller.flowOpened(flow, user: Array(phone.user.utf8), at: now)
        drainController()
    }

    private func forget(_ stream: SimulatedNetwork.StreamID) {
        guard let flow = flows.removeValue(forKey: stream) else { return }
        streams[flow.id] = nil
        guard isServerUp else { return }
        controller.flowClosed(flow, at: now)
        drainController()
    }

    /// Breaks a page's connection; the ends that are not told find out by themselves.
    func cut(_ phone: Phone) {
        guard let stream = phone.stream else { return }
        note("\(phone.name) loses its connection")
        network.cut(stream, notice: .bothEnds, at: now)
    }

    func send(_ message: [UInt8], from phone: Phone) {
        let payload = tamper(message)
        note(payload, from: phone.name, to: "server")
        switch phone.access {
        case .udp: network.send(payload, from: phone.host, port: Phone.port, to: Self.udp, at: now)
        case .page:
            guard let stream = phone.stream else { return }
            network.write(payload, to: stream, from: phone.host, at: now)
        }
    }

    /// A datagram of a stranger's, to the server or to a phone.
    func inject(_ payload: [UInt8], to phone: Phone?) {
        note(payload, from: "stranger", to: phone?.name ?? "server")
        let target = phone.map { TransportAddress(ip: network.address(of: $0.host), port: Phone.port) }
        network.send(payload, from: stranger, port: 5060, to: target ?? Self.udp, at: now)
    }

    func open(from phone: Phone) -> SimulatedNetwork.StreamID {
        network.open(from: phone.host, to: Self.webSocket, at: now)
    }

    // MARK: - The server's driver

    private func drainController() {
        while let output = controller.pollOutput() {
            switch output {
            case .send(let bytes, let flow): send(bytes, on: flow)
            case .store(let change, let ticket): store(change, ticket: ticket)
            case .resolve(let query, _):
                onServer(after: .milliseconds(5)) { $0.resolved(query, with: .failed, at: $1) }
            case .connect(let request, _):
                onServer(after: .milliseconds(5)) { $0.connected(request, flow: nil, at: $1) }
            case .close(let flow, _):
                if let stream = streams[flow.id] { network.close(stream, from: server, at: now) }
            case .event(let event):
                note("server tells: \(String(describing: event).prefix { $0 != "(" })")
            }
        }
    }

    private func send(_ bytes: [UInt8], on flow: Flow) {
        note(bytes, from: "server", to: name(of: flow))
        if flow.transport == .udp {
            network.send(bytes, from: server, port: Self.udp.port, to: flow.remote, at: now)
        } else if let stream = streams[flow.id] {
            network.write(bytes, to: stream, from: server, at: now)
        }
    }

    private func name(of flow: Flow) -> String {
        guard isTraced else { return "" }
        if let stream = streams[flow.id], let phone = phones.first(where: { $0.stream == stream }) { return phone.name }
        if let phone = phones.first(where: { network.address(of: $0.host) == flow.remote.ip }) { return phone.name }
        return String(decoding: flow.remote.text, as: UTF8.self)
    }

    /// Tells the controller something later, unless it has been replaced by then.
    private func onServer(after delay: Duration, _ tell: @escaping (inout CallController, Instant) -> Void) {
        let generation = generation
        after(delay) { [unowned self] in
            guard isServerUp, generation == self.generation else { return }
            tell(&controller, now)
            drainController()
        }
    }

    /// The disk takes its time; what was on its way when the server dies is lost, ticket and all.
    private func store(_ change: BindingChange, ticket: UInt64?) {
        let asked = now
        let delay = Duration.milliseconds(1) + someTime(upTo: .milliseconds(20))
        onServer(after: delay) { [unowned self] controller, now in
            for key in change.removed { disk[change.user]?[key] = nil }
            for binding in change.saved {
                disk[change.user, default: [:]][binding.key] = (binding, asked + binding.remaining)
            }
            if let ticket { controller.stored(ticket, succeeded: true, at: now) }
        }
    }

    /// Kills the server, without warning, and starts another one on the same disk.
    func restartServer(after downTime: Duration) {
        guard isServerUp else { return }
        note("the server is killed")
        isServerUp = false
        generation += 1
        network.stopListening(at: server, port: Self.webSocket.port)
        for stream in network.streams(at: server) { network.cut(stream, notice: .opener, at: now) }
        (flows, streams) = ([:], [:])
        after(downTime) { [unowned self] in startServer() }
    }

    private func startServer() {
        note("the server starts")
        isServerUp = true
        network.listen(at: server, port: Self.webSocket.port)
        controller = CallController(configuration: configuration, random: RandomSource(seed: random.next()), at: now)
        var bindings: [Binding] = []
        for user in disk.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            for key in (disk[user] ?? [:]).keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                guard let (saved, expires) = disk[user]?[key], expires > now else { continue }
                var binding = saved
                binding.remaining = expires - now
                bindings.append(binding)
            }
        }
        controller.load(accounts: accounts, bindings: bindings, at: now)
        drainController()
    }

    // MARK: - Judgement

    func check(_ condition: Bool, _ complaint: @autoclosure () -> String) {
        guard !condition else { return }
        let text = "\(milliseconds) ms: \(complaint())"
        note("FAILED \(text)")
        failures.append(text)
    }

    /// Calls somebody is in at this moment, counted once per end.
    var establishedEnds: Int { phones.reduce(0) { $0 + $1.established.count } }

    /// Ends of calls whose other end is in no call with them: somebody talks to nobody.
    var lonely: [String] {
        var ends: [String: Int] = [:]
        for phone in phones {
            for call in phone.established {
                let peer = phone.peers[call] ?? "?"
                // One end counts up, the other down; a pair leaves nothing.
                if phone.name < peer { ends["\(phone.name)-\(peer)", default: 0] += 1 }
                if phone.name > peer { ends["\(peer)-\(phone.name)", default: 0] -= 1 }
            }
        }
        return ends.filter { $0.value != 0 }.keys.sorted()
    }

    /// Where nothing broke, a device forgets a call only when its person ended it, or when another device of the same
    /// person answered faster.
    func checkNobodyForgot() {
        for phone in phones {
            for peer in phone.forgetful {
                let rivals = phones.filter { $0.user == phone.user && $0 !== phone }.map(\.name)
                let ended = phones.contains {
                    $0.name == peer && ($0.hungUp(on: phone.name) || rivals.contains(where: $0.peers.values.contains))
                }
                check(ended, "\(peer) forgot its call with \(phone.name)")
            }
        }
    }

    /// Lets everything that is under way come to its end, and checks that nothing stays behind: no call, no
    /// transaction, no request that waits. Ringing may last 45 s, timer C 185 s and what follows 32 s each.
    func settle(expectingCalls ends: Int = 0) {
        run(for: .seconds(300)) { isIdle(calls: ends) && establishedEnds == ends }
        check(establishedEnds == ends, "\(establishedEnds) ends are in calls, not \(ends)")
        check(controller.transactionCount == 0, "the server keeps \(controller.transactionCount) transactions")
        check(controller.waitingCount == 0, "\(controller.waitingCount) requests wait for something")
        for phone in phones {
            check(phone.pending.isEmpty, "\(phone.name): calls \(phone.pending) never ended")
            phone.checkIdle(calls: phone.established.count)
        }
        // A registration costs two dozen messages at 20 % loss, a call as many on each leg: more is a storm.
        check(network.statistics.sent < 3000, "\(network.statistics.sent) datagrams were sent")
    }

    private func isIdle(calls: Int) -> Bool {
        controller.transactionCount == 0 && controller.waitingCount == 0
            && phones.allSatisfy { $0.pending.isEmpty && $0.isIdle }
    }

    // MARK: - Trace

    private var milliseconds: Int64 { now.nanoseconds / 1_000_000 }

    func note(_ text: @autoclosure () -> String) {
        guard isTraced else { return }
        trace.append("\(milliseconds) \(text())")
    }

    private func note(_ payload: [UInt8], from sender: String, to receiver: String) {
        if keepsPayloads, sender != "stranger" {
            payloads.append(payload)
            if payloads.count > 200 { payloads.removeFirst(100) }
        }
        guard isTraced else { return }
        let lines = String(decoding: payload, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        let cseq = lines.first { $0.hasPrefix("CSeq:") } ?? ""
        let callID = (lines.first { $0.hasPrefix("Call-ID:") } ?? "").suffix(6)
        note("\(sender) -> \(receiver): \(lines.first ?? "")  [\(cseq) \(callID)]")
    }
}
