import Base
import SDP
import SIP

/// Sends a request on: RFC 3261 §16.6, with Record-Route on both sides (RFC 5658) and tokens that find devices again.
extension CallController {
    /// Begins a transaction and its first branches.
    ///
    /// - Parameter person: who sent it, for requests outside of dialogs.
    mutating func forward(
        _ incoming: Incoming, _ routeSet: RouteSet, to targets: [Target], from person: Int?, loop: UInt64,
        at now: Instant
    ) {
        let breadth = breadth(incoming, isInDialog: person == nil)
        guard Self.fits(targets, breadth) else { return answer(incoming, 440, because: .overload) }
        let index = begin(incoming, routeSet, from: person, loop: loop, breadth: breadth, at: now)
        requests.elements[index].isHousehold = targets.allSatisfy { $0.hop == nil }
        if incoming.method == .invite {
            let limits = configuration.limits
            requests.elements[index].patience =
                now + (requests.elements[index].isHousehold ? limits.noAnswer : limits.timerC)
            if person != nil {
                statistics.callsStarted &+= 1
                outputs.append(
                    .event(
                        .callStarted(
                            from: incoming.fromUser ?? [], to: routeSet.uri.user ?? [], branches: targets.count)))
            }
        }
        if incoming.method != .invite {
            requests.elements[index].patience = now + configuration.timers.nonInviteTrying
        }
        if targets.count == 1 {
            startGroup(targets, of: index, at: now)
        } else {
            requests.elements[index].laterTargets = targets.sorted { $0.q < $1.q }
            startNextGroup(of: index, at: now)
        }
    }

    /// How many branches may be open at one time, here and further on (RFC 5393 §5.3.3): what came, but no more than we
    /// would have asked for; a malformed Max-Breadth counts as none. Within a dialog a request has one way, so one that
    /// brings no limit needs none.
    private func breadth(_ incoming: Incoming, isInDialog: Bool) -> Int? {
        let limit = configuration.limits.maximumBreadth
        guard let asked = incoming.message.value(of: .maxBreadth).flatMap({ ASCII.decimal($0) }) else {
            return isInDialog ? nil : limit
        }
        return min(asked, limit)
    }

    /// Whether every group of targets that ring together is within the limit.
    private static func fits(_ targets: [Target], _ breadth: Int?) -> Bool {
        guard let breadth, breadth < targets.count else { return true }
        return breadth > 0 && targets.allSatisfy { target in targets.count { $0.q == target.q } <= breadth }
    }

    /// Makes the server transaction, and answers an INVITE with 100 at once.
    private mutating func begin(
        _ incoming: Incoming, _ routeSet: RouteSet, from person: Int?, loop: UInt64, breadth: Int?, at now: Instant
    ) -> Int {
        var request = ForkedRequest(key: incoming.key, answerFlow: incoming.answerFlow)
        request.request = incoming.message
        request.begun = now
        let reliable = incoming.flow.transport.isReliable
        if incoming.method == .invite {
            request.invite = InviteServerTransaction(reliable: reliable, timers: configuration.timers)
        } else {
            request.other = NonInviteServerTransaction(reliable: reliable, timers: configuration.timers)
        }
        let callerWay = way(back: incoming, person: person)
        if case .device(let id) = callerWay { request.callerDevice = id }
        request.plan = plan(
            incoming, routeSet, callerWay: callerWay, isDialogForming: person != nil, loop: loop)
        request.breadth = breadth
        if let person, incoming.method == .invite {
            request.caller = location.people.reference(at: person)
            location.addPendingCall(1, at: person)
        }
        let reference = requests.insert(request)
        let index = Int(reference.slot)
        requestIndex.set(incoming.key, index)
        flows.addTransaction(1, on: incoming.answerFlow)
        if incoming.method == .invite {
            let trying = response(100, to: incoming, isIndexed: true).finish()
            if case .send(let bytes)? = requests.elements[index].invite?.respond(trying, at: now) {
                outputs.append(.send(bytes, incoming.answerFlow))
            }
        }
        return index
    }

    /// How the sender is found again: as a device where she is one, else by her flow.
    private func way(back incoming: Incoming, person: Int?) -> Way {
        let flow = incoming.flow
        if let person, let id = location.device(of: person, on: flow) { return .device(id) }
        guard flow.transport == .udp else { return .stream(id: flow.id, epoch: epoch) }
        let reached = contactFlow(incoming)
        if let person, reached != flow, let id = location.device(of: person, on: reached) { return .device(id) }
        return .datagrams(socket: reached.id, reached.remote)
    }

