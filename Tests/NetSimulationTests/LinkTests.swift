import Base
import NetSimulation
import Testing

/// Two hosts of the internet, the first one's sending side under test.
@Suite struct LinkTests {
    private struct Received: Equatable {
        var at: Instant
        var payload: [UInt8]
    }

    private static let here = IPAddress.v4(0x0a00_0001), there = IPAddress.v4(0x0a00_0002)

    /// Sends `count` datagrams, one a millisecond, numbered in two bytes and `size` long.
    private func send(_ count: Int, size: Int = 2, over link: Link, seed: UInt64 = 1) -> (
        received: [Received], statistics: SimulatedNetwork.Statistics
    ) {
        var network = SimulatedNetwork(seed: seed)
        let sender = network.addHost(Self.here)
        let receiver = network.addHost(Self.there)
        network.setLink(of: sender, up: link, down: .clean)
        network.setLink(of: receiver, up: .clean, down: Link(delay: .zero))
        for number in 0..<count {
            let payload = [UInt8(number >> 8), UInt8(number & 255)] + [UInt8](repeating: 0, count: size - 2)
            let target = TransportAddress(ip: Self.there, port: 5060)
            network.send(payload, from: sender, port: 7, to: target, at: milliseconds(number))
        }
        var received: [Received] = []
        while let now = network.nextTimeout {
            while let arrival = network.poll(at: now) {
                guard case .datagram(receiver, 5060, let source, let payload) = arrival else { continue }
                #expect(source == TransportAddress(ip: Self.here, port: 7))
                received.append(Received(at: now, payload: payload))
            }
        }
        return (received, network.statistics)
    }

    private func milliseconds(_ count: Int) -> Instant { .zero + .milliseconds(count) }

    @Test func `a clean link delivers everything in order after its delay`() {
        let received = send(100, over: Link(delay: .milliseconds(25))).received
        #expect(received.map(\.at) == (0..<100).map { milliseconds($0 + 25) })
        #expect(received.map { $0.payload[1] } == (0..<100).map { UInt8($0) })
    }

    @Test func `the same seed gives the same network, another one another`() {
        let link = Link(loss: 0.2, jitter: .milliseconds(30), reordering: 0.1, duplication: 0.1)
        #expect(send(500, over: link, seed: 9).received == send(500, over: link, seed: 9).received)
        #expect(send(500, over: link, seed: 9).received != send(500, over: link, seed: 10).received)
    }

    @Test(arguments: [0.0, 0.05, 0.2, 0.5, 1.0])
    func `loses as often as it says`(loss: Double) {
        let (received, statistics) = send(4000, over: Link(loss: loss))
        #expect(abs(1 - Double(received.count) / 4000 - loss) < 0.03)
        #expect(statistics.lost + statistics.delivered == 4000)
    }

    @Test func `duplicates as often as it says`() {
        let (received, statistics) = send(4000, over: Link(duplication: 0.3))
        #expect(abs(Double(received.count) / 4000 - 1.3) < 0.03)
        #expect(received.count == 4000 + statistics.duplicated)
    }

    @Test func `jitter stays between the delay and the delay with all of it`() {
        let received = send(2000, over: Link(delay: .milliseconds(10), jitter: .milliseconds(40))).received
        let delays = received.map { $0.at - milliseconds(Int($0.payload[0]) << 8 | Int($0.payload[1])) }
        #expect(delays.allSatisfy { $0 >= .milliseconds(10) && $0 <= .milliseconds(50) })
        #expect(delays.contains { $0 < .milliseconds(12) } && delays.contains { $0 > .milliseconds(48) })
    }

    @Test func `a held back datagram is overtaken by exactly those sent in the meantime`() {
        let link = Link(reordering: 0.1, reorderingDelay: .microseconds(5500))
        let numbers = send(2000, over: link).received.map { Int($0.payload[0]) << 8 | Int($0.payload[1]) }
        let late = zip(numbers, numbers.dropFirst()).filter { $0 > $1 }
        #expect(late.count > 100)
        #expect(numbers.enumerated().allSatisfy { place, number in abs(place - number) <= 5 })
    }

    @Test func `a datagram above the MTU vanishes, one of its size passes`() {
        #expect(send(10, size: 1472, over: Link(mtu: 1472)).received.count == 10)
        #expect(send(10, size: 1473, over: Link(mtu: 1472)).received.isEmpty)
    }
}
