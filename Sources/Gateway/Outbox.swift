import Base
import SDP

/// The descriptions we send on one leg: one session for the dialog's life, whose version rises when a description differs
/// from the one sent before, and only then (RFC 3264 §8).
struct Outbox: Sendable {
    private var origin: Origin
    private(set) var last: SessionDescription?

    /// - Parameter sessionID: below 2^62, since some peers read a signed number (RFC 8829 §5.2.1).
    init(random: inout RandomSource, address: IPAddress) {
        let number = decimal(Int(truncatingIfNeeded: random.next() >> 2))
        origin = Origin(
            userName: [UInt8](ascii: "-"), sessionID: number, sessionVersion: [UInt8](ascii: "1"),
            address: ConnectionAddress(address))
    }

    mutating func publish(session: LineList, media: [MediaDescription]) -> SessionDescription {
        if let last, last.session == session, last.media == media { return last }
        if last != nil { origin.incrementVersion() }
        let description = SessionDescription(origin: origin, session: session, media: media)
        last = description
        return description
    }
}

/// The place of one `m=` line on a leg, as it was last agreed on: a line is never removed (RFC 3264 §8).
struct Slot: Equatable, Sendable {
    var kind: [UInt8]
    var transport: [UInt8]
    var format: [UInt8]
    var mid: [UInt8]?
    var isLive: Bool

    init(_ media: MediaDescription, isLive: Bool) {
        (kind, transport) = (media.kind, media.transport)
        // A line has a format, or it would not have been read.
        format = media.formats.first ?? [0x30]
        mid = media.mid.map { Array($0) }
        self.isLive = isLive
    }

    /// The line with port 0: refused, or ended.
    var rejected: MediaDescription {
        var media = MediaDescription(kind: kind, port: 0, transport: transport, formats: [format])
        if let mid {
            media.list.lines.append(Line(Letter.connection, [UInt8](ascii: "IN IP4 0.0.0.0")))
            media.list.append("mid", mid)
            media.list.append("inactive")
        }
        return media
    }
}

extension Slot {
    /// Phones want no more than the line itself.
    var rejectedForPhone: MediaDescription {
        MediaDescription(kind: kind, port: 0, transport: transport, formats: [format])
    }
}

extension [Slot] {
    /// The slots after an exchange: a line is live when its answer is.
    init(offer: SessionDescription, answer: SessionDescription) {
        self = offer.media.indices.map { index in
            let isLive = answer.media.indices.contains(index) && !answer.media[index].isRejected
            return Slot(offer.media[index], isLive: isLive)
        }
    }

    /// Where to put a stream of this kind: where one is, or was. nil: behind the others.
    func place(for kind: MediaKind, before: Int?) -> Int? {
        let name: StaticString = kind == .audio ? "audio" : "video"
        if let before, indices.contains(before), ASCII.equalIgnoringCase(self[before].kind, name) { return before }
        return firstIndex { ASCII.equalIgnoringCase($0.kind, name) && !$0.isLive }
    }
}
