/// Finds the slot of a thing by the keyed 64-bit hash of its name: open addressing, linear probing, no tombstones.
///
/// The hashes are keyed with the server's secret, so nobody can choose names that collide, and they stand for the
/// names themselves: with half a million names in a table a lookup meets a false match with a probability of 3·10⁻¹⁴.
/// Owners that hold the name anyway compare it.
///
/// Public and inlinable like `ASCII`: a lookup is twenty instructions, and several are made for every message.
public struct HashIndex: Sendable {
    /// Hash and slot side by side, because a table of many thousands is not in the processor's cache.
    @usableFromInline struct Entry: Sendable {
        @inlinable static var free: UInt32 { .max }
        @usableFromInline var hash: UInt64
        @usableFromInline var slot: UInt32

        @inlinable init(hash: UInt64 = 0, slot: UInt32 = free) { (self.hash, self.slot) = (hash, slot) }
    }

    @usableFromInline var entries: [Entry]
    @usableFromInline var mask: Int
    public private(set) var count = 0

    public init(minimumCapacity: Int = 64) {
        var size = 64
        while size < minimumCapacity { size *= 2 }
        entries = [Entry](repeating: Entry(), count: size)
        mask = size - 1
    }

    /// The slot that was set for `hash`.
    @inlinable public func find(_ hash: UInt64) -> Int? {
        var place = Int(truncatingIfNeeded: hash) & mask
        while entries[place].slot != Entry.free {
            if entries[place].hash == hash { return Int(entries[place].slot) }
            place = (place + 1) & mask
        }
        return nil
    }

    /// Sets the slot for `hash`, replacing an earlier one.
    public mutating func set(_ hash: UInt64, _ slot: Int) {
        if (count + 1) * 4 > entries.count * 3 { grow() }
        var place = Int(truncatingIfNeeded: hash) & mask
        while entries[place].slot != Entry.free {
            if entries[place].hash == hash {
                entries[place].slot = UInt32(slot)
                return
            }
            place = (place + 1) & mask
        }
        entries[place] = Entry(hash: hash, slot: UInt32(slot))
        count += 1
    }

    /// Forgets `hash`, and moves later entries of its run back so that every search still ends at a free place.
    public mutating func remove(_ hash: UInt64) {
        var place = Int(truncatingIfNeeded: hash) & mask
        while entries[place].hash != hash || entries[place].slot == Entry.free {
            guard entries[place].slot != Entry.free else { return }
            place = (place + 1) & mask
        }
        count -= 1
        var next = (place + 1) & mask
        while entries[next].slot != Entry.free {
            let home = Int(truncatingIfNeeded: entries[next].hash) & mask
            // The entry may move back when its home does not lie between the hole and itself.
            if (next &- home) & mask >= (next &- place) & mask {
                entries[place] = entries[next]
                place = next
            }
            next = (next + 1) & mask
        }
        entries[place].slot = Entry.free
    }

    private mutating func grow() {
        let old = entries
        entries = [Entry](repeating: Entry(), count: old.count * 2)
        mask = entries.count - 1
        for entry in old where entry.slot != Entry.free {
            var place = Int(truncatingIfNeeded: entry.hash) & mask
            while entries[place].slot != Entry.free { place = (place + 1) & mask }
            entries[place] = entry
        }
    }
}
