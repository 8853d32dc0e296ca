import Accounts
import GRDB
import Synchronization

/// What the SIP side of a running server must hear about.
package enum StoreChange: Hashable, Sendable {
    /// A person or one of her phones came, changed or went. Ask `sipAccount(of:)`: nil says that she is gone.
    case account(UserName)
    /// A session ended: its WebSocket connections are to be closed.
    case sessionEnded(Identifier<Session>, UserName)
}

/// Reads the `changes` table, which triggers of the schema fill, and publishes what is new.
///
/// Used on the writer's queue alone, so that no change is published twice or out of order.
final class ChangeJournal: Sendable {
    /// Rows kept. A server that slept through more of them at once would miss some; it looks four times a second.
    private static let kept = 10_000

    let changes: AsyncStream<StoreChange>
    private let continuation: AsyncStream<StoreChange>.Continuation
    private let published: Mutex<Int64>

    init(opening database: Database) throws {
        let last = try Int64.fetchOne(database, sql: "SELECT max(sequence) FROM changes") ?? 0
        try database.execute(sql: "DELETE FROM changes WHERE sequence <= ?", arguments: [last - Int64(Self.kept)])
        published = Mutex(last)
        (changes, continuation) = AsyncStream.makeStream()
    }

    func publish(_ database: Database) {
        let last = published.withLock { $0 }
        // An error here (another process holds the file) mends itself: the rows are still there next time.
        guard
            let statement = try? database.cachedStatement(
                sql: "SELECT sequence, user_name, session FROM changes WHERE sequence > ? ORDER BY sequence"),
            let rows = try? Row.fetchAll(statement, arguments: [last]), let newest = rows.last
        else { return }
        published.withLock { $0 = newest["sequence"] }
        for row in rows {
            guard let user = try? UserName(parsing: row["user_name"] as String) else { continue }
            if let session = row["session"] as String? {
                continuation.yield(.sessionEnded(Identifier(session), user))
            } else {
                continuation.yield(.account(user))
            }
        }
    }

    func finish() { continuation.finish() }
}
