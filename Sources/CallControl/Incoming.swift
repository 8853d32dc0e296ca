import Base
import SIP

/// A request as it came, with the parts every decision needs parsed once.
struct Incoming {
    var message: SIPMessage
    var flow: Flow
    var method: SIPMethod
    var uri: SIPURI
    /// CSeq's number.
    var sequence: UInt32
    /// From's user part in lower case without escapes; nil when there is none.
    var fromUser: [UInt8]?
    var fromHost: Host
    /// Empty when there is none, as `toTag`.
    var fromTag: ArraySlice<UInt8>
    var toTag: ArraySlice<UInt8>
    var maximumForwards: Int?
    /// Branch of the sender's Via, empty when there is none; and its sent-by.
    var branch: ArraySlice<UInt8>
    private var viaHost: ArraySlice<UInt8>
    private var viaPort: UInt16?
    /// The sender's Via with where it really came from (RFC 3261 §18.2.1, RFC 3581 §4); nil when it says so already.
    var notedVia: [UInt8]?
    /// Of its server transaction; ACK counts as INVITE (RFC 3261 §17.2.3).
    var key: UInt64
    /// Where answers go (RFC 3261 §18.2.2, RFC 3581 §4).
    var answerFlow: Flow

    /// The quick way where the headers have the usual shape, else the full grammar, which says what is wrong.
    init(_ message: SIPMessage, on flow: Flow, hash: KeyedHash) throws(SIPParseError) {
        if let quick = try Incoming(quick: message, on: flow, hash: hash) {
            self = quick
        } else {
            try self.init(thorough: message, on: flow, hash: hash)
        }
    }

    private init(thorough message: SIPMessage, on flow: Flow, hash: KeyedHash) throws(SIPParseError) {
        try message.validate()
        let via = try message.topVia()
        let (from, to, cseq) = (try message.from(), try message.to(), try message.cseq())
        (self.message, self.flow) = (message, flow)
        uri = try message.requestURI
        (method, sequence) = (cseq.method, cseq.number)
        fromUser = from.uri.plainUser.map { $0.map(Self.lowercased) }
        fromHost = from.uri.host
        (fromTag, toTag) = ((from.tag ?? [])[...], (to.tag ?? [])[...])
        maximumForwards = try message.maxForwards()
        branch = (via.branch ?? [])[...]
        var noted = via
        noted.note(source: flow.remote)
        notedVia = noted == via ? nil : noted.text
        switch via.host {
        case .name(let name): viaHost = name[...]
        case .address(let address): viaHost = address.text[...]
        }
        viaPort = via.port
        key = Self.key(message, method, sequence, branch, viaHost, viaPort, fromTag, hash: hash)
        answerFlow = flow
        if flow.transport == .udp, !via.asksForRport { answerFlow.remote.port = via.effectivePort }
    }

    /// - Returns: nil when a header has an unusual shape.
    private init?(quick message: SIPMessage, on flow: Flow, hash: KeyedHash) throws(SIPParseError) {
        guard let method = message.method, let cseqText = message.value(of: .cseq),
            let cseq = HeadScan.sequence(cseqText), cseq.method == method,
            let viaText = message.value(of: .via), let hop = HeadScan.hop(viaText), let branch = hop.branch,
            let fromText = message.value(of: .from), let from = HeadScan.address(fromText),
            let toText = message.value(of: .to), let to = HeadScan.address(toText),
            let callID = message.value(of: .callID), HeadScan.isPlainCallID(callID), Self.hasNoRepetition(message)
        else { return nil }
        if !message.body.isEmpty, !message.contains(.contentType) { return nil }
        self.branch = viaText[Self.shift(branch, viaText)]
        guard Self.isModern(self.branch) else { return nil }
        (self.message, self.flow, self.method, sequence) = (message, flow, method, cseq.number)
        uri = try message.requestURI
        let host = fromText[Self.shift(from.host, fromText)]
        fromHost = IPAddress(parsing: host).map { .address($0) } ?? .name(Array(host))
        fromUser = from.user.map { fromText[Self.shift($0, fromText)].map(Self.lowercased) }
        fromTag = from.tag.map { fromText[Self.shift($0, fromText)] } ?? []
        toTag = to.tag.map { toText[Self.shift($0, toText)] } ?? []
        maximumForwards = try message.maxForwards()
        viaHost = viaText[Self.shift(hop.host, viaText)]
        viaPort = hop.port
        let isSource = IPAddress(parsing: viaHost) == flow.remote.ip.unmapped
        if hop.isReceived {
            // What the sender wrote itself is not to be believed.
            var via = try message.topVia()
            via.note(source: flow.remote)
            notedVia = via.text
        } else if hop.asksForRport || !isSource {
            notedVia = Self.noted(viaText, hop.rport, source: flow.remote)
        }
        key = Self.key(message, method, sequence, self.branch, viaHost, hop.port, fromTag, hash: hash)
        answerFlow = flow
        if flow.transport == .udp, !hop.asksForRport {
            answerFlow.remote.port = hop.port ?? SIPTransport.udp.defaultPort
        }
    }

    private static func shift(_ range: Range<Int>, _ text: ArraySlice<UInt8>) -> Range<Int> {
        (text.startIndex + range.lowerBound)..<(text.startIndex + range.upperBound)
    }

    /// As `Via.note(source:)` writes it: rport in its place is replaced at the end, received after it.
    private static func noted(_ via: ArraySlice<UInt8>, _ rport: Range<Int>?, source: TransportAddress) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(via.count + 48)
        if let rport {
            out += via[..<(via.startIndex + rport.lowerBound)]
            out += via[(via.startIndex + rport.upperBound)...]
            out += [UInt8](ascii: ";rport=")
            out.appendDecimal(Int(source.port))
        } else {
            out += via
        }
        out += [UInt8](ascii: ";received=")
        source.ip.unmapped.appendText(to: &out)
        return out
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

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
        _ message: SIPMessage, _ method: SIPMethod, _ sequence: UInt32, _ branch: ArraySlice<UInt8>,
        _ host: ArraySlice<UInt8>, _ port: UInt16?, _ fromTag: ArraySlice<UInt8>, hash: KeyedHash
    ) -> UInt64 {
        var state = hash.begin(.transaction)
        state.add(method == .ack ? code(.invite) : code(method))
        if case .other(let name) = method { state.add(name[...]) }
        if isModern(branch) {
            state.add(branch)
            state.add(host)
            state.add(UInt64(port ?? 0))
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
        Self.key(message, .invite, sequence, branch, viaHost, viaPort, fromTag, hash: hash)
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
