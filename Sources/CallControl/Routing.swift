import Base
import SIP

/// What happens to a request that begins a transaction: RFC 3261 §16.3 to §16.5.
extension CallController {
    mutating func route(_ incoming: Incoming, at now: Instant) {
        guard requests.count < configuration.limits.transactions else {
            return refuse(incoming, 503, "Server Is Full", because: .overload, retryAfter: 5)
        }
        let routeSet: RouteSet
        do throws(SIPParseError) {
            routeSet = try RouteSet.read(incoming, own: own, hash: hash, limit: configuration.limits.routes)
        } catch { return answer(incoming, error.status, "Malformed Route", because: .malformed) }
        let isForServer =
            routeSet.next == nil && (routeSet.uri.user ?? []).isEmpty && isSIP(routeSet.uri)
            && own.includes(routeSet.uri.host, port: routeSet.uri.port, arrivedBy: incoming.flow)
        guard isValid(incoming, isForServer: isForServer) else { return }
        if incoming.method == .register, isForServer || isOurs(routeSet, incoming) {
            return register(incoming, at: now)
        }
        if isForServer, incoming.method == .options { return answerOptions(incoming) }
        let loop = incoming.loopHash(hash)
        // Within a dialog we record-routed, the token is proof enough.
        if let way = routeSet.way, incoming.hasToTag {
            return forwardInDialog(incoming, routeSet, way, loop: loop, at: now)
        }
        guard let (person, _) = authenticate(incoming, isProxy: !isForServer, at: now) else { return }
        guard !isForServer else { return answerAsServer(incoming) }
        forwardOutOfDialog(incoming, routeSet, from: person, loop: loop, at: now)
    }

    private func isSIP(_ uri: SIPURI) -> Bool { uri.scheme == .sip || uri.scheme == .sips }

    private func isOurs(_ routeSet: RouteSet, _ incoming: Incoming) -> Bool {
        routeSet.next == nil && own.includes(routeSet.uri.host, arrivedBy: incoming.flow)
    }

    /// §16.3 steps 2 to 5, all of them the same for everybody.
    private mutating func isValid(_ incoming: Incoming, isForServer: Bool) -> Bool {
        if case .other = incoming.uri.scheme {
            answer(incoming, 416, because: .notRouted)
            return false
        }
        if maximumForwards(incoming) == 0, !(isForServer && incoming.method == .options) {
            answer(incoming, 483, because: .tooManyHops)
            return false
        }
        guard !hasLooped(incoming) else {
            answer(incoming, 482, because: .loop)
            return false
        }
        guard incoming.message.contains(.proxyRequire) else { return true }
        let demanded = incoming.message.proxyRequire
        guard demanded.isEmpty else {
            answer(incoming, 420, because: .unsupportedExtension) { $0.add(.unsupported, list: demanded.tokens) }
            return false
        }
        return true
    }

    func maximumForwards(_ incoming: Incoming) -> Int {
        incoming.maximumForwards ?? configuration.limits.maximumForwards
    }

    /// §16.3 step 4: a Via of ours below the top one whose branch has the same hash.
    private func hasLooped(_ incoming: Incoming) -> Bool {
        let message = incoming.message
        guard message.hasSeveral(.via) else { return false }
        let loop = incoming.loopHash(hash)
        do throws(SIPParseError) {
            for via in try message.vias() where own.wrote(via) {
                if let branch = via.branch, BranchToken(parsing: branch[...])?.loop == loop { return true }
            }
        } catch { return false }
        return false
    }

    // MARK: To the server itself

    /// §11: what the server can do. The same for everybody, and nothing about anybody.
    private mutating func answerOptions(_ incoming: Incoming) {
        guard mayDemand(incoming) else { return }
        answer(incoming, 200) { builder in
            builder.add(.allow, RawValue(Self.allowed))
            builder.add(.accept, "application/sdp")
            builder.add(.supported, "path, outbound, gruu")
        }
    }

    private static let allowed: [UInt8] = Array(
        SIPMethod.known.map(\.name).joined(separator: [ASCII.comma, ASCII.space]))

    /// §8.2.2.3: what a request to the server itself demands, it must have.
    private mutating func mayDemand(_ incoming: Incoming) -> Bool {
        guard incoming.message.contains(.require) else { return true }
        let unknown = Self.unsupported(incoming)
        guard !unknown.isEmpty else { return true }
        answer(incoming, 420, because: .unsupportedExtension) { $0.add(.unsupported, list: unknown) }
        return false
    }

    private mutating func answerAsServer(_ incoming: Incoming) {
        guard mayDemand(incoming) else { return }
        switch incoming.method {
        case .subscribe, .publish:
            answer(incoming, 489, "No Event Package Is Served Here", because: .unsupportedMethod)
        case .invite, .message, .refer:
            answer(incoming, 404, "Nobody Is Named In The Address", because: .unknownPerson)
        default:
            answer(incoming, 405, because: .unsupportedMethod) { $0.add(.allow, RawValue(Self.allowed)) }
        }
    }

    // MARK: To somebody

    private mutating func forwardInDialog(
        _ incoming: Incoming, _ routeSet: RouteSet, _ way: Way, loop: UInt64, at now: Instant
    ) {
        switch target(for: way, routeSet, incoming, at: now) {
        case .success(let target):
            forward(incoming, routeSet, to: [target], from: nil, loop: loop, at: now)
        case .failure(let local):
            refuse(incoming, with: local, because: .flowFailed)
        }
    }

