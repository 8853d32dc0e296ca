import Base

/// The two requests that are made from another one and go exactly as far as it went.
extension SIPMessage {
    /// The ACK of an INVITE that got a final response other than 2xx (RFC 3261 §17.1.1.3).
    ///
    /// - Returns: nil when the response has no To, or self is no INVITE of ours.
    func acknowledgement(of response: SIPMessage) -> SIPMessage? {
        guard method == .invite, let to = response.value(of: .to) else { return nil }
        return hopRequest(.ack, to: to)
    }

    /// The CANCEL of an INVITE (RFC 3261 §9.1): the same Request-URI, Via, Route, From, To, Call-ID and CSeq number.
    func cancellation() -> SIPMessage? {
        guard method == .invite, let to = value(of: .to) else { return nil }
        return hopRequest(.cancel, to: to)
    }

    private func hopRequest(_ method: SIPMethod, to: ArraySlice<UInt8>) -> SIPMessage? {
        guard let top = TopVia(of: self) else { return nil }
        do throws(SIPParseError) {
            var out = MessageBuilder.request(method, try requestURI)
            out.add(.via, top.bytes[top.whole])
            out.copy(.route, from: self)
            out.add(.maxForwards, number: Self.initialMaxForwards)
            out.copy(.from, from: self)
            out.add(.to, to)
            out.copy(.callID, from: self)
            out.add(.cseq, CSeq(number: try cseq().number, method: method))
            return out.finish()
        } catch { return nil }
    }

    /// Hops a request of ours may take (RFC 3261 §8.1.1.6).
    package static let initialMaxForwards = 70
}
