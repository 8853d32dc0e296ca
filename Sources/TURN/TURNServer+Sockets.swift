import Base
import STUN

/// What the driver tells of a relay's socket.
extension TURNServer {
    /// The driver opened a relay's socket, or could not (the port is taken, no descriptors left).
    package mutating func opened(_ id: RelayID, succeeded: Bool, at now: Instant) {
        guard let relay = index(of: id), relays[relay].state == .opening else { return }
        let isReserve = relays[relay].reservedFor >= 0
        let slot = Int(isReserve ? relays[relay].reservedFor : relays[relay].allocation)
        if succeeded {
            relays[relay].state = .open
        } else if !retry(relay) {
            giveUp(relay, of: slot)
        }
        guard slot >= 0, allocations[slot].state == .opening else { return }
        var reply = [UInt8](repeating: 0, count: Self.maximumReply)
        let count = reply.withUnsafeMutableBytes { complete(slot, into: $0, at: now) }
        if let count { outputs.append(.send(Array(reply[..<count]), allocations[slot].client)) }
    }

    /// A relay's socket does not work any more. Its allocation ends: the client hears 437 and makes another.
    package mutating func failed(_ id: RelayID) {
        guard let relay = index(of: id) else { return }
        let owner = relays[relay].allocation >= 0 ? relays[relay].allocation : relays[relay].reservedFor
        if owner >= 0 { remove(Int(owner)) } else { close(relay: relay) }
    }

    /// Tries another port; a pair is not moved, because both of it must be neighbours.
    private mutating func retry(_ relay: Int) -> Bool {
        let (family, slot) = (relays[relay].family, relays[relay].allocation)
        guard slot >= 0, allocations[Int(slot)].pair < 0, relays[relay].tries < TURNLimits.portTries,
            let host = configuration.host(family),
            let port = freePort(family, isEven: relays[relay].isEven, isPair: false)
        else { return false }
        generation &+= 1
        relaySlots[relays[relay].announced] = nil
        relays[relay].announced = TransportAddress(ip: host.announced, port: port)
        relays[relay].bound = TransportAddress(ip: host.bound, port: port)
        relays[relay].generation = generation
        relays[relay].tries += 1
        relaySlots[relays[relay].announced] = relay
        outputs.append(.open(RelayID(slot: UInt32(relay), generation: generation), relays[relay].bound))
        return true
    }

    /// Without its first relay, or the second port it was to keep, there is no allocation (508).
    private mutating func giveUp(_ relay: Int, of slot: Int) {
        guard slot >= 0, allocations[slot].state == .opening else { return close(relay: relay) }
        let isSecond = relays[relay].reservedFor < 0 && relays[relay].family == .v6 && allocations[slot].relayV4 >= 0
        if isSecond {
            allocations[slot].relayV6 = -1
            allocations[slot].additionalError = STUNErrorCode.insufficientCapacity.rawValue
            return close(relay: relay)
        }
        var reply = [UInt8](repeating: 0, count: Self.maximumReply)
        let (key, client) = (allocations[slot].answerKey, allocations[slot].client)
        let count = reply.withUnsafeMutableBytes { buffer -> Int? in
            var writer = STUNWriter(STUNType(.error, .allocate), allocations[slot].transactionID, into: buffer)
            writer.add(.insufficientCapacity, hasPhrase: true)
            writer.add(key)
            if allocations[slot].hasFingerprint { writer.addFingerprint() }
            return writer.finish()
        }
        if let count { outputs.append(.send(Array(reply[..<count]), client)) }
        remove(slot)
    }
}
