import Base
import SIP
import Testing
import UserAgent

/// Two phones joined by a link that loses, delays, reorders and doubles what they send; no proxy between them.
private struct Pair {
    private struct Packet {
        let due: Instant
        let number: Int
        let toBob: Bool
        let bytes: [UInt8]
    }

    var phones: [UserAgent]
    var events: [[Event]] = [[], []]
    /// Whatever the tests do with an event as it comes, such as answering.
    var reaction: (Int, Event) -> Command? = { _, _ in nil }
    private(set) var now = Instant.zero
    private var random: RandomSource
    private var packets: [Packet] = []
    private var number = 0
    var lossPercent: UInt64

    init(seed: UInt64, lossPercent: UInt64 = 20) throws {
        random = RandomSource(seed: seed)
        self.lossPercent = lossPercent
        phones = []
        for name in ["anna", "bob"] {
            var configuration = Configuration(
                aor: bytes("sip:\(name)@\(name).example"), transport: .udp, sentBy: bytes("\(name).example"))
            configuration.sessionExpires = 1800
            let random = RandomSource(seed: seed &* 31 &+ UInt64(phones.count))
            phones.append(try UserAgent(configuration: configuration, random: random, at: .zero))
        }
        for index in phones.indices {
            phones[index].connected(at: now)
            drain(index)
        }
        // There is no registrar: the phones talk all the same.
        for index in phones.indices { try phones[index].perform(.unregister, at: now) }
        packets = []
    }

    mutating func perform(_ index: Int, _ command: Command) throws {
        try phones[index].perform(command, at: now)
        drain(index)
    }

    private mutating func drain(_ index: Int) {
        while let output = phones[index].pollOutput() {
            switch output {
            case .event(let event):
                events[index].append(event)
                if let command = reaction(index, event) { try? phones[index].perform(command, at: now) }
            case .send(let bytes):
                guard !text(bytes.prefix(8)).hasPrefix("REGISTER") else { continue }
                let copies = random.next() % 100 < 5 ? 2 : 1
                for _ in 0..<copies where random.next() % 100 >= lossPercent {
                    number += 1
                    let delay = Duration.milliseconds(5 + Int(random.next() % 200))
                    packets.append(Packet(due: now + delay, number: number, toBob: index == 0, bytes: bytes))
                }
            }
        }
    }

    mutating func run(_ duration: Duration) {
        let end = now + duration
        while true {
            let packet = packets.indices.min {
                (packets[$0].due, packets[$0].number) < (packets[$1].due, packets[$1].number)
            }
            var due = packet.map { packets[$0].due }
            for phone in phones {
                guard let timer = phone.nextTimeout else { continue }
                due = min(due ?? timer, timer)
            }
            guard let due, due <= end else { break }
            now = max(now, due)
            if let packet, packets[packet].due <= now {
                let arrived = packets.remove(at: packet)
                let index = arrived.toBob ? 1 : 0
                phones[index].receive(arrived.bytes, at: now)
                drain(index)
            }
            for index in phones.indices {
                phones[index].handleTimeout(at: now)
                drain(index)
            }
        }
        now = end
    }

    var isQuiet: Bool { phones.allSatisfy { $0.callCount == 0 && $0.transactionCount == 0 } }
}

private let outgoing = CallID(1)
private let incoming = CallID(0x8000_0000)

@Suite struct PairTests {
    private func ends(_ events: [Event]) -> [EndCause] {
        events.compactMap { if case .ended(_, let cause, _, _) = $0 { cause } else { nil } }
    }

    private func answered(_ events: [Event]) -> Int {
        events.count { if case .answered = $0 { true } else { false } }
    }

    private func calling(seed: UInt64, loss: UInt64 = 20) throws -> Pair {
        var pair = try Pair(seed: seed, lossPercent: loss)
        pair.reaction = { index, event in
            if index == 1, case .incoming(let id, _, _, _, _) = event { return .answer(id, sdp: sdp("bob")) }
            return nil
        }
        try pair.perform(0, .call(outgoing, to: bytes("sip:bob@bob.example"), offer: sdp("anna"), replaces: nil))
        return pair
    }