    /// Where the Contact of a request that came over UDP leads.
    private func contactFlow(_ incoming: Incoming) -> Flow {
        do throws(SIPParseError) {
            guard incoming.message.contains(.contact), let contact = try incoming.message.contacts().first else {
                return incoming.flow
            }
            return own.reach(OwnNames.address(contact.uri), from: incoming.flow)
        } catch { return incoming.flow }
    }

    /// The changes all branches share.
    private func plan(
        _ incoming: Incoming, _ routeSet: RouteSet, callerWay: Way, isDialogForming: Bool, loop: UInt64
    ) -> ForwardPlan {
        let recordsRoute =
            isDialogForming
            && (incoming.method == .invite || incoming.method == .subscribe || incoming.method == .refer
                || incoming.method == .notify)
        return ForwardPlan(
            incoming, edit: commonEdit(incoming, routeSet), loop: loop, recordsRoute: recordsRoute,
            callerWay: callerWay, arrival: own.hop(for: incoming.flow),
            media: isDialogForming ? MediaNeed(offer: incoming.message, from: incoming.flow.transport) : nil,
            isSecure: routeSet.uri.scheme == .sips)
    }

    func commonEdit(_ incoming: Incoming, _ routeSet: RouteSet) -> MessageEdit {
        var edit = MessageEdit(incoming.message)
        if let via = incoming.notedVia { edit.replaceFirst(.via, with: RawValue(via)) }
        // §16.6 step 3.
        edit.set(.maxForwards, number: incoming.maximumForwards.map { $0 - 1 } ?? configuration.limits.maximumForwards)
        routeSet.apply(to: &edit, of: incoming.message)
        // Who asserts an identity here is nobody we trust (RFC 3325 §5).
        if incoming.message.contains(.pAssertedIdentity) { edit.remove(.pAssertedIdentity) }
        removeCredentials(incoming.message, &edit)
        completeLength(of: incoming.message, in: &edit)
        return edit
    }

    /// §22.3: credentials for our realm go no further.
    private func removeCredentials(_ message: SIPMessage, _ edit: inout MessageEdit) {
        guard message.contains(.proxyAuthorization) else { return }
        let values = message.values(of: .proxyAuthorization)
        var foreign: [ArraySlice<UInt8>] = []
        for value in values where values.count > 1 {
            do throws(SIPParseError) {
                if let credentials = try DigestCredentials(parsing: value), credentials.realm == configuration.domain {
                    continue
                }
            } catch {}
            foreign.append(value)
        }
        edit.remove(.proxyAuthorization)
        for value in foreign { edit.append(.proxyAuthorization, RawValue(Array(value))) }
    }

    // MARK: Branches

    /// §16.6: the targets of the best q that is left ring together.
    mutating func startNextGroup(of index: Int, at now: Instant) {
        guard let q = requests.elements[index].laterTargets.last?.q else { return }
        var group: [Target] = []
        while let target = requests.elements[index].laterTargets.last, target.q == q {
            group.append(target)
            requests.elements[index].laterTargets.removeLast()
        }
        startGroup(group, of: index, at: now)
    }

    private mutating func startGroup(_ group: [Target], of index: Int, at now: Instant) {
        if let breadth = requests.elements[index].breadth {
            // Groups follow each other, so each has all of it to share.
            requests.elements[index].share = breadth / max(1, group.count)
        }
        requests.elements[index].isStarting = true
        for target in group { start(target, of: index, at: now) }
        requests.elements[index].isStarting = false
        releasePlan(of: index)
        if requests.elements[index].pendingBranches == 0 { conclude(index, at: now) }
        armRequest(index)
    }

    /// Gives memory back once no branch can need the plan any more.
    private mutating func releasePlan(of index: Int) {
        guard requests.elements[index].laterTargets.isEmpty else { return }
        var next = requests.elements[index].firstBranch
        while let branch = next {
            guard branches.elements[branch].target == nil else { return }
            next = branches.elements[branch].next
        }
        requests.elements[index].plan = nil
    }

