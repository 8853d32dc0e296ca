import Base
import Testing

@testable import RTP

struct LatchTests {
    static func address(_ last: UInt32, _ port: UInt16) -> TransportAddress {
        TransportAddress(ip: .v4(0xc000_0200 + last), port: port)
    }

    /// The SDP's, the same host's other port, where SIP comes from, and nobody's.
    let signalled = address(1, 4000), otherPort = address(1, 4002), router = address(2, 61_000)
    let stranger = address(66, 6666)

    private func latch(strangers: Bool = false) -> SourceLatch {
        SourceLatch(signalled: signalled, signallingSource: router.ip, acceptsStrangers: strangers)
    }

    private func send(
        _ latch: inout SourceLatch, from address: TransportAddress, _ numbers: ClosedRange<UInt16>, ssrc: UInt32 = 1,
        at time: Int
    ) -> [SourceLatch.Verdict] {
        numbers.enumerated().map { place, number in
            latch.receive(from: address, header(number: number, ssrc: ssrc), at: milliseconds(time + 20 * place))
        }
    }

    @Test func `the signalled address is taken at its word`() {
        var latch = latch()
        #expect(latch.destination == signalled)
        #expect(send(&latch, from: signalled, 1...2, at: 0) == [.moved, .accept])
        #expect(send(&latch, from: otherPort, 3...9, at: 40).allSatisfy { $0 == .refuse })
        #expect(send(&latch, from: stranger, 3...9, at: 40).allSatisfy { $0 == .refuse })
        #expect(latch.destination == signalled)
    }

    @Test func `a phone behind a router is found by the address of its signalling`() {
        var latch = latch()
        #expect(send(&latch, from: router, 1...4, at: 0) == [.refuse, .refuse, .moved, .accept])
        #expect(latch.destination == router)
        #expect(latch.acceptsControl(from: TransportAddress(ip: router.ip, port: 61_001)))
        #expect(!latch.acceptsControl(from: stranger))
    }

    @Test func `a better address takes over within the window and not after it`() {
        var early = latch()
        _ = send(&early, from: router, 1...3, at: 0)
        #expect(send(&early, from: signalled, 1...1, ssrc: 5, at: 1000) == [.moved])
        #expect(send(&early, from: router, 4...9, at: 1100).allSatisfy { $0 == .refuse })
        var late = latch()
        _ = send(&late, from: router, 1...3, at: 0)
        for index: UInt16 in 0..<200 { _ = send(&late, from: router, 4 + index...4 + index, at: 60 + 20 * Int(index)) }
        #expect(send(&late, from: signalled, 1...1, ssrc: 5, at: 4000) == [.refuse])
        #expect(late.destination == router)
    }

    @Test func `strangers are learned only where that is wanted, slowly, and give way`() {
        var closed = latch()
        #expect(send(&closed, from: stranger, 1...100, at: 0).allSatisfy { $0 == .refuse })
        var open = latch(strangers: true)
        let verdicts = send(&open, from: stranger, 1...20, at: 0)
        #expect(verdicts.firstIndex(of: .moved) == 15)
        #expect(send(&open, from: router, 1...3, ssrc: 9, at: 500) == [.refuse, .refuse, .moved])
        #expect(send(&open, from: stranger, 21...60, at: 600).allSatisfy { $0 == .refuse })
    }

    @Test func `a flood of strangers does not keep the phone out`() {
        var latch = latch(strangers: true)
        var verdicts: [SourceLatch.Verdict] = []
        for index: UInt16 in 0..<3 {
            for flood: UInt16 in 0..<50 {
                _ = send(
                    &latch, from: Self.address(100 + UInt32(flood), 1), index...index, ssrc: 7, at: 20 * Int(index))
            }
            verdicts += send(&latch, from: router, index...index, at: 20 * Int(index) + 5)
        }
        #expect(verdicts.last == .moved)
    }

    @Test func `after silence only the same stream may go on from elsewhere`() {
        var latch = latch()
        _ = send(&latch, from: signalled, 1000...1010, at: 0)
        // Not silent for long enough, then another stream, then numbers that do not follow.
        #expect(send(&latch, from: stranger, 1011...1020, at: 300).allSatisfy { $0 == .refuse })
        #expect(send(&latch, from: stranger, 1011...1020, ssrc: 2, at: 3000).allSatisfy { $0 == .refuse })
        #expect(send(&latch, from: stranger, 1...10, at: 4000).allSatisfy { $0 == .refuse })
        #expect(send(&latch, from: stranger, 9000...9010, at: 5000).allSatisfy { $0 == .refuse })
        let moved = Self.address(3, 5)
        let verdicts = send(&latch, from: moved, 1040...1060, at: 6000)
        #expect(verdicts.contains(.moved))
        #expect(latch.destination == moved)
    }

