/// A set of header names, as bits.
struct HeaderSet: Sendable {
    /// The names below 64, and those from there on.
    private var low = UInt64(0)
    private var high = UInt64(0)

    init() {}

    @inline(__always)
    init(_ names: HeaderName...) {
        for name in names { insert(name) }
    }

    @inline(__always)
    func contains(_ name: HeaderName) -> Bool {
        (name.rawValue < 64 ? low : high) >> UInt64(name.rawValue & 63) & 1 == 1
    }

    @inline(__always)
    func contains(anyOf others: HeaderSet) -> Bool { low & others.low | high & others.high != 0 }

    @inline(__always)
    mutating func insert(_ name: HeaderName) {
        let bit = UInt64(1) << UInt64(name.rawValue & 63)
        if name.rawValue < 64 { low |= bit } else { high |= bit }
    }
}

/// Which names a message's lines have. Most questions about a header are whether it is there, and most are not.
struct HeaderNames: Sendable {
    var present = HeaderSet()
    var repeated = HeaderSet()

    init(of lines: borrowing [HeaderLine]) {
        for index in lines.indices {
            let name = lines[index].code
            if present.contains(name) { repeated.insert(name) } else { present.insert(name) }
        }
    }
}
