import RTP
import SDP

/// A stream as it stands on the browser's leg.
struct WebEnd: Sendable {
    var line: WebLine
    var ours: StreamTerms
}

/// A stream as it stands on the phone's leg.
struct PhoneEnd: Sendable {
    var line: PhoneLine
    var ours: StreamTerms
    var agreement: PhoneAgreement
    var isMuxed: Bool
}

extension PhoneEnd {
    /// - Parameter offered: our line, as it was sent.
    init(answer line: PhoneLine, to offered: PhoneLine) throws(GatewayError) {
        (self.line, ours) = (line, offered.terms)
        try self.line.terms.keep(whatMatches: offered.terms)
        agreement = try PhoneAgreement(answer: line, to: offered)
        isMuxed = offered.hasMux && line.hasMux
    }
}

/// Both ends of a stream that is bridged.
struct JoinedStream: Sendable {
    var web: WebEnd
    var phone: PhoneEnd

    var kind: MediaKind { web.line.terms.kind }

    func plan(web parameters: WebParameters, phone phoneParameters: PhoneParameters) -> StreamPlan {
        let webEnd = PlanBuilder.end(
            (web.ours, web.line.terms), feedback: web.line.terms.feedback.intersection(web.ours.feedback),
            source: parameters.source(of: kind), cname: parameters.cname)
        let phoneEnd = PlanBuilder.end(
            // Some phones say under AVP what they understand, where it has no force; so much the better.
            (phone.ours, phone.line.terms), feedback: phone.line.terms.feedback.intersection(.forPhones),
            source: phoneParameters.socket(kind)?.source ?? SSRC(0), cname: phoneParameters.cname)
        return StreamPlan(
            kind: kind,
            web: WebStream(
                end: webEnd, mid: web.line.mid, peerSource: web.line.sources.first,
                hasReducedSize: web.line.takesReducedSize && parameters.takesReducedSize,
                extensions: parameters.known(web.line.extensions)),
            phone: PhoneStream(
                end: phoneEnd, address: phone.line.address,
                controlAddress: phone.isMuxed ? phone.line.address : phone.line.controlAddress,
                isMuxed: phone.isMuxed, protection: phone.agreement.protection),
            fromWeb: PlanBuilder.routes(from: webEnd, to: phoneEnd),
            fromPhone: PlanBuilder.routes(from: phoneEnd, to: webEnd))
    }
}

extension WebParameters {
    /// The extensions of a browser that we want to be sent.
    func known(_ offered: [HeaderExtension: UInt8]) -> [HeaderExtension: UInt8] {
        offered.filter { extensions.contains($0.key) }
    }
}
