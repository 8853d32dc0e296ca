import Base

/// A relation of two user agents, as one of them sees it (RFC 3261 §12).
///
///     INVITE sent ──── 1xx with a To tag ──> [early] ── 2xx ──> [confirmed]
///          └────────── 2xx ───────────────────────────────────────^
///     INVITE received ── 1xx with our tag ──> [early] ── 2xx ──> [confirmed]
///
/// SUBSCRIBE, NOTIFY and REFER make dialogs in the same way (RFC 6665 §4.4.1). A dialog ends when its owner drops it.
package struct Dialog: Sendable {
    package enum State: UInt8, Sendable { case early, confirmed }

    /// What makes a message part of a dialog. A tag that a peer of RFC 2543 left out is empty.
    package struct ID: Hashable, Sendable {
        package var callID: [UInt8]
        package var localTag: [UInt8]
        package var remoteTag: [UInt8]

        package init(callID: [UInt8], localTag: [UInt8], remoteTag: [UInt8]) {
            (self.callID, self.localTag, self.remoteTag) = (callID, localTag, remoteTag)
        }
    }

    /// What to do with a request that came for this dialog.
    package enum Verdict: Equatable, Sendable {
        case inOrder
        /// Older than one that was already seen: to be answered 500 (§12.2.2).
        case outOfOrder
        /// Of another dialog: to be answered 481.
        case notOurs
    }

    package private(set) var state: State
    package let id: ID
    /// Our address and tag: From of our requests.
    package let local: NameAddress
    /// The peer's address and tag: To of our requests.
    package let remote: NameAddress
    /// Where the peer wants to be reached: the Request-URI of our requests.
    package private(set) var remoteTarget: SIPURI
    /// The proxies between us, the one nearest to us first.
    package private(set) var routeSet: [NameAddress]
    /// The number of our latest request; nil before the first.
    package private(set) var localCSeq: UInt32?
    /// The number of the peer's latest request; nil before the first.
    package private(set) var remoteCSeq: UInt32?
    /// The dialog was asked for by a SIPS URI, or its way to the peer begins with one: our Contact must be one too
    /// (§8.1.1.8, §12.1.1, §12.1.2).
    package let isSecure: Bool

    /// The caller's side, made by a response to our request (§12.1.2).
    ///
    /// - Throws: what is missing in either. A provisional response without Contact, which some phones send against
    ///   §12.1.1, leaves the request's own target in place until the 2xx.
    package init(request: SIPMessage, response: SIPMessage) throws(SIPParseError) {
        let (from, to, answered) = (try request.from(), try request.to(), try response.to())
        let isFinal = (response.status ?? 100) >= 200
        local = from
        remote = to.tagged(answered.tag)
        id = ID(callID: Array(try request.required(.callID)), localTag: from.tag ?? [], remoteTag: answered.tag ?? [])
        let target = try request.requestURI
        if let contact = try response.contacts().first {
            remoteTarget = contact.uri
        } else {
            guard !isFinal else { throw .missing(.contact) }
            remoteTarget = target
        }
        routeSet = try response.recordRoutes().reversed()
        isSecure = Self.isSecure(target, routeSet.first?.uri)
        localCSeq = try request.cseq().number
        state = isFinal ? .confirmed : .early
    }

    /// The callee's side, made by a request to us (§12.1.1); also the subscriber's, made by a NOTIFY that overtook the
    /// answer to its SUBSCRIBE.
    ///
    /// - Parameters:
    ///   - localTag: the To tag of our responses; a NOTIFY has it already.
    ///   - localCSeq: the number of our latest request in this dialog, if there was one.
    /// - Throws: what is missing in the request, to be answered with the error's status.
    package init(received request: SIPMessage, localTag: [UInt8], localCSeq: UInt32? = nil) throws(SIPParseError) {
        let (from, to) = (try request.from(), try request.to())
        local = to.tagged(localTag)
        remote = from
        id = ID(callID: Array(try request.required(.callID)), localTag: localTag, remoteTag: from.tag ?? [])
        guard let contact = try request.contacts().first else { throw .missing(.contact) }
        remoteTarget = contact.uri
        routeSet = try request.recordRoutes()
        self.localCSeq = localCSeq
        remoteCSeq = try request.cseq().number
        isSecure = Self.isSecure(try request.requestURI, routeSet.first?.uri ?? contact.uri)
        state = .early
    }

    @inline(never)
    private static func isSecure(_ target: SIPURI, _ firstHop: SIPURI?) -> Bool {
        target.isSecure || firstHop?.isSecure == true
    }

    // MARK: - Progress

    /// The caller's early dialog got its 2xx: the route set is the one it names (§13.2.2.4), and the target too.
    /// A confirmed dialog takes nothing but the target.
    package mutating func confirm(by response: SIPMessage) throws(SIPParseError) {
        if state == .early {
            routeSet = try response.recordRoutes().reversed()
            state = .confirmed
        }
        try refreshTarget(from: response)
    }

    /// The callee sent its 2xx.
    package mutating func confirm() { state = .confirmed }

    /// Takes the Contact of a target refresh request, or of its 2xx, as the peer's new place (§12.2.1.2, §12.2.2;
    /// RFC 3311 §5.1; RFC 6665 §3.1). Other messages change nothing.
    package mutating func refreshTarget(from message: SIPMessage) throws(SIPParseError) {
        switch message.cseqMethod {
        case .invite, .update, .subscribe, .notify: break
        default: return
        }
        guard message.isRequest || (200...299).contains(message.status ?? 0) else { return }
        guard let contact = try message.contacts().first else { return }
        remoteTarget = contact.uri
    }

    // MARK: - Requests of ours

    /// The next request of this dialog (§12.2.1.1): first line, Via, Route, Max-Forwards, From, To, Call-ID and CSeq.
    /// Contact and the rest are for the caller to add.
    package mutating func request(_ method: SIPMethod, via: Via) -> MessageBuilder {
        // §8.1.1.5 keeps numbers below 2^31; one that starts low never gets there.
        let number = localCSeq.map { ($0 &+ 1) & 0x7fff_ffff } ?? 1
        localCSeq = number
        return build(method, number: number, via: via)
    }

    /// The ACK of a 2xx (§13.2.2.4), with the number of the INVITE it belongs to. Credentials of that INVITE are for the
    /// caller to add.
    package func acknowledgement(ofINVITE number: UInt32, via: Via) -> MessageBuilder {
        build(.ack, number: number, via: via)
    }

    /// Takes over the number of a request of this dialog that was sent again outside of `request`, with credentials for
    /// instance (§22.2 asks for a higher number).
    package mutating func noteSent(number: UInt32) { localCSeq = max(localCSeq ?? 0, number) }

    private func build(_ method: SIPMethod, number: UInt32, via: Via) -> MessageBuilder {
        let first = routeSet.first
        let isStrict = first.map { !$0.uri.isLooseRouter } ?? false
        var out = MessageBuilder.request(method, isStrict ? first?.uri ?? remoteTarget : remoteTarget)
        out.add(.via, via)
        for route in isStrict ? routeSet.dropFirst() : routeSet[...] { out.add(.route, route) }
        if isStrict { out.add(.route, NameAddress(uri: remoteTarget)) }
        out.add(.maxForwards, number: SIPMessage.initialMaxForwards)
        out.add(.from, local)
        out.add(.to, remote)
        out.add(.callID, id.callID)
        out.add(.cseq, CSeq(number: number, method: method))
        return out
    }

    /// Where our requests go first: the nearest proxy, or the peer itself (§8.1.2).
    package var nextHop: SIPURI { routeSet.first?.uri ?? remoteTarget }

    // MARK: - Requests of the peer

    /// Judges a request of the peer and remembers its number (§12.2.2).
    ///
    /// ACK belongs to the INVITE whose number it has and CANCEL to its transaction; both are always in order. So is BYE,
    /// against the letter of §12.2.2: one that a NOTIFY or INFO overtook over UDP still means that nobody is there any
    /// more, and refused with 500 it would leave us in the call alone. Copies of a request are the server transaction's
    /// and do not come here.
    package mutating func receive(_ request: SIPMessage) -> Verdict {
        guard ID(received: request) == id else { return .notOurs }
        do throws(SIPParseError) {
            let cseq = try request.cseq()
            if cseq.method == .ack || cseq.method == .cancel { return .inOrder }
            guard cseq.number >= remoteCSeq ?? 0 else { return cseq.method == .bye ? .inOrder : .outOfOrder }
            remoteCSeq = cseq.number
            return .inOrder
        } catch { return .notOurs }
    }
}

extension Dialog.ID {
    /// The dialog a received message is about: a request's From tag is the peer's, a response's is ours (§12).
    ///
    /// - Returns: nil when From, To or Call-ID is missing or broken, or a request has no To tag and so begins something.
    package init?(received message: SIPMessage) {
        do throws(SIPParseError) {
            let (from, to) = (try message.from().tag ?? [], try message.to().tag)
            guard to != nil || !message.isRequest else { return nil }
            let callID = Array(try message.required(.callID))
            self =
                message.isRequest
                ? Dialog.ID(callID: callID, localTag: to ?? [], remoteTag: from)
                : Dialog.ID(callID: callID, localTag: from, remoteTag: to ?? [])
        } catch { return nil }
    }
}

extension NameAddress {
    /// The same address with another tag, or with none.
    fileprivate func tagged(_ tag: [UInt8]?) -> NameAddress {
        var copy = self
        copy.tag = tag
        return copy
    }
}
