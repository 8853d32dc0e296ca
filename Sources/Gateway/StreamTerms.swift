import Base
import RTP
import SDP

/// What one side says about its stream, free of how the stream is carried: this is what goes over to the other leg.
struct StreamTerms: Equatable, Sendable {
    var kind: MediaKind
    /// In the order of preference; never without a main codec.
    var formats: [MediaFormat]
    /// As seen from whoever wrote it.
    var direction: Direction
    /// Milliseconds of sound in a packet that its author likes to receive, and will take at most (RFC 8866 §6.4, §6.5).
    var packetTime: Int?
    var maximumPacketTime: Int?
    /// `b=AS:…` and `b=TIAS:…` lines: what the author likes to receive at most.
    var bandwidth: [Line] = []

    var mains: [MediaFormat] { formats.filter(\.codec.isMain) }
    var events: [MediaFormat] { formats.filter { $0.codec == .telephoneEvent } }
    var comfortNoise: MediaFormat? { formats.first { $0.codec == .comfortNoise } }
    var feedback: Feedback { mains.reduce(into: []) { $0.formUnion($1.feedback) } }

    /// Packets of more than this hold more sound than a call bears delay.
    static let maximumMilliseconds = 200

    init(kind: MediaKind, formats: [MediaFormat], direction: Direction) {
        (self.kind, self.formats, self.direction) = (kind, formats, direction)
    }

    /// - Returns: nil when there is no codec that we know.
    init?(_ description: SessionDescription, line index: Int) {
        let media = description.media[index]
        guard let kind = MediaKind(media) else { return nil }
        self.init(kind: kind, formats: MediaFormat.read(media), direction: description.direction(of: index))
        guard formats.contains(where: \.codec.isMain) else { return nil }
        packetTime = Self.milliseconds(media.list.attribute("ptime"))
        maximumPacketTime = Self.milliseconds(media.list.attribute("maxptime"))
        bandwidth = media.list.lines.filter(Self.isBandwidth).prefix(2).map { $0 }
    }

    /// Drops what an answer has beyond its offer.
    mutating func keep(whatMatches offered: StreamTerms) throws(GatewayError) {
        formats = formats.filter { format in offered.formats.contains { $0.matches(format) } }
        guard formats.contains(where: \.codec.isMain) else { throw .noSharedCodec }
    }

    private static func milliseconds(_ value: ArraySlice<UInt8>?) -> Int? {
        guard let value, let number = ASCII.decimal(value), (1...maximumMilliseconds).contains(number) else {
            return nil
        }
        return number
    }

    private static func isBandwidth(_ line: Line) -> Bool {
        guard line.letter == Letter.bandwidth, let colon = line.value.firstIndex(of: ASCII.colon) else { return false }
        let modifier = line.value[..<colon]
        guard ASCII.equalIgnoringCase(modifier, "AS") || ASCII.equalIgnoringCase(modifier, "TIAS") else { return false }
        return ASCII.decimal(line.value[(colon + 1)...]) != nil
    }

    /// Writes all but the direction, which some legs bend.
    func write(into list: inout LineList) {
        for format in formats { format.write(into: &list) }
        if let packetTime { list.append("ptime", decimal(packetTime)) }
        if let maximumPacketTime { list.append("maxptime", decimal(maximumPacketTime)) }
    }
}

func decimal(_ number: Int) -> [UInt8] {
    var out: [UInt8] = []
    out.appendDecimal(max(0, number))
    return out
}
