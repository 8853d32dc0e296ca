import Base

/// When allocations and reservations end, soonest first: a binary heap.
///
/// An entry is never taken back. Its owner looks, when it fires, whether it is really over, and if not sets another.
struct ExpiryHeap: Sendable {
    enum Kind: UInt8, Sendable { case allocation, reservation }

    struct Entry: Sendable {
        let due: Instant
        let kind: Kind
        let slot: Int
        let generation: UInt32
    }

    private var entries: [Entry] = []

    var nextTimeout: Instant? { entries.first?.due }
    var count: Int { entries.count }

    mutating func set(_ kind: Kind, slot: Int, generation: UInt32, at due: Instant) {
        entries.append(Entry(due: due, kind: kind, slot: slot, generation: generation))
        var place = entries.count - 1
        while place > 0, entries[place].due < entries[(place - 1) / 2].due {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// Takes out one entry that is due.
    mutating func popDue(at now: Instant) -> Entry? {
        guard let first = entries.first, first.due <= now else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var place = 0
        while place * 2 + 1 < entries.count {
            var soonest = place * 2 + 1
            if soonest + 1 < entries.count, entries[soonest + 1].due < entries[soonest].due { soonest += 1 }
            guard entries[soonest].due < entries[place].due else { break }
            entries.swapAt(place, soonest)
            place = soonest
        }
        return first
    }
}
