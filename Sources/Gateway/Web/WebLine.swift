import Base
import RTP
import SDP

/// Who opens a DTLS connection (RFC 8842 §5): we, or the peer.
package enum DTLSRole: Equatable, Sendable {
    /// `setup:active`: we send the ClientHello.
    case client
    /// `setup:passive`: the peer does.
    case server

    var setup: Setup { self == .client ? .active : .passive }

    /// Our role against an answer. One without `setup` is as good as active: answerers nearly always are (RFC 5763 §5).
    init(answered setup: Setup?) { self = setup == .passive ? .client : .server }
}

/// How a browser is reached: the transport of its bundle (RFC 8839, RFC 8122).
package struct WebPeer: Equatable, Sendable {
    package var credentials: ICECredentials
    package var candidates: [Candidate]
    package var hasAllCandidates: Bool
    /// It answers checks only (RFC 8445 §2.5).
    package var isLite: Bool
    package var fingerprints: [Fingerprint]
    var setup: Setup?

    /// Candidates beyond these are not tried: pairs grow with their number (RFC 8445 §6.1.2.5).
    static let maximumCandidates = 64

    init?(_ description: SessionDescription, line index: Int) {
        let fingerprints = description.fingerprints(of: index)
        guard let credentials = description.iceCredentials(of: index), !fingerprints.isEmpty,
            credentials.hasRightLength
        else { return nil }
        let list = description.media[index].list
        self.credentials = credentials
        candidates = Array(list.candidates.prefix(Self.maximumCandidates))
        hasAllCandidates = list.has("end-of-candidates") || description.session.has("end-of-candidates")
        isLite = description.session.has("ice-lite")
        self.fingerprints = fingerprints
        setup = description.setup(of: index)
    }
}

extension ICECredentials {
    /// RFC 8839 §5.4: at least 4 and 22 characters, at most 256.
    var hasRightLength: Bool { (4...256).contains(ufrag.count) && (22...256).contains(password.count) }
}

/// One line of a browser's description that the bridge uses.
struct WebLine: Sendable {
    var index: Int
    var terms: StreamTerms
    var mid: [UInt8]?
    /// The first source of each group: a retransmission source is nobody of its own (RFC 5576 §4.2).
    var sources: [SSRC]
    var takesReducedSize: Bool
    var extensions: [HeaderExtension: UInt8]

    /// - Throws: `.noMedia` when the line is refused, or why it cannot be used.
    init(_ description: SessionDescription, line index: Int) throws(GatewayError) {
        let media = description.media[index]
        guard MediaKind(media) != nil, !media.isRejected else { throw .noMedia }
        guard case .dtls? = media.profile, media.hasRTCPMux else { throw .notWebRTC }
        guard let terms = StreamTerms(description, line: index) else { throw .noSharedCodec }
        (self.index, self.terms) = (index, terms)
        mid = media.mid.flatMap { $0.contains(ASCII.space) || $0.isEmpty ? nil : Array($0) }
        sources = media.synchronizationSources.prefix(1).map { SSRC($0) }
        takesReducedSize = media.list.has("rtcp-rsize")
        extensions = Self.extensions(media.list)
    }

    /// Extensions without a direction: with one, the answer would have to turn it (RFC 8285 §5), and ours go both ways.
    private static func extensions(_ list: LineList) -> [HeaderExtension: UInt8] {
        var found: [HeaderExtension: UInt8] = [:]
        for value in list.attributes("extmap") {
            let words = value.words
            guard words.count >= 2, let id = ASCII.decimal(words[0]), (1...14).contains(id) else { continue }
            for known in HeaderExtension.allCases where words[1].elementsEqual([UInt8](ascii: known.uri)) {
                if found[known] == nil { found[known] = UInt8(id) }
            }
        }
        return found
    }
}

/// What a browser's description has for a bridge: a line of each kind, all on one transport.
struct WebReading: Sendable {
    var peer: WebPeer
    var lines: [WebLine]
    /// Whether the lines share their transport by BUNDLE; a single line need not.
    var isBundled: Bool

    subscript(kind: MediaKind) -> WebLine? { lines.first { $0.terms.kind == kind } }

    /// - Parameter before: where the streams were; a stream stays where it is as long as it can.
    init(_ description: SessionDescription, before: [MediaKind: Int]) throws(GatewayError) {
        var failure = GatewayError.noMedia
        var picked: [WebLine] = []
        for kind in MediaKind.allCases {
            var indices = description.media.indices.filter { MediaKind(description.media[$0]) == kind }
            if let place = before[kind], let index = indices.firstIndex(of: place) {
                indices.swapAt(0, index)
            }
            for index in indices {
                do throws(GatewayError) {
                    picked.append(try WebLine(description, line: index))
                    break
                } catch {
                    if error != .noMedia { failure = error }
                }
            }
        }
        guard let first = picked.first else { throw failure }
        let group = first.mid.flatMap { mid in description.bundleGroups.first { $0.contains(mid) } }
        isBundled = group != nil
        // There is one transport: what is outside the first stream's bundle cannot be had.
        lines = picked.filter { line in
            line.index == first.index || line.mid.map { $0 != first.mid && (group?.contains($0) ?? false) } ?? false
        }
        let tagged = group?.lazy.compactMap { mid in
            description.media.firstIndex { $0.mid.map { $0.elementsEqual(mid) } ?? false && !$0.isRejected }
        }.first
        guard let peer = WebPeer(description, line: tagged ?? first.index) ?? WebPeer(description, line: first.index)
        else { throw .notWebRTC }
        self.peer = peer
    }
}
