import Base
import Foundation
import RTP
import SDP
import Testing

@testable import Gateway

/// One bridge under test, with text in and out.
struct Bridge {
    var negotiation: Negotiation
    var random = RandomSource(seed: 1)

    init(
        security: PhoneSecurity = .none, hasVideo: Bool = true, hasCertificate: Bool = true,
        change: (inout PhoneParameters) -> Void = { _ in }
    ) {
        let web = WebParameters(
            credentials: ICECredentials(ufrag: Array("ourUfrag".utf8), password: Array("ourPasswordOf22OrMore!!".utf8)),
            candidates: [Array("1 1 udp 2130706431 198.51.100.1 3478 typ host".utf8)],
            fingerprints: [Self.fingerprint], defaultAddress: TransportAddress(ip: .v4(0xc633_6401), port: 3478),
            cname: Array("hearth".utf8), audioSource: SSRC(11), videoSource: SSRC(12))
        func socket(_ port: UInt16, _ source: UInt32, _ random: inout RandomSource) -> PhoneSocket {
            PhoneSocket(
                port: port, controlPort: port + 1, source: SSRC(source),
                keys: [SDESKey(.aes128SHA1Tag80, random: &random), SDESKey(.aes128SHA1Tag32, random: &random)])
        }
        var phone = PhoneParameters(
            address: .v4(0xc000_0201), audio: socket(10_000, 21, &random),
            video: hasVideo ? socket(10_002, 22, &random) : nil,
            fingerprints: hasCertificate ? [Self.fingerprint] : [], cname: Array("hearth".utf8))
        phone.security = security
        change(&phone)
        negotiation = Negotiation(web: web, phone: phone, random: &random)
    }

    static let fingerprint = Fingerprint(hash: Array("sha-256".utf8), digest: Array(repeating: 0xab, count: 32))

    var plan: MediaPlan { get throws { try #require(negotiation.plan) } }
    var audio: StreamPlan { get throws { try #require(negotiation.plan?.audio) } }
    var video: StreamPlan { get throws { try #require(negotiation.plan?.video) } }

    mutating func browserOffer(_ text: String) throws -> Text { Text(try negotiation.browserOffer(bytes(text))) }
    mutating func browserAnswer(_ text: String) throws -> Text { Text(try negotiation.browserAnswer(bytes(text))) }
    mutating func phoneOffer(_ text: String) throws -> Text { Text(try negotiation.phoneOffer(bytes(text))) }
    mutating func phoneAnswer(_ text: String) throws -> Text { Text(try negotiation.phoneAnswer(bytes(text))) }
}

/// A description of ours, for looking at.
struct Text: Equatable {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var lines: [String] { String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n") }
    var text: String { lines.joined(separator: "\n") }
    var mediaLines: [String] { lines.filter { $0.hasPrefix("m=") } }
    /// The version of the `o=` line.
    var version: Int { Int(lines[1].split(separator: " ")[2]) ?? -1 }

    /// The lines of one media description.
    func section(_ index: Int) -> [String] {
        let starts = lines.indices.filter { lines[$0].hasPrefix("m=") }
        let end = index + 1 < starts.count ? starts[index + 1] : lines.count
        return Array(lines[starts[index]..<end])
    }

    func has(_ line: String, in section: Int? = nil) -> Bool {
        (section.map { self.section($0) } ?? lines).contains(line)
    }
    func hasAny(_ prefix: String) -> Bool { lines.contains { $0.hasPrefix(prefix) } }
}

/// Lines, ended as on the wire.
func bytes(_ text: String) -> [UInt8] {
    Array(text.replacingOccurrences(of: "\r\n", with: "\n").split(separator: "\n").joined(separator: "\r\n").utf8)
        + [13, 10]
}

/// What real browsers and baresip have written: the descriptions of `SDPTests`.
func sample(_ name: String) throws -> String {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = folder.appending(path: "SDPTests/Descriptions/\(name).sdp")
    return String(decoding: try Data(contentsOf: file), as: UTF8.self)
}

/// A phone's description around its media lines.
func phone(version: Int = 1, address: String = "192.0.2.77", _ media: String...) -> String {
    """
    v=0
    o=- 20083 \(version) IN IP4 192.0.2.77
    s=SDP data
    c=IN IP4 \(address)
    t=0 0

    """ + media.joined(separator: "\n")
}

/// What a browser answers to an offer of ours: the offer itself, as far as it knows it, with its own transport.
func browserAnswer(
    to offer: Text, keeping formats: Set<String>? = nil, refusing refused: Set<Int> = [],
    direction: String = "sendrecv", setup: String = "active"
) -> String {
    var section = -1
    var out: [String] = []
    for line in offer.lines where !line.isEmpty {
        var line = line
        if line.hasPrefix("m=") {
            section += 1
            var words = line.split(separator: " ").map(String.init)
            if let formats { words = words[..<3] + words[3...].filter { formats.contains($0) } }
            if refused.contains(section) { words[1] = "0" }
            line = words.joined(separator: " ")
        }
        for (name, value) in [("ice-ufrag", "theirUfrag"), ("ice-pwd", "theirPasswordOf22OrMore"), ("setup", setup)]
        where line.hasPrefix("a=\(name):") { line = "a=\(name):\(value)" }
        if line.hasPrefix("a=ssrc:") { line = "a=ssrc:\(100 + section) cname:theirs" }
        if line == "a=sendrecv" || line == "a=sendonly" || line == "a=recvonly" { line = "a=\(direction)" }
        if line.hasPrefix("o=") { line = "o=- 77 1 IN IP4 127.0.0.1" }
        out.append(line)
    }
    return out.joined(separator: "\n")
}
