import Base

/// Allocations in slots, with the permissions and channels of each: three blocks of memory, read where they lie.
///
/// Not arrays of structs with arrays inside: every packet looks at one of each, and the compiler copied whole ones for
/// that, or counted references. Of what stands behind a pointer it takes what is asked for.
struct AllocationTable: ~Copyable {
    private var allocations = UnsafeMutablePointer<Allocation>.allocate(capacity: 16)
    private var permissionBlock = Self.fresh(Permission(), 16 * TURNLimits.permissions)
    private var channelBlock = Self.fresh(ChannelBinding(), 16 * TURNLimits.channels)
    private var capacity = 16
    private(set) var count = 0
    private var free: [Int] = []

    deinit {
        allocations.deinitialize(count: count)
        allocations.deallocate()
        permissionBlock.deallocate()
        channelBlock.deallocate()
    }

    subscript(slot: Int) -> Allocation {
        _read {
            precondition(slot >= 0 && slot < count, "no such slot")
            yield allocations[slot]
        }
        _modify {
            precondition(slot >= 0 && slot < count, "no such slot")
            yield &allocations[slot]
        }
    }

    mutating func insert(_ allocation: consuming Allocation) -> Int {
        guard let slot = free.popLast() else {
            if count == capacity { grow() }
            (allocations + count).initialize(to: allocation)
            count += 1
            return count - 1
        }
        allocations[slot] = allocation
        permissions(of: slot).update(repeating: Permission())
        channels(of: slot).update(repeating: ChannelBinding())
        return slot
    }

    /// The slot may be used again. What stands in it says of itself that it is vacant.
    mutating func release(_ slot: Int) {
        self[slot].state = .vacant
        free.append(slot)
    }

    private mutating func grow() {
        allocations = Self.moved(allocations, count, capacity: capacity * 2)
        let old = (permissionBlock, channelBlock)
        permissionBlock = Self.fresh(Permission(), capacity * 2 * TURNLimits.permissions)
        channelBlock = Self.fresh(ChannelBinding(), capacity * 2 * TURNLimits.channels)
        permissionBlock.update(from: old.0, count: capacity * TURNLimits.permissions)
        channelBlock.update(from: old.1, count: capacity * TURNLimits.channels)
        old.0.deallocate()
        old.1.deallocate()
        capacity *= 2
    }

    private static func moved(
        _ old: UnsafeMutablePointer<Allocation>, _ count: Int, capacity: Int
    ) -> UnsafeMutablePointer<Allocation> {
        let larger = UnsafeMutablePointer<Allocation>.allocate(capacity: capacity)
        larger.moveInitialize(from: old, count: count)
        old.deallocate()
        return larger
    }

    private static func fresh<Element>(
        _ empty: Element, _ count: Int
    ) -> UnsafeMutablePointer<Element> {
        let block = UnsafeMutablePointer<Element>.allocate(capacity: count)
        block.initialize(repeating: empty, count: count)
        return block
    }

    private func permissions(of slot: Int) -> UnsafeMutableBufferPointer<Permission> {
        precondition(slot >= 0 && slot < count, "no such slot")
        return .init(start: permissionBlock + slot * TURNLimits.permissions, count: TURNLimits.permissions)
    }

    private func channels(of slot: Int) -> UnsafeMutableBufferPointer<ChannelBinding> {
        precondition(slot >= 0 && slot < count, "no such slot")
        return .init(start: channelBlock + slot * TURNLimits.channels, count: TURNLimits.channels)
    }
}

// The table owns its memory alone, as an array would.
extension AllocationTable: @unchecked Sendable {}

// MARK: - Permissions

extension AllocationTable {
    func permits(_ address: IPAddress, _ slot: Int, at now: Instant) -> Bool {
        for permission in permissions(of: slot) where permission.expires > now && permission.address == address {
            return true
        }
        return false
    }

    /// How many more addresses could be let in.
    func freePermissions(_ slot: Int, at now: Instant) -> Int {
        permissions(of: slot).count { $0.expires <= now }
    }

    /// Lets an address in for five minutes from now on; false when there is no room.
    mutating func permit(_ address: IPAddress, _ slot: Int, at now: Instant) -> Bool {
        let places = permissions(of: slot)
        let place =
            places.firstIndex { $0.expires > now && $0.address == address } ?? places.firstIndex { $0.expires <= now }
        guard let place else { return false }
        places[place] = Permission(address: address, expires: now + TURNLimits.permissionLifetime)
        return true
    }
}

// MARK: - Channels

extension AllocationTable {
    func peer(of channel: UInt16, _ slot: Int, at now: Instant) -> TransportAddress? {
        for binding in channels(of: slot) where binding.number == channel && binding.expires > now {
            return binding.peer
        }
        return nil
    }

    func channel(of peer: TransportAddress, _ slot: Int, at now: Instant) -> UInt16? {
        for binding in channels(of: slot) where binding.expires > now && binding.peer == peer {
            return binding.number
        }
        return nil
    }

    /// Binds a channel for ten minutes from now on, or refreshes it; false when there is no room.
    mutating func bind(_ channel: UInt16, to peer: TransportAddress, _ slot: Int, at now: Instant) -> Bool {
        let places = channels(of: slot)
        let place =
            places.firstIndex { $0.expires > now && $0.number == channel } ?? places.firstIndex { $0.expires <= now }
        guard let place else { return false }
        places[place] = ChannelBinding(number: channel, peer: peer, expires: now + TURNLimits.channelLifetime)
        return true
    }
}
