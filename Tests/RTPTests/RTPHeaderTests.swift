import Base
import Testing

@testable import RTP

struct RTPHeaderTests {
    /// RFC 3550 §5.1 figure: two contributors, an extension of one word, five bytes of payload, three of padding.
    static let full = hex(
        """
        b2 e3 1234 00005678 deadbeef 00000001 00000002 bede 0001 10 aa 00 00
        0102030405 000003
        """)

    @Test func `reads every field`() throws {
        let header = try RTPHeader(parsing: Self.full.span.bytes)
        #expect(header.marker)
        #expect(header.payloadType == PayloadType(99))
        #expect(header.sequenceNumber == SequenceNumber(0x1234))
        #expect(header.timestamp == RTPTimestamp(0x5678))
        #expect(header.ssrc == SSRC(0xdead_beef))
        #expect(header.contributorCount == 2)
        #expect(header.contributor(1, in: Self.full.span.bytes) == SSRC(2))
        #expect(header.extensionProfile == 0xbede)
        #expect(header.payload == 28..<33)
        #expect(header.paddingCount == 3)
        #expect(header.packetCount == Self.full.count)
    }

    @Test(arguments: [
        ("", RTPError.truncated), ("80 00 0000 00000000 000000", .truncated),
        ("40 00 0000 00000000 00000000", .wrongVersion), ("81 00 0000 00000000 00000000", .truncated),
        ("90 00 0000 00000000 00000000 bede", .truncated), ("90 00 0000 00000000 00000000 bede 0001", .truncated),
        ("a0 00 0000 00000000 00000000", .badPadding), ("a0 00 0000 00000000 00000000 00", .badPadding),
        ("a0 00 0000 00000000 00000000 02", .badPadding),
    ])
    func `refuses what is shorter than it says`(text: String, error: RTPError) {
        #expect(throws: error) { try RTPHeader(parsing: hex(text).span.bytes) }
    }

    @Test func `a packet of padding alone has no payload`() throws {
        let header = try RTPHeader(
            parsing: hex("a0 00 0000 00000000 00000000 00000003").span.bytes.extracting(0..<15 + 1))
        #expect(header.payloadCount == 1)
        let probe = try RTPHeader(parsing: hex("a0 00 0000 00000000 00000000 00000004").span.bytes)
        #expect(probe.payloadCount == 0)
    }

    @Test func `rewriting changes the fixed fields and nothing else`() throws {
        var packet = Self.full
        var header = try RTPHeader(parsing: packet.span.bytes)
        (header.marker, header.payloadType, header.ssrc) = (false, PayloadType(8), SSRC(7))
        (header.sequenceNumber, header.timestamp) = (SequenceNumber(0xffff), RTPTimestamp(0xffff_fffe))
        edit(&packet) { header.write(into: &$0) }
        #expect(try RTPHeader(parsing: packet.span.bytes) == header)
        #expect(packet[0] == Self.full[0])
        #expect(packet[12...] == Self.full[12...])
    }

    @Test func `extension and padding are taken out in place`() throws {
        var packet = Self.full
        var header = try RTPHeader(parsing: packet.span.bytes)
        let start = edit(&packet) { raw in
            header.removePadding(from: &raw)
            return header.removeExtension(from: &raw)
        }
        #expect(start == 8)
        let rest = Array(packet[start..<start + header.packetCount])
        #expect(rest == hex("82 e3 1234 00005678 deadbeef 00000001 00000002 0102030405"))
        #expect(try RTPHeader(parsing: rest.span.bytes) == header)
    }

