import Base
import SIP

/// What comes back: RFC 3261 §16.7 to §16.10.
extension CallController {
    mutating func receiveResponse(_ message: SIPMessage, on flow: Flow, at now: Instant) {
        guard let (branch, method) = identity(of: message) else {
            statistics.malformed &+= 1
            return
        }
        guard let token = BranchToken(parsing: branch) else { return drop(.strayResponse, flow) }
        guard let slot = branchIndex.find(token.id), branches.elements[slot].loop == token.loop else {
            return forwardStray(message, method, token, on: flow, at: now)
        }
        if method == .cancel {
            _ = branches.elements[slot].cancellation?.receive(message, at: now)
            return settleBranch(slot)
        }
        // §16.7 step 3: without another Via it leads nowhere. It must not end the transaction either, or nobody would
        // answer the request any more.
        guard message.hasSeveral(.via) else {
            return drop(.strayResponse, flow)
        }
        if branches.elements[slot].invite != nil {
            guard let action = branches.elements[slot].invite?.receive(message, at: now) else { return }
            take(action, message, slot, at: now)
        } else if branches.elements[slot].other?.receive(message, at: now) == .deliver {
            deliver(message, slot, at: now)
            settleBranch(slot)
        }
    }

    /// The branch of the top Via and the method of CSeq: quickly where they have the usual shape.
    private func identity(of message: SIPMessage) -> (branch: ArraySlice<UInt8>, method: SIPMethod)? {
        if let via = message.value(of: .via), let branch = HeadScan.branch(via), let text = message.value(of: .cseq),
            let cseq = HeadScan.sequence(text)
        {
            return (branch, cseq.method)
        }
        do throws(SIPParseError) {
            return ((try message.topVia().branch ?? [])[...], try message.cseq().method)
        } catch { return nil }
    }

    private mutating func take(
        _ action: InviteClientTransaction.Action, _ message: SIPMessage, _ slot: Int, at now: Instant
    ) {
        switch action {
        case .none:
            return
        case .send(let bytes):
            statistics.retransmissions &+= 1
            return outputs.append(.send(bytes, branches.elements[slot].flow))
        case .deliver:
            deliver(message, slot, at: now)
        case .deliverAndAcknowledge(let ack):
            outputs.append(.send(ack, branches.elements[slot].flow))
            deliver(message, slot, at: now)
        case .deliverAndCancel:
            deliver(message, slot, at: now)
            sendCancel(slot, at: now)
        case .timedOut, .unreachable:
            return
        }
        settleBranch(slot)
    }

    /// A response that is news, with our Via still on it.
    private mutating func deliver(_ message: SIPMessage, _ slot: Int, at now: Instant) {
        guard let index = requests.index(of: branches.elements[slot].request), let status = message.status,
            status != 100
        else { return }
        var edit = MessageEdit(message)
        edit.removeFirst(.via)
        if message.contains(.pAssertedIdentity) { edit.remove(.pAssertedIdentity) }
        completeLength(of: message, in: &edit)
        let upstream = edit.finish()
        switch status {
        case ..<200:
            // RFC 4320 §4.1: to anything but INVITE nobody sends a provisional response but 100.
            guard requests.elements[index].isInvite else { return }
            if !requests.elements[index].isHousehold, requests.elements[index].patience != nil {
                requests.elements[index].patience = now + configuration.limits.timerC
            }
            if !requests.elements[index].isAnswered { respond(upstream, status, index, at: now) }
        case ..<300:
            let isFirst = !requests.elements[index].isAnswered
            if isFirst || requests.elements[index].isInvite { respond(upstream, status, index, at: now) }
            finish(slot)
            if isFirst, requests.elements[index].isInvite {
                cancelBranches(of: index, reason: Self.completedElsewhere, at: now)
            }
            settle(index)
        default:
            // 430: the flow is dead, says who keeps it; only such a device is asked again (RFC 5626 §7).
            if status == (branches.elements[slot].device == nil ? 503 : 430), tryElsewhere(slot, at: now) { return }
            fail(slot, with: .received(upstream), at: now)
        }
    }

    static let completedElsewhere = [UInt8](ascii: "SIP;cause=200;text=\"Call completed elsewhere\"")
    static let declined = [UInt8](ascii: "SIP;cause=603;text=\"Declined\"")
    static let nobodyAnswered = [UInt8](ascii: "SIP;cause=408;text=\"Nobody answered\"")
    static let callerGone = [UInt8](ascii: "SIP;cause=487;text=\"Caller lost the connection\"")

    // MARK: Ends of branches

