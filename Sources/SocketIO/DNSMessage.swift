import Base

/// One SRV record (RFC 2782).
package struct DNSService: Equatable, Sendable {
    package var priority: UInt16
    package var weight: UInt16
    package var port: UInt16
    /// Without the final dot, lower case as it came.
    package var target: [UInt8]

    package init(priority: UInt16, weight: UInt16, port: UInt16, target: [UInt8]) {
        (self.priority, self.weight, self.port, self.target) = (priority, weight, port, target)
    }
}

package enum DNSError: Error, Equatable {
    /// A label or name longer than RFC 1035 §3.1 allows, or empty.
    case badName
    /// Bytes that are no answer to our question.
    case malformed
    /// The server says that the name does not exist (RCODE 3).
    case noSuchName
    /// Another RCODE, or an answer cut off (TC).
    case refused
}

/// SRV questions and answers on the wire (RFC 1035 §4, RFC 2782, RFC 6891 for 4 KB answers over UDP).
package enum DNSMessage {
    private static let srv = UInt16(33), opt = UInt16(41), internet = UInt16(1)
    /// The answer size we can take (EDNS0): forty records, and no fragment on common paths is larger.
    private static let answerSize = UInt16(4_096)
    /// Compression pointers followed in one name; each must point backwards, this bounds the work besides.
    private static let maximumPointers = 16
    /// Records read of one answer.
    private static let maximumRecords = 128

    /// A question for the SRV records of `name`, recursion desired.
    package static func serviceQuestion(id: UInt16, name: [UInt8]) throws(DNSError) -> [UInt8] {
        var out: [UInt8] = []
        // ID, RD, one question, no answer, no authority, one additional (EDNS0).
        for word in [id, 0x0100, 1, 0, 0, 1] { append(word, to: &out) }
        out += try encode(name)
        append(srv, to: &out)
        append(internet, to: &out)
        out.append(0)
        for word in [opt, answerSize, 0, 0, 0] { append(word, to: &out) }
        return out
    }

    private static func append(_ word: UInt16, to out: inout [UInt8]) {
        out.append(UInt8(word >> 8))
        out.append(UInt8(word & 0xff))
    }

    private static func encode(_ name: [UInt8]) throws(DNSError) -> [UInt8] {
        let trimmed = name.last == 0x2e ? name.dropLast() : name[...]
        var out: [UInt8] = []
        for label in trimmed.split(separator: 0x2e, omittingEmptySubsequences: false) {
            guard (1...63).contains(label.count) else { throw .badName }
            out.append(UInt8(label.count))
            out += label
        }
        out.append(0)
        guard out.count <= 255 else { throw .badName }
        return out
    }

    /// Reads an answer to `serviceQuestion(id:name:)`.
    ///
    /// - Returns: the records of that very name and the smallest time to live in seconds; none when the name has none.
    package static func services(
        in bytes: [UInt8], id: UInt16, name: [UInt8]
    ) throws(DNSError) -> (records: [DNSService], timeToLive: UInt32) {
        var reader = Reader(bytes: bytes)
        let header = try (0..<6).mapThrowing { _ throws(DNSError) in try reader.word() }
        guard header[0] == id, header[1] & 0x8000 != 0, header[2] == 1 else { throw .malformed }
        guard header[1] & 0x0200 == 0 else { throw .refused }
        switch header[1] & 0x000f {
        case 0: break
        case 3: throw .noSuchName
        default: throw .refused
        }
        let asked = try reader.name()
        guard ASCII.equalIgnoringCase(asked, name.last == 0x2e ? name.dropLast() : name[...]),
            try reader.word() == srv, try reader.word() == internet
        else { throw .malformed }
        return try records(&reader, count: min(Int(header[3]), maximumRecords))
    }

    private static func records(
        _ reader: inout Reader, count: Int
    ) throws(DNSError) -> (records: [DNSService], timeToLive: UInt32) {
        var found: [DNSService] = []
        var timeToLive = UInt32.max
        for _ in 0..<count {
            _ = try reader.name()
            let (type, kind) = (try reader.word(), try reader.word())
            let lifetime = UInt32(try reader.word()) << 16 | UInt32(try reader.word())
            let length = Int(try reader.word())
            let end = reader.position + length
            if type == srv, kind == internet {
                let (priority, weight, port) = (try reader.word(), try reader.word(), try reader.word())
                let target = try reader.name()
                found.append(DNSService(priority: priority, weight: weight, port: port, target: target))
                timeToLive = min(timeToLive, lifetime)
            }
            guard end <= reader.bytes.count else { throw .malformed }
            reader.position = end
        }
        return (found, found.isEmpty ? 0 : timeToLive)
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        mutating func word() throws(DNSError) -> UInt16 {
            guard position + 2 <= bytes.count else { throw .malformed }
            defer { position += 2 }
            return UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
        }

        /// A name with its compression (RFC 1035 §4.1.4) undone, labels joined by dots.
        mutating func name() throws(DNSError) -> [UInt8] {
            var out: [UInt8] = []
            var cursor = position
            var resume: Int?
            var pointers = 0
            while true {
                guard cursor < bytes.count else { throw .malformed }
                let length = Int(bytes[cursor])
                if length & 0xc0 == 0xc0 {
                    guard cursor + 1 < bytes.count, pointers < DNSMessage.maximumPointers else { throw .malformed }
                    let target = (length & 0x3f) << 8 | Int(bytes[cursor + 1])
                    guard target < cursor else { throw .malformed }
                    resume = resume ?? cursor + 2
                    (cursor, pointers) = (target, pointers + 1)
                    continue
                }
                guard length <= 63, cursor + 1 + length <= bytes.count else { throw .malformed }
                guard length > 0 else { break }
                if !out.isEmpty { out.append(0x2e) }
                out += bytes[cursor + 1..<cursor + 1 + length]
                guard out.count <= 255 else { throw .malformed }
                cursor += 1 + length
            }
            position = resume ?? cursor + 1
            return out
        }
    }
}

extension Range<Int> {
    fileprivate func mapThrowing(_ body: (Int) throws(DNSError) -> UInt16) throws(DNSError) -> [UInt16] {
        var result: [UInt16] = []
        for index in self { result.append(try body(index)) }
        return result
    }
}