    /// The other end of a dialog.
    func target(
        for way: Way, _ routeSet: RouteSet, _ incoming: Incoming, at now: Instant
    ) -> Result<Target, LocalResponse> {
        // A GRUU names one device wherever it is (RFC 5627 §5.3).
        if routeSet.next == nil, routeSet.uri.gruu != nil,
            own.includes(routeSet.uri.host, arrivedBy: incoming.flow),
            let found = devices(of: routeSet.uri, at: now).first
        {
            var target = found
            target.way = way
            return .success(target)
        }
        switch way {
        case .device(let id):
            if let (person, position) = location.device(id: id) {
                var target = device(at: position, of: person, keepsFlow: true, at: now)
                // The dialog's own Contact stays; the binding only says where.
                (target.uri, target.path) = (nil, [])
                return .success(target)
            }
            // Its registration is over, but a phone at an address of its own may still be in the call.
            guard case .address = routeSet.uri.host else { return .failure(.flowFailed) }
            return .success(outsideTarget(routeSet, incoming))
        case .stream(let id, let epoch):
            guard epoch == self.epoch, let flow = flows.flow(id: id) else { return .failure(.flowFailed) }
            return .success(Target(uri: nil, flow: flow, way: way))
        case .datagrams(let socket, let address):
            guard let flow = own.datagrams(to: address, socket: socket) else { return .failure(.flowFailed) }
            return .success(Target(uri: nil, flow: flow, way: way))
        case .outside:
            return .success(outsideTarget(routeSet, incoming))
        }
    }

    private func outsideTarget(_ routeSet: RouteSet, _ incoming: Incoming) -> Target {
        let uri = routeSet.next?.uri ?? routeSet.uri
        // An ACK has no transaction that could wait for a connection.
        let isLarge =
            incoming.method != .ack && incoming.message.bytes.count + Self.addedBytes > configuration.limits.datagram
        return Target(
            uri: nil, hop: NextHop(to: uri, limit: configuration.limits.nextHops, isLarge: isLarge), way: .outside)
    }

    /// What forwarding adds to a request, about: Via, two Record-Routes, received and rport.
    private static let addedBytes = 350

    private mutating func forwardOutOfDialog(
        _ incoming: Incoming, _ routeSet: RouteSet, from person: Int, loop: UInt64, at now: Instant
    ) {
        if incoming.method == .invite,
            location.people.elements[person].pendingCalls >= configuration.limits.pendingCallsPerPerson
        {
            return answer(incoming, 486, "Too Many Calls At Once", because: .tooManyCalls)
        }
        let uri = routeSet.uri
        if routeSet.next == nil, isSIP(uri), let (callee, position) = location.device(contact: uri) {
            // The Contact of a device: it, and nobody else, wherever it is by now.
            let target = device(at: position, of: callee, at: now)
            return forward(incoming, routeSet, to: [target], from: person, loop: loop, at: now)
        }
        guard routeSet.next == nil, isSIP(uri), own.includes(uri.host, port: nil, arrivedBy: incoming.flow) else {
            guard isSIP(uri) || routeSet.next != nil else {
                return answer(incoming, 404, "No Line To The Telephone Network", because: .notRouted)
            }
            return forward(
                incoming, routeSet, to: [outsideTarget(routeSet, incoming)], from: person, loop: loop, at: now)
        }
        guard let name = uri.plainUser.map({ $0.map(ASCII.lowercased) }), location.find(name[...]) != nil else {
            return answer(incoming, 404, "No Such Person", because: .unknownPerson)
        }
        // RFC 5627 §5.4: without a value it would be a temporary GRUU, and we give none.
        guard uri.gruu?.isEmpty != true else {
            return answer(incoming, 404, "No Such Device", because: .unknownPerson)
        }
        var targets = devices(of: uri, at: now)
        if incoming.method == .invite, name == location.people.elements[person].user {
            // Calling oneself rings the other devices.
            let own = location.people.elements[person].bindings.filter { $0.binding.flow == incoming.flow }
            targets.removeAll { target in
                own.contains { $0.id == target.device || target.otherFlows.contains($0.id) }
            }
        }
        guard !targets.isEmpty else { return refuse(incoming, with: .notReachable, because: .offline) }
        targets = Array(targets.prefix(configuration.limits.forksPerRequest))
        forward(incoming, routeSet, to: targets, from: person, loop: loop, at: now)
    }

    private mutating func refuse(_ incoming: Incoming, with local: LocalResponse, because reason: RefusalReason) {
        statistics.refusals &+= 1
        outputs.append(.event(.refused(status: local.status, reason: reason, flow: incoming.flow)))
        let message = localAnswer(local, to: incoming.message, on: incoming.flow)
        latency.noteAnsweredAtOnce(incoming.method)
        outputs.append(.send(message.bytes, incoming.answerFlow))
    }

    // MARK: Devices

    /// The devices a URI of our domain names: all of a person's, or the one of a GRUU (RFC 5627 §5.3).
    func devices(of uri: SIPURI, at now: Instant) -> [Target] {
        guard let name = uri.plainUser.map({ $0.map(ASCII.lowercased) }), let person = location.find(name[...]) else {
            return []
        }
        let instance = uri.gruu.map { Percent.decoded($0) }
        return devices(of: person, at: now) { instance == nil || $0.binding.instance == instance }
    }

    func target(person: Int, position: Int) -> Target {
        // Read in its place: a copy of a device counts eight references.
        let devices = location.people.elements[person].bindings
        let id = devices[position].id
        var target = Target(uri: devices[position].binding.contact, way: .device(id))
        target.device = id
        target.person = location.people.reference(at: person)
        target.transport = devices[position].binding.flow.transport
        target.path = devices[position].binding.path
        target.q = devices[position].binding.q
        if devices[position].isConnected { target.flow = devices[position].binding.flow }
        return target
    }
}