    /// Adds a branch and sends it, or sets about finding where to.
    mutating func start(_ target: Target, of index: Int, at now: Instant) {
        guard let plan = requests.elements[index].plan else { return }
        if let transport = target.transport {
            if let media = plan.media, !media.suits(transport) {
                return requests.elements[index].best.consider(.local(.mediaMismatch))
            }
            if plan.isSecure, !transport.isSecure {
                return requests.elements[index].best.consider(.local(.notSecure))
            }
        }
        var branch = Branch(
            request: requests.reference(at: index), next: requests.elements[index].firstBranch, loop: plan.loop,
            flow: .none, stage: .connecting)
        branch.device = target.device
        // One that can be sent at once, and nowhere else after that, needs no place to be kept.
        let isFinal = target.flow != nil && target.hop == nil && target.otherFlows.isEmpty
        if !isFinal { branch.target = target }
        let id = branchID(requests.elements[index].key, target)
        branch.id = id
        let slot = Int(branches.insert(branch).slot)
        branchIndex.set(id, slot)
        requests.elements[index].firstBranch = slot
        requests.elements[index].liveBranches += 1
        requests.elements[index].pendingBranches += 1
        if let flow = target.flow {
            transmit(slot, to: target, on: flow, at: now)
        } else if target.hop != nil {
            tryNextHop(slot, at: now)
        } else {
            waitForDevice(slot, at: now)
        }
    }

    /// The same for the same request and target, in every life of the server.
    func branchID(_ key: UInt64, _ target: Target) -> UInt64 {
        var state = hash.begin(.branchID)
        state.add(key)
        state.add(target.device ?? 0)
        state.add(target.attempt)
        return state.finish()
    }

    /// Sends a branch whose target has been kept.
    mutating func transmit(_ slot: Int, on flow: Flow, at now: Instant) {
        guard let target = branches.elements[slot].target else { return fail(slot, .unreachable, at: now) }
        transmit(slot, to: target, on: flow, at: now)
    }

    /// Writes the request for one branch and sends it.
    private mutating func transmit(_ slot: Int, to target: Target, on flow: Flow, at now: Instant) {
        guard let index = requests.index(of: branches.elements[slot].request), let plan = requests.elements[index].plan
        else { return fail(slot, .unreachable, at: now) }
        let token = BranchToken(
            id: branches.elements[slot].id, loop: plan.loop, previousBranch: plan.incoming.branch, hash: hash)
        let message = write(target, on: flow, plan: plan, share: requests.elements[index].share, token: token)
        branches.elements[slot].flow = flow
        branches.elements[slot].stage = .sent
        branches.elements[slot].patience = nil
        if target.hop == nil, target.otherFlows.isEmpty { branches.elements[slot].target = nil }
        let reliable = flow.transport.isReliable
        if reliable, target.device != nil { branches.elements[slot].sent = message }
        if requests.elements[index].isInvite {
            branches.elements[slot].invite = InviteClientTransaction(
                request: message, reliable: reliable, timers: configuration.timers, at: now)
        } else {
            branches.elements[slot].other = NonInviteClientTransaction(
                request: message, reliable: reliable, timers: configuration.timers, at: now)
        }
        flows.addTransaction(1, on: flow)
        armBranch(slot)
        outputs.append(.send(message.bytes, flow))
    }

    /// §16.6 step 9: a datagram or a frame may leave Content-Length out, a stream may not. Given to every copy, because one
    /// may yet go over a stream.
    func completeLength(of message: SIPMessage, in edit: inout MessageEdit) {
        guard !message.contains(.contentLength) else { return }
        edit.set(.contentLength, number: message.body.count)
    }

    func write(
        _ target: Target, on flow: Flow, plan: ForwardPlan, share: Int?, token: BranchToken
    ) -> SIPMessage {
        let departure = own.hop(for: flow)
        var edit = plan.edit
        if let uri = target.uri { edit.setRequestURI(text: uri) }
        for entry in target.path.reversed() { edit.insert(.route, RawValue(entry)) }
        if plan.recordsRoute { recordRoute(&edit, target, departure: departure, plan: plan) }
        if let share { edit.set(.maxBreadth, number: share) }
        edit.insert(.via, OwnVia(beginning: own.hops[departure].via, token: token))
        return repairedForStrictRouter(edit.finish())
    }

    /// §16.6 step 4: one entry when both sides look the same, else one for each, the callee's on top (RFC 5658 §3.2).
    private func recordRoute(
        _ edit: inout MessageEdit, _ target: Target, departure: Int, plan: ForwardPlan
    ) {
        var user: [UInt8] = []
        user.reserveCapacity(RouteToken.maximumLength)
        RouteToken(caller: plan.callerWay, callee: target.way).serialize(
            callID: plan.incoming.message.callID, callerTag: plan.incoming.fromTag, hash: hash, into: &user)
        edit.insert(.recordRoute, OwnRoute(user: user, rest: own.hops[plan.arrival].route))
        guard departure != plan.arrival else { return }
        edit.insert(.recordRoute, OwnRoute(user: user, rest: own.hops[departure].route))
    }

