import Base
import Testing

@testable import SocketIO

@Suite struct ArrivalPaceTests {
    private var pace = ArrivalPace()
    private var now = Int64(1) << 40

    /// Turns of a loop, `gap` µs apart, that read `count` datagrams each.
    private mutating func turns(_ turns: Int, of count: Int, every gap: Int64) {
        for _ in 0..<turns {
            now += gap * 1_000
            pace.note(count, at: Instant(nanoseconds: now))
        }
    }

    @Test(arguments: [(1, Int64(1_000)), (1, 60), (4, 250), (60, 5_000)])
    mutating func `slow arrivals are never waited for`(count: Int, gap: Int64) {
        for _ in 0..<1_000 {
            turns(1, of: count, every: gap)
            #expect(!pace.isFast)
        }
    }

    @Test(arguments: [(1, Int64(30)), (4, 120), (64, 1_000)])
    mutating func `fast ones are, once they have lasted, until they end`(count: Int, gap: Int64) {
        turns(2, of: count, every: gap)
        #expect(!pace.isFast)
        turns(500, of: count, every: gap)
        #expect(pace.isFast)
        turns(2, of: 1, every: 20_000)
        #expect(!pace.isFast)
    }

    @Test mutating func `bursts with silence between them are judged by their mean`() {
        for _ in 0..<50 {
            turns(1, of: 1, every: 900)
            turns(20, of: 2, every: 5)
        }
        #expect(pace.isFast)
    }
}
