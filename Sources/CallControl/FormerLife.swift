import Base
import SIP

/// What belongs to an INVITE that the server forwarded before it was started anew.
///
/// Its transaction is gone, but a phone may still ring. Branches are keyed functions of the request and the device, and
/// the devices are on disk, so CANCEL, and the ACK of what comes of it, go the way of the INVITE without a transaction
/// (RFC 3261 §16.10 and §16.11); the answers come back by the seal of their branch (`Responses`).
extension CallController {
    /// Sends a CANCEL or an ACK to every branch its INVITE may have had.
    ///
    /// - Parameter key: of the INVITE's server transaction.
    /// - Returns: false when it can have had none, or when the sender is nobody who could have called.
    mutating func forwardLikeItsInvite(_ incoming: Incoming, key: UInt64, at now: Instant) -> Bool {
        guard let end = formerLifeEnds, now < end, maximumForwards(incoming) > 0 else { return false }
        do throws(SIPParseError) {
            let routeSet = try RouteSet.read(incoming, own: own, hash: hash, limit: configuration.limits.routes)
            let targets = formerTargets(incoming, routeSet, at: now)
            guard !targets.isEmpty else { return false }
            // The To tag of an ACK was not in the INVITE, but for one within a dialog.
            let loop = incoming.loopHash(hash, toTag: routeSet.way == nil ? [] : incoming.toTag)
            let plan = passingPlan(incoming, routeSet, loop: loop)
            for target in targets { pass(target, plan, key: key) }
            return true
        } catch { return false }
    }

    /// The devices an INVITE like this was sent to; only here, and not when it left the household.
    private func formerTargets(_ incoming: Incoming, _ routeSet: RouteSet, at now: Instant) -> [Target] {
        if let way = routeSet.way, incoming.hasToTag {
            guard case .success(let target) = target(for: way, routeSet, incoming, at: now) else { return [] }
            return everyFlow(of: target)
        }
        // Strangers get nothing through to a device.
        guard routeSet.next == nil, isAtHome(incoming) else { return [] }
        let uri = routeSet.uri
        if let (person, position) = location.device(contact: uri) {
            return everyFlow(of: device(at: position, of: person, at: now))
        }
        guard own.includes(uri.host, arrivedBy: incoming.flow) else { return [] }
        return devices(of: uri, at: now).flatMap { everyFlow(of: $0) }
    }

    private func everyFlow(of target: Target) -> [Target] {
        let others = target.otherFlows.compactMap { location.device(id: $0) }.map { person, position in
            var other = self.target(person: person, position: position)
            if target.uri == nil { (other.uri, other.path) = (nil, []) }
            return other
        }
        return [target] + others
    }

    /// A CANCEL cannot be challenged (§22.1). It must come from the page of the person it names, or from an address where
    /// she has a device; and it reaches a transaction only if it has the branch of the INVITE, which nobody can guess.
    private func isAtHome(_ incoming: Incoming) -> Bool {
        guard let user = incoming.fromUser, let person = location.find(user[...]) else { return false }
        if flows.user(of: incoming.flow) == user { return true }
        let source = incoming.flow.remote.ip.unmapped
        return location.people.elements[person].bindings.contains { $0.binding.flow.remote.ip.unmapped == source }
    }

    // MARK: Without a transaction

    /// For a request that is passed on and forgotten.
    func passingPlan(_ incoming: Incoming, _ routeSet: RouteSet, loop: UInt64) -> ForwardPlan {
        ForwardPlan(incoming, edit: commonEdit(incoming, routeSet), loop: loop)
    }

    /// Sends a request with the branch that its transaction would have.
    mutating func pass(_ target: Target, _ plan: ForwardPlan, key: UInt64) {
        guard let flow = target.flow ?? directFlow(target) else { return }
        let token = BranchToken(
            id: branchID(key, target), loop: plan.loop, previousBranch: plan.incoming.branch, hash: hash)
        outputs.append(.send(write(target, on: flow, plan: plan, share: nil, token: token).bytes, flow))
    }
}
