import Base

/// Event of SUBSCRIBE, NOTIFY and PUBLISH (RFC 6665 §8.2.1).
package struct EventHeader: HeaderValue, Equatable {
    /// The package and its templates, in lower case: `presence`, `refer`, `message-summary`.
    package var package: [UInt8]
    package var parameters: Parameters

    package init(_ package: [UInt8], id: [UInt8]? = nil) {
        (self.package, parameters) = (package, Parameters())
        if let id { parameters.append("id", id) }
    }

    package init(parsing text: ArraySlice<UInt8>) throws(SIPParseError) {
        guard let value = ParameterizedToken(parsing: text) else { throw .malformed(.event) }
        (package, parameters) = ([UInt8](lowercasing: value.token), value.parameters)
    }

    /// Tells two subscriptions of one dialog apart.
    package var id: [UInt8]? { parameters["id"] }

    package func serialize(into out: inout [UInt8]) {
        out += package
        parameters.serialize(into: &out)
    }
}

/// Subscription-State of NOTIFY (RFC 6665 §8.2.3).
package struct SubscriptionState: HeaderValue, Equatable {
    package enum State: Equatable, Sendable {
        case active, pending, terminated
        case other([UInt8])
    }

    package var state: State
    package var parameters: Parameters

    package init(_ state: State, expires: Int? = nil, reason: [UInt8]? = nil) {
        (self.state, parameters) = (state, Parameters())
        if let reason { parameters.append("reason", reason) }
        if let expires { parameters.append("expires", number: expires) }
    }

    package init(parsing text: ArraySlice<UInt8>) throws(SIPParseError) {
        guard let value = ParameterizedToken(parsing: text) else { throw .malformed(.subscriptionState) }
        let token = [UInt8](lowercasing: value.token)
        parameters = value.parameters
        state = .other(token)
        for known in [State.active, .pending, .terminated] where known.name == token { state = known }
    }

    package var expires: Int? { parameters["expires"].flatMap { DeltaSeconds.parse($0[...]) } }
    package var reason: [UInt8]? { parameters["reason"].map { [UInt8](lowercasing: $0[...]) } }
    package var retryAfter: Int? { parameters["retry-after"].flatMap { DeltaSeconds.parse($0[...]) } }

    package func serialize(into out: inout [UInt8]) {
        out += state.name
        parameters.serialize(into: &out)
    }
}

extension SubscriptionState.State {
    fileprivate var name: [UInt8] {
        switch self {
        case .active: [UInt8](ascii: "active")
        case .pending: [UInt8](ascii: "pending")
        case .terminated: [UInt8](ascii: "terminated")
        case .other(let token): token
        }
    }
}

/// Which dialog a new one takes the place of: Replaces (RFC 3891), and the same shape in Target-Dialog (RFC 4538) and
/// Join (RFC 3911).
package struct Replaces: HeaderValue, Equatable {
    package var callID: [UInt8]
    package var toTag: [UInt8]
    package var fromTag: [UInt8]
    /// Only a dialog that is not yet confirmed may be replaced.
    package var earlyOnly: Bool

    package init(callID: [UInt8], toTag: [UInt8], fromTag: [UInt8], earlyOnly: Bool = false) {
        (self.callID, self.toTag, self.fromTag, self.earlyOnly) = (callID, toTag, fromTag, earlyOnly)
    }

    package init(parsing text: ArraySlice<UInt8>) throws(SIPParseError) {
        try self.init(parsing: text, header: .replaces)
    }

    init(parsing text: ArraySlice<UInt8>, header: HeaderName) throws(SIPParseError) {
        var scanner = Scanner(text)
        scanner.skipSpace()
        let id = scanner.run(.callID)
        guard !id.isEmpty, let parameters = Parameters(scanning: &scanner, rules: .header) else {
            throw .malformed(header)
        }
        scanner.skipSpace()
        let isTarget = header == .targetDialog
        guard scanner.isAtEnd, let toTag = parameters[isTarget ? "remote-tag" : "to-tag"],
            let fromTag = parameters[isTarget ? "local-tag" : "from-tag"]
        else { throw .malformed(header) }
        callID = Array(id)
        (self.toTag, self.fromTag) = (toTag, fromTag)
        earlyOnly = parameters.contains("early-only")
    }

    package func serialize(into out: inout [UInt8]) {
        out += callID
        out.append(";to-tag=")
        out += toTag
        out.append(";from-tag=")
        out += fromTag
        if earlyOnly { out.append(";early-only") }
    }

    /// The value as a header inside a Refer-To URI: `Replaces=` and the value, escaped.
    package var asURIHeader: [UInt8] {
        var out = [UInt8](ascii: "Replaces=")
        Percent.encode(text, into: &out) { byte in
            ASCII.isAlphanumeric(byte) || byte == 0x2d || byte == 0x2e || byte == 0x5f || byte == 0x7e
        }
        return out
    }
}