    /// The branch counts as ended.
    ///
    /// - Returns: false when it was already.
    @discardableResult
    mutating func finish(_ slot: Int) -> Bool {
        guard !branches.elements[slot].isDone else { return false }
        branches.elements[slot].isDone = true
        branches.elements[slot].patience = nil
        branches.elements[slot].target = nil
        if branches.elements[slot].invite?.state != .calling { branches.elements[slot].sent = nil }
        if let index = requests.index(of: branches.elements[slot].request) {
            requests.elements[index].pendingBranches -= 1
        }
        return true
    }

    mutating func fail(_ slot: Int, _ local: LocalResponse, at now: Instant) {
        fail(slot, with: .local(local), at: now)
        settleBranch(slot)
    }

    /// A branch failed; when it was the last, the best response goes upstream.
    private mutating func fail(_ slot: Int, with candidate: BestResponse.Candidate, at now: Instant) {
        guard let index = requests.index(of: branches.elements[slot].request), finish(slot) else { return }
        // RFC 4320 §4.2: 408 says nothing to anybody who does not wait for an INVITE. Whatever another device says does.
        if candidate.status != 408 || requests.elements[index].isInvite {
            requests.elements[index].best.consider(candidate)
        }
        if candidate.status >= 600 {
            requests.elements[index].laterTargets.removeAll()
            cancelBranches(of: index, reason: Self.declined, at: now)
        }
        guard requests.elements[index].pendingBranches == 0, !requests.elements[index].isStarting else { return }
        conclude(index, at: now)
    }

    /// RFC 3263 §4.3 and RFC 5626 §7: the next address, or the next flow of the same device, takes the request over.
    ///
    /// - Returns: false when there is none.
    mutating func tryElsewhere(_ slot: Int, at now: Instant) -> Bool {
        guard let index = requests.index(of: branches.elements[slot].request), !branches.elements[slot].isDone,
            !requests.elements[index].isCancelled, !requests.elements[index].isTimedOut,
            let target = branches.elements[slot].target, let next = successor(of: target, at: now)
        else { return false }
        start(next, of: index, at: now)
        finish(slot)
        if requests.elements[index].pendingBranches == 0 { conclude(index, at: now) }
        return true
    }

    private func successor(of target: Target, at now: Instant) -> Target? {
        guard target.hop?.hasMore == true else { return nextFlow(of: target, at: now) }
        var next = target
        next.attempt += 1
        return next
    }

    /// Every branch of the current group has failed: the next group, or the answer.
    mutating func conclude(_ index: Int, at now: Instant) {
        guard !requests.elements[index].isAnswered else { return }
        let isOver = requests.elements[index].isCancelled || requests.elements[index].isTimedOut
        if !isOver, !requests.elements[index].laterTargets.isEmpty { return startNextGroup(of: index, at: now) }
        guard let request = requests.elements[index].request else { return }
        let flow = answerFlow(index)
        let response: SIPMessage
        switch choice(index) {
        case .received(let message): response = withChallenges(message, index)
        case .local(let local):
            // RFC 4320 §4.2: whoever cannot answer in time does not answer.
            if local.status == 408, !requests.elements[index].isInvite { return abandon(index) }
            response = localAnswer(local, to: request, on: flow)
        }
        respond(response, response.status ?? 500, index, at: now)
        settle(index)
    }

    /// What to answer: §16.7 step 6, and what the caller or the clock decided.
    private func choice(_ index: Int) -> BestResponse.Candidate {
        let best = requests.elements[index].best.candidate ?? .local(.noResponse)
        if requests.elements[index].isCancelled { return .local(.cancelled) }
        if requests.elements[index].isTimedOut, best.status == 487 || best.status == 408 {
            return .local(.nobodyAnswered)
        }
        // A 503 would make the caller believe that we are the one to avoid.
        if best.status == 503 { return .local(.nextHopFailed) }
        return best
    }

    /// §16.7 step 7: every challenge, so that the caller can answer all of them at once.
    private func withChallenges(_ message: SIPMessage, _ index: Int) -> SIPMessage {
        guard message.status == 401 || message.status == 407 else { return message }
        let best = requests.elements[index].best
        guard best.wwwChallenges.count + best.proxyChallenges.count > 1 else { return message }
        var edit = MessageEdit(message)
        edit.remove(.wwwAuthenticate)
        edit.remove(.proxyAuthenticate)
        for value in best.wwwChallenges { edit.append(.wwwAuthenticate, RawValue(value)) }
        for value in best.proxyChallenges { edit.append(.proxyAuthenticate, RawValue(value)) }
        return edit.finish()
    }

