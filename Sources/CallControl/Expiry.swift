import Base
import SIP

/// Timers, lost connections, and giving slots back.
extension CallController {
    // MARK: Arming

    /// Sees to it that a timer entry is set for whatever the request has to do next.
    mutating func armRequest(_ index: Int) {
        guard requests.isOccupied(index), let due = requests.elements[index].nextTimeout else { return }
        if let set = requests.elements[index].timer, set <= due { return }
        requests.elements[index].timer = due
        timers.set(.server, requests.reference(at: index), at: due)
    }

    mutating func armBranch(_ slot: Int) {
        guard branches.isOccupied(slot), let due = branches.elements[slot].nextTimeout else { return }
        if let set = branches.elements[slot].timer, set <= due { return }
        branches.elements[slot].timer = due
        timers.set(.branch, branches.reference(at: slot), at: due)
    }

    // MARK: Timeouts

    mutating func requestTimeout(_ reference: SlabReference, due: Int64, at now: Instant) {
        guard let index = requests.index(of: reference), requests.elements[index].timer?.nanoseconds == due else {
            return
        }
        requests.elements[index].timer = nil
        if let patience = requests.elements[index].patience, patience <= now {
            requests.elements[index].patience = nil
            if requests.elements[index].isInvite {
                requests.elements[index].isTimedOut = true
                requests.elements[index].laterTargets.removeAll()
                withdraw(index, reason: Self.nobodyAnswered, at: now)
            } else if let request = requests.elements[index].request {
                // RFC 4320 §4.1: 100 when the answer is late, and no sooner.
                respond(localAnswer(.trying, to: request, on: answerFlow(index)), 100, index, at: now)
            }
        }
        guard requests.index(of: reference) != nil else { return }
        if let abandoned = requests.elements[index].abandoned, abandoned <= now { callerMissing(index, at: now) }
        guard requests.index(of: reference) != nil else { return }
        if case .send(let bytes)? = requests.elements[index].invite?.handleTimeout(at: now) {
            statistics.retransmissions &+= 1
            outputs.append(.send(bytes, answerFlow(index)))
        }
        _ = requests.elements[index].other?.handleTimeout(at: now)
        settle(index)
        armRequest(index)
    }

    /// The caller's connection has been gone for a while: unless she is back, nobody needs to ring.
    private mutating func callerMissing(_ index: Int, at now: Instant) {
        requests.elements[index].abandoned = nil
        guard !flows.isOpen(answerFlow(index)), !requests.elements[index].isAnswered else { return }
        requests.elements[index].isCancelled = true
        requests.elements[index].laterTargets.removeAll()
        withdraw(index, reason: Self.callerGone, at: now)
    }

    mutating func branchTimeout(_ reference: SlabReference, due: Int64, at now: Instant) {
        guard let slot = branches.index(of: reference), branches.elements[slot].timer?.nanoseconds == due else {
            return
        }
        branches.elements[slot].timer = nil
        if let patience = branches.elements[slot].patience, patience <= now {
            branches.elements[slot].patience = nil
            let stage = branches.elements[slot].stage
            if stage != .connecting { waiting.removeAll { $0 == reference } }
            if stage == .lost { return replaceLost(slot, at: now) ? settleBranch(slot) : deviceMissing(slot, at: now) }
            if stage == .connecting, giveUpConnecting(slot, at: now) { return settleBranch(slot) }
            if stage == .waiting, tryElsewhere(slot, at: now) { return settleBranch(slot) }
            return fail(slot, stage == .waiting ? .notReachable : .unreachable, at: now)
        }
        if case .send(let bytes)? = branches.elements[slot].cancellation?.handleTimeout(at: now) {
            statistics.retransmissions &+= 1
            outputs.append(.send(bytes, branches.elements[slot].flow))
        }
        if let action = branches.elements[slot].invite?.handleTimeout(at: now) {
            switch action {
            case .send(let bytes): resend(bytes, slot)
            case .timedOut: branchTimedOut(slot, at: now)
            default: break
            }
        } else if let action = branches.elements[slot].other?.handleTimeout(at: now) {
            switch action {
            case .send(let bytes): resend(bytes, slot)
            case .timedOut: branchTimedOut(slot, at: now)
            default: break
            }
        }
        settleBranch(slot)
        armBranch(slot)
    }

