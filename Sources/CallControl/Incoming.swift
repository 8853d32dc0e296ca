import Base
import SIP

/// A request as it came, with the parts every decision needs parsed once. One reference, because it is handed about a lot.
final class Incoming {
    let message: SIPMessage
    let flow: Flow
    let method: SIPMethod
    let uri: SIPURI
    /// CSeq's number.
    let sequence: UInt32
    private let sender: Sender
    /// Empty when there is none, as `toTag`.
    let fromTag: ArraySlice<UInt8>
    let toTag: ArraySlice<UInt8>
    let maximumForwards: Int?
    private let hop: Hop
    /// The sender's Via with where it really came from (RFC 3261 §18.2.1, RFC 3581 §4); nil when it says so already.
    let notedVia: [UInt8]?
    /// Of its server transaction; ACK counts as INVITE (RFC 3261 §17.2.3).
    let key: UInt64
    /// Where answers go (RFC 3261 §18.2.2, RFC 3581 §4).
    let answerFlow: Flow

    /// The URI of From. As text it has no escapes.
    private enum Sender {
        case text(user: ArraySlice<UInt8>?, host: ArraySlice<UInt8>)
        case parsed(SIPURI)
    }

    /// The sender's Via: its branch, empty when there is none, and its sent-by.
    private struct Hop {
        var branch: ArraySlice<UInt8>
        var host: ArraySlice<UInt8>
        var port: UInt16?
        var asksForRport: Bool
    }

    private struct Tags {
        var from: ArraySlice<UInt8>
        var to: ArraySlice<UInt8>
    }

    private init(
        _ message: SIPMessage, _ flow: Flow, _ method: SIPMethod, _ sequence: UInt32, _ sender: Sender, _ tags: Tags,
        _ hop: Hop, notedVia: [UInt8]?, hash: KeyedHash
    ) throws(SIPParseError) {
        (self.message, self.flow, self.method, self.sequence) = (message, flow, method, sequence)
        (self.sender, self.hop, self.notedVia) = (sender, hop, notedVia)
        (fromTag, toTag) = (tags.from, tags.to)
        uri = try message.requestURI
        maximumForwards = try message.maxForwards()
        key = Self.key(message, method, sequence, hop, tags.from, hash: hash)
        var answerFlow = flow
        if flow.transport == .udp, !hop.asksForRport {
            answerFlow.remote.port = hop.port ?? SIPTransport.udp.defaultPort
        }
        self.answerFlow = answerFlow
    }

    /// The quick way where the headers have the usual shape, else the full grammar, which says what is wrong.
    static func read(_ message: SIPMessage, on flow: Flow, hash: KeyedHash) throws(SIPParseError) -> Incoming {
        if let quick = try quick(message, on: flow, hash: hash) { return quick }
        return try thorough(message, on: flow, hash: hash)
    }

    private static func thorough(
        _ message: SIPMessage, on flow: Flow, hash: KeyedHash
    ) throws(SIPParseError) -> Incoming {
        try message.validate()
        let via = try message.topVia()
        let (from, to, cseq) = (try message.from(), try message.to(), try message.cseq())
        var noted = via
        noted.note(source: flow.remote)
        let hop = Hop(
            branch: (via.branch ?? [])[...], host: via.host.text[...], port: via.port, asksForRport: via.asksForRport)
        return try Incoming(
            message, flow, cseq.method, cseq.number, .parsed(from.uri),
            Tags(from: (from.tag ?? [])[...], to: (to.tag ?? [])[...]), hop,
            notedVia: noted == via ? nil : noted.text, hash: hash)
    }

    /// - Returns: nil when a header has an unusual shape.
    private static func quick(
        _ message: SIPMessage, on flow: Flow, hash: KeyedHash
    ) throws(SIPParseError) -> Incoming? {
        guard let method = message.method, let cseqText = message.value(of: .cseq),
            let cseq = HeadScan.sequence(cseqText), cseq.method == method,
            let viaText = message.value(of: .via), let via = HeadScan.hop(viaText), let branch = via.branch,
            let fromText = message.value(of: .from), let from = HeadScan.address(fromText),
            let toText = message.value(of: .to), let to = HeadScan.address(toText),
            let callID = message.value(of: .callID), HeadScan.isPlainCallID(callID), hasNoRepetition(message)
        else { return nil }
        if !message.body.isEmpty, !message.contains(.contentType) { return nil }
        let hop = Hop(
            branch: viaText[shift(branch, viaText)], host: viaText[shift(via.host, viaText)], port: via.port,
            asksForRport: via.asksForRport)
        guard isModern(hop.branch) else { return nil }
        return try Incoming(
            message, flow, method, cseq.number,
            .text(user: from.user.map { fromText[shift($0, fromText)] }, host: fromText[shift(from.host, fromText)]),
            Tags(
                from: from.tag.map { fromText[shift($0, fromText)] } ?? [],
                to: to.tag.map { toText[shift($0, toText)] } ?? []),
            hop, notedVia: try noted(message, viaText, via, source: flow.remote), hash: hash)
    }

