import Base

/// The parameters of a format, `name=value;name=value`, as far as they fit (RFC 8866 §6.15).
struct FormatParameters: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        var name: [UInt8]
        /// nil for a lone word, such as the events of `telephone-event`.
        var value: [UInt8]?
    }

    /// More parameters than any format we know has; what follows is dropped.
    static let maximumCount = 24
    /// Longer values are dropped. H.264 parameter sets are the longest, some tens of bytes each.
    static let maximumLength = 512

    private(set) var entries: [Entry] = []

    init() {}

    init(_ pairs: (StaticString, StaticString)...) {
        for (name, value) in pairs { set(name, [UInt8](ascii: value)) }
    }

    init(parsing text: ArraySlice<UInt8>) {
        for part in text.split(separator: ASCII.semicolon, maxSplits: Self.maximumCount) {
            guard entries.count < Self.maximumCount else { return }
            let trimmed = part.trimmed
            guard !trimmed.isEmpty, trimmed.count <= Self.maximumLength else { continue }
            let equals = trimmed.firstIndex(of: ASCII.equals)
            let value = equals.map { Array(trimmed[($0 + 1)...].trimmed) }
            entries.append(Entry(name: Array(trimmed[..<(equals ?? trimmed.endIndex)].trimmed), value: value))
        }
    }

    subscript(name: StaticString) -> [UInt8]? {
        entries.first { ASCII.equalIgnoringCase($0.name, name) }?.value
    }

    func number(_ name: StaticString) -> Int? { self[name].flatMap { ASCII.decimal($0) } }

    mutating func set(_ name: StaticString, _ value: [UInt8]?) {
        let index = entries.firstIndex { ASCII.equalIgnoringCase($0.name, name) }
        guard let value else {
            if let index { entries.remove(at: index) }
            return
        }
        if let index {
            entries[index].value = value
        } else {
            entries.append(Entry(name: [UInt8](ascii: name), value: value))
        }
    }

    /// Those with one of these names.
    func keeping(_ names: [StaticString]) -> FormatParameters {
        var kept = FormatParameters()
        kept.entries = entries.filter { entry in
            entry.value != nil && names.contains { ASCII.equalIgnoringCase(entry.name, $0) }
        }
        return kept
    }

    var bytes: [UInt8] {
        var out: [UInt8] = []
        for entry in entries {
            if !out.isEmpty { out.append(ASCII.semicolon) }
            out += entry.name
            guard let value = entry.value else { continue }
            out.append(ASCII.equals)
            out += value
        }
        return out
    }
}

extension FormatParameters {
    /// What of a codec's parameters means the same on both legs: what a receiver can take. The rest is between one leg's
    /// ends alone.
    func forwarded(for codec: Codec) -> FormatParameters {
        switch codec {
        case .opus:
            keeping([
                "maxplaybackrate", "sprop-maxcapturerate", "maxaveragebitrate", "stereo", "sprop-stereo", "cbr",
                "useinbandfec", "usedtx", "minptime",
            ])
        case .vp8: keeping(["max-fr", "max-fs"])
        case .h264:
            keeping([
                "profile-level-id", "packetization-mode", "level-asymmetry-allowed", "max-mbps", "max-smbps", "max-fs",
                "max-cpb", "max-dpb", "max-br",
            ])
        case .g722, .pcma, .pcmu, .comfortNoise, .telephoneEvent: FormatParameters()
        }
    }

    /// The sixteen keys of a telephone, or what the peer said it knows.
    static let keys = FormatParameters(parsing: [UInt8](ascii: "0-15")[...])
    /// What we say of Opus where the other leg has no word on it.
    static let opus = FormatParameters(("minptime", "10"), ("useinbandfec", "1"))
}

extension ArraySlice<UInt8> {
    var words: [ArraySlice<UInt8>] { split(separator: ASCII.space) }

    fileprivate var trimmed: ArraySlice<UInt8> {
        var slice = self
        while let first = slice.first, first == ASCII.space || first == ASCII.tab { slice.removeFirst() }
        while let last = slice.last, last == ASCII.space || last == ASCII.tab { slice.removeLast() }
        return slice
    }
}
