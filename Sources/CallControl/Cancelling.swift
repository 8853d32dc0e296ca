import Base
import SIP

/// Withdrawing branches: RFC 3261 §9 and §16.10, reasons by RFC 3326.
extension CallController {
    /// CANCEL is answered here, hop by hop; the INVITE's branches get CANCELs of ours.
    mutating func cancel(_ incoming: Incoming, at now: Instant) {
        guard let index = requestIndex.find(incoming.inviteKey(hash: hash)), requests.elements[index].isInvite else {
            let key = incoming.inviteKey(hash: hash)
            if !forwardLikeItsInvite(incoming, key: key, at: now) {
                answer(incoming, 481, because: .unknownTransaction)
            }
            return
        }
        answer(incoming, 200)
        guard !requests.elements[index].isAnswered, !requests.elements[index].isCancelled else { return }
        requests.elements[index].isCancelled = true
        requests.elements[index].laterTargets.removeAll()
        let reason = incoming.message.value(of: .reason).map { Array($0) } ?? []
        withdraw(index, reason: reason, at: now)
    }

    /// Ends a call that nobody answered yet, on the caller's or the clock's behalf.
    mutating func withdraw(_ index: Int, reason: [UInt8], at now: Instant) {
        cancelBranches(of: index, reason: reason, at: now)
        // A device that has not even said 100 may never answer: its CANCEL waits, the caller need not.
        for slot in branchSlots(of: index) where branches.elements[slot].invite?.state == .calling { finish(slot) }
        if requests.elements[index].pendingBranches == 0 { conclude(index, at: now) }
        settle(index)
    }

    /// Cancels every branch without a final response.
    mutating func cancelBranches(of index: Int, reason: [UInt8], at now: Instant) {
        guard requests.elements[index].pendingBranches > 0 else { return }
        for slot in branchSlots(of: index) where !branches.elements[slot].isDone {
            guard branches.elements[slot].stage == .sent || branches.elements[slot].stage == .lost else {
                finish(slot)
                settleBranch(slot)
                continue
            }
            branches.elements[slot].cancelReason = reason
            if branches.elements[slot].invite?.cancel(at: now) == true { sendCancel(slot, at: now) }
            armBranch(slot)
        }
    }

    func branchSlots(of index: Int) -> [Int] {
        var slots: [Int] = []
        var next = requests.elements[index].firstBranch
        while let slot = next {
            slots.append(slot)
            next = branches.elements[slot].next
        }
        return slots
    }

    /// Sends the CANCEL in a transaction of its own.
    mutating func sendCancel(_ slot: Int, at now: Instant) {
        guard let plain = branches.elements[slot].invite?.makeCancel() else { return }
        let reason = branches.elements[slot].cancelReason
        var message = plain
        if !reason.isEmpty {
            var edit = MessageEdit(plain)
            edit.append(.reason, RawValue(reason))
            message = edit.finish()
        }
        let flow = branches.elements[slot].flow
        branches.elements[slot].cancellation = NonInviteClientTransaction(
            request: message, reliable: flow.transport.isReliable, timers: configuration.timers, at: now)
        if branches.elements[slot].sent != nil { branches.elements[slot].sentCancel = message.bytes }
        if branches.elements[slot].stage == .sent { outputs.append(.send(message.bytes, flow)) }
        armBranch(slot)
    }
}