    // MARK: Upstream

    /// Where the caller is now: a page that lost its connection may be back on another.
    func answerFlow(_ index: Int) -> Flow {
        let flow = requests.elements[index].answerFlow
        guard !flows.isOpen(flow), let id = requests.elements[index].callerDevice,
            let (person, position) = location.device(id: id),
            location.people.elements[person].bindings[position].isConnected
        else { return flow }
        return location.people.elements[person].bindings[position].binding.flow
    }

    /// Sends a response through the server transaction; a 2xx to INVITE goes whatever its state (§16.7 step 5).
    mutating func respond(_ response: SIPMessage, _ status: Int, _ index: Int, at now: Instant) {
        let flow = answerFlow(index)
        let isFirstFinal = status >= 200 && !requests.elements[index].isAnswered
        if requests.elements[index].isInvite {
            let action = requests.elements[index].invite?.respond(response, at: now)
            if case .send(let bytes)? = action {
                outputs.append(.send(bytes, flow))
            } else if (200..<300).contains(status) {
                outputs.append(.send(response.bytes, flow))
            }
        } else if case .send(let bytes)? = requests.elements[index].other?.respond(response, at: now) {
            outputs.append(.send(bytes, flow))
        }
        if isFirstFinal { noteFinal(status, index, at: now) }
        armRequest(index)
    }

    private mutating func noteFinal(_ status: Int, _ index: Int, at now: Instant) {
        requests.elements[index].isAnswered = true
        requests.elements[index].patience = nil
        requests.elements[index].abandoned = nil
        requests.elements[index].laterTargets = []
        requests.elements[index].plan = nil
        let request = requests.elements[index].request.take()
        if let method = request?.method {
            latency.noteAnswered(method, since: requests.elements[index].begun, at: now)
        }
        flows.addTransaction(-1, on: requests.elements[index].answerFlow)
        guard let caller = requests.elements[index].caller.take() else {
            if status < 300, request?.method == .bye { outputs.append(.event(.callEnded)) }
            return
        }
        if let person = location.people.index(of: caller) { location.addPendingCall(-1, at: person) }
        let from = location.people.index(of: caller).map { location.people.elements[$0].user } ?? []
        var to: [UInt8] = []
        if let request {
            do throws(SIPParseError) { to = try request.requestURI.user ?? [] } catch {}
        }
        if status < 300 {
            statistics.callsAnswered &+= 1
            outputs.append(.event(.callAnswered(from: from, to: to)))
        } else {
            statistics.callsFailed &+= 1
            outputs.append(.event(.callFailed(from: from, to: to, status: status)))
        }
    }

    /// A retransmission gets the last answer again.
    mutating func repeatAnswer(_ index: Int) {
        let flow = answerFlow(index)
        if case .send(let bytes)? = requests.elements[index].invite?.receiveRetransmission() {
            outputs.append(.send(bytes, flow))
        } else if case .send(let bytes)? = requests.elements[index].other?.receiveRetransmission() {
            outputs.append(.send(bytes, flow))
        }
    }

    /// A response whose transaction is gone. RFC 6026 §8.9 has it dropped; with our seal over exactly the next Via it
    /// cannot be forged, and after a restart it is a caller's only chance to hear that her call was answered.
    ///
    /// Without such a restart a response to anything but INVITE is late, and goes nowhere (RFC 4320 §4.2).
    private mutating func forwardStray(
        _ message: SIPMessage, _ method: SIPMethod, _ token: BranchToken, on flow: Flow, at now: Instant
    ) {
        guard method == .invite || formerLifeEnds.map({ now < $0 }) == true else { return drop(.strayResponse, flow) }
        do throws(SIPParseError) {
            let vias = try message.vias()
            guard vias.count > 1, let branch = vias[1].branch, token.isSealed(for: branch[...], hash: hash),
                (message.status ?? 0) >= 200, let target = strayFlow(vias[1])
            else { return drop(.strayResponse, flow) }
            var edit = MessageEdit(message)
            edit.removeFirst(.via)
            outputs.append(.send(edit.finish().bytes, target))
        } catch { drop(.strayResponse, flow) }
    }

    private func strayFlow(_ via: Via) -> Flow? {
        let address: IPAddress
        if let received = via.received {
            address = received
        } else if case .address(let ip) = via.host {
            address = ip
        } else {
            return nil
        }
        let remote = TransportAddress(ip: address, port: via.rport ?? via.effectivePort)
        guard let transport = via.transport else { return nil }
        if transport == .udp { return own.datagrams(to: remote) }
        return flows.stream(to: remote, transport: transport)
    }
}