    /// §16.6 step 6: a next hop without `lr` wants its own URI as Request-URI, and the real one at the end of Route.
    private func repairedForStrictRouter(_ message: SIPMessage) -> SIPMessage {
        guard message.contains(.route) else { return message }
        do throws(SIPParseError) {
            guard let first = try message.topRoute(), !first.uri.isLooseRouter else { return message }
            var edit = MessageEdit(message)
            edit.removeFirst(.route)
            edit.append(.route, RawValue([ASCII.lessThan] + message.requestURIText + [ASCII.greaterThan]))
            edit.setRequestURI(first.uri)
            return edit.finish()
        } catch { return message }
    }

    // MARK: Devices that are not there

    /// Waits for a device whose stream is gone, or connects to it where its Contact is its address.
    private mutating func waitForDevice(_ slot: Int, at now: Instant) {
        guard waiting.count < configuration.limits.waiting, let id = branches.elements[slot].target?.device else {
            return fail(slot, .notReachable, at: now)
        }
        if let (person, position) = location.device(id: id),
            let address = location.people.elements[person].bindings[position].dialAddress
        {
            let transport = location.people.elements[person].bindings[position].binding.flow.transport
            return connect(slot, NextHop.Candidate(transport: transport, address: address, serverName: []), at: now)
        }
        branches.elements[slot].stage = .waiting
        branches.elements[slot].patience = now + configuration.limits.reconnect
        waiting.append(branches.reference(at: slot))
        armBranch(slot)
    }

    /// A person's device registered: branches that wait for it go out.
    mutating func deviceReturned(person: Int, at now: Instant) {
        guard !waiting.isEmpty else { return }
        let candidates = waiting
        waiting.removeAll(keepingCapacity: true)
        for reference in candidates {
            guard let slot = branches.index(of: reference),
                branches.elements[slot].stage == .lost
                    || branches.elements[slot].stage == .waiting && !branches.elements[slot].isDone
            else { continue }
            guard let id = branches.elements[slot].device, let found = location.device(id: id),
                location.people.elements[found.person].bindings[found.position].isConnected
            else {
                waiting.append(reference)
                continue
            }
            let device = location.people.elements[found.person].bindings[found.position].binding
            if branches.elements[slot].stage == .lost {
                sendAgain(slot, on: device.flow, at: now)
                continue
            }
            // Taken out and put back: assigned through the optional chain, Swift 6.3.1 never frees what stood there.
            if var target = branches.elements[slot].target, target.uri != nil {
                target.uri = device.contact
                branches.elements[slot].target = target
            }
            transmit(slot, on: device.flow, at: now)
        }
    }

    /// The stream a request was sent over is gone, and its device may be back in a moment: a page that rings goes on
    /// ringing meanwhile, and would talk to nobody if its branch ended now.
    mutating func waitForReturn(_ slot: Int, at now: Instant) {
        branches.elements[slot].stage = .lost
        branches.elements[slot].patience = now + configuration.limits.reconnect
        waiting.append(branches.reference(at: slot))
        armBranch(slot)
    }

    /// Repeats on the new stream what may have been lost with the old one; to the device it is a copy.
    mutating func sendAgain(_ slot: Int, on flow: Flow, at now: Instant) {
        branches.elements[slot].patience = nil
        branches.elements[slot].stage = .sent
        guard flow.transport == branches.elements[slot].flow.transport else {
            return fail(slot, .disconnected, at: now)
        }
        branches.elements[slot].flow = flow
        flows.addTransaction(1, on: flow)
        if branches.elements[slot].cancellation?.isTerminated == false {
            outputs.append(.send(branches.elements[slot].sentCancel, flow))
        } else if let message = branches.elements[slot].sent {
            outputs.append(.send(message.bytes, flow))
        }
        armBranch(slot)
    }

    // MARK: Outside of the household

    /// The next step of RFC 3263 for a branch.
    mutating func tryNextHop(_ slot: Int, at now: Instant) {
        branches.elements[slot].stage = .connecting
        guard questions.count < configuration.limits.waiting else { return fail(slot, .unreachable, at: now) }
        switch branches.elements[slot].target?.hop?.next() {
        case .ask(let question):
            let number = ask(slot, at: now)
            outputs.append(.resolve(number, question))
        case .go(let candidate):
            guard candidate.transport == .udp else { return connect(slot, candidate, at: now) }
            guard let flow = own.datagrams(to: candidate.address) else { return fail(slot, .unreachable, at: now) }
            transmit(slot, on: flow, at: now)
        case .exhausted, nil:
            let wasFound = branches.elements[slot].target?.hop?.hasTried == true
            fail(slot, wasFound ? .unreachable : .unknownHost, at: now)
        }
    }