    private mutating func resend(_ bytes: [UInt8], _ slot: Int) {
        statistics.retransmissions &+= 1
        outputs.append(.send(bytes, branches.elements[slot].flow))
    }

    private mutating func branchTimedOut(_ slot: Int, at now: Instant) {
        if !tryElsewhere(slot, at: now) { fail(slot, .noResponse, at: now) }
    }

    // MARK: Lost connections

    /// §16.9: what was sent on a flow that is gone will not be answered; what came by it may be answered by another.
    mutating func transactionsLost(_ flow: Flow, at now: Instant) {
        for slot in branches.indices where branches.isOccupied(slot) && branches.elements[slot].flow == flow {
            guard branches.elements[slot].stage == .sent else { continue }
            let needsDevice =
                !branches.elements[slot].isDone || branches.elements[slot].cancellation?.isTerminated == false
            if moveToOtherFlow(slot, at: now) {
                settleBranch(slot)
            } else if needsDevice, branches.elements[slot].sent != nil, waiting.count < configuration.limits.waiting {
                waitForReturn(slot, at: now)
            } else if !branches.elements[slot].isDone, !replaceLost(slot, at: now) {
                deviceMissing(slot, at: now)
            }
        }
        guard flow.transport != .udp else { return }
        for index in requests.indices
        where requests.isOccupied(index) && requests.elements[index].answerFlow.id == flow.id
            && requests.elements[index].answerFlow.transport == flow.transport
        {
            guard !requests.elements[index].isAnswered, requests.elements[index].isInvite else { continue }
            requests.elements[index].abandoned = now + configuration.limits.reconnect
            armRequest(index)
        }
    }

    /// §16.9: the transport failed for good.
    private mutating func deviceMissing(_ slot: Int, at now: Instant) {
        transportFailed(slot)
        fail(slot, .disconnected, at: now)
    }

    /// Another next hop takes over from a branch whose transport failed for good.
    ///
    /// - Returns: false when there is none.
    mutating func replaceLost(_ slot: Int, at now: Instant) -> Bool {
        guard tryElsewhere(slot, at: now) else { return false }
        transportFailed(slot)
        return true
    }

    mutating func transportFailed(_ slot: Int) {
        branches.elements[slot].stage = .sent
        _ = branches.elements[slot].invite?.transportFailed()
        _ = branches.elements[slot].other?.transportFailed()
        _ = branches.elements[slot].cancellation?.transportFailed()
    }

    // MARK: Giving back

    /// Frees a branch that is over, and its request with the last of them.
    mutating func settleBranch(_ slot: Int) {
        guard branches.isOccupied(slot), branches.elements[slot].isTerminated else { return armBranch(slot) }
        let owner = branches.elements[slot].request
        let next = branches.elements[slot].next
        removeBranch(slot)
        guard let index = requests.index(of: owner) else { return }
        requests.elements[index].liveBranches -= 1
        if requests.elements[index].firstBranch == slot {
            requests.elements[index].firstBranch = next
        } else {
            var previous = requests.elements[index].firstBranch
            while let place = previous {
                if branches.elements[place].next == slot {
                    branches.elements[place].next = next
                    break
                }
                previous = branches.elements[place].next
            }
        }
        settle(index)
    }

    /// Frees a request whose transaction and branches are over.
    mutating func settle(_ index: Int) {
        guard requests.isOccupied(index) else { return }
        guard requests.elements[index].isTerminated, requests.elements[index].liveBranches == 0,
            requests.elements[index].isAnswered
        else { return armRequest(index) }
        removeRequest(index)
    }

    /// Gives up a request without an answer.
    mutating func abandon(_ index: Int) {
        flows.addTransaction(-1, on: requests.elements[index].answerFlow)
        requests.elements[index].isAnswered = true
        for slot in branchSlots(of: index) {
            finish(slot)
            removeBranch(slot)
        }
        removeRequest(index)
    }

    private mutating func removeBranch(_ slot: Int) {
        if branches.elements[slot].stage == .sent { flows.addTransaction(-1, on: branches.elements[slot].flow) }
        let id = branches.elements[slot].id
        if branchIndex.find(id) == slot { branchIndex.remove(id) }
        branches.remove(at: slot)
    }

    private mutating func removeRequest(_ index: Int) {
        let key = requests.elements[index].key
        if requestIndex.find(key) == index { requestIndex.remove(key) }
        requests.remove(at: index)
    }
}
