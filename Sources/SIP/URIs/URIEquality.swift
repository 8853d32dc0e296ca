import Base

/// URI equivalence (RFC 3261 §19.1.4): users with case, everything else without; escapes equal what they escape
/// unless that is reserved; parameters that only one URI has are ignored, except those the RFC names.
extension SIPURI: Equatable {
    package static func == (left: SIPURI, right: SIPURI) -> Bool {
        guard left.scheme == right.scheme, left.host == right.host, left.port == right.port else { return false }
        switch left.scheme {
        case .other: return left.opaque == right.opaque
        case .tel: return sameNumber(left, right) && sameParameters(left.parameters, right.parameters)
        case .sip, .sips: break
        }
        return same(left.user, right.user, ignoringCase: false)
            && same(left.password, right.password, ignoringCase: false)
            && sameParameters(left.parameters, right.parameters) && sameHeaders(left.headers, right.headers)
    }

    /// The parameters that make URIs differ when only one has them.
    private static func isDecisive(_ name: ArraySlice<UInt8>) -> Bool {
        switch name.count {
        case 3: ASCII.equalIgnoringCase(name, "ttl")
        case 4: ASCII.equalIgnoringCase(name, "user")
        case 5: ASCII.equalIgnoringCase(name, "maddr")
        case 6: ASCII.equalIgnoringCase(name, "method")
        case 9: ASCII.equalIgnoringCase(name, "transport")
        // RFC 5627 §4: a GRUU is not the address-of-record it belongs to.
        case 2: ASCII.equalIgnoringCase(name, "gr")
        default: false
        }
    }

    /// Visual separators do not count (RFC 3966 §4).
    private static func sameNumber(_ left: SIPURI, _ right: SIPURI) -> Bool {
        func digits(_ uri: SIPURI) -> [UInt8] {
            (uri.user ?? []).filter { $0 != 0x2d && $0 != 0x2e && $0 != 0x28 && $0 != 0x29 }.map(ASCII.lowercased)
        }
        return digits(left) == digits(right)
    }

    private static func same(_ left: [UInt8]?, _ right: [UInt8]?, ignoringCase: Bool) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return same(left[...], right[...], ignoringCase: ignoringCase)
    }

    private static func same(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>, ignoringCase: Bool) -> Bool {
        var first = Percent.Decoder(text: left)
        var second = Percent.Decoder(text: right)
        while true {
            guard let one = first.next(), let other = second.next() else { break }
            let equal =
                ignoringCase ? ASCII.lowercased(one.byte) == ASCII.lowercased(other.byte) : one.byte == other.byte
            guard equal, one.wasEscaped == other.wasEscaped || !isReserved(one.byte) else { return false }
        }
        return first.isAtEnd && second.isAtEnd
    }

    /// reserved of RFC 3261 §25.1: ; / ? : @ & = + $ ,
    private static func isReserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x3b, 0x2f, 0x3f, 0x3a, 0x40, 0x26, 0x3d, 0x2b, 0x24, 0x2c: true
        default: false
        }
    }

    private static func sameParameters(_ left: Parameters, _ right: Parameters) -> Bool {
        guard !left.isEmpty || !right.isEmpty else { return true }
        let (first, second) = (left.pairs, right.pairs)
        return covers(first, second) && covers(second, first)
    }

    private typealias Pair = (name: ArraySlice<UInt8>, value: ArraySlice<UInt8>?)

    /// Whether each parameter of `pairs` agrees with a namesake in `others`, or may be absent there. A name may stand
    /// once only (§19.1.1); where it stands again, one of the values must agree, so that a URI equals itself.
    private static func covers(_ pairs: [Pair], _ others: [Pair]) -> Bool {
        for pair in pairs {
            var (isKnown, agrees) = (false, false)
            for other in others where same(other.name, pair.name, ignoringCase: true) {
                isKnown = true
                if sameValue(other.value, pair.value) { agrees = true }
            }
            guard isKnown ? agrees : !isDecisive(pair.name) else { return false }
        }
        return true
    }

    private static func sameValue(_ left: ArraySlice<UInt8>?, _ right: ArraySlice<UInt8>?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return same(left, right, ignoringCase: true)
    }

    /// All headers must be in both, in any order.
    private static func sameHeaders(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard !left.isEmpty || !right.isEmpty else { return true }
        var others = right.split(separator: 0x26)
        for header in left.split(separator: 0x26) {
            guard let match = others.firstIndex(where: { sameHeader($0, header) }) else { return false }
            others.remove(at: match)
        }
        return others.isEmpty
    }

    private static func sameHeader(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
        guard let one = left.firstIndex(of: ASCII.equals), let other = right.firstIndex(of: ASCII.equals) else {
            return false
        }
        return same(left[..<one], right[..<other], ignoringCase: true)
            && same(left[(one + 1)...], right[(other + 1)...], ignoringCase: false)
    }
}
