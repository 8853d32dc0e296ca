import Base
import Testing

@testable import SocketIO

@Suite struct DNSMessageTests {
    private let name = Array("_sip._udp.example.org".utf8)

    /// An answer as name servers write it: the question, then records whose owner points back at it.
    private func answer(
        id: UInt16 = 7, flags: UInt16 = 0x8180, records: [(ttl: UInt32, data: [UInt8])], count: UInt16? = nil
    ) throws -> [UInt8] {
        var question = try DNSMessage.serviceQuestion(id: id, name: name)
        question.removeLast(11)
        var bytes = question
        (bytes[2], bytes[3]) = (UInt8(flags >> 8), UInt8(flags & 0xff))
        let count = count ?? UInt16(records.count)
        (bytes[6], bytes[7]) = (UInt8(count >> 8), UInt8(count & 0xff))
        (bytes[10], bytes[11]) = (0, 0)
        for record in records {
            bytes += [0xc0, 12, 0, 33, 0, 1]
            bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: record.ttl >> $0) }
            bytes += [UInt8(record.data.count >> 8), UInt8(record.data.count & 0xff)] + record.data
        }
        return bytes
    }

    private let target: [UInt8] = [0, 10, 0, 60, 0x13, 0xc4, 3, 0x73, 0x69, 0x70, 0xc0, 22]

    @Test func `asks for SRV with recursion and EDNS0`() throws {
        let bytes = try DNSMessage.serviceQuestion(id: 0x1234, name: name)
        #expect(bytes.prefix(12) == [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1])
        #expect(Array(bytes[12..<17]) == [4] + Array("_sip".utf8))
        #expect(bytes.suffix(11) == [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test func `reads records with compressed names`() throws {
        let (records, timeToLive) = try DNSMessage.services(
            in: answer(records: [(300, target), (60, target)]), id: 7, name: name)
        let expected = DNSService(priority: 10, weight: 60, port: 5060, target: Array("sip.example.org".utf8))
        #expect(records == [expected, expected])
        #expect(timeToLive == 60)
    }

    @Test func `an empty answer is an answer`() throws {
        #expect(try DNSMessage.services(in: answer(records: []), id: 7, name: name).records == [])
    }

    @Test func `refuses other answers`() throws {
        let good = try answer(records: [(300, target)])
        #expect(throws: DNSError.malformed) { try DNSMessage.services(in: good, id: 8, name: name) }
        #expect(throws: DNSError.malformed) {
            try DNSMessage.services(in: good, id: 7, name: Array("_sip._tcp.example.org".utf8))
        }
        #expect(throws: DNSError.noSuchName) {
            try DNSMessage.services(in: answer(flags: 0x8183, records: []), id: 7, name: name)
        }
        #expect(throws: DNSError.refused) {
            try DNSMessage.services(in: answer(flags: 0x8380, records: []), id: 7, name: name)
        }
        #expect(throws: DNSError.malformed) {
            try DNSMessage.services(in: answer(records: [(300, target)], count: 2), id: 7, name: name)
        }
    }

    @Test func `names that point at themselves end`() throws {
        let loop: [UInt8] = [0, 0, 0, 0, 0, 0, 0xc0, 61]
        #expect(throws: DNSError.malformed) {
            try DNSMessage.services(in: answer(records: [(1, loop)]), id: 7, name: name)
        }
    }

    @Test(arguments: ["", "a..b", String(repeating: "a", count: 64), String(repeating: "abcdefg.", count: 40)])
    func `refuses names that DNS cannot carry`(name: String) {
        #expect(throws: DNSError.badName) { try DNSMessage.serviceQuestion(id: 1, name: Array(name.utf8)) }
    }

    @Test func `any bytes give records or an error`() throws {
        var random = RandomSource(seed: 3)
        let good = try answer(records: [(300, target), (5, target)])
        for _ in 0..<5_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 12..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0..<20, using: &random))
            _ = try? DNSMessage.services(in: bytes, id: 7, name: name)
        }
    }
}
