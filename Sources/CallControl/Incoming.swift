import Base
import SIP

/// A request as it came, with the parts every decision needs parsed once. One reference, because it is handed about a lot.
final class Incoming: Sendable {
    let message: SIPMessage
    let flow: Flow
    let method: SIPMethod
    let uri: SIPURI
    /// CSeq's number.
    let sequence: UInt32
    let maximumForwards: Int?
    /// What the places of `head` are in: the message, or copies of the parts where the message has them in another form.
    private let text: [UInt8]
    private let head: Head
    /// The sender's Via with where it really came from (RFC 3261 §18.2.1, RFC 3581 §4); nil when it says so already.
    let notedVia: [UInt8]?
    /// Of its server transaction; ACK counts as INVITE (RFC 3261 §17.2.3).
    let key: UInt64
    /// Where answers go (RFC 3261 §18.2.2, RFC 3581 §4).
    let answerFlow: Flow

    /// Where the parts of Via, From and To stand. Places instead of slices, because these count no references.
    private struct Head: Sendable {
        /// From's user part without escapes; nil when there is none.
        var fromUser: Range<Int>?
        var fromHost = 0..<0
        /// To's user part without escapes and host, when it is a plain SIP URI; else nil, and empty.
        var toUser: Range<Int>?
        var toHost = 0..<0
        /// Empty when there is none, as the next two.
        var fromTag = 0..<0
        var toTag = 0..<0
        var branch = 0..<0
        var viaHost = 0..<0
        var viaPort: UInt16?
        var asksForRport = false
    }

    private init(
        _ message: SIPMessage, _ flow: Flow, _ method: SIPMethod, _ sequence: UInt32, _ text: [UInt8], _ head: Head,
        notedVia: [UInt8]?, own: OwnNames, hash: KeyedHash
    ) throws(SIPParseError) {
        (self.message, self.flow, self.method, self.sequence) = (message, flow, method, sequence)
        (self.text, self.head, self.notedVia) = (text, head, notedVia)
        uri = try own.requestURI(of: message)
        maximumForwards = try message.maxForwards()
        key = Self.key(message, method, sequence, text, head, hash: hash)
        var answerFlow = flow
        if flow.transport == .udp, !head.asksForRport {
            answerFlow.remote.port = head.viaPort ?? SIPTransport.udp.defaultPort
        }
        self.answerFlow = answerFlow
    }

    /// The quick way where the headers have the usual shape, else the full grammar, which says what is wrong.
    static func read(_ message: SIPMessage, on flow: Flow, own: OwnNames, hash: KeyedHash)
        throws(SIPParseError) -> Incoming
    {
        if let quick = try quick(message, on: flow, own: own, hash: hash) { return quick }
        return try thorough(message, on: flow, own: own, hash: hash)
    }

    private static func thorough(
        _ message: SIPMessage, on flow: Flow, own: OwnNames, hash: KeyedHash
    ) throws(SIPParseError) -> Incoming {
        try message.validate()
        let via = try message.topVia()
        let (from, to, cseq) = (try message.from(), try message.to(), try message.cseq())
        var noted = via
        noted.note(source: flow.remote)
        var text: [UInt8] = []
        func place(_ part: [UInt8]) -> Range<Int> {
            text += part
            return (text.count - part.count)..<text.count
        }
        let head = Head(
            fromUser: from.uri.plainUser.map { place($0) }, fromHost: place(from.uri.host.text),
            fromTag: place(from.tag ?? []), toTag: place(to.tag ?? []), branch: place(via.branch ?? []),
            viaHost: place(via.host.text), viaPort: via.port, asksForRport: via.asksForRport)
        return try Incoming(
            message, flow, cseq.method, cseq.number, text, head, notedVia: noted == via ? nil : noted.text,
            own: own, hash: hash)
    }

