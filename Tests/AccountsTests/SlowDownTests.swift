import Accounts
import Base
import Testing

@Suite struct SlowDownTests {
    private let anna: UserName
    private let bob: UserName
    private let home = IPAddress.v4(0xc0a8_0002)
    private let elsewhere = IPAddress.v4(0xcb00_7105)
    private var slow = SlowDown()

    init() throws {
        anna = try UserName(parsing: "anna")
        bob = try UserName(parsing: "bob")
    }

    /// Tries as soon as it is allowed, and returns the waits before each of the first `count` tries in seconds.
    private func waits(_ count: Int, _ slow: inout SlowDown, _ name: UserName, _ address: IPAddress) -> [Int64] {
        var now = Instant.zero
        return (0..<count).map { _ in
            var waited = Duration.zero
            while case .wait(let duration) = slow.admit(name, from: address, at: now) {
                now += duration
                waited += duration
            }
            return waited.components.seconds
        }
    }

    @Test mutating func `five free tries, then the wait doubles up to a minute`() {
        #expect(waits(14, &slow, anna, home) == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60])
    }

    @Test mutating func `an address waits up to a quarter of an hour, whatever names it tries`() throws {
        var now = Instant.zero
        var waits: [Int64] = []
        for number in 0..<28 {
            let name = try UserName(parsing: "name\(number)")
            var waited = Duration.zero
            while case .wait(let duration) = slow.admit(name, from: elsewhere, at: now) {
                now += duration
                waited += duration
            }
            waits.append(waited.components.seconds)
        }
        #expect(Array(waits.prefix(15)) == [Int64](repeating: 0, count: 15))
        #expect(Array(waits.dropFirst(15)) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900])
    }

    @Test mutating func `tries at the same moment are all charged`() {
        let decisions = (0..<100).map { _ in slow.admit(anna, from: home, at: .zero) }
        #expect(decisions.filter { $0 == .admitted }.count == 5)
    }

    @Test mutating func `the right password clears the account`() {
        for _ in 0..<4 { #expect(slow.admit(anna, from: home, at: .zero) == .admitted) }
        #expect(slow.admit(anna, from: home, at: .zero) == .admitted)
        slow.succeeded(anna, from: home, at: .zero)
        for _ in 0..<5 { #expect(slow.admit(anna, from: elsewhere, at: .zero) == .admitted) }
        #expect(slow.admit(anna, from: elsewhere, at: .zero) != .admitted)
    }

    @Test mutating func `a stranger's guesses do not hold up whoever signed in from home before`() {
        #expect(slow.admit(anna, from: home, at: .zero) == .admitted)
        slow.succeeded(anna, from: home, at: .zero)
        for _ in 0..<20 { _ = slow.admit(anna, from: elsewhere, at: .zero) }
        #expect(slow.admit(anna, from: elsewhere, at: .zero) != .admitted)
        #expect(slow.admit(anna, from: home, at: .zero) == .admitted)
    }

    @Test mutating func `an account of one's own does not wash guesses at others away`() {
        var admitted = 0
        for _ in 0..<200 {
            if slow.admit(bob, from: elsewhere, at: .zero) == .admitted {
                slow.succeeded(bob, from: elsewhere, at: .zero)
            }
            if slow.admit(anna, from: elsewhere, at: .zero) == .admitted { admitted += 1 }
        }
        #expect(admitted <= 15)
    }

    @Test mutating func `mistakes are forgotten after an hour`() {
        for _ in 0..<6 { _ = slow.admit(anna, from: home, at: .zero) }
        let later = Instant.zero + .seconds(3661)
        for _ in 0..<5 { #expect(slow.admit(anna, from: home, at: later) == .admitted) }
        #expect(slow.admit(anna, from: home, at: later) == .wait(.seconds(1)))
    }

    @Test mutating func `a whole IPv6 network counts as one address`() throws {
        for number in 0..<15 {
            let address = IPAddress.v6(high: 0x2001_0db8_0000_0001, low: UInt64(number))
            #expect(slow.admit(try UserName(parsing: "n\(number)"), from: address, at: .zero) == .admitted)
        }
        #expect(slow.admit(anna, from: .v6(high: 0x2001_0db8_0000_0001, low: 99), at: .zero) != .admitted)
        #expect(slow.admit(anna, from: .v6(high: 0x2001_0db8_0000_0002, low: 99), at: .zero) == .admitted)
        #expect(slow.admit(anna, from: .v6(high: 0, low: 0xffff_c0a8_0002), at: .zero) == .admitted)
    }

    @Test mutating func `names that exist and names that do not wait alike`() throws {
        var other = slow
        let nobody = try UserName(parsing: "nobody")
        #expect(waits(20, &slow, anna, home) == waits(20, &other, nobody, home))
    }

    @Test mutating func `a flood of names and addresses stays within bounds`() throws {
        var random = RandomSource(seed: 3)
        var most = 0
        for number in 0..<40_000 {
            let name = try UserName(parsing: "n\(number)")
            let address = IPAddress.v4(UInt32(truncatingIfNeeded: random.next()))
            let now = Instant.zero + .milliseconds(number)
            if slow.admit(name, from: address, at: now) == .admitted, number.isMultiple(of: 3) {
                slow.succeeded(name, from: address, at: now)
            }
            most = max(most, slow.count)
        }
        #expect(most == SlowDown.capacity)
    }
}
