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

    /// `[name] <sip:user@host[:port][;parameters]>[;tag=token]`
    static func address(_ value: ArraySlice<UInt8>) -> Address? { value.withUnsafeBufferPointer { address($0) } }

    private static func address(_ text: UnsafeBufferPointer<UInt8>) -> Address? {
        var index = 0
        if index < text.count, text[index] == 0x22 {
            index += 1
            _ = skip(text, &index, Class.quotable)
            guard index < text.count, text[index] == 0x22 else { return nil }
            index += 1
        } else {
            _ = skip(text, &index, Class.token)
        }
        if index < text.count, text[index] == ASCII.space { index += 1 }
        guard index + 5 < text.count, text[index] == 0x3c, text[index + 1] == 0x73, text[index + 2] == 0x69,
            text[index + 3] == 0x70, text[index + 4] == 0x3a
        else { return nil }
        index += 5
        var found = Address()
        let first = skip(text, &index, Class.plain)
        if index < text.count, text[index] == 0x40 {
            guard !first.isEmpty else { return nil }
            found.user = first
            index += 1
            found.host = skip(text, &index, Class.host)
        } else {
            found.host = first
            for place in first where !isIn(Class.host, text[place]) { return nil }
        }
        guard isHost(text, found.host) else { return nil }
        if index < text.count, text[index] == 0x3a {
            index += 1
            guard port(text, skip(text, &index, while: isDigit)) != nil else { return nil }
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
        let name = skip(text, &index, Class.token)
        guard !name.isEmpty else { return nil }
        guard index < text.count, text[index] == 0x3d else { return (name, nil) }
        index += 1
        let value = skip(text, &index, Class.token)
        return value.isEmpty ? nil : (name, value)
    }

    /// `SIP/2.0/token host[:port];parameters`, alone in its line.
    static func hop(_ value: ArraySlice<UInt8>) -> Hop? { value.withUnsafeBufferPointer { hop($0) } }

    private static func hop(_ text: UnsafeBufferPointer<UInt8>) -> Hop? {
        guard text.count > 12, text[0] == 0x53, text[1] == 0x49, text[2] == 0x50, text[3] == 0x2f, text[4] == 0x32,
            text[5] == 0x2e, text[6] == 0x30, text[7] == 0x2f
        else { return nil }
        var index = 8
        guard !skip(text, &index, Class.plain).isEmpty, index < text.count, text[index] == ASCII.space else {
            return nil
        }
        index += 1
        var found = Hop()
        found.host = skip(text, &index, Class.host)
        guard isHost(text, found.host) else { return nil }
        if index < text.count, text[index] == 0x3a {
            index += 1
            guard let port = port(text, skip(text, &index, while: isDigit)) else { return nil }
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
            let digits = skip(text, &index, while: isDigit)
            guard (1...9).contains(digits.count), index < text.count, text[index] == ASCII.space else { return nil }
            var number = UInt32(0)
            for place in digits { number = number * 10 + UInt32(text[place] &- 0x30) }
            index += 1
            let method = skip(text, &index, Class.plain)
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
            var index = 0
            _ = skip(text, &index) { isIn(Class.token, $0) || $0 == ASCII.at || $0 == ASCII.colon }
            return index == text.count && index > 0
        }
    }
}
