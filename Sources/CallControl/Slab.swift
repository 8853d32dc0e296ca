/// Something that lives in a slot of a `Slab`.
protocol SlabElement: ~Copyable, Sendable {
    /// An element that holds nothing: what stands in a free slot.
    static func vacant() -> Self
}

/// A slot and which of its tenants is meant.
struct SlabReference: Equatable, Sendable {
    var slot: UInt32
    /// Counts the slot's tenants; from a random start, so that references of an earlier life of the server match nothing.
    var generation: UInt32

    init(slot: UInt32, generation: UInt32) { (self.slot, self.generation) = (slot, generation) }
}

/// A table of state that is made and dropped all the time: one block of memory, slots used again, elements read and
/// changed in place. Elements may be noncopyable, and the large ones are: a copy of a transaction costs a dozen retains.
struct Slab<Element: SlabElement & ~Copyable>: ~Copyable, Sendable {
    /// Indexed by slot. Change elements through this, in place.
    var elements = SlabMemory<Element>()
    private var generations: [UInt32] = []
    private var isTaken: [Bool] = []
    private var freeSlots: [UInt32] = []
    private var nextGeneration: UInt32

    init(firstGeneration: UInt32) { nextGeneration = firstGeneration }

    var count: Int { elements.count - freeSlots.count }

    mutating func insert(_ element: consuming Element) -> SlabReference {
        nextGeneration &+= 1
        guard let slot = freeSlots.popLast() else {
            elements.append(element)
            generations.append(nextGeneration)
            isTaken.append(true)
            return SlabReference(slot: UInt32(elements.count - 1), generation: nextGeneration)
        }
        elements[Int(slot)] = element
        generations[Int(slot)] = nextGeneration
        isTaken[Int(slot)] = true
        return SlabReference(slot: slot, generation: nextGeneration)
    }

    /// The slot of a reference whose element is still there.
    func index(of reference: SlabReference) -> Int? {
        let index = Int(reference.slot)
        guard index < generations.count, generations[index] == reference.generation, isTaken[index] else { return nil }
        return index
    }

    func reference(at index: Int) -> SlabReference {
        SlabReference(slot: UInt32(index), generation: generations[index])
    }

    func isOccupied(_ index: Int) -> Bool { index < isTaken.count && isTaken[index] }

    var indices: Range<Int> { 0..<elements.count }

    mutating func remove(at index: Int) {
        guard isOccupied(index) else { return }
        elements[index] = .vacant()
        isTaken[index] = false
        freeSlots.append(UInt32(index))
    }
}

/// A growing array of elements that need not be copyable. Reading one borrows it where it lies; an `Array` would hand
/// out a copy.
struct SlabMemory<Element: Sendable & ~Copyable>: ~Copyable, @unchecked Sendable {
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count = 0

    init() {
        capacity = 16
        base = .allocate(capacity: capacity)
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    subscript(index: Int) -> Element {
        _read {
            precondition(index >= 0 && index < count, "no such slot")
            yield base[index]
        }
        _modify {
            precondition(index >= 0 && index < count, "no such slot")
            yield &base[index]
        }
    }

    mutating func append(_ element: consuming Element) {
        if count == capacity { grow() }
        (base + count).initialize(to: element)
        count += 1
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: base, count: count)
        base.deallocate()
        (base, capacity) = (larger, capacity * 2)
    }
}
