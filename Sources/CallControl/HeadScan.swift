import Base
import SIP

/// Quick readers for the headers every request has, in the shape nearly all devices write them: no white space where none
/// is needed, no escapes, no comments. They allocate nothing. What they do not recognise is left to the full grammar in
/// `SIP`, which alone says what is wrong; so they may be narrow, but never accept what it refuses.
enum HeadScan {
    /// The parts of a From or To. Ranges count from the value's first byte.
    struct Address {
        var user: Range<Int>?
        var host = 0..<0
        var tag: Range<Int>?
    }

    /// The parts of a top Via.
    struct Hop {
        var host = 0..<0
        var port: UInt16?
        var branch: Range<Int>?
        /// The `;rport` parameter, its value included.
        var rport: Range<Int>?
        var isReceived = false

        var asksForRport: Bool { rport != nil }
    }

    // MARK: Character classes

    /// alphanum and - . _ : names of users, hosts and most tokens.
    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == 0x2d || byte == 0x2e || byte == 0x5f
    }

    /// As `isPlain`, and + * ! ~ ' which tokens may contain as well.
    @inline(__always)
    private static func isToken(_ byte: UInt8) -> Bool {
        isPlain(byte) || byte == 0x2b || byte == 0x2a || byte == 0x21 || byte == 0x7e || byte == 0x27
    }

    /// Letters in lower case, digits, hyphen and dot.
    @inline(__always)
    private static func isHost(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || byte &- 0x61 < 26 || byte == 0x2d || byte == 0x2e
    }

    @inline(__always)
    private static func skip(
        _ text: UnsafeBufferPointer<UInt8>, _ index: inout Int, while condition: (UInt8) -> Bool
    ) -> Range<Int> {
        let start = index
        while index < text.count, condition(text[index]) { index += 1 }
        return start..<index
    }

    private static func matches(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ lowercase: StaticString
    ) -> Bool {
        guard range.count == lowercase.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count where text[range.lowerBound + offset] | 0x20 != lowercase.utf8Start[offset] {
            return false
        }
        return true
    }

    private static func port(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> UInt16? {
        guard (1...5).contains(range.count) else { return nil }
        var number = UInt32(0)
        for index in range { number = number * 10 + UInt32(text[index] &- 0x30) }
        return UInt16(exactly: number)
    }

    /// A host that is certainly one, and no number that could be meant as an address but is none.
    private static func isHost(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        guard let first = range.first, let last = range.last, range.count < 254, text[first] != 0x2e, text[last] != 0x2e
        else { return false }
        for index in range.dropLast() where text[index] == 0x2e && text[index + 1] == 0x2e { return false }
        return true
    }

    // MARK: Headers

    /// `[name] <sip:user@host[:port][;parameters]>[;tag=token]`
    static func address(_ value: ArraySlice<UInt8>) -> Address? { value.withUnsafeBufferPointer { address($0) } }

    private static func address(_ text: UnsafeBufferPointer<UInt8>) -> Address? {
        var index = 0
        if index < text.count, text[index] == 0x22 {
            index += 1
            _ = skip(text, &index) { $0 != 0x22 && $0 != 0x5c && $0 >= 0x20 && $0 < 0x7f }
            guard index < text.count, text[index] == 0x22 else { return nil }
            index += 1
        } else {
            _ = skip(text, &index, while: isToken)
        }
        if index < text.count, text[index] == ASCII.space { index += 1 }
        guard index + 5 < text.count, text[index] == 0x3c, text[index + 1] == 0x73, text[index + 2] == 0x69,
            text[index + 3] == 0x70, text[index + 4] == 0x3a
        else { return nil }
        index += 5
        var found = Address()
        let first = skip(text, &index, while: isPlain)
        if index < text.count, text[index] == 0x40 {
            guard !first.isEmpty else { return nil }
            found.user = first
            index += 1
            found.host = skip(text, &index, while: isHost)
        } else {
            found.host = first
            for place in first where !isHost(text[place]) { return nil }
        }
        guard isHost(text, found.host) else { return nil }
        if index < text.count, text[index] == 0x3a {
            index += 1
            guard port(text, skip(text, &index) { $0 &- 0x30 < 10 }) != nil else { return nil }
        }
        while index < text.count, text[index] == 0x3b {
            guard parameter(text, &index) != nil else { return nil }
        }
        guard index < text.count, text[index] == 0x3e else { return nil }
        index += 1
        while index < text.count {
            guard text[index] == 0x3b, let (name, value) = parameter(text, &index) else { return nil }
            guard matches(text, name, "tag") else { continue }
            guard found.tag == nil, let value else { return nil }
            found.tag = value
        }
        return found
    }

    /// `;name[=value]`
    @inline(__always)
    private static func parameter(
        _ text: UnsafeBufferPointer<UInt8>, _ index: inout Int
    ) -> (name: Range<Int>, value: Range<Int>?)? {
        index += 1
        let name = skip(text, &index, while: isToken)
        guard !name.isEmpty else { return nil }
        guard index < text.count, text[index] == 0x3d else { return (name, nil) }
        index += 1
        let value = skip(text, &index, while: isToken)
        return value.isEmpty ? nil : (name, value)
    }

    /// `SIP/2.0/token host[:port];parameters`, alone in its line.
    static func hop(_ value: ArraySlice<UInt8>) -> Hop? { value.withUnsafeBufferPointer { hop($0) } }

    private static func hop(_ text: UnsafeBufferPointer<UInt8>) -> Hop? {
        guard text.count > 12, text[0] == 0x53, text[1] == 0x49, text[2] == 0x50, text[3] == 0x2f, text[4] == 0x32,
            text[5] == 0x2e, text[6] == 0x30, text[7] == 0x2f
        else { return nil }
        var index = 8
        guard !skip(text, &index, while: isPlain).isEmpty, index < text.count, text[index] == ASCII.space else {
            return nil
        }
        index += 1
        var found = Hop()
        found.host = skip(text, &index, while: isHost)
        guard isHost(text, found.host) else { return nil }
        if index < text.count, text[index] == 0x3a {
            index += 1
            guard let port = port(text, skip(text, &index) { $0 &- 0x30 < 10 }) else { return nil }
            found.port = port
        }
        while index < text.count {
            let start = index
            guard text[index] == 0x3b, let (name, value) = parameter(text, &index) else { return nil }
            if matches(text, name, "branch") {
                guard found.branch == nil, let value else { return nil }
                found.branch = value
            } else if matches(text, name, "rport") {
                guard found.rport == nil else { return nil }
                found.rport = start..<index
            } else if matches(text, name, "received") {
                found.isReceived = true
            }
        }
        return found
    }

    /// The branch of a top Via that we wrote and a peer repeats, perhaps with parameters of its own.
    static func branch(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let found = hop(value)?.branch else { return nil }
        return value[(value.startIndex + found.lowerBound)..<(value.startIndex + found.upperBound)]
    }

    /// `number METHOD`
    static func sequence(_ value: ArraySlice<UInt8>) -> (number: UInt32, method: SIPMethod)? {
        let parts = value.withUnsafeBufferPointer { text -> (UInt32, Range<Int>)? in
            var index = 0
            let digits = skip(text, &index) { $0 &- 0x30 < 10 }
            guard (1...9).contains(digits.count), index < text.count, text[index] == ASCII.space else { return nil }
            var number = UInt32(0)
            for place in digits { number = number * 10 + UInt32(text[place] &- 0x30) }
            index += 1
            let method = skip(text, &index, while: isPlain)
            return method.isEmpty || index < text.count ? nil : (number, method)
        }
        guard let (number, range) = parts else { return nil }
        let name = value[(value.startIndex + range.lowerBound)..<(value.startIndex + range.upperBound)]
        return (number, method(name))
    }

    /// The method of a token; the common ones by their first letters.
    private static func method(_ name: ArraySlice<UInt8>) -> SIPMethod {
        if name.equals("INVITE") { return .invite }
        if name.equals("REGISTER") { return .register }
        if name.equals("ACK") { return .ack }
        if name.equals("BYE") { return .bye }
        if name.equals("CANCEL") { return .cancel }
        return SIPMethod(name)
    }

    /// Whether a Call-ID is made of the bytes nearly all are made of.
    static func isPlainCallID(_ value: ArraySlice<UInt8>) -> Bool {
        value.withUnsafeBufferPointer { text in
            for byte in text where !isToken(byte) && byte != 0x40 && byte != 0x3a { return false }
            return !text.isEmpty
        }
    }

    // MARK: Credentials

    /// `Digest name="value", name=token …` with the names of RFC 7616 §3.4, each once, nothing escaped.
    ///
    /// - Parameter place: of the header's value in `text`.
    static func credentials(_ text: [UInt8], at place: Range<Int>) -> DigestProof? {
        guard let found = text[place].withUnsafeBufferPointer({ credentialRanges($0) }) else { return nil }
        func part(_ number: Int) -> Range<Int>? {
            found[number].map { ($0.lowerBound + place.lowerBound)..<($0.upperBound + place.lowerBound) }
        }
        guard let user = part(0), let realm = part(1), let nonce = part(2), let uri = part(3), let response = part(4),
            !text[response].contains(where: { $0 &- 0x41 < 26 }), let algorithm = algorithm(part(5).map { text[$0] })
        else { return nil }
        var places = DigestProof.Places()
        (places.userName, places.realm, places.nonce, places.uri) = (user, realm, nonce, uri)
        (places.response, places.cnonce) = (response, part(6) ?? 0..<0)
        guard let token = part(8) else {
            return DigestProof(text, places, algorithm: algorithm, quality: nil, nonceCount: nil)
        }
        guard found[6] != nil, let digits = part(9), digits.count == 8, let count = UInt64(hexadecimal: text[digits]),
            let quality = quality(text[token])
        else { return nil }
        return DigestProof(
            text, places, algorithm: algorithm, quality: quality, nonceCount: UInt32(truncatingIfNeeded: count))
    }

    private static func algorithm(_ token: ArraySlice<UInt8>?) -> DigestAlgorithm? {
        guard let token else { return .md5 }
        if token.equals("MD5") { return .md5 }
        return token.equals("SHA-256") ? .sha256 : nil
    }

    private static func quality(_ token: ArraySlice<UInt8>) -> DigestQuality? {
        if token.equals("auth") { return .auth }
        return token.equals("auth-int") ? .authInt : nil
    }

    /// In the order username, realm, nonce, uri, response, algorithm, cnonce, opaque, qop, nc.
    private static func credentialRanges(_ text: UnsafeBufferPointer<UInt8>) -> [10 of Range<Int>?]? {
        guard text.count > 7, matches(text, 0..<6, "digest"), text[6] == ASCII.space else { return nil }
        var found = [10 of Range<Int>?](repeating: nil)
        var index = 7
        while true {
            while index < text.count, text[index] == ASCII.space { index += 1 }
            let name = skip(text, &index, while: isToken)
            guard index + 1 < text.count, text[index] == 0x3d, let place = credentialPlace(text, name),
                found[place] == nil
            else { return nil }
            index += 1
            if text[index] == 0x22 {
                index += 1
                found[place] = skip(text, &index) { $0 != 0x22 && $0 != 0x5c && $0 >= 0x20 && $0 < 0x7f }
                guard index < text.count, text[index] == 0x22 else { return nil }
                index += 1
            } else {
                let value = skip(text, &index, while: isToken)
                guard !value.isEmpty else { return nil }
                found[place] = value
            }
            guard index < text.count else { return found }
            guard text[index] == 0x2c else { return nil }
            index += 1
        }
    }

    private static func credentialPlace(_ text: UnsafeBufferPointer<UInt8>, _ name: Range<Int>) -> Int? {
        switch name.count {
        case 2: matches(text, name, "nc") ? 9 : nil
        case 3: matches(text, name, "uri") ? 3 : matches(text, name, "qop") ? 8 : nil
        case 5: matches(text, name, "nonce") ? 2 : matches(text, name, "realm") ? 1 : nil
        case 6: matches(text, name, "cnonce") ? 6 : matches(text, name, "opaque") ? 7 : nil
        case 8: matches(text, name, "username") ? 0 : matches(text, name, "response") ? 4 : nil
        case 9: matches(text, name, "algorithm") ? 5 : nil
        default: nil
        }
    }
}