    /// - Returns: nil when a header has an unusual shape.
    private static func quick(
        _ message: SIPMessage, on flow: Flow, own: OwnNames, hash: KeyedHash
    ) throws(SIPParseError) -> Incoming? {
        guard let method = message.method, let cseqPlace = message.place(of: .cseq),
            let viaPlace = message.place(of: .via), let fromPlace = message.place(of: .from),
            let toPlace = message.place(of: .to), let callIDPlace = message.place(of: .callID),
            !message.hasForbiddenRepetition, !message.hasBody || message.contains(.contentType)
        else { return nil }
        let bytes = message.bytes
        guard let cseq = HeadScan.sequence(bytes[cseqPlace]), cseq.method == method,
            let via = HeadScan.hop(bytes[viaPlace]), let branch = via.branch,
            let from = HeadScan.address(bytes[fromPlace]), let to = HeadScan.address(bytes[toPlace]),
            HeadScan.isPlainCallID(bytes[callIDPlace])
        else { return nil }
        let head = Head(
            fromUser: from.user?.moved(by: fromPlace.lowerBound), fromHost: from.host.moved(by: fromPlace.lowerBound),
            toUser: to.user?.moved(by: toPlace.lowerBound), toHost: to.host.moved(by: toPlace.lowerBound),
            fromTag: from.tag?.moved(by: fromPlace.lowerBound) ?? 0..<0,
            toTag: to.tag?.moved(by: toPlace.lowerBound) ?? 0..<0, branch: branch.moved(by: viaPlace.lowerBound),
            viaHost: via.host.moved(by: viaPlace.lowerBound), viaPort: via.port, asksForRport: via.asksForRport)
        guard isModern(bytes[head.branch]) else { return nil }
        var notedVia: [UInt8]?
        if via.isReceived {
            // What the sender wrote itself is not to be believed.
            var parsed = try message.topVia()
            parsed.note(source: flow.remote)
            notedVia = parsed.text
        } else if via.asksForRport || IPAddress(parsing: bytes[head.viaHost]) != flow.remote.ip.unmapped {
            notedVia = noted(bytes[viaPlace], via.rport, source: flow.remote)
        }
        return try Incoming(message, flow, method, cseq.number, bytes, head, notedVia: notedVia, own: own, hash: hash)
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

    /// Branch of the sender's Via; empty when there is none, as the tags.
    var branch: ArraySlice<UInt8> { text[head.branch] }
    var fromTag: ArraySlice<UInt8> { text[head.fromTag] }
    var toTag: ArraySlice<UInt8> { text[head.toTag] }
    var hasToTag: Bool { !head.toTag.isEmpty }

    /// From's user part in lower case without escapes; nil when there is none.
    var fromUser: [UInt8]? { head.fromUser.map { [UInt8](lowercasing: text[$0]) } }

    var fromHost: Host {
        let host = text[head.fromHost]
        return IPAddress(parsing: host).map { .address($0) } ?? .name(Array(host))
    }

    /// Whether From names this person: the same as comparing `fromUser`, but without making it.
    func isFrom(_ user: [UInt8]) -> Bool {
        head.fromUser.map { text[$0].equalsIgnoringCase(user[...]) } ?? false
    }

    /// Whether To is plainly the address From has: the same host and this person. When not, a look at its URI tells more.
    func isPlainlyTo(_ user: [UInt8]) -> Bool {
        guard let toUser = head.toUser, text[head.toHost].equals(text[head.fromHost]) else { return false }
        return text[toUser].equalsIgnoringCase(user[...])
    }

    private static func isModern(_ branch: ArraySlice<UInt8>) -> Bool {
        branch.count > 7 && branch.prefix(7).equals("z9hG4bK")
    }

    /// RFC 3261 §17.2.3. Requests of RFC 2543, without the magic cookie, are told apart by what stays the same in a
    /// retransmission and in the ACK.
    private static func key(
        _ message: SIPMessage, _ method: SIPMethod, _ sequence: UInt32, _ text: [UInt8], _ head: Head,
        hash: KeyedHash
    ) -> UInt64 {
        var state = hash.begin(.transaction)
        state.add(method == .ack ? code(.invite) : code(method))
        if case .other(let name) = method { state.add(name[...]) }
        if isModern(text[head.branch]) {
            state.add(text[head.branch])
            state.add(text[head.viaHost])
            state.add(UInt64(head.viaPort ?? 0))
        } else {
            state.add(message.requestURIText)
            state.add(text[head.fromTag])
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
        Self.key(message, .invite, sequence, text, head, hash: hash)
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

extension Range<Int> {
    fileprivate func moved(by distance: Int) -> Range<Int> { (lowerBound + distance)..<(upperBound + distance) }
}
