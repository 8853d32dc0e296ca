import Accounts
import Base
import CallControl
import Dispatch
import GRDB
import SIP
import Synchronization

/// Binding changes that may wait: refreshes of what is on disk already. The last one per binding counts.
final class LazyBindings: Sendable {
    /// How long a refresh may wait for others. Losing one on power loss costs nothing: the binding is on disk with its
    /// former end, and devices refresh again long before that.
    static let patience = Duration.seconds(5)

    struct Key: Hashable {
        var user: [UInt8]
        var key: [UInt8]
    }

    private struct State {
        var saved: [Key: StoredBinding] = [:]
        var isScheduled = false
    }

    private let state = Mutex(State())

    /// - Returns: whether nobody has promised to write them yet.
    func add(_ bindings: [StoredBinding]) -> Bool {
        state.withLock { state in
            for stored in bindings { state.saved[Key(user: stored.binding.user, key: stored.binding.key)] = stored }
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
    }

    /// A change that does not wait overtakes what waits for the same bindings.
    func discard(user: [UInt8], keys: some Sequence<[UInt8]>) {
        state.withLock { state in
            guard !state.saved.isEmpty else { return }
            for key in keys { state.saved[Key(user: user, key: key)] = nil }
        }
    }

    func takeAll() -> [StoredBinding] {
        state.withLock { state in
            defer { state = State() }
            return Array(state.saved.values)
        }
    }
}

/// A binding and when it ends.
struct StoredBinding: Sendable {
    var binding: Binding
    var expires: WallTime
}

extension HouseholdStore {
    /// The SIP side's view of everybody.
    package func sipAccounts() async throws -> [SIPAccount] {
        try await read { database in
            var phones: [String: [PhoneCredential]] = [:]
            for row in try Row.fetchAll(database, sql: "SELECT * FROM phones ORDER BY created, id") {
                phones[try row.text("user_name"), default: []].append(try PhoneCredential(row: row))
            }
            return try String.fetchAll(database, sql: "SELECT user_name FROM people ORDER BY user_name").map { name in
                SIPAccount(user: Array(name.utf8), phones: phones[name] ?? [])
            }
        }
    }

    /// The SIP side's view of one person; nil when she is gone.
    package func sipAccount(of name: UserName) async throws -> SIPAccount? {
        try await read { database in
            guard try Self.person(name, database) != nil else { return nil }
            let rows = try Row.fetchAll(
                database, sql: "SELECT * FROM phones WHERE user_name = ? ORDER BY created, id", arguments: [name])
            return SIPAccount(user: name.bytes, phones: try rows.map(PhoneCredential.init(row:)))
        }
    }

