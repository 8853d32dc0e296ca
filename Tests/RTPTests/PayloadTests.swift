import Base
import Testing

@testable import RTP

struct PayloadTests {
    /// RFC 7741 §4.2 and §4.6: each optional byte, key frames by the P bit of the first packet.
    @Test(
        arguments: [
            ("10 00", 1, nil, nil, true), ("10 01", 1, nil, nil, false), ("00 00", 1, nil, nil, false),
            ("11 00", 1, nil, nil, false), ("90 80 12 00", 3, 0x12, nil, true), ("90 80 81 23 00", 4, 0x123, nil, true),
            ("90 e0 81 23 45 80 00", 6, 0x123, 2, true), ("90 20 40 01", 3, nil, 1, false),
            ("90 10 05 00", 3, nil, nil, true),
            ("90 00 00", 2, nil, nil, true), ("10", 1, nil, nil, false),
        ] as [(String, Int, UInt16?, UInt8?, Bool)])
    func `reads VP8 descriptors`(text: String, count: Int, picture: UInt16?, layer: UInt8?, key: Bool) throws {
        let descriptor = try VP8Descriptor(parsing: hex(text).span.bytes)
        #expect(descriptor.count == count && descriptor.pictureID == picture)
        #expect(descriptor.temporalLayer == layer && descriptor.startsKeyframe == key)
    }

    @Test(arguments: ["", "90", "90 80", "90 80 81", "90 f0 81 23", "90 60 01"])
    func `refuses VP8 descriptors that end too soon`(text: String) {
        #expect(throws: RTPError.truncated) { try VP8Descriptor(parsing: hex(text).span.bytes) }
    }

    /// RFC 6184 §5.6, §5.7.1, §5.8.
    @Test(arguments: [
        ("65 88", H264Payload.Structure.single, true), ("41 9a", .single, false), ("67 42", .single, false),
        ("78 0002 6742 0002 68ce 0002 6588", .aggregation, true), ("78 0002 6742 0002 68ce", .aggregation, false),
        ("7c 85 88", .fragment, true), ("7c 05 88", .fragment, false), ("7c 45 88", .fragment, false),
        ("5c 81 9a", .fragment, false), ("79 00", .interleaved, false),
    ])
    func `reads H 264 payloads`(text: String, structure: H264Payload.Structure, key: Bool) throws {
        let payload = try H264Payload(parsing: hex(text).span.bytes)
        #expect(payload.structure == structure && payload.startsKeyframe == key)
    }

    @Test(arguments: [
        ("", RTPError.truncated), ("7c", .truncated), ("78 00", .truncated), ("78 0003 6742", .truncated),
        ("78 0000 67", .badPayload), ("7e 00", .badPayload), ("60 00", .badPayload),
    ])
    func `refuses H 264 payloads that lie`(text: String, error: RTPError) {
        #expect(throws: error) { try H264Payload(parsing: hex(text).span.bytes) }
    }

    @Test func `knows which mode a packet needs`() throws {
        #expect(try H264Payload(parsing: hex("65 88").span.bytes).isAllowed(packetizationMode: 0))
        #expect(try !H264Payload(parsing: hex("7c 85 88").span.bytes).isAllowed(packetizationMode: 0))
        #expect(try H264Payload(parsing: hex("7c 85 88").span.bytes).isAllowed(packetizationMode: 1))
    }

    @Test func `parameter sets are sent again before a keyframe that lacks them`() throws {
        var sets = H264ParameterSets()
        func observe(_ text: String, _ timestamp: UInt32) throws -> Bool {
            let bytes = hex(text)
            return sets.observe(
                try H264Payload(parsing: bytes.span.bytes), in: bytes.span.bytes, timestamp: RTPTimestamp(timestamp))
        }
        #expect(try observe("65 88", 1) == false)
        #expect(try observe("78 0003 674201 0002 48ce", 2) == false)
        #expect(try observe("65 88", 2) == false)
        #expect(try observe("41 9a", 3) == false)
        #expect(try observe("7c 85 88", 4) == true)
        #expect(try observe("65 88", 4) == false)
        #expect(sets.isComplete)
        var packet = [UInt8](repeating: 0, count: 20)
        #expect(edit(&packet) { sets.writeAggregation(into: &$0, at: 10) } == 10)
        #expect(Array(packet[10...]) == hex("78 0003 674201 0002 48ce"))
        #expect(edit(&packet) { sets.writeAggregation(into: &$0, at: 11) } == nil)
    }
}
