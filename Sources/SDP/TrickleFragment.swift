import Base

/// The body `application/trickle-ice-sdpfrag` (RFC 8840 §9): candidates that were found after the offer or answer.
///
/// Session-level credentials, then a pseudo `m=` line per stream, whose port and format mean nothing, with the stream's
/// `mid`, its candidates, and perhaps `end-of-candidates`.
package struct TrickleFragment: Equatable, Sendable {
    package static let contentType = [UInt8](ascii: "application/trickle-ice-sdpfrag")

    package var session: LineList
    package var media: [MediaDescription]

    package init(credentials: ICECredentials? = nil) {
        session = LineList()
        media = []
        guard let credentials else { return }
        session.append("ice-ufrag", credentials.ufrag)
        session.append("ice-pwd", credentials.password)
    }

    package init(parsing bytes: ArraySlice<UInt8>, limits: SDPLimits = .standard) throws(SDPError) {
        var reader = try LineReader(bytes, limits: limits)
        session = LineList()
        media = []
        while let line = try reader.next() {
            switch line.letter {
            case Letter.media:
                guard media.count < limits.maximumMedia else { throw .overLimit }
                media.append(try MediaDescription(parsing: line.value[...], line: reader.number))
            case Letter.attribute:
                if media.isEmpty { session.lines.append(line) } else { media[media.count - 1].list.lines.append(line) }
            default:
                throw .malformedLine(line: reader.number)
            }
        }
    }

    package init(parsing bytes: [UInt8], limits: SDPLimits = .standard) throws(SDPError) {
        try self.init(parsing: bytes[...], limits: limits)
    }

    package var bytes: [UInt8] {
        var out: [UInt8] = []
        session.write(into: &out)
        for description in media { description.write(into: &out) }
        return out
    }

    /// Adds a candidate, or with nil the end of candidates, to the stream with this mid.
    ///
    /// - Parameter value: the candidate attribute's value, without `candidate:`.
    package mutating func add(candidate value: [UInt8]?, mid: [UInt8], kind: [UInt8] = [UInt8](ascii: "audio")) {
        var index = media.firstIndex { $0.mid.map { $0.elementsEqual(mid) } ?? false }
        if index == nil {
            // RFC 8840 §9.2: port 9 and any format, because the line only separates the streams.
            var stream = MediaDescription(
                kind: kind, port: 9, transport: [UInt8](ascii: "RTP/AVP"), formats: [[UInt8](ascii: "0")])
            stream.list.append("mid", mid)
            media.append(stream)
            index = media.count - 1
        }
        guard let index else { return }
        if let value {
            media[index].list.append("candidate", value)
        } else {
            media[index].list.append("end-of-candidates")
        }
    }

    /// The credentials the candidates belong to: after an ICE restart, those of an older generation are dropped.
    package func credentials(of index: Int) -> ICECredentials? {
        guard media.indices.contains(index) else { return nil }
        return ICECredentials(of: media[index].list, session: session)
    }
}