    private mutating func ask(_ slot: Int, patience: Duration? = nil, at now: Instant) -> UInt64 {
        let number = takeNumber()
        questions[number] = branches.reference(at: slot)
        branches.elements[slot].patience = now + (patience ?? configuration.limits.resolution)
        armBranch(slot)
        return number
    }

    private mutating func connect(_ slot: Int, _ candidate: NextHop.Candidate, at now: Instant) {
        if let flow = outsideStreams[candidate.address], flow.transport == candidate.transport, flows.isOpen(flow) {
            return transmit(slot, on: flow, at: now)
        }
        let number = ask(slot, patience: candidate.isTrial ? configuration.limits.streamTrial : nil, at: now)
        outputs.append(
            .connect(
                number,
                ConnectionTarget(
                    transport: candidate.transport, address: candidate.address, serverName: candidate.serverName)))
    }

    /// The name servers' answer to a `.resolve`.
    package mutating func resolved(_ query: UInt64, with resolution: Resolution, at now: Instant) {
        guard let slot = takeQuestion(query) else { return }
        branches.elements[slot].target?.hop?.take(resolution, random: &random)
        tryNextHop(slot, at: now)
    }

    /// The outcome of a `.connect`. `flow` nil: the connection could not be made.
    package mutating func connected(_ request: UInt64, flow: Flow?, at now: Instant) {
        if let flow {
            flows.open(flow, user: [])
            outsideStreams[flow.remote] = flow
        }
        guard let slot = takeQuestion(request) else { return }
        guard let flow else {
            guard branches.elements[slot].target?.hop != nil else {
                if !tryElsewhere(slot, at: now) { fail(slot, .notReachable, at: now) }
                return settleBranch(slot)
            }
            return tryNextHop(slot, at: now)
        }
        transmit(slot, on: flow, at: now)
    }

    /// A connection that does not come about in time gives way to the next address; one that comes about later serves the
    /// next request.
    ///
    /// - Returns: false when nothing is left, or when it is the name servers that do not answer.
    mutating func giveUpConnecting(_ slot: Int, at now: Instant) -> Bool {
        let reference = branches.reference(at: slot)
        for (number, waiting) in questions where waiting == reference { questions[number] = nil }
        guard let hop = branches.elements[slot].target?.hop, !hop.isAsking, hop.hasMore else { return false }
        tryNextHop(slot, at: now)
        return true
    }

    private mutating func takeQuestion(_ number: UInt64) -> Int? {
        guard let reference = questions.removeValue(forKey: number), let slot = branches.index(of: reference),
            !branches.elements[slot].isDone, branches.elements[slot].stage == .connecting
        else { return nil }
        return slot
    }

    // MARK: ACK and stray messages

    /// ACK of a final response of ours ends its transaction; ACK of a 2xx is forwarded like a request, but without one.
    mutating func acknowledge(_ incoming: Incoming, at now: Instant) {
        if let index = requestIndex.find(incoming.key), requests.elements[index].isInvite {
            guard requests.elements[index].invite?.receiveAcknowledgement(at: now) == .deliver else {
                return settle(index)
            }
        }
        do throws(SIPParseError) {
            let routeSet = try RouteSet.read(incoming, own: own, hash: hash, limit: configuration.limits.routes)
            guard let way = routeSet.way, maximumForwards(incoming) > 0,
                case .success(let target) = target(for: way, routeSet, incoming, at: now),
                target.flow != nil || directFlow(target) != nil
            else { return dropAcknowledgement(incoming, at: now) }
            pass(target, passingPlan(incoming, routeSet, loop: incoming.loopHash(hash)), key: incoming.key)
        } catch { dropAcknowledgement(incoming, at: now) }
    }

    /// The ACK of an answer that was made without a transaction, a 407 for one, ends here; its To tag tells.
    private mutating func dropAcknowledgement(_ incoming: Incoming, at now: Instant) {
        guard !incoming.toTag.equals(answerTag(incoming.message)[...]),
            !forwardLikeItsInvite(incoming, key: incoming.key, at: now)
        else { return }
        drop(.strayAcknowledgement, incoming.flow)
    }

    /// An address that needs no name server.
    func directFlow(_ target: Target) -> Flow? {
        var hop = target.hop
        guard case .go(let candidate)? = hop?.next() else { return nil }
        if candidate.transport == .udp { return own.datagrams(to: candidate.address) }
        return outsideStreams[candidate.address]
    }

    mutating func drop(_ reason: DropReason, _ flow: Flow) {
        statistics.dropped &+= 1
        outputs.append(.event(.dropped(reason, flow: flow)))
    }
}
