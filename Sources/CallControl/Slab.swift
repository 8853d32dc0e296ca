/// Something that lives in a slot of a `Slab`.
protocol SlabElement: Sendable {
    /// An element that holds nothing: what stands in a free slot.
    static var vacant: Self { get }
}

/// A slot and which of its tenants is meant.
struct SlabReference: Equatable, Sendable {
    var slot: UInt32
    /// Counts the slot's tenants; from a random start, so that references of an earlier life of the server match nothing.
    var generation: UInt32

    init(slot: UInt32, generation: UInt32) { (self.slot, self.generation) = (slot, generation) }
}

/// A table of state that is made and dropped all the time: one array, slots used again, elements changed in place.
struct Slab<Element: SlabElement>: Sendable {
    /// Indexed by slot. Change elements through this, in place.
    var elements: [Element] = []
    private var generations: [UInt32] = []
    private var isTaken: [Bool] = []
    private var freeSlots: [UInt32] = []
    private var nextGeneration: UInt32

    init(firstGeneration: UInt32) { nextGeneration = firstGeneration }

    var count: Int { elements.count - freeSlots.count }

    mutating func insert(_ element: Element) -> SlabReference {
        nextGeneration &+= 1
        if let slot = freeSlots.popLast() {
            elements[Int(slot)] = element
            generations[Int(slot)] = nextGeneration
            isTaken[Int(slot)] = true
            return SlabReference(slot: slot, generation: nextGeneration)
        }
        elements.append(element)
        generations.append(nextGeneration)
        isTaken.append(true)
        return SlabReference(slot: UInt32(elements.count - 1), generation: nextGeneration)
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

    var indices: Range<Int> { elements.indices }

    mutating func remove(at index: Int) {
        guard isOccupied(index) else { return }
        elements[index] = .vacant
        isTaken[index] = false
        freeSlots.append(UInt32(index))
    }
}
