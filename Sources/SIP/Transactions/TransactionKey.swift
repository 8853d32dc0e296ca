import Base

/// Which transaction a message belongs to (RFC 3261 §17.1.3 and §17.2.3).
///
/// A client transaction is found by branch and CSeq method, a server transaction by branch, sent-by and method, where
/// ACK counts as INVITE. Requests without the magic cookie (RFC 2543) are told apart by Request-URI, From tag, Call-ID,
/// CSeq number and the whole top Via. The To tag is left out of those, although §17.2.3 names it: the first INVITE
/// has none, its ACK has ours, and nothing else differs in it alone.
///
/// Looking one up allocates nothing: a key of a message borrows the message's bytes. `stored()` gives one to keep.
package struct TransactionKey: Sendable {
    private let bytes: [UInt8]
    private let branch, sentBy: Range<Int>
    package let method: SIPMethod

    private init(bytes: [UInt8], branch: Range<Int>, sentBy: Range<Int>, method: SIPMethod) {
        (self.bytes, self.branch, self.sentBy, self.method) = (bytes, branch, sentBy, method)
    }

    /// The server transaction that a received request begins, repeats or, if it is an ACK, acknowledges.
    ///
    /// - Returns: nil when the top Via, or what RFC 2543 matching needs, is missing or broken.
    package init?(request: SIPMessage) {
        guard let method = request.method, let top = TopVia(of: request) else { return nil }
        let counted = method == .ack ? .invite : method
        guard let branch = top.branch, TopVia.isModern(top.bytes[branch]) else {
            self.init(oldRequest: request, top: top, method: counted)
            return
        }
        self.init(bytes: top.bytes, branch: branch, sentBy: top.sentBy, method: counted)
    }

    /// The client transaction of a request that we send.
    package init?(sent request: SIPMessage) {
        guard let method = request.method, let top = TopVia(of: request), let branch = top.branch else { return nil }
        self.init(bytes: top.bytes, branch: branch, sentBy: 0..<0, method: method)
    }

    /// The client transaction that a received response answers.
    package init?(response: SIPMessage) {
        guard let method = response.cseqMethod, let top = TopVia(of: response), let branch = top.branch else {
            return nil
        }
        self.init(bytes: top.bytes, branch: branch, sentBy: 0..<0, method: method)
    }

    private init?(oldRequest request: SIPMessage, top: TopVia, method: SIPMethod) {
        guard let callID = request.value(of: .callID), let cseq = request.value(of: .cseq) else { return nil }
        var key = Array(request.requestURIText)
        // No header value has a zero byte, so the parts cannot run into each other.
        key.append(0)
        key += request.fromTag ?? []
        key.append(0)
        key += callID
        key.append(0)
        key += cseq.prefix(while: ASCII.isDigit)
        key.append(0)
        key += top.bytes[top.whole]
        self.init(bytes: key, branch: 0..<key.count, sentBy: 0..<0, method: method)
    }

    /// The INVITE's transaction that a CANCEL with this key is about (§9.2).
    package var cancelled: TransactionKey {
        TransactionKey(bytes: bytes, branch: branch, sentBy: sentBy, method: .invite)
    }

    /// The same key with bytes of its own, so that keeping it does not keep a whole message.
    package func stored() -> TransactionKey {
        var own: [UInt8] = []
        own.reserveCapacity(branch.count + sentBy.count)
        own += bytes[branch]
        own += bytes[sentBy]
        return TransactionKey(
            bytes: own, branch: 0..<branch.count, sentBy: branch.count..<own.count, method: method)
    }
}

extension TransactionKey: Hashable {
    /// Branches are compared with case: peers repeat ours unchanged, and some make theirs by base64.
    package static func == (left: TransactionKey, right: TransactionKey) -> Bool {
        left.method == right.method && left.bytes[left.branch].elementsEqual(right.bytes[right.branch])
            && ASCII.equalIgnoringCase(left.bytes[left.sentBy], right.bytes[right.sentBy])
    }

    package func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { all in hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: all[branch])) }
        // Eight bytes at a time without case; a peer chooses both parts, so both must count.
        var word = UInt64(sentBy.count)
        for (position, byte) in bytes[sentBy].enumerated() {
            word = word << 8 | UInt64(ASCII.lowercased(byte))
            if position & 7 == 7 { hasher.combine(word) }
        }
        hasher.combine(word)
        hasher.combine(method)
    }
}

/// The places in a message's top Via that identify a transaction, found without parsing the rest.
struct TopVia {
    /// The message's bytes, or those of the unfolded header.
    let bytes: [UInt8]
    /// The top Via's value.
    let whole: Range<Int>
    let sentBy: Range<Int>
    let branch: Range<Int>?

    /// - Returns: nil when there is no Via, or it does not begin as one.
    init?(of message: SIPMessage) {
        guard let line = message.lines.first(where: { $0.code == .via }) else { return nil }
        bytes = line.isFolded ? Array(message.text(of: line)) : message.bytes
        let value = line.isFolded ? bytes[...] : message.bytes[line.value]
        var scanner = Scanner(value)
        scanner.skipSpace()
        let start = scanner.index
        guard scanner.token() != nil, scanner.takeSeparator(0x2f), scanner.token() != nil, scanner.takeSeparator(0x2f),
            scanner.token() != nil
        else { return nil }
        scanner.skipSpace()
        sentBy = scanner.range(.viaParameter)
        guard !sentBy.isEmpty else { return nil }
        var branch: Range<Int>?
        while let byte = scanner.peek, byte != ASCII.comma {
            guard scanner.takeSeparator(ASCII.semicolon) else {
                scanner.index += 1
                continue
            }
            let name = scanner.run(.token)
            guard scanner.takeSeparator(ASCII.equals) else { continue }
            let value = scanner.quotedString() ?? scanner.run(.viaParameter)
            if branch == nil, ASCII.equalIgnoringCase(name, Self.branchName) { branch = Self.range(of: value) }
        }
        self.branch = branch
        whole = start..<scanner.index
    }

    /// Whether a branch begins with the magic cookie and has more (§8.1.1.7).
    static func isModern(_ branch: ArraySlice<UInt8>) -> Bool {
        branch.count > Via.magicCookie.count && branch.starts(with: Via.magicCookie)
    }

    private static let branchName = [UInt8](ascii: "branch")

    private static func range(of slice: ArraySlice<UInt8>) -> Range<Int> { slice.startIndex..<slice.endIndex }
}