    @Test(arguments: [1, 2, 3, 4, 16])
    func `an extension is put in and taken out again`(count: Int) throws {
        let packet = hex("82 e3 1234 00005678 deadbeef 00000001 00000002 0102030405")
        var buffer = [UInt8](repeating: 0xee, count: 24) + packet
        var header = try RTPHeader(parsing: packet.span.bytes)
        let plain = header
        let data = [UInt8](repeating: 0x33, count: count)
        let start = try #require(
            edit(&buffer) { header.addExtension(id: 5, data: data.span.bytes, in: &$0, start: 24) })
        #expect(start == 24 - 4 - (count + 4) / 4 * 4)
        let extended = Array(buffer[start...])
        #expect(try RTPHeader(parsing: extended.span.bytes) == header)
        #expect(try elements(extended) == ["5:" + String(repeating: "33", count: count)])
        #expect(edit(&buffer) { header.addExtension(id: 5, data: data.span.bytes, in: &$0, start: 24) } == nil)
        var again = extended
        let moved = edit(&again) { header.removeExtension(from: &$0) }
        #expect(Array(again[moved...]) == packet && header == plain)
        // No room before the packet.
        var bare = plain
        var tight = [UInt8](repeating: 0xee, count: 7) + packet
        #expect(edit(&tight) { bare.addExtension(id: 5, data: data.span.bytes, in: &$0, start: 7) } == nil)
        #expect(Array(tight[7...]) == packet && bare == plain)
    }

    /// RFC 8285 §4.2 figure: elements of one, none (padding), two and four bytes.
    static let oneByte = hex("90 00 0000 00000000 00000000 bede 0003 10 11 00 00 21 2122 33 31323334 99")

    @Test func `walks elements of the one-byte form`() throws {
        #expect(try elements(Self.oneByte) == ["1:11", "2:2122", "3:31323334"])
    }

    @Test func `walks elements of the two-byte form`() throws {
        #expect(
            try elements(hex("90 00 0000 00000000 00000000 1000 0003 1000 00 2001ff 00 03 02 aabb 00")) == [
                "16:", "32:ff", "3:aabb",
            ])
    }

    @Test(arguments: [
        ("bede 0001 f0000000", [String]()), ("bede 0001 1f000000", []), ("bede 0001 10aa2f00", ["1:aa"]),
        ("1001 0001 01050000", []), ("1001 0001 00000001", []), ("abcd 0001 10110000", []), ("bede 0000", []),
    ])
    func `an element that claims too much ends the walk`(extension: String, expected: [String]) throws {
        #expect(try elements(hex("90 00 0000 00000000 00000000" + `extension`)) == expected)
    }

    @Test func `renames elements and blanks those without a name`() throws {
        var packet = Self.oneByte
        let header = try RTPHeader(parsing: packet.span.bytes)
        var map = HeaderExtensionMap()
        map.set(1, to: 9)
        map.set(3, to: 2)
        edit(&packet) { map.apply(to: &$0, header: header) }
        #expect(try elements(packet) == ["9:11", "2:31323334"])
        #expect(packet.last == 0x99)
    }

    private func elements(_ packet: [UInt8]) throws -> [String] {
        let header = try RTPHeader(parsing: packet.span.bytes)
        var reader = HeaderExtensionReader(header)
        var found: [String] = []
        while let element = reader.next(in: packet.span.bytes) {
            let data = packet[element.data].map { String($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            found.append("\(element.id):\(data)")
        }
        return found
    }

    /// RFC 7983 §7 and RFC 5761 §4.
    @Test(arguments: [
        ("00 01", DatagramKind.stun), ("03 00", .stun), ("04 00", .unknown), ("10 00", .zrtp), ("14 fe", .dtls),
        ("3f 00", .dtls), ("40 00", .turnChannel), ("4f 00", .turnChannel), ("50 00", .unknown), ("80 00", .rtp),
        ("bf 60", .rtp), ("80 bf", .rtp), ("80 c0", .rtcp), ("81 c8", .rtcp), ("80 df", .rtcp), ("80 e0", .rtp),
        ("c0 00", .unknown), ("80", .unknown), ("", .unknown),
    ])
    func `tells protocols apart by their first bytes`(text: String, kind: DatagramKind) {
        #expect(DatagramKind(of: hex(text).span.bytes) == kind)
    }

    @Test func `numbers wrap`() {
        #expect(SequenceNumber(2).distance(from: SequenceNumber(0xfffe)) == 4)
        #expect(SequenceNumber(0xfffe) < SequenceNumber(2))
        #expect(!(SequenceNumber(2) < SequenceNumber(0xfffe)))
        #expect(SequenceNumber(0xffff) + 1 == SequenceNumber(0))
        #expect(RTPTimestamp(5).distance(from: RTPTimestamp(0xffff_fffb)) == 10)
    }
}