/// Session-Expires (RFC 4028 §4).
package struct SessionExpires: HeaderValue, Equatable {
    package enum Refresher: Equatable, Sendable { case uac, uas }

    package var seconds: Int
    package var refresher: Refresher?

    package init(seconds: Int, refresher: Refresher? = nil) { (self.seconds, self.refresher) = (seconds, refresher) }

    package init(parsing text: ArraySlice<UInt8>) throws(SIPParseError) {
        guard let value = ParameterizedToken(parsing: text), let seconds = DeltaSeconds.parse(value.token) else {
            throw .malformed(.sessionExpires)
        }
        self.seconds = seconds
        if let name = value.parameters["refresher"] {
            if ASCII.equalIgnoringCase(name, "uac") {
                refresher = .uac
            } else if ASCII.equalIgnoringCase(name, "uas") {
                refresher = .uas
            } else {
                throw .malformed(.sessionExpires)
            }
        }
    }

    package func serialize(into out: inout [UInt8]) {
        out.appendDecimal(max(0, seconds))
        switch refresher {
        case .uac: out.append(";refresher=uac")
        case .uas: out.append(";refresher=uas")
        case nil: break
        }
    }
}

/// A token and parameters: the shape of Event, Subscription-State, Session-Expires, Content-Disposition, Reason,
/// Info-Package and more.
package struct ParameterizedToken: HeaderValue, Equatable {
    package var token: ArraySlice<UInt8>
    package var parameters: Parameters

    package init?(parsing text: ArraySlice<UInt8>) {
        var scanner = Scanner(text)
        scanner.skipSpace()
        guard let token = scanner.token(), let parameters = Parameters(scanning: &scanner, rules: .header) else {
            return nil
        }
        scanner.skipSpace()
        guard scanner.isAtEnd else { return nil }
        (self.token, self.parameters) = (token, parameters)
    }

    package func serialize(into out: inout [UInt8]) {
        out += token
        parameters.serialize(into: &out)
    }
}

/// Dialog usages' headers, parsed when asked; nil when absent.
extension SIPMessage {
    package func event() throws(SIPParseError) -> EventHeader? {
        guard let text = try single(.event) else { return nil }
        return try EventHeader(parsing: text)
    }

    package func subscriptionState() throws(SIPParseError) -> SubscriptionState? {
        guard let text = try single(.subscriptionState) else { return nil }
        return try SubscriptionState(parsing: text)
    }

    package func rack() throws(SIPParseError) -> RAck? {
        guard let text = try single(.rack) else { return nil }
        return try RAck(parsing: text)
    }

    /// 1 to 2^32 - 1 (RFC 3262 §7.1).
    package func rseq() throws(SIPParseError) -> UInt32? {
        guard let number = try number(.rseq) else { return nil }
        guard let sequence = UInt32(exactly: number), sequence > 0 else { throw .malformed(.rseq) }
        return sequence
    }

    package func replaces() throws(SIPParseError) -> Replaces? {
        guard let text = try single(.replaces) else { return nil }
        return try Replaces(parsing: text)
    }

    /// RFC 4538: `toTag` is the remote tag, `fromTag` the local one.
    package func targetDialog() throws(SIPParseError) -> Replaces? {
        guard let text = try single(.targetDialog) else { return nil }
        return try Replaces(parsing: text, header: .targetDialog)
    }

    /// RFC 3515 §2.1: exactly one in a REFER.
    package func referTo() throws(SIPParseError) -> NameAddress? { try address(.referTo) }
    /// RFC 3892.
    package func referredBy() throws(SIPParseError) -> NameAddress? { try address(.referredBy) }

    package func sessionExpires() throws(SIPParseError) -> SessionExpires? {
        guard let text = try single(.sessionExpires) else { return nil }
        return try SessionExpires(parsing: text)
    }

    /// Seconds (RFC 4028 §5).
    package func minSE() throws(SIPParseError) -> Int? {
        guard let text = try single(.minSE) else { return nil }
        guard let value = ParameterizedToken(parsing: text), let seconds = DeltaSeconds.parse(value.token) else {
            throw .malformed(.minSE)
        }
        return seconds
    }

    /// The package an INFO belongs to (RFC 6086 §7.2).
    package func infoPackage() throws(SIPParseError) -> [UInt8]? {
        guard let text = try single(.infoPackage) else { return nil }
        guard let value = ParameterizedToken(parsing: text) else { throw .malformed(.infoPackage) }
        return [UInt8](lowercasing: value.token)
    }

    /// The packages the sender is willing to receive (RFC 6086 §7.3).
    package var receivableInfoPackages: TokenSet { tokens(.recvInfo) }

    /// RFC 3903 §11.3.
    package var entityTag: ArraySlice<UInt8>? { value(of: .sipETag) }
    package var ifMatch: ArraySlice<UInt8>? { value(of: .sipIfMatch) }

    /// How a body is meant (RFC 3261 §20.11); nil when absent, which means `session` for SDP and `render` otherwise.
    package func contentDisposition() throws(SIPParseError) -> ParameterizedToken? {
        guard let text = try single(.contentDisposition) else { return nil }
        guard let value = ParameterizedToken(parsing: text) else { throw .malformed(.contentDisposition) }
        return value
    }

    /// The media types of Accept; nil when absent, which means `application/sdp` for INVITE and OPTIONS.
    package func accepts() throws(SIPParseError) -> [MediaType]? {
        guard contains(.accept) else { return nil }
        var out: [MediaType] = []
        for text in try list(.accept) {
            guard let type = MediaType(parsing: text) else { throw .malformed(.accept) }
            out.append(type)
        }
        return out
    }

    /// Why a request was sent (RFC 3326): `SIP;cause=200;text="Call completed elsewhere"`.
    package func reasons() -> [ParameterizedToken] {
        values(of: .reason).compactMap { ParameterizedToken(parsing: $0) }
    }
}
