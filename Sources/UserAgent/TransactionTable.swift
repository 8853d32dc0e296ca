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
        guard let key = TransactionKey(response: response) else { return nil }
        for transaction in clients where transaction.key == key {
            let action = transaction.receive(response, at: now)
            forgetTerminated()
            return (transaction, action)
        }
        return nil
    }

    /// - Returns: the CANCEL of the INVITE with that owner, when it may be sent now; later, `receive` gives it.
    mutating func cancel(_ owner: Owner, at now: Instant) -> SIPMessage? {
        for transaction in clients where transaction.isPending && transaction.owner == owner {
            return transaction.cancel(at: now)
        }
        return nil
    }

    mutating func abandon(_ owner: Owner) {
        var index = clients.count
        while index > 0 {
            index -= 1
            if clients[index].owner == owner { clients.remove(at: index) }
        }
    }

    /// Whether a request of this owner waits for its final response, or, of INVITE, for more of them.
    func has(_ owner: Owner) -> Bool {
        for transaction in clients where transaction.owner == owner { return true }
        return false
    }

    /// Few end at a time, so one look over all after each input is cheap.
    private mutating func forgetTerminated() {
        var index = clients.count
        while index > 0 {
            index -= 1
            if clients[index].isTerminated { clients.remove(at: index) }
        }
        index = servers.count
        while index > 0 {
            index -= 1
            if servers[index].isTerminated { servers.remove(at: index) }
        }
    }

    // MARK: The peers'

    /// - Returns: the number of the new transaction.
    mutating func add(_ request: SIPMessage, key: TransactionKey, reliable: Bool) -> UInt32 {
        lastNumber &+= 1
        servers.append(ServerTransaction(number: lastNumber, key: key, request: request, reliable: reliable))
        return lastNumber
    }

    func server(_ key: TransactionKey) -> ServerTransaction? {
        for transaction in servers where transaction.key == key { return transaction }
        return nil
    }

    func isMerged(_ request: SIPMessage) -> Bool {
        guard let identity = ServerTransaction.mergingIdentity(of: request) else { return false }
        for transaction in servers where transaction.merging == identity { return true }
        return false
    }

    mutating func respond(_ response: SIPMessage, in number: UInt32, at now: Instant) -> ServerTransaction.Action {
        for transaction in servers where transaction.number == number {
            let action = transaction.respond(response, at: now)
            forgetTerminated()
            return action
        }
        return .none
    }

    mutating func acknowledge(_ key: TransactionKey, at now: Instant) -> ServerTransaction.Action? {
        guard let transaction = server(key) else { return nil }
        let action = transaction.receiveAcknowledgement(at: now)
        forgetTerminated()
        return action
    }

    // MARK: Time

    /// One client transaction that is due, with what follows; nil when none is left.
    mutating func nextDueClient(
        at now: Instant
    ) -> (transaction: ClientTransaction, action: ClientTransaction.Action)? {
        for transaction in clients where transaction.nextTimeout.isDue(at: now) {
            let action = transaction.handleTimeout(at: now)
            forgetTerminated()
            return (transaction, action)
        }
        return nil
    }

    mutating func nextDueServer(at now: Instant) -> ServerTransaction.Action? {
        for transaction in servers where transaction.nextTimeout.isDue(at: now) {
            let action = transaction.handleTimeout(at: now)
            forgetTerminated()
            return action
        }
        return nil
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
