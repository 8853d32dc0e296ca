import Base

/// The deadlines of everything in the controller's tables, soonest first: a heap with four children per node.
///
/// An entry is never moved or taken back. Its owner checks, when it fires, whether it still has something to do then,
/// and if later, sets one anew. A transaction so costs two or three entries in its life, whatever happens to it.
struct TimerHeap: Sendable {
    enum Kind: UInt32, Sendable { case server, branch, binding }

    struct Entry: Sendable {
        var due: Int64
        /// Kind in the top three bits, slot below.
        fileprivate var tagged: UInt32
        var generation: UInt32

        var kind: Kind { Kind(rawValue: tagged >> 29) ?? .binding }
        var reference: SlabReference { SlabReference(slot: tagged & TimerHeap.slotMask, generation: generation) }
    }

    fileprivate static let slotMask = UInt32(0x1fff_ffff)
    private var entries: [Entry] = []

    var nextTimeout: Instant? { entries.first.map { Instant(nanoseconds: $0.due) } }
    var count: Int { entries.count }

    mutating func set(_ kind: Kind, _ reference: SlabReference, at due: Instant) {
        let entry = Entry(
            due: due.nanoseconds, tagged: kind.rawValue << 29 | reference.slot & Self.slotMask,
            generation: reference.generation)
        entries.append(entry)
        entries.withUnsafeMutableBufferPointer { heap in
            var place = heap.count - 1
            while place > 0 {
                let parent = (place - 1) / 4
                guard entry.due < heap[parent].due else { break }
                heap[place] = heap[parent]
                place = parent
            }
            heap[place] = entry
        }
    }

    /// Takes out one entry that is due.
    mutating func popDue(at now: Instant) -> Entry? {
        guard let first = entries.first, first.due <= now.nanoseconds, let last = entries.popLast() else { return nil }
        guard !entries.isEmpty else { return first }
        entries.withUnsafeMutableBufferPointer { heap in
            var place = 0
            while true {
                let children = place * 4 + 1
                guard children < heap.count else { break }
                var soonest = children
                for child in children + 1..<max(children + 1, min(children + 4, heap.count))
                where heap[child].due < heap[soonest].due {
                    soonest = child
                }
                guard heap[soonest].due < last.due else { break }
                heap[place] = heap[soonest]
                place = soonest
            }
            heap[place] = last
        }
        return first
    }
}
