import Base

/// One media description (RFC 8866 §5.14): the `m=` line and the lines that follow it.
package struct MediaDescription: Equatable, Sendable {
    /// `audio`, `video`, `application`, …
    package var kind: [UInt8]
    /// 0 refuses or ends the stream (RFC 3264 §6), unless the attribute `bundle-only` stands beside it.
    package var port: UInt16
    /// The `/n` after the port: how many consecutive ports. Almost always nil.
    package var portCount: Int?
    /// `RTP/AVP`, `UDP/TLS/RTP/SAVPF`, …
    package var transport: [UInt8]
    /// Payload types, or `webrtc-datachannel` and the like. Never empty.
    package var formats: [[UInt8]]
    package var list: LineList

    package init(kind: [UInt8], port: UInt16, transport: [UInt8], formats: [[UInt8]], list: LineList = LineList()) {
        precondition(!formats.isEmpty, "an m= line has at least one format")
        (self.kind, self.port, self.transport) = (kind, port, transport)
        (self.formats, self.list) = (formats, list)
    }

    init(parsing text: ArraySlice<UInt8>, line: Int) throws(SDPError) {
        let words = text.words
        guard words.count >= 4 else { throw .malformedMedia(line: line) }
        let slash = words[1].firstIndex(of: UInt8(ascii: "/"))
        guard let port = words[1][..<(slash ?? words[1].endIndex)].number(as: UInt16.self) else {
            throw .malformedMedia(line: line)
        }
        if let slash {
            guard let count = words[1][(slash + 1)...].number(as: Int.self), count > 0 else {
                throw .malformedMedia(line: line)
            }
            portCount = count
        }
        self.port = port
        kind = Array(words[0])
        transport = Array(words[2])
        formats = []
        for word in words[3...] { formats.append(Array(word)) }
        list = LineList()
    }

    /// The value of the `m=` line.
    package var mediaLine: [UInt8] {
        var out = kind
        out.append(ASCII.space)
        out.appendNumber(port)
        if let portCount {
            out.append(UInt8(ascii: "/"))
            out.appendDecimal(portCount)
        }
        out.appendWord(transport)
        for format in formats { out.appendWord(format) }
        return out
    }

    func write(into out: inout [UInt8]) {
        Line(Letter.media, mediaLine).write(into: &out)
        list.write(into: &out)
    }
}

// MARK: - Questions

extension MediaDescription {
    package var mid: ArraySlice<UInt8>? { list.attribute("mid") }
    package var isAudio: Bool { kind.equals("audio") }
    package var isVideo: Bool { kind.equals("video") }
    package var hasRTCPMux: Bool { list.has("rtcp-mux") }
    /// Sound or picture: what is carried over RTP, protected or not.
    package var isRTP: Bool { RTPProfile(transport) != nil }
    package var profile: RTPProfile? { RTPProfile(transport) }
    /// Port 0 means refused, except in an offer that asks for the stream inside a bundle (RFC 9143 §6).
    package var isRejected: Bool { port == 0 && !list.has("bundle-only") }

    /// The `a=rtpmap` lines, and the static payload types of RFC 3551 that stand without one.
    package var payloads: [RTPMap] {
        var maps: [RTPMap] = []
        let given = list.attributes("rtpmap")
        for format in formats {
            guard let type = format[...].number(as: UInt8.self) else { continue }
            var found: RTPMap?
            for value in given {
                if let map = RTPMap(parsing: value), map.payloadType == type {
                    found = map
                    break
                }
            }
            if let map = found ?? RTPMap.assigned(type) { maps.append(map) }
        }
        return maps
    }

    /// What follows the payload type in its `a=fmtp` line.
    package func formatParameters(of payloadType: UInt8) -> ArraySlice<UInt8>? {
        for value in list.attributes("fmtp") {
            guard let space = value.firstIndex(of: ASCII.space) else { continue }
            if value[..<space].number(as: UInt8.self) == payloadType { return value[(space + 1)...] }
        }
        return nil
    }

    /// The candidates that can be read; others are skipped, as RFC 8839 §5.1 asks for unknown ones.
    package var candidates: [Candidate] { list.candidates }
    package var hasEndOfCandidates: Bool { list.has("end-of-candidates") }

    /// The distinct synchronization sources named by `a=ssrc` lines, in order (RFC 5576).
    package var synchronizationSources: [UInt32] {
        var sources: [UInt32] = []
        for value in list.attributes("ssrc") {
            let id = value[..<(value.firstIndex(of: ASCII.space) ?? value.endIndex)]
            if let source = id.number(as: UInt32.self), !sources.contains(source) { sources.append(source) }
        }
        return sources
    }
}

/// How RTP is carried and protected: the transport field of an `m=` line.
package enum RTPProfile: Equatable, Sendable {
    /// `RTP/AVP`, `RTP/AVPF`: in the clear.
    case plain(feedback: Bool)
    /// `RTP/SAVP`, `RTP/SAVPF`: SRTP, keys in the description (RFC 4568) or, from older peers, DTLS.
    case secure(feedback: Bool)
    /// `UDP/TLS/RTP/SAVP`, `UDP/TLS/RTP/SAVPF` and their TCP twins: SRTP keyed by DTLS (RFC 5764 §8).
    case dtls(feedback: Bool)

    package init?(_ transport: some Collection<UInt8>) {
        if transport.equals("UDP/TLS/RTP/SAVPF") || transport.equals("TCP/DTLS/RTP/SAVPF") {
            self = .dtls(feedback: true)
        } else if transport.equals("UDP/TLS/RTP/SAVP") || transport.equals("TCP/DTLS/RTP/SAVP") {
            self = .dtls(feedback: false)
        } else if transport.equals("RTP/AVP") {
            self = .plain(feedback: false)
        } else if transport.equals("RTP/AVPF") {
            self = .plain(feedback: true)
        } else if transport.equals("RTP/SAVP") {
            self = .secure(feedback: false)
        } else if transport.equals("RTP/SAVPF") {
            self = .secure(feedback: true)
        } else {
            return nil
        }
    }
}