    /// The bindings that have not ended, for the start of the SIP side.
    package func bindings() async throws -> [Binding] {
        let now = clock()
        return try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM bindings WHERE expires > ? ORDER BY user_name, key", arguments: [now]
            ).map { try Binding(row: $0, at: now) }
        }
    }

    /// Who has a device registered: a page or a phone.
    package func reachablePeople() async throws -> Set<UserName> {
        let now = clock()
        return try await read { database in
            try UserName.fetchSet(
                database, sql: "SELECT DISTINCT user_name FROM bindings WHERE expires > ?", arguments: [now])
        }
    }

    /// Stores a change that is being waited for.
    ///
    /// - Parameter completion: called on the store's own queue after the commit; nil, or why nothing was stored.
    package func apply(_ change: BindingChange, completion: @escaping @Sendable ((any Error)?) -> Void) {
        let now = clock()
        lazyBindings.discard(user: change.user, keys: change.removed + change.saved.map(\.key))
        let saved = change.saved.map { StoredBinding(binding: $0, expires: now + $0.remaining) }
        commits.submit(
            CommitQueue.Write(
                run: { try Self.write(removed: change.removed, of: change.user, saved: saved, $0) },
                finished: { completion($0.map(Self.understandable)) }))
    }

    /// Stores a change nobody waits for: together with others, within `LazyBindings.patience`.
    package func applyLazily(_ change: BindingChange) {
        guard change.removed.isEmpty else { return apply(change) { _ in } }
        let now = clock()
        let saved = change.saved.map { StoredBinding(binding: $0, expires: now + $0.remaining) }
        guard lazyBindings.add(saved) else { return }
        let delay = DispatchTimeInterval.milliseconds(Int(LazyBindings.patience.wholeMilliseconds))
        DispatchQueue.global().asyncAfter(deadline: .now() + delay) { [weak self] in self?.writeLazyBindings { _ in } }
    }

    /// Writes the refreshes that wait.
    package func flushBindings() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            writeLazyBindings { error in
                if let error { continuation.resume(throwing: error) } else { continuation.resume() }
            }
        }
    }

    private func writeLazyBindings(completion: @escaping @Sendable ((any Error)?) -> Void) {
        let all = lazyBindings.takeAll()
        let run: @Sendable (Database) throws -> Void = { database in
            // Only what is still there: a refresh must not bring back what was removed after it.
            for stored in all { try Self.refresh(stored, database) }
        }
        commits.submit(CommitQueue.Write(run: run, finished: { completion($0.map(Self.understandable)) }))
    }

    // MARK: - Inside a transaction

    private static func write(
        removed: [[UInt8]], of user: [UInt8], saved: [StoredBinding], _ database: Database
    ) throws {
        let name = String(decoding: user, as: UTF8.self)
        if !removed.isEmpty {
            let delete = try database.cachedStatement(sql: "DELETE FROM bindings WHERE user_name = ? AND key = ?")
            for key in removed { try delete.execute(arguments: [name, Bytes(key)]) }
        }
        guard !saved.isEmpty else { return }
        let insert = try database.cachedStatement(sql: insertBinding)
        for stored in saved { try insert.execute(arguments: stored.arguments) }
    }

    private static func refresh(_ stored: StoredBinding, _ database: Database) throws {
        let update = try database.cachedStatement(
            sql: "UPDATE bindings SET expires = ?, call_id = ?, cseq = ? WHERE user_name = ? AND key = ?")
        let binding = stored.binding
        try update.execute(arguments: [
            stored.expires, Bytes(binding.callID), Int64(binding.cseq), String(decoding: binding.user, as: UTF8.self),
            Bytes(binding.key),
        ])
    }

    private static let insertBinding = """
        INSERT INTO bindings (
            user_name, key, contact, instance, reg_id, q, call_id, cseq, path, phone, user_agent,
            transport, flow, remote, local, expires)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (user_name, key) DO UPDATE SET
            contact = excluded.contact, instance = excluded.instance, reg_id = excluded.reg_id, q = excluded.q,
            call_id = excluded.call_id, cseq = excluded.cseq, path = excluded.path, phone = excluded.phone,
            user_agent = excluded.user_agent, transport = excluded.transport, flow = excluded.flow,
            remote = excluded.remote, local = excluded.local, expires = excluded.expires
        """
}

extension StoredBinding {
    fileprivate var arguments: StatementArguments {
        [
            String(decoding: binding.user, as: UTF8.self), Bytes(binding.key), Bytes(binding.contact),
            Bytes(binding.instance), Int64(binding.regID), Int64(binding.q), Bytes(binding.callID),
            Int64(binding.cseq), Bytes(Array(binding.path.joined(separator: [ASCII.lineFeed]))), Bytes(binding.phone),
            Bytes(binding.userAgent), Int64(binding.flow.transport.rawValue), Int64(bitPattern: binding.flow.id),
            Bytes(binding.flow.remote.text), Bytes(binding.flow.local.text), expires,
        ]
    }
}

extension Binding {
    fileprivate init(row: Row, at now: WallTime) throws {
        guard let transport = SIPTransport(rawValue: try row.decode(UInt8.self, forColumn: "transport")),
            let remote = TransportAddress(stored: try row.bytes("remote")),
            let local = TransportAddress(stored: try row.bytes("local"))
        else { throw StoreError.failed("a binding's flow cannot be read") }
        let flow = Flow(
            transport: transport, id: UInt64(bitPattern: try row.decode(Int64.self, forColumn: "flow")),
            remote: remote, local: local)
        self.init(
            user: Array(try row.text("user_name").utf8), key: try row.bytes("key"), contact: try row.bytes("contact"),
            flow: flow, remaining: try row.time("expires") - now)
        instance = try row.bytes("instance")
        regID = try row.decode(UInt32.self, forColumn: "reg_id")
        q = try row.decode(UInt16.self, forColumn: "q")
        callID = try row.bytes("call_id")
        cseq = try row.decode(UInt32.self, forColumn: "cseq")
        path = try row.bytes("path").split(separator: ASCII.lineFeed).map(Array.init)
        phone = try row.bytes("phone")
        userAgent = try row.bytes("user_agent")
    }
}

extension TransportAddress {
    /// Reads what `text` wrote.
    fileprivate init?(stored text: [UInt8]) {
        guard let colon = text.lastIndex(of: ASCII.colon), let ip = IPAddress(parsing: text[..<colon]),
            let port = ASCII.decimal(text[(colon + 1)...]).flatMap(UInt16.init(exactly:))
        else { return nil }
        self.init(ip: ip, port: port)
    }
}

extension PhoneCredential {
    fileprivate init(row: Row) throws {
        self.init(
            label: Array(try row.text("label").utf8), md5: try row.bytes("md5"), sha256: try row.bytes("sha256"))
    }
}