    @Test func `a call is made and ended by either side, whatever the link loses`() throws {
        for seed in 0..<UInt64(150) {
            var pair = try calling(seed: seed)
            pair.run(.seconds(20))
            guard answered(pair.events[0]) == 1, answered(pair.events[1]) == 1 else {
                // Seven copies of the INVITE may all be lost; then both sides must know.
                pair.run(.seconds(200))
                #expect(pair.isQuiet, "seed \(seed)")
                continue
            }
            let ender = Int(seed % 2)
            try? pair.perform(ender, .hangUp(ender == 0 ? outgoing : incoming))
            pair.run(.seconds(200))
            #expect(ends(pair.events[0]).count == 1, "seed \(seed)")
            #expect(ends(pair.events[1]).count == 1, "seed \(seed)")
            #expect(pair.isQuiet, "seed \(seed)")
        }
    }

    @Test func `CANCEL and answer cross, and both sides agree that there is no call`() throws {
        for seed in 0..<UInt64(150) {
            var pair = try calling(seed: seed)
            pair.run(.milliseconds(Int(seed) * 10))
            try? pair.perform(0, .hangUp(outgoing))
            pair.run(.seconds(300))
            #expect(ends(pair.events[0]).count == 1, "seed \(seed)")
            let rang = pair.events[1].contains { if case .incoming = $0 { true } else { false } }
            #expect(ends(pair.events[1]).count == (rang ? 1 : 0), "seed \(seed)")
            #expect(pair.isQuiet, "seed \(seed)")
        }
    }

    @Test func `offers that cross are both settled in the end`() throws {
        var settled = 0
        for seed in 0..<UInt64(60) {
            var pair = try calling(seed: seed, loss: 5)
            pair.run(.seconds(20))
            guard answered(pair.events[0]) == 1 else { continue }
            let answer = pair.reaction
            pair.reaction = { index, event in
                if case .offered(let id, _) = event {
                    return .answerOffer(id, sdp: sdp(index == 0 ? "anna" : "bob", version: 9))
                }
                return answer(index, event)
            }
            try pair.perform(0, .offer(outgoing, sdp: sdp("anna", version: 2)))
            try pair.perform(1, .offer(incoming, sdp: sdp("bob", version: 2)))
            pair.run(.seconds(60))
            for index in 0...1 {
                let results = pair.events[index].count {
                    switch $0 {
                    case .offerAnswered, .offerFailed: true
                    default: false
                    }
                }
                #expect(results == 1, "seed \(seed), phone \(index)")
            }
            #expect(ends(pair.events[0]).isEmpty && ends(pair.events[1]).isEmpty, "seed \(seed)")
            settled += 1
        }
        #expect(settled > 40)
    }

    @Test func `candidates arrive, the newest last`() throws {
        for seed in 0..<UInt64(50) {
            var pair = try calling(seed: seed, loss: 10)
            for step in 1...5 {
                try? pair.perform(0, .candidates(outgoing, fragment: bytes("a=anna \(step)\r\n")))
                try? pair.perform(1, .candidates(incoming, fragment: bytes("a=bob \(step)\r\n")))
                pair.run(.milliseconds(400))
            }
            pair.run(.seconds(60))
            guard answered(pair.events[0]) == 1, answered(pair.events[1]) == 1 else { continue }
            for (index, name) in ["bob", "anna"].enumerated() {
                let last = pair.events[index].last { if case .candidates = $0 { true } else { false } }
                let id = index == 0 ? outgoing : incoming
                let isSent = index == 1 || pair.events[1].contains(.answered(incoming, sdp: []))
                guard isSent, let last else { continue }
                #expect(last == .candidates(id, fragment: bytes("a=\(name) 5\r\n")), "seed \(seed)")
            }
        }
    }

    @Test func `a peer that vanishes is noticed by the session timer`() throws {
        var pair = try calling(seed: 3, loss: 0)
        pair.run(.seconds(5))
        #expect(answered(pair.events[0]) == 1)
        pair.lossPercent = 100
        pair.run(.seconds(1000))
        #expect(ends(pair.events[0]) == [.networkLost])
        pair.run(.seconds(1000))
        #expect(ends(pair.events[1]) == [.networkLost])
    }
}
