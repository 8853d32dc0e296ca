import Base
import SIP

/// All transactions of the phone (RFC 3261 §17). A few dozen at most, so they are searched in order.
struct TransactionTable: Sendable {
    private(set) var clients: [ClientTransaction] = []
    private(set) var servers: [ServerTransaction] = []
    private var lastNumber = UInt32(0)

    var isFull: Bool { clients.count + servers.count >= Limits.transactions }

    var nextTimeout: Instant? {
        var soonest: Instant?
        for client in clients { soonest = soonest.orSooner(client.nextTimeout) }
        for server in servers { soonest = soonest.orSooner(server.nextTimeout) }
        return soonest
    }

    // MARK: Ours

    mutating func add(_ transaction: ClientTransaction) { clients.append(transaction) }

    mutating func receive(
        _ response: SIPMessage, at now: Instant
    ) -> (transaction: ClientTransaction, action: ClientTransaction.Action)? {
        guard let key = TransactionKey(response: response), let index = clients.firstIndex(where: { $0.key == key })
        else { return nil }
        let action = clients[index].receive(response, at: now)
        let transaction = clients[index]
        if transaction.isTerminated { clients.remove(at: index) }
        return (transaction, action)
    }

    /// - Returns: the CANCEL of the INVITE with that owner, when it may be sent now; later, `receive` gives it.
    mutating func cancel(_ owner: Owner, at now: Instant) -> SIPMessage? {
        guard let index = clients.firstIndex(where: { $0.owner == owner && $0.isPending }) else { return nil }
        return clients[index].cancel(at: now)
    }

    mutating func abandon(_ owner: Owner) { clients.removeAll { $0.owner == owner } }

    /// Whether a request of this owner waits for its final response, or, of INVITE, for more of them.
    func has(_ owner: Owner) -> Bool { clients.contains { $0.owner == owner } }

    // MARK: The peers'

    /// - Returns: the number of the new transaction.
    mutating func add(_ request: SIPMessage, key: TransactionKey, reliable: Bool) -> UInt32 {
        lastNumber &+= 1
        servers.append(ServerTransaction(number: lastNumber, key: key, request: request, reliable: reliable))
        return lastNumber
    }

    func server(_ key: TransactionKey) -> ServerTransaction? { servers.first { $0.key == key } }

    func isMerged(_ request: SIPMessage) -> Bool {
        guard let identity = ServerTransaction.mergingIdentity(of: request) else { return false }
        return servers.contains { $0.merging == identity }
    }

    mutating func respond(_ response: SIPMessage, in number: UInt32, at now: Instant) -> ServerTransaction.Action {
        guard let index = servers.firstIndex(where: { $0.number == number }) else { return .none }
        let action = servers[index].respond(response, at: now)
        if servers[index].isTerminated { servers.remove(at: index) }
        return action
    }

    mutating func acknowledge(_ key: TransactionKey, at now: Instant) -> ServerTransaction.Action? {
        guard let index = servers.firstIndex(where: { $0.key == key }) else { return nil }
        let action = servers[index].receiveAcknowledgement(at: now)
        if servers[index].isTerminated { servers.remove(at: index) }
        return action
    }

    // MARK: Time

    /// One client transaction that is due, with what follows; nil when none is left.
    mutating func nextDueClient(
        at now: Instant
    ) -> (transaction: ClientTransaction, action: ClientTransaction.Action)? {
        guard let index = clients.firstIndex(where: { $0.nextTimeout.isDue(at: now) }) else { return nil }
        let action = clients[index].handleTimeout(at: now)
        let transaction = clients[index]
        if transaction.isTerminated { clients.remove(at: index) }
        return (transaction, action)
    }

    mutating func nextDueServer(at now: Instant) -> ServerTransaction.Action? {
        guard let index = servers.firstIndex(where: { $0.nextTimeout.isDue(at: now) }) else { return nil }
        let action = servers[index].handleTimeout(at: now)
        if servers[index].isTerminated { servers.remove(at: index) }
        return action
    }
}

extension Instant? {
    /// The earlier of two deadlines, of which either may be none.
    func orSooner(_ other: Instant?) -> Instant? {
        guard let self, let other else { return self ?? other }
        return Swift.min(self, other)
    }

    func isDue(at now: Instant) -> Bool {
        guard let self else { return false }
        return now >= self
    }
}