    @Test func `a re-INVITE with another port moves the stream without a hole`() {
        var latch = latch()
        _ = send(&latch, from: signalled, 1...5, at: 0)
        latch.signal(signalled)
        #expect(send(&latch, from: otherPort, 1...5, at: 100).allSatisfy { $0 == .refuse })
        latch.signal(otherPort)
        #expect(latch.destination == otherPort)
        #expect(send(&latch, from: signalled, 6...7, at: 200) == [.accept, .accept])
        #expect(latch.destination == otherPort)
        #expect(send(&latch, from: stranger, 1...9, at: 240).allSatisfy { $0 == .refuse })
        #expect(send(&latch, from: otherPort, 1...2, ssrc: 4, at: 300) == [.moved, .accept])
        #expect(send(&latch, from: signalled, 8...20, at: 340).allSatisfy { $0 == .refuse })
    }

    @Test func `a resumed call may come from another port of the same router`() {
        let anew = TransportAddress(ip: router.ip, port: 62_000)
        var latch = latch()
        _ = send(&latch, from: router, 1...5, at: 0)
        #expect(send(&latch, from: anew, 1...9, ssrc: 2, at: 60_000).allSatisfy { $0 == .refuse })
        latch.reopen()
        #expect(latch.destination == router)
        #expect(send(&latch, from: stranger, 1...9, ssrc: 3, at: 60_200).allSatisfy { $0 == .refuse })
        #expect(send(&latch, from: anew, 10...13, ssrc: 2, at: 60_500) == [.refuse, .refuse, .moved, .accept])
        // The old address speaking first shuts the door.
        latch.reopen()
        #expect(send(&latch, from: anew, 14...14, ssrc: 2, at: 70_000) == [.accept])
        #expect(send(&latch, from: router, 6...20, at: 70_020).allSatisfy { $0 == .refuse })
    }

    @Test func `hold without an address stops sending, and what was learned is there again after it`() {
        var latch = latch()
        _ = send(&latch, from: router, 1...5, at: 0)
        latch.signal(nil)
        #expect(latch.destination == nil)
        #expect(send(&latch, from: router, 6...6, at: 1000) == [.accept])
        latch.signal(signalled)
        #expect(latch.destination == router)
        #expect(send(&latch, from: stranger, 1...9, at: 1100).allSatisfy { $0 == .refuse })
    }

    /// An attacker who knows neither address nor stream never becomes the destination, in any order of packets.
    @Test(arguments: 0..<20)
    func `nobody steals a call`(seed: Int) {
        var random = RandomSource(seed: UInt64(seed))
        var latch = latch()
        var (now, number) = (0, UInt16(truncatingIfNeeded: random.next()))
        for _ in 0..<2000 {
            now += Int(random.next() % 40)
            if random.next() % 300 == 0 { now += 10_000 }
            if random.next() % 2 == 0 {
                number &+= 1
                _ = latch.receive(
                    from: random.next() % 50 == 0 ? signalled : router, header(number: number, ssrc: 0x1234_5678),
                    at: milliseconds(now))
            } else {
                let guess = header(
                    number: UInt16(truncatingIfNeeded: random.next()), ssrc: UInt32(random.next() % 1000))
                #expect(latch.receive(from: stranger, guess, at: milliseconds(now)) == .refuse)
            }
            #expect(latch.destination != stranger)
        }
    }

    @Test func `a dead call is told of once, later on hold`() {
        var timeout = MediaTimeout(at: .zero)
        timeout.receive(at: milliseconds(30_000))
        #expect(timeout.nextTimeout == milliseconds(90_000))
        #expect(timeout.handleTimeout(at: milliseconds(89_999)) == false)
        timeout.setOnHold(true, at: milliseconds(89_999))
        #expect(timeout.handleTimeout(at: milliseconds(3_000_000)) == false)
        timeout.setOnHold(false, at: milliseconds(3_000_000))
        #expect(timeout.handleTimeout(at: milliseconds(3_060_000)) == true)
        #expect(timeout.handleTimeout(at: milliseconds(3_070_000)) == false)
        #expect(timeout.nextTimeout == nil)
    }
}
