import Base
import SIP

/// A request as it came, with the parts every decision needs parsed once.
struct Incoming {
    var message: SIPMessage
    var flow: Flow
    var method: SIPMethod
    /// The top Via as the sender wrote it.
    var via: Via
    var uri: SIPURI
    var from: NameAddress
    var to: NameAddress
    var cseq: CSeq
    /// Of its server transaction; ACK counts as INVITE (RFC 3261 §17.2.3).
    var key: UInt64
    /// Where answers go (RFC 3261 §18.2.2, RFC 3581 §4).
    var answerFlow: Flow

    init(_ message: SIPMessage, on flow: Flow, hash: KeyedHash) throws(SIPParseError) {
        try message.validate()
        (self.message, self.flow) = (message, flow)
        via = try message.topVia()
        uri = try message.requestURI
        from = try message.from()
        to = try message.to()
        cseq = try message.cseq()
        method = cseq.method
        key = Self.key(message, via: via, cseq: cseq, method: method, hash: hash)
        answerFlow = flow
        // Over UDP without rport: the address the request came from, and the port of its Via.
        if flow.transport == .udp, !via.asksForRport { answerFlow.remote.port = via.effectivePort }
    }

    /// RFC 3261 §17.2.3. Requests of RFC 2543, without the magic cookie, are told apart by what stays the same in a
    /// retransmission and in the ACK.
    private static func key(
        _ message: SIPMessage, via: Via, cseq: CSeq, method: SIPMethod, hash: KeyedHash
    ) -> UInt64 {
        var state = hash.begin(.transaction)
        state.add(UInt64(bitPattern: Int64(method == .ack ? Self.code(.invite) : Self.code(method))))
        if case .other(let name) = method { state.add(name[...]) }
        if via.hasModernBranch {
            state.add((via.branch ?? [])[...])
            switch via.host {
            case .name(let name): state.add(name[...])
            case .address(.v4(let bits)): state.add(UInt64(bits))
            case .address(.v6(let high, let low)):
                state.add(high)
                state.add(low)
            }
            state.add(UInt64(via.port ?? 0))
        } else {
            state.add(message.requestURIText)
            state.add((message.fromTag ?? [])[...])
            state.add(message.callID)
            state.add(UInt64(cseq.number))
            state.add(via.text[...])
        }
        return state.finish()
    }

    private static func code(_ method: SIPMethod) -> Int {
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
        Self.key(message, via: via, cseq: cseq, method: .invite, hash: hash)
    }

    /// The person From names, in lower case without escapes; nil when there is no user part.
    var fromUser: [UInt8]? { from.uri.plainUser.map { $0.map(ASCII.lowercased) } }

    /// Hash of everything the routing of this request depends on (RFC 3261 §16.6 step 8, RFC 5393 §4.2): the same when
    /// it comes by again, another when it comes by for another target (a spiral).
    func loopHash(_ hash: KeyedHash) -> UInt64 {
        var state = hash.begin(.loop)
        state.add(message.requestURIText)
        state.add(message.callID)
        state.add(message.value(of: .from) ?? [])
        state.add(message.value(of: .to) ?? [])
        state.add(UInt64(cseq.number))
        state.add(message.value(of: .route) ?? [])
        state.add(message.value(of: .proxyRequire) ?? [])
        return state.finish()
    }
}
