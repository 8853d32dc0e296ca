import Base
import Testing

struct TransportAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::", "::"), ("::1", "::1"), ("[2001:db8::1]", "2001:db8::1"),
        ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::ffff:192.0.2.33", "::ffff:c000:221"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("fe80::0:0:1", "fe80::1"),
    ])
    func `reads an address and writes it in RFC 5952 form`(given: String, written: String) throws {
        let address = try #require(IPAddress(parsing: given.utf8))
        #expect(String(decoding: address.text, as: UTF8.self) == written)
        #expect(IPAddress(parsing: address.text) == address)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1..2.3", "[1.2.3.4]", ":", ":::", "1::2::3", "12345::", "::g",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1.2.3.4:5", "[::1", "1:", "example.org", "0001.2.3.4",
    ])
    func `takes nothing else for an address`(text: String) {
        #expect(IPAddress(parsing: text.utf8) == nil)
    }

    @Test func `knows loopback in each form`() {
        for text in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            #expect(IPAddress(parsing: text.utf8)?.isLoopback == true)
        }
        #expect(IPAddress(parsing: "128.0.0.1".utf8)?.isLoopback == false)
    }

    @Test func `random addresses survive writing and reading`() {
        var random = RandomSource(seed: 5952)
        for _ in 0..<2000 {
            // Sparse groups, so that runs of zeros of every length appear.
            let mask = random.next() & random.next()
            let address = IPAddress.v6(high: random.next() & mask, low: random.next() & random.next() & mask)
            #expect(IPAddress(parsing: address.host) == address)
        }
    }
}

struct InstantTests {
    @Test func `arithmetic saturates where a peer's number is absurd`() {
        #expect(Instant.zero + .seconds(Int64.max) == Instant(nanoseconds: .max))
        #expect(Instant(nanoseconds: .max) + .seconds(1) == Instant(nanoseconds: .max))
        #expect(Instant(nanoseconds: 5) - Instant(nanoseconds: 2) == .nanoseconds(3))
    }
}

struct OutputQueueTests {
    @Test func `gives outputs back in order, also when filled while drained`() {
        var queue = OutputQueue<Int>()
        queue.append(1)
        queue.append(2)
        #expect(queue.popFirst() == 1)
        queue.append(3)
        #expect([queue.popFirst(), queue.popFirst(), queue.popFirst()] == [2, 3, nil])
        #expect(queue.isEmpty)
    }
}
