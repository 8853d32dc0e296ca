import Base

/// The deadlines of many machines, soonest first: what a network, or a test that joins several cores, wakes up for.
///
/// A binary heap of slots that know their place, so that setting, moving and cancelling a timer is O(log n) and a
/// cancelled timer leaves nothing behind. Timers due at the same instant fire in the order they were set.
package struct TimerQueue<Payload> {
    /// One timer that was set. Using it after the timer fired or was cancelled does nothing.
    package struct Token: Hashable, Sendable {
        fileprivate let slot: UInt32
        fileprivate let generation: UInt32
    }

    private struct Entry {
        var due: Instant
        /// Set order; compared by distance, so that it may wrap.
        var sequence: UInt32
        var slot: UInt32

        func precedes(_ other: Entry) -> Bool {
            due == other.due ? Int32(truncatingIfNeeded: sequence &- other.sequence) < 0 : due < other.due
        }
    }

    fileprivate struct Slot {
        var payload: Payload?
        /// Where in `heap`, or the next free slot.
        var place: UInt32
        var generation: UInt32
    }

    /// The most timers at a time: owners size it from the limits of what they own.
    package let capacity: Int
    private var heap: [Entry] = []
    private var slots: [Slot] = []
    private var firstFree = UInt32.max
    private var nextSequence = UInt32(0)

    /// - Parameter capacity: at most 2³² - 2.
    package init(capacity: Int) {
        precondition(capacity >= 0 && UInt64(capacity) < UInt64(UInt32.max), "slots are numbered with 32 bits")
        self.capacity = capacity
    }

    package var count: Int { heap.count }
    package var isEmpty: Bool { heap.isEmpty }

    /// When the soonest timer is due.
    package var nextTimeout: Instant? { heap.first?.due }

    /// Sets a timer.
    ///
    /// - Returns: nil when `capacity` timers are set already.
    package mutating func schedule(_ payload: Payload, at due: Instant) -> Token? {
        guard heap.count < capacity else { return nil }
        let number: UInt32
        if firstFree != .max {
            number = firstFree
            firstFree = slots[Int(number)].place
            slots[Int(number)].payload = payload
        } else {
            number = UInt32(slots.count)
            slots.append(Slot(payload: payload, place: 0, generation: 0))
        }
        heap.append(Entry(due: due, sequence: takeSequence(), slot: number))
        siftUp(from: heap.count - 1)
        return Token(slot: number, generation: slots[Int(number)].generation)
    }

    /// Moves a timer, as if it were set anew.
    ///
    /// - Returns: false when it is no longer set.
    @discardableResult
    package mutating func reschedule(_ token: Token, at due: Instant) -> Bool {
        guard let place = place(of: token) else { return false }
        guard heap[place].due != due else { return true }
        heap[place].due = due
        heap[place].sequence = takeSequence()
        restoreOrder(at: place)
        return true
    }

    /// Takes a timer back.
    ///
    /// - Returns: its payload, or nil when it is no longer set.
    @discardableResult
    package mutating func cancel(_ token: Token) -> Payload? {
        guard let place = place(of: token) else { return nil }
        return remove(at: place)
    }

    /// Sets, moves or takes back the timer `token`, whichever makes it fit the `nextTimeout` of a machine.
    ///
    /// - Returns: false when a timer had to be set and the queue is full; `token` is then nil.
    @discardableResult
    package mutating func adjust(_ token: inout Token?, to due: Instant?, payload: @autoclosure () -> Payload) -> Bool {
        guard let due else {
            if let set = token { cancel(set) }
            token = nil
            return true
        }
        if let set = token, reschedule(set, at: due) { return true }
        token = schedule(payload(), at: due)
        return token != nil
    }

    /// Takes out one timer that is due; called until it gives nil.
    package mutating func popDue(at now: Instant) -> Payload? {
        guard let first = heap.first, first.due <= now else { return nil }
        return remove(at: 0)
    }

    // MARK: - The heap

    private mutating func takeSequence() -> UInt32 {
        nextSequence &+= 1
        return nextSequence
    }

    private func place(of token: Token) -> Int? {
        guard Int(token.slot) < slots.count else { return nil }
        let slot = slots[Int(token.slot)]
        return slot.generation == token.generation && slot.payload != nil ? Int(slot.place) : nil
    }

    private mutating func remove(at place: Int) -> Payload? {
        let number = Int(heap[place].slot)
        let last = heap.removeLast()
        if place < heap.count {
            heap[place] = last
            restoreOrder(at: place)
        }
        let payload = slots[number].payload.take()
        slots[number].generation &+= 1
        slots[number].place = firstFree
        firstFree = UInt32(number)
        return payload
    }

    private mutating func restoreOrder(at place: Int) {
        if place > 0, heap[place].precedes(heap[(place - 1) / 2]) {
            siftUp(from: place)
        } else {
            siftDown(from: place)
        }
    }

    private mutating func siftUp(from start: Int) {
        var place = start
        let entry = heap[place]
        while place > 0 {
            let parent = (place - 1) / 2
            guard entry.precedes(heap[parent]) else { break }
            put(heap[parent], at: place)
            place = parent
        }
        put(entry, at: place)
    }

    private mutating func siftDown(from start: Int) {
        var place = start
        let entry = heap[place]
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
            guard heap[child].precedes(entry) else { break }
            put(heap[child], at: place)
            place = child
        }
        put(entry, at: place)
    }

    private mutating func put(_ entry: Entry, at place: Int) {
        heap[place] = entry
        slots[Int(entry.slot)].place = UInt32(place)
    }
}

extension TimerQueue: Sendable where Payload: Sendable {}
extension TimerQueue.Slot: Sendable where Payload: Sendable {}
