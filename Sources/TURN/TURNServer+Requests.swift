import Base
import STUN

/// What a client asks of the allocation it has.
extension TURNServer {
    /// Refresh (RFC 8656 §8.2): more time, or with LIFETIME 0 the end, of one family's relay where one is named.
    mutating func refresh(_ slot: Int, _ exchange: Exchange, _ user: AuthenticatedUser) -> Int {
        var family: AddressFamily?
        if exchange.request.contains(.requestedAddressFamily) {
            do throws(AllocateRefusal) { family = try exchange.request.requestedFamily() } catch {
                return exchange.refuse(error.code, user.key)
            }
        }
        if let family, allocations[slot].relay(family) < 0 {
            return exchange.refuse(.peerAddressFamilyMismatch, user.key)
        }
        var lifetime = configuration.limits.defaultLifetime
        if let asked: UInt32 = exchange.request.number(.lifetime) {
            lifetime = asked == 0 ? 0 : configuration.limits.lifetime(asked)
        }
        if lifetime > 0 {
            allocations[slot].expires = exchange.time + .seconds(Int(lifetime))
            if allocations[slot].expires < allocations[slot].armed { arm(slot, at: allocations[slot].expires) }
        } else if let family, allocations[slot].relayV4 >= 0, allocations[slot].relayV6 >= 0 {
            close(relay: Int(allocations[slot].relay(family)))
            allocations[slot].setRelay(-1, family)
        } else {
            remove(slot)
        }
        var writer = exchange.begin(.success)
        writer.add(.lifetime, lifetime)
        return exchange.finish(writer, user.key)
    }

    /// CreatePermission (§10.2): all the addresses it names, or none.
    mutating func createPermission(_ slot: Int, _ exchange: Exchange, _ user: AuthenticatedUser) -> Int {
        var added = 0
        var isNamed = false
        for attribute in exchange.request.attributes where attribute.type == .xorPeerAddress {
            guard let peer = exchange.request.xorAddress(in: attribute) else {
                return exchange.refuse(.badRequest, user.key)
            }
            if let code = refusal(of: peer.ip, slot) { return exchange.refuse(code, user.key) }
            if !allocations.permits(peer.ip, slot, at: exchange.time) { added += 1 }
            isNamed = true
        }
        guard isNamed else { return exchange.refuse(.badRequest, user.key) }
        guard added <= allocations.freePermissions(slot, at: exchange.time) else {
            return exchange.refuse(.insufficientCapacity, user.key)
        }
        for attribute in exchange.request.attributes where attribute.type == .xorPeerAddress {
            guard let peer = exchange.request.xorAddress(in: attribute) else { continue }
            _ = allocations.permit(peer.ip, slot, at: exchange.time)
        }
        return exchange.succeed(user.key)
    }

    /// ChannelBind (§12.2): a number for a peer, and a permission with it.
    mutating func bindChannel(_ slot: Int, _ exchange: Exchange, _ user: AuthenticatedUser) -> Int {
        let (request, now) = (exchange.request, exchange.time)
        guard let value: UInt32 = request.number(.channelNumber), let peer = request.xorAddress(.xorPeerAddress),
            ChannelData.numbers.contains(UInt16(value >> 16)), peer.port != 0
        else { return exchange.refuse(.badRequest, user.key) }
        let number = UInt16(value >> 16)
        if let bound = allocations.peer(of: number, slot, at: now), bound != peer {
            return exchange.refuse(.badRequest, user.key)
        }
        if let bound = allocations.channel(of: peer, slot, at: now), bound != number {
            return exchange.refuse(.badRequest, user.key)
        }
        if let code = refusal(of: peer.ip, slot) { return exchange.refuse(code, user.key) }
        // Of our own addresses only the relays' ports are anybody's peer.
        if policy.isOwn(peer.ip), !configuration.relayPorts.contains(peer.port) {
            return exchange.refuse(.forbidden, user.key)
        }
        let isPermitted = allocations.permits(peer.ip, slot, at: now)
        guard isPermitted || allocations.freePermissions(slot, at: now) > 0,
            allocations.bind(number, to: peer, slot, at: now)
        else { return exchange.refuse(.insufficientCapacity, user.key) }
        _ = allocations.permit(peer.ip, slot, at: now)
        return exchange.succeed(user.key)
    }

    /// Why a peer is none for this allocation; nil when it may be.
    private func refusal(of peer: IPAddress, _ slot: Int) -> STUNErrorCode? {
        guard allocations[slot].relay(AddressFamily(of: peer)) >= 0 else { return .peerAddressFamilyMismatch }
        return policy.verdict(peer) == .refused ? .forbidden : nil
    }
}
