import Base
import NetSimulation
import Testing

@Suite struct TimerQueueTests {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    @Test func `fires the soonest first and equals in the order they were set`() {
        var queue = TimerQueue<Int>(capacity: 10)
        for (name, due) in [(1, 30), (2, 10), (3, 20), (4, 10)] { _ = queue.schedule(name, at: at(Int64(due))) }
        #expect(queue.nextTimeout == at(10))
        var fired: [Int] = []
        while let name = queue.popDue(at: at(20)) { fired.append(name) }
        #expect(fired == [2, 4, 3])
        #expect(queue.count == 1)
        let early = queue.popDue(at: at(29))
        #expect(early == nil)
    }

    @Test func `a cancelled timer is gone, and its token never touches the slot's next user`() throws {
        var queue = TimerQueue<Int>(capacity: 1)
        let set = queue.schedule(1, at: at(5))
        let first = try #require(set)
        let cancelled = queue.cancel(first)
        #expect(cancelled == 1)
        #expect(queue.isEmpty)
        _ = queue.schedule(2, at: at(6))
        let (again, moved) = (queue.cancel(first), queue.reschedule(first, at: at(1)))
        #expect(again == nil)
        #expect(!moved)
        #expect(queue.nextTimeout == at(6))
    }

    @Test func `holds no more than its capacity`() {
        var queue = TimerQueue<Int>(capacity: 2)
        let fits = [1, 2, 3].map { queue.schedule($0, at: at(Int64($0))) != nil }
        #expect(fits == [true, true, false])
        let fired = queue.popDue(at: at(1))
        #expect(fired == 1)
        let fitsNow = queue.schedule(3, at: at(3)) != nil
        #expect(fitsNow)
    }

    @Test func `adjust follows a machine's deadline`() {
        var queue = TimerQueue<Int>(capacity: 1)
        var token: TimerQueue<Int>.Token?
        queue.adjust(&token, to: at(9), payload: 7)
        #expect(queue.nextTimeout == at(9))
        queue.adjust(&token, to: at(4), payload: 7)
        #expect(queue.nextTimeout == at(4))
        let fired = queue.popDue(at: at(4))
        #expect(fired == 7)
        queue.adjust(&token, to: at(12), payload: 7)
        #expect(queue.nextTimeout == at(12))
        queue.adjust(&token, to: nil, payload: 7)
        #expect(queue.isEmpty && token == nil)
    }

    /// Ten thousand random operations against a plain list that is searched from end to end.
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `agrees with a sorted list under any order of operations`(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var queue = TimerQueue<Int>(capacity: 64)
        var model: [(name: Int, due: Instant, order: Int, token: TimerQueue<Int>.Token)] = []
        var order = 0
        for step in 0..<10_000 {
            order += 1
            let due = at(Int64.random(in: 0..<50, using: &random))
            switch UInt8.random(in: 0..<4, using: &random) {
            case 0, 1:
                let token = queue.schedule(step, at: due)
                #expect((token == nil) == (model.count == 64))
                if let token { model.append((step, due, order, token)) }
            case 2 where !model.isEmpty:
                let pick = Int.random(in: 0..<model.count, using: &random)
                if Bool.random(using: &random) {
                    let victim = model.remove(at: pick)
                    let payload = queue.cancel(victim.token)
                    #expect(payload == victim.name)
                } else {
                    let moved = queue.reschedule(model[pick].token, at: due)
                    #expect(moved)
                    if model[pick].due != due { (model[pick].due, model[pick].order) = (due, order) }
                }
            default:
                let expected = model.indices.min { (model[$0].due, model[$0].order) < (model[$1].due, model[$1].order) }
                #expect(queue.nextTimeout == expected.map { model[$0].due })
                let popped = queue.popDue(at: at(25))
                if let expected, model[expected].due <= at(25) {
                    #expect(popped == model.remove(at: expected).name)
                } else {
                    #expect(popped == nil)
                }
            }
        }
        #expect(queue.count == model.count)
    }
}
