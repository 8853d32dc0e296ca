import Base
import Testing

@testable import SocketIO

@Suite struct ConnectionCounterTests {
    private func counter(all: Int, each: Int) -> ConnectionCounter {
        var limits = SocketLimits()
        (limits.connections, limits.connectionsPerAddress) = (all, each)
        return ConnectionCounter(limits: limits)
    }

    @Test func `one address has its share, others theirs`() {
        let counter = counter(all: 10, each: 2)
        let (first, second) = (IPAddress.v4(0xc000_0201), IPAddress.v4(0xc000_0202))
        #expect(counter.admit(first) && counter.admit(first))
        #expect(!counter.admit(first))
        #expect(counter.admit(second))
        counter.release(first)
        #expect(counter.admit(first))
        #expect(counter.open == 3)
    }

    @Test func `an IPv6 network counts as one, loopback is exempt`() {
        let counter = counter(all: 10, each: 1)
        #expect(counter.admit(.v6(high: 0x2001_0db8_0000_0001, low: 1)))
        #expect(!counter.admit(.v6(high: 0x2001_0db8_0000_0001, low: 2)))
        #expect(counter.admit(.v6(high: 0x2001_0db8_0000_0002, low: 1)))
        #expect(counter.admit(.loopback) && counter.admit(.loopback))
    }

    @Test func `the sum is bounded for all`() {
        let counter = counter(all: 2, each: 2)
        #expect(counter.admit(.loopback) && counter.admit(.loopback))
        #expect(!counter.admit(.loopback))
    }
}
