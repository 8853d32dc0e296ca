import BrowserPhone
import DTLS
import Foundation
import FuzzHarness
import Gateway
import ICE
import RTP
import SDP
import SIP
import SRTP
import STUN
import TURN
import Testing
import UserAgent

/// What the fuzzers found, and what they start from, is run again on every change. `Fuzz/` has the fuzz targets.
struct CorpusTests {
    struct Input: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: [UInt8]
        var testDescription: String { name }
    }

    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fuzz")

    /// The files of one target's corpus.
    private static func inputs(of target: String) -> [Input] {
        let files = try? FileManager.default.contentsOfDirectory(
            at: folder.appending(path: "corpus/\(target)"), includingPropertiesForKeys: nil)
        return (files ?? []).sorted { $0.path < $1.path }.compactMap { file in
            (try? Data(contentsOf: file)).map { Input(name: file.lastPathComponent, bytes: Array($0)) }
        }
    }

    @Test(arguments: inputs(of: "SIPMessage"))
    func `reads whole messages`(input: Input) { fuzzSIPMessage(input.bytes) }

    @Test(arguments: inputs(of: "StreamFramer"))
    func `reads streams`(input: Input) { fuzzStreamFramer(input.bytes) }

    @Test(arguments: inputs(of: "SIPURI"))
    func `reads addresses`(input: Input) { fuzzSIPURI(input.bytes) }

    @Test(arguments: inputs(of: "DigestHeader"))
    func `reads challenges and credentials`(input: Input) { fuzzDigestHeader(input.bytes) }

    @Test(arguments: inputs(of: "SDP"))
    func `reads descriptions`(input: Input) { fuzzSDP(input.bytes) }

    @Test(arguments: inputs(of: "STUN"))
    func `reads STUN messages`(input: Input) { fuzzSTUN(input.bytes) }

    @Test(arguments: inputs(of: "TURN"))
    func `drives a relay`(input: Input) { fuzzTURN(input.bytes) }

    @Test(arguments: inputs(of: "ICE"))
    func `drives an ICE agent`(input: Input) { fuzzICE(input.bytes) }

    @Test(arguments: inputs(of: "RTP"))
    func `reads media packets and reports`(input: Input) { fuzzRTP(input.bytes) }

    @Test(arguments: inputs(of: "SDES"))
    func `reads keys of SDES`(input: Input) { fuzzSDES(input.bytes) }

    @Test(arguments: inputs(of: "DTLS"))
    func `shakes hands with anybody`(input: Input) { fuzzDTLS(input.bytes) }

    @Test(arguments: inputs(of: "SRTP"))
    func `protects and unprotects`(input: Input) {
        for suite in SRTPSuite.allCases { fuzzSRTP(input.bytes, suite: suite) }
    }

    @Test(arguments: inputs(of: "Gateway"))
    func `translates descriptions`(input: Input) { fuzzGateway(input.bytes) }

    @Test(arguments: inputs(of: "Seam"))
    func `drives a phone`(input: Input) { fuzzSeam(input.bytes) }

    @Test(arguments: inputs(of: "UserAgent"))
    func `has a phone in mid-call`(input: Input) { fuzzUserAgent(input.bytes) }

    @Test(arguments: inputs(of: "CallControl"))
    func `drives the proxy`(input: Input) { fuzzCallControl(input.bytes) }

    @Test func `no fuzz target is without a corpus and a test`() throws {
        let targets = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
            .filter { $0.hasSuffix(".swift") }.map { String($0.dropLast(6)) }
        #expect(
            Set(targets) == [
                "SIPMessage", "StreamFramer", "SIPURI", "DigestHeader", "SDP", "STUN", "TURN", "ICE", "RTP", "DTLS",
                "SDES", "SRTP", "Gateway", "Seam", "UserAgent", "CallControl",
            ])
        for target in targets { #expect(!Self.inputs(of: target).isEmpty, "\(target)") }
    }
}
