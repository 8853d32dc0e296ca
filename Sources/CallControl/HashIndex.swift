/// Finds the slot of a thing by the keyed 64-bit hash of its name: open addressing, linear probing, no tombstones.
///
/// The hashes are keyed with the server's secret, so nobody can choose names that collide, and they stand for the
/// names themselves: with half a million names in a table a lookup meets a false match with a probability of 3·10⁻¹⁴.
/// Owners that hold the name anyway compare it.
struct HashIndex: Sendable {
    private static let free = UInt32.max

    private var hashes: [UInt64]
    private var slots: [UInt32]
    private var mask: Int
    private(set) var count = 0

    init(minimumCapacity: Int = 64) {
        var size = 64
        while size < minimumCapacity { size *= 2 }
        (hashes, slots) = ([UInt64](repeating: 0, count: size), [UInt32](repeating: Self.free, count: size))
        mask = size - 1
    }

    /// The slot that was set for `hash`.
    func find(_ hash: UInt64) -> Int? {
        var place = Int(truncatingIfNeeded: hash) & mask
        while slots[place] != Self.free {
            if hashes[place] == hash { return Int(slots[place]) }
            place = (place + 1) & mask
        }
        return nil
    }

    /// Sets the slot for `hash`, replacing an earlier one.
    mutating func set(_ hash: UInt64, _ slot: Int) {
        if (count + 1) * 4 > slots.count * 3 { grow() }
        var place = Int(truncatingIfNeeded: hash) & mask
        while slots[place] != Self.free {
            if hashes[place] == hash {
                slots[place] = UInt32(slot)
                return
            }
            place = (place + 1) & mask
        }
        (hashes[place], slots[place]) = (hash, UInt32(slot))
        count += 1
    }

    /// Forgets `hash`, and moves later entries of its run back so that every search still ends at a free place.
    mutating func remove(_ hash: UInt64) {
        var place = Int(truncatingIfNeeded: hash) & mask
        while hashes[place] != hash || slots[place] == Self.free {
            guard slots[place] != Self.free else { return }
            place = (place + 1) & mask
        }
        count -= 1
        var next = (place + 1) & mask
        while slots[next] != Self.free {
            let home = Int(truncatingIfNeeded: hashes[next]) & mask
            // The entry may move back when its home does not lie between the hole and itself.
            if (next &- home) & mask >= (next &- place) & mask {
                (hashes[place], slots[place]) = (hashes[next], slots[next])
                place = next
            }
            next = (next + 1) & mask
        }
        slots[place] = Self.free
    }

    private mutating func grow() {
        let (oldHashes, oldSlots) = (hashes, slots)
        let size = oldSlots.count * 2
        (hashes, slots) = ([UInt64](repeating: 0, count: size), [UInt32](repeating: Self.free, count: size))
        mask = size - 1
        for index in oldSlots.indices where oldSlots[index] != Self.free {
            var place = Int(truncatingIfNeeded: oldHashes[index]) & mask
            while slots[place] != Self.free { place = (place + 1) & mask }
            (hashes[place], slots[place]) = (oldHashes[index], oldSlots[index])
        }
    }
}
