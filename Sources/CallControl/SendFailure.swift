import Base
import SIP

/// Datagrams that did not get through: RFC 3261 §18.4 and §16.9.
extension CallController {
    /// A `.send` over UDP failed: the kernel refused it (EPERM, EMSGSIZE, ENETUNREACH, EHOSTUNREACH, ECONNREFUSED), or an
    /// ICMP error says that a port, host or network is not reachable. The branch ends as if the next hop had answered 503,
    /// instead of waiting 32 s for nothing: its next address or flow takes over, or the others decide.
    ///
    /// A socket that is full for the moment is no failure, nor is an ICMP time exceeded (§18.4): the next copy of the
    /// request may get through. Streams have `flowClosed(_:at:)` instead.
    ///
    /// - Parameters:
    ///   - message: what could not be sent; nil when only the peer is known, as from ICMP.
    ///   - flow: the flow of the `.send`; from ICMP the socket's number and the peer's address.
    package mutating func sendFailed(_ message: [UInt8]?, on flow: Flow, at now: Instant) {
        guard flow.transport == .udp else { return }
        statistics.sendFailures &+= 1
        guard let message else { return peerUnreachable(flow, at: now) }
        do throws(SIPParseError) {
            let message = try SIPMessage(parsing: message)
            // An answer goes out again by itself (timer G), or when the request is repeated.
            guard message.isRequest, let method = message.method, let branch = try message.topVia().branch,
                let token = BranchToken(parsing: branch[...]), let slot = branchIndex.find(token.id),
                branches.elements[slot].loop == token.loop
            else { return }
            switch method {
            case .ack: return
            case .cancel:
                _ = branches.elements[slot].cancellation?.transportFailed()
                settleBranch(slot)
            default: lose(slot, at: now)
            }
        } catch { return }
    }

    /// Whoever has answered already is there, whatever an ICMP message says: anybody can send one.
    private mutating func peerUnreachable(_ flow: Flow, at now: Instant) {
        for slot in branches.indices
        where branches.isOccupied(slot) && branches.elements[slot].flow.transport == .udp
            && branches.elements[slot].flow.id == flow.id && branches.elements[slot].flow.remote == flow.remote
        {
            guard branches.elements[slot].invite?.state == .calling || branches.elements[slot].other?.state == .trying
            else { continue }
            lose(slot, at: now)
        }
    }

    private mutating func lose(_ slot: Int, at now: Instant) {
        guard branches.elements[slot].stage == .sent, !branches.elements[slot].isDone else { return }
        if !replaceLost(slot, at: now) {
            transportFailed(slot)
            fail(slot, branches.elements[slot].device == nil ? .unreachable : .deviceUnreachable, at: now)
        }
        settleBranch(slot)
    }
}
