import Base
import SIP

/// Registrar, location service and forking proxy (RFC 3261 §10 and §16) without sockets, files or clocks.
///
/// Bytes and time in, `Output` out: call one mutating method, take `pollOutput()` until nil, wait for input or
/// `nextTimeout`. The way of a request:
///
///     receive ─> Incoming ─> known transaction ─> answer again
///                   └── Routing: validation, Route, REGISTER ─> Registrar
///                          └── authentication ─> targets ─> Forwarding ─> branches
///     receive ─> response ─> Responses: branch ─> best response ─> upstream
package struct CallController: ~Copyable, Sendable {
    let configuration: Configuration
    let hash: KeyedHash
    let own: OwnNames
    /// Marks this life of the server in Record-Route tokens that name streams.
    let epoch: UInt32
    package internal(set) var statistics = Statistics()
    package internal(set) var latency = RequestLatency()
    var outputs = OutputBuffer()
    var random: RandomSource
    var location: Location
    var flows: FlowTable
    var authenticator: Authenticator
    var requests: Slab<ForkedRequest>
    var requestIndex = HashIndex()
    var branches: Slab<Branch>
    /// Branch id to slot.
    var branchIndex = HashIndex()
    var timers = TimerHeap()
    /// Branches that wait for a device to come back.
    var waiting: [SlabReference] = []
    /// Branches that wait for a name server or a connection, by the number of the question.
    var questions: [UInt64: SlabReference] = [:]
    /// Streams we opened, by where they lead.
    var outsideStreams: [TransportAddress: Flow] = [:]
    var registrations: [UInt64: PendingRegistration] = [:]
    /// Transactions of those, so that a repeated REGISTER waits with the first.
    var pendingRegistrations = HashIndex()
    var nextNumber: UInt64
    /// Until when an INVITE that was forwarded before the start may still ring; nil for a first start.
    var formerLifeEnds: Instant?
    /// When refreshed lifetimes are handed to the store; nil when none are.
    var flushDue: Instant?

    package init(configuration: Configuration, random: RandomSource, at now: Instant) {
        var random = random
        self.configuration = configuration
        hash = KeyedHash(secret: configuration.secret)
        own = OwnNames(configuration)
        epoch = UInt32(truncatingIfNeeded: random.next())
        location = Location(hash: hash, firstGeneration: UInt32(truncatingIfNeeded: random.next()))
        flows = FlowTable(firstGeneration: 0)
        authenticator = Authenticator(configuration: configuration, hash: hash, random: &random)
        requests = Slab(firstGeneration: UInt32(truncatingIfNeeded: random.next()))
        branches = Slab(firstGeneration: UInt32(truncatingIfNeeded: random.next()))
        nextNumber = random.next() >> 16
        self.random = random
    }

    // MARK: People

    /// The people and their devices, as the store kept them. Before the first message.
    package mutating func load(accounts: [SIPAccount], bindings: [Binding], at now: Instant) {
        for account in accounts { location.set(account) }
        for binding in bindings { restore(binding, at: now) }
        // No longer than timer C lets it.
        if !bindings.isEmpty { formerLifeEnds = now + configuration.limits.timerC }
    }

    /// A person is new, or her phones changed: devices of phones that are gone lose their bindings and flows.
    package mutating func set(account: SIPAccount, at now: Instant) {
        let person = location.set(account)
        let labels = account.phones.map(\.label)
        removeDevices(of: person, cause: .phoneRemoved) {
            !$0.binding.phone.isEmpty && !labels.contains($0.binding.phone)
        }
    }

    /// A person is gone, with all her bindings and flows.
    package mutating func remove(user: [UInt8], at now: Instant) {
        guard let person = location.find(user[...]) else { return }
        removeDevices(of: person, cause: .personRemoved) { _ in true }
        for flow in flows.flows(of: user) {
            flows.setUser([], of: flow)
            outputs.append(.close(flow, .personRemoved))
        }
        location.removePerson(at: person)
    }

    /// Devices of a person that can be reached at this moment.
    package func reachableDevices(of user: [UInt8]) -> Int {
        guard let person = location.find(user[...]) else { return 0 }
        return location.people.elements[person].bindings.count { $0.isConnected }
    }

    // MARK: Flows

    /// A stream is there. `user`: the signed-in person whose page opened it, who then needs no digest.
    package mutating func flowOpened(_ flow: Flow, user: [UInt8]?, at now: Instant) {
        flows.open(flow, user: user ?? [])
    }

    /// A stream is gone.
    package mutating func flowClosed(_ flow: Flow, at now: Instant) {
        guard let closed = flows.close(flow) else { return }
        if outsideStreams[flow.remote]?.id == flow.id { outsideStreams[flow.remote] = nil }
        for reference in closed.people {
            guard let person = location.people.index(of: reference) else { continue }
            for position in location.people.elements[person].bindings.indices
            where location.people.elements[person].bindings[position].binding.flow.id == flow.id {
                location.disconnect(position: position, of: person, for: configuration.limits.absence, at: now)
            }
            armExpiry(of: person)
        }
        if closed.transactions > 0 { transactionsLost(flow, at: now) }
    }

    // MARK: Messages

    /// One datagram.
    package mutating func receive(_ bytes: [UInt8], on flow: Flow, at now: Instant) {
        let message: SIPMessage
        do throws(SIPParseError) { message = try SIPMessage(parsing: bytes) } catch {
            return refuseMalformed(bytes, error, on: flow)
        }
        receive(message, on: flow, at: now)
    }

    /// One message, which whoever cut it out of a stream or a WebSocket has read already.
    package mutating func receive(_ message: SIPMessage, on flow: Flow, at now: Instant) {
        if flow.transport != .udp, flows.find(flow) == nil { flows.open(flow, user: []) }
        guard message.isRequest else {
            statistics.responses &+= 1
            return receiveResponse(message, on: flow, at: now)
        }
        statistics.requests &+= 1
        do throws(SIPParseError) {
            receiveRequest(try Incoming.read(message, on: flow, own: own, hash: hash), at: now)
        } catch { refuseMalformed(message.bytes, error, on: flow) }
    }

    /// Bytes that are no message: answered where that is possible (§16.3 step 1). Keep-alives (CRLF alone) and what is
    /// no SIP at all get no answer.
    package mutating func refuseMalformed(_ bytes: [UInt8], _ fault: SIPParseError, on flow: Flow) {
        statistics.malformed &+= 1
        guard let answer = SIPMessage.refusal(of: bytes, because: fault) else {
            if bytes.contains(where: { $0 > ASCII.space }) { outputs.append(.event(.dropped(.notSIP, flow: flow))) }
            return
        }
        outputs.append(.event(.refused(status: fault.status, reason: .malformed, flow: flow)))
        outputs.append(.send(answer.bytes, flow))
    }

    private mutating func receiveRequest(_ incoming: Incoming, at now: Instant) {
        switch incoming.method {
        case .ack:
            acknowledge(incoming, at: now)
        case .cancel:
            cancel(incoming, at: now)
        default:
            guard let index = requestIndex.find(incoming.key) else { return route(incoming, at: now) }
            statistics.retransmissions &+= 1
            repeatAnswer(index)
        }
    }

    // MARK: Time

    package var nextTimeout: Instant? {
        guard let flushDue else { return timers.nextTimeout }
        return min(flushDue, timers.nextTimeout ?? flushDue)
    }

    package mutating func handleTimeout(at now: Instant) {
        while let entry = timers.popDue(at: now) {
            switch entry.kind {
            case .server: requestTimeout(entry.reference, due: entry.due, at: now)
            case .branch: branchTimeout(entry.reference, due: entry.due, at: now)
            case .binding: bindingTimeout(entry.reference, due: entry.due, at: now)
            }
        }
        if let due = flushDue, due <= now { flush(at: now) }
    }

    package mutating func pollOutput() -> Output? { outputs.popFirst() }

    // MARK: Figures

    /// Bindings of everybody.
    package var bindingCount: Int { location.bindingCount }
    /// Requests being proxied, 32 s after their end included.
    package var transactionCount: Int { requests.count }
    /// What waits for a device, a name server, a connection or the disk.
    package var waitingCount: Int { waiting.count + questions.count + registrations.count }

    mutating func takeNumber() -> UInt64 {
        nextNumber &+= 1
        return nextNumber
    }
}
