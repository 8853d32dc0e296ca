import Base
import SIP

/// Several flows of one device: registrations with the same `+sip.instance` under different reg-ids (RFC 5626 §4.2).
///
/// A request goes to one of them, the best; the next one is tried only when that flow turns out to be dead, because a
/// device that got the request twice would take the second copy for a loop.
extension CallController {
    /// One target per device, of those bindings that `isWanted` names by position (RFC 5626 §7).
    func devices(of person: Int, at now: Instant, where isWanted: (Device) -> Bool) -> [Target] {
        let count = location.people.elements[person].bindings.count
        var targets: [Target] = []
        for position in 0..<count {
            guard isWanted(location.people.elements[person].bindings[position]),
                isWorthTrying(position, of: person, at: now)
            else { continue }
            if let target = bestTarget(position, of: person, at: now) { targets.append(target) }
        }
        return targets
    }

    /// - Returns: nil when another flow of the same device is better.
    private func bestTarget(_ position: Int, of person: Int, at now: Instant) -> Target? {
        let flows = flows(ofDeviceAt: position, of: person, at: now)
        guard let best = flows.first else { return target(person: person, position: position) }
        guard best == position else { return nil }
        return target(person: person, flows: flows)
    }

    /// The device that has this binding, over the best of its flows. The binding itself need not be usable.
    ///
    /// - Parameter keepsFlow: within a dialog the flow that made it comes first, as long as it is open (RFC 5626 §5.3).
    func device(at position: Int, of person: Int, keepsFlow: Bool = false, at now: Instant) -> Target {
        var flows = flows(ofDeviceAt: position, of: person, at: now)
        if keepsFlow, location.people.elements[person].bindings[position].isConnected,
            let place = flows.firstIndex(of: position)
        {
            flows.insert(flows.remove(at: place), at: 0)
        }
        return flows.isEmpty ? target(person: person, position: position) : target(person: person, flows: flows)
    }

    private func target(person: Int, flows: [Int]) -> Target {
        var target = target(person: person, position: flows[0])
        target.otherFlows = flows.dropFirst().map { location.people.elements[person].bindings[$0].id }
        return target
    }

    /// Places of the flows a device can be tried on, best first: those that are open, and of these the one refreshed last.
    ///
    /// - Returns: empty for a device with a single binding, as nearly all are.
    private func flows(ofDeviceAt position: Int, of person: Int, at now: Instant) -> [Int] {
        guard location.people.elements[person].bindings.count > 1 else { return [] }
        let instance = location.people.elements[person].bindings[position].binding.instance
        guard !instance.isEmpty else { return [] }
        let flows = location.people.elements[person].bindings.indices.filter {
            location.people.elements[person].bindings[$0].binding.instance == instance
                && isWorthTrying($0, of: person, at: now)
        }
        guard flows.count > 1 else { return [] }
        return flows.sorted { isBetter($0, than: $1, of: person) }
    }

    private func isBetter(_ left: Int, than right: Int, of person: Int) -> Bool {
        let (a, b) = (location.people.elements[person].bindings[left], location.people.elements[person].bindings[right])
        if a.isConnected != b.isConnected { return a.isConnected }
        // After a restart nobody remembers who was refreshed when; the end of the lifetime is the next best thing.
        return (a.refreshed, a.expires) > (b.refreshed, b.expires)
    }

    /// A device whose stream is gone is waited for when it went just now, or when it is a phone we can connect to.
    private func isWorthTrying(_ position: Int, of person: Int, at now: Instant) -> Bool {
        let devices = location.people.elements[person].bindings
        guard devices[position].expires > now else { return false }
        guard !devices[position].isConnected else { return true }
        if let gone = devices[position].disconnectedAt, now - gone <= configuration.limits.reconnectGrace {
            return true
        }
        return devices[position].canBeCalled
    }

    /// The next flow of the device a request was meant for.
    func nextFlow(of target: Target, at now: Instant) -> Target? {
        var rest = target.otherFlows
        while let id = rest.first {
            rest.removeFirst()
            guard let (person, position) = location.device(id: id), isWorthTrying(position, of: person, at: now) else {
                continue
            }
            var next = self.target(person: person, position: position)
            next.otherFlows = rest
            // Within a dialog the Request-URI is the dialog's, and the binding only says where.
            if target.uri == nil { (next.uri, next.path) = (nil, []) }
            return next
        }
        return nil
    }

    /// The stream a request was sent over is gone, but another one to the same device is open: the request is repeated
    /// there in its old transaction, which the device may have begun to answer.
    ///
    /// - Returns: false when there is none that would do.
    mutating func moveToOtherFlow(_ slot: Int, at now: Instant) -> Bool {
        guard !branches.elements[slot].isDone, let old = branches.elements[slot].target,
            let next = nextFlow(of: old, at: now), let flow = next.flow
        else { return false }
        guard flow.transport == branches.elements[slot].flow.transport, next.uri == old.uri, next.path == old.path
        else { return replaceLost(slot, at: now) }
        branches.elements[slot].device = next.device
        branches.elements[slot].target = next
        sendAgain(slot, on: flow, at: now)
        return true
    }
}
