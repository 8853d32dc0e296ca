/// Which of the newest packets were there (RFC 3711 §3.3.2): a ring of bits below the highest index.
///
/// 1024 packets: a receiver asks for lost video again for a round trip or two, and what is sent again under its old
/// number must find its place; browsers use the same width. The least the RFC allows is 64.
struct ReplayWindow {
    static let width: UInt64 = 1024

    enum Verdict { case fresh, replayed, tooOld }

    /// Nil before the first packet.
    private(set) var highest: UInt64?
    private let bits: UnsafeMutablePointer<UInt64>

    init() {
        bits = .allocate(capacity: Int(Self.width) / 64)
        bits.initialize(repeating: 0, count: Int(Self.width) / 64)
    }

    /// The owner ends it: values of this kind live in its table and are moved about there.
    func deallocate() { bits.deallocate() }

    func judge(_ index: UInt64) -> Verdict {
        guard let highest, index <= highest else { return .fresh }
        guard highest - index < Self.width else { return .tooOld }
        return bits[word(index)] & mask(index) == 0 ? .fresh : .replayed
    }

    /// Notes a packet that `judge` called fresh.
    mutating func mark(_ index: UInt64) {
        if let highest, index > highest {
            clear(after: highest, through: index)
            self.highest = index
        } else if highest == nil {
            highest = index
        }
        bits[word(index)] |= mask(index)
    }

    /// Starts anew: nothing was there.
    mutating func reset() {
        highest = nil
        bits.update(repeating: 0, count: Int(Self.width) / 64)
    }

    /// The places of indices never seen still hold what was there one turn of the ring ago.
    private func clear(after highest: UInt64, through index: UInt64) {
        guard index - highest < Self.width else {
            return bits.update(repeating: 0, count: Int(Self.width) / 64)
        }
        var next = highest + 1
        while next <= index {
            bits[word(next)] &= ~mask(next)
            next += 1
        }
    }

    private func word(_ index: UInt64) -> Int { Int(index / 64 % (Self.width / 64)) }
    private func mask(_ index: UInt64) -> UInt64 { 1 << (index % 64) }
}