    private static func shift(_ range: Range<Int>, _ text: ArraySlice<UInt8>) -> Range<Int> {
        (text.startIndex + range.lowerBound)..<(text.startIndex + range.upperBound)
    }

    private static func noted(
        _ message: SIPMessage, _ text: ArraySlice<UInt8>, _ via: HeadScan.Hop, source: TransportAddress
    ) throws(SIPParseError) -> [UInt8]? {
        if via.isReceived {
            // What the sender wrote itself is not to be believed.
            var parsed = try message.topVia()
            parsed.note(source: source)
            return parsed.text
        }
        if !via.asksForRport, IPAddress(parsing: text[shift(via.host, text)]) == source.ip.unmapped { return nil }
        return noted(text, via.rport, source: source)
    }

    /// As `Via.note(source:)` writes it: rport in its place is replaced at the end, received after it.
    private static func noted(_ via: ArraySlice<UInt8>, _ rport: Range<Int>?, source: TransportAddress) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(via.count + 64)
        if let rport {
            out += via[..<(via.startIndex + rport.lowerBound)]
            out += via[(via.startIndex + rport.upperBound)...]
            out.append(";rport=")
            out.appendDecimal(Int(source.port))
        } else {
            out += via
        }
        out.append(";received=")
        source.ip.unmapped.appendText(to: &out)
        return out
    }

    /// Branch of the sender's Via, empty when there is none.
    var branch: ArraySlice<UInt8> { hop.branch }

    /// From's user part in lower case without escapes; nil when there is none.
    var fromUser: [UInt8]? {
        switch sender {
        case .text(let user, _): user.map { [UInt8](lowercasing: $0) }
        case .parsed(let uri): uri.plainUser.map { [UInt8](lowercasing: $0[...]) }
        }
    }

    var fromHost: Host {
        switch sender {
        case .text(_, let host): IPAddress(parsing: host).map { .address($0) } ?? .name(Array(host))
        case .parsed(let uri): uri.host
        }
    }

    /// Whether From names this person; the same as comparing `fromUser`, and nearly always without making it.
    func isFrom(_ user: [UInt8]) -> Bool {
        guard case .text(let name?, _) = sender else { return fromUser == user }
        return name.equalsIgnoringCase(user[...])
    }

    private static func isModern(_ branch: ArraySlice<UInt8>) -> Bool {
        branch.count > 7 && branch.prefix(7).equals("z9hG4bK")
    }

    /// The headers that may stand once do.
    private static func hasNoRepetition(_ message: SIPMessage) -> Bool {
        message.count(of: .cseq) == 1 && message.count(of: .from) == 1 && message.count(of: .to) == 1
            && message.count(of: .callID) == 1 && message.count(of: .contentType) <= 1
            && message.count(of: .expires) <= 1
    }

    /// RFC 3261 §17.2.3. Requests of RFC 2543, without the magic cookie, are told apart by what stays the same in a
    /// retransmission and in the ACK.
    private static func key(
        _ message: SIPMessage, _ method: SIPMethod, _ sequence: UInt32, _ hop: Hop, _ fromTag: ArraySlice<UInt8>,
        hash: KeyedHash
    ) -> UInt64 {
        var state = hash.begin(.transaction)
        state.add(method == .ack ? code(.invite) : code(method))
        if case .other(let name) = method { state.add(name[...]) }
        if isModern(hop.branch) {
            state.add(hop.branch)
            state.add(hop.host)
            state.add(UInt64(hop.port ?? 0))
        } else {
            state.add(message.requestURIText)
            state.add(fromTag)
            state.add(message.callID)
            state.add(UInt64(sequence))
            state.add(message.value(of: .via) ?? [])
        }
        return state.finish()
    }

    private static func code(_ method: SIPMethod) -> UInt64 {
        switch method {
        case .invite: 1
        case .ack: 2
        case .bye: 3
        case .cancel: 4
        case .register: 5
        case .options: 6
        case .info: 7
        case .update: 8
        case .prack: 9
        case .message: 10
        case .subscribe: 11
        case .notify: 12
        case .publish: 13
        case .refer: 14
        case .other: 15
        }
    }

    /// The key of the INVITE this CANCEL is about (RFC 3261 §9.2).
    func inviteKey(hash: KeyedHash) -> UInt64 {
        Self.key(message, .invite, sequence, hop, fromTag, hash: hash)
    }

    /// Hash of everything the routing of this request depends on (RFC 3261 §16.6 step 8, RFC 5393 §4.2): the same when
    /// it comes by again, another when it comes by for another target (a spiral).
    func loopHash(_ hash: KeyedHash) -> UInt64 { loopHash(hash, toTag: toTag) }

    func loopHash(_ hash: KeyedHash, toTag: ArraySlice<UInt8>) -> UInt64 {
        var state = hash.begin(.loop)
        state.add(message.requestURIText)
        state.add(message.callID)
        state.add(fromTag)
        state.add(toTag)
        state.add(UInt64(sequence))
        state.add(message.value(of: .route) ?? [])
        state.add(message.value(of: .proxyRequire) ?? [])
        return state.finish()
    }
}
