import Base
import RTP
import SDP

/// Writes our descriptions for a browser.
struct WebWriter {
    let parameters: WebParameters
    let credentials: ICECredentials
    let setup: Setup

    /// One live line.
    struct LineTerms {
        var terms: StreamTerms
        var mid: [UInt8]?
        var extensions: [HeaderExtension: UInt8]
        var hasReducedSize: Bool
        var transport = [UInt8](ascii: "UDP/TLS/RTP/SAVPF")
    }

    /// - Parameter bundle: the mids of live lines; nil without BUNDLE.
    func session(bundle: [[UInt8]]?) -> LineList {
        var list = LineList([Line(Letter.sessionName, [0x2d]), Line(Letter.time, [UInt8](ascii: "0 0"))])
        if let bundle, !bundle.isEmpty {
            list.append("group", bundle.reduce([UInt8](ascii: "BUNDLE")) { $0 + [ASCII.space] + $1 })
        }
        // We have no candidates left to trickle, but take those of the browser.
        list.append("ice-options", [UInt8](ascii: "trickle"))
        list.append("msid-semantic", [UInt8](ascii: " WMS *"))
        return list
    }

    func line(_ line: LineTerms) -> MediaDescription {
        let kind = line.terms.kind
        var media = MediaDescription(
            kind: [UInt8](ascii: kind == .audio ? "audio" : "video"), port: parameters.defaultAddress?.port ?? 9,
            transport: line.transport, formats: line.terms.formats.map(\.number))
        let address = parameters.defaultAddress.map { ConnectionAddress($0.ip) }
        media.list.lines.append(Line(Letter.connection, address?.bytes ?? [UInt8](ascii: "IN IP4 0.0.0.0")))
        media.list.lines += line.terms.bandwidth
        if let mid = line.mid { media.list.append("mid", mid) }
        media.list.direction = line.terms.direction
        writeTransport(&media.list)
        media.list.append("rtcp-mux")
        if line.hasReducedSize { media.list.append("rtcp-rsize") }
        for (known, id) in line.extensions.sorted(by: { $0.value < $1.value }) {
            media.list.append("extmap", decimal(Int(id)) + [ASCII.space] + [UInt8](ascii: known.uri))
        }
        line.terms.write(into: &media.list)
        if line.terms.direction.sends { writeSource(kind, &media.list) }
        for candidate in parameters.candidates { media.list.append("candidate", candidate) }
        media.list.append("end-of-candidates")
        return media
    }

    private func writeTransport(_ list: inout LineList) {
        list.append("ice-ufrag", credentials.ufrag)
        list.append("ice-pwd", credentials.password)
        for fingerprint in parameters.fingerprints { list.append("fingerprint", fingerprint.bytes) }
        list.append("setup", setup.text)
    }

    /// One MediaStream for both, so that the browser plays sound and picture together (RFC 8830 §2).
    private func writeSource(_ kind: MediaKind, _ list: inout LineList) {
        let track = [UInt8](ascii: kind == .audio ? " audio" : " video")
        list.append("msid", parameters.cname + track)
        var source = decimal(Int(parameters.source(of: kind).rawValue))
        source += [UInt8](ascii: " cname:")
        list.append("ssrc", source + parameters.cname)
    }
}
