import Accounts
import Base
import Foundation
import GRDB
import Synchronization

/// Everything the household must not forget: people, their credentials, links, sessions, phones, bindings, settings.
///
/// SQLite in WAL mode. A function that changes something returns after its commit has reached the disk
/// (`synchronous = FULL`: the log is synced before the commit is reported), so that it may be acknowledged. Several
/// processes may use the same file: the command line changes it while the server runs, and the server hears about it
/// through `changes`.
///
/// Refusals are `AccountError`; trouble with the file is `StoreError`.
package final class HouseholdStore: Sendable {
    /// How long to wait for another process that writes. Ours write for milliseconds.
    package static let busyTimeout: TimeInterval = 5

    /// How long a used or expired link is remembered, so that its opener is told why it does not work.
    static let linkMemory = Duration.seconds(30 * 86_400)

    /// What a running server must hear about, from this process and from others, in the order of the commits.
    ///
    /// One consumer. The changes begin where the store was opened, so read them from before `sipAccounts()` was called.
    package let changes: AsyncStream<StoreChange>

    let writer: any DatabaseWriter
    let commits: CommitQueue
    let lazyBindings = LazyBindings()
    /// The time of day.
    package let clock: @Sendable () -> WallTime
    private let journal: ChangeJournal
    private let watching = Mutex<Task<Void, Never>?>(nil)

    /// Opens, creates and migrates the database.
    ///
    /// - Parameters:
    ///   - path: the file; its folder exists.
    ///   - clock: the time of day, for tests.
    package static func open(
        path: String, clock: @escaping @Sendable () -> WallTime = HouseholdStore.now
    ) throws(StoreError) -> HouseholdStore {
        makePrivate(path)
        do {
            let pool = try DatabasePool(path: path, configuration: configuration)
            // A pool begins with NORMAL, which in WAL mode may lose the last commits with the power (pragma.html).
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            return try HouseholdStore(writer: pool, path: path, clock: clock)
        } catch let error as StoreError {
            throw error
        } catch {
            throw .cannotOpen(path: path, reason: (error as? DatabaseError)?.message ?? String(describing: error))
        }
    }

    /// A database that lives as long as the object, for tests.
    package static func inMemory(
        clock: @escaping @Sendable () -> WallTime = HouseholdStore.now
    ) throws(StoreError) -> HouseholdStore {
        do {
            return try HouseholdStore(
                writer: DatabaseQueue(configuration: configuration), path: ":memory:", clock: clock)
        } catch {
            throw StoreError(error)
        }
    }

    private init(writer: any DatabaseWriter, path: String, clock: @escaping @Sendable () -> WallTime) throws {
        let migrator = Schema.migrator
        guard try !writer.read(migrator.hasBeenSuperseded) else { throw StoreError.newerSchema(path: path) }
        do {
            try migrator.migrate(writer)
        } catch {
            // The command line and the server may have met at the very first start: the other one did the work.
            guard try writer.read(migrator.hasCompletedMigrations) else { throw error }
        }
        let journal = try writer.write { try ChangeJournal(opening: $0) }
        self.writer = writer
        self.clock = clock
        self.journal = journal
        changes = journal.changes
        commits = CommitQueue(writer: writer) { journal.publish($0) }
    }

    /// The system's time of day.
    @Sendable package static func now() -> WallTime {
        WallTime(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
    }

    private static var configuration: GRDB.Configuration {
        var configuration = GRDB.Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(busyTimeout)
        // Questions are small and fast; every reader costs memory.
        configuration.maximumReaderCount = 2
        configuration.label = "store"
        configuration.prepareDatabase { database in
            // 1 MiB of pages per connection.
            try database.execute(sql: "PRAGMA cache_size = -1024")
        }
        return configuration
    }

    /// Creates the file for its owner's eyes only. SQLite gives the log beside it the same permissions.
    private static func makePrivate(_ path: String) {
        guard !FileManager.default.fileExists(atPath: path) else { return }
        _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
    }

    // MARK: - Running

    /// Looks for other processes' changes every so often, and once an hour tidies up. Until `close()`.
    package func watch(every interval: Duration = .milliseconds(250)) {
        let task = Task { [weak self] in
            var sinceTidying = Self.tidyInterval
            while !Task.isCancelled {
                guard let self else { return }
                writer.asyncWriteWithoutTransaction { [journal] in journal.publish($0) }
                if sinceTidying >= Self.tidyInterval {
                    tidyUp()
                    sinceTidying = .zero
                }
                try? await Task.sleep(for: interval, tolerance: interval / 10)
                sinceTidying += interval
            }
        }
        watching.withLock { previous in
            previous?.cancel()
            previous = task
        }
    }

    private static let tidyInterval = Duration.seconds(3600)

    /// Forgets sessions, links and bindings that are over.
    private func tidyUp() {
        let now = clock()
        commits.submit(CommitQueue.Write(run: { try Self.tidyUp($0, at: now) }, finished: { _ in }))
    }

    static func tidyUp(_ database: Database, at now: WallTime) throws {
        let oldSessions = now - Session.lifetime
        try database.execute(sql: "DELETE FROM sessions WHERE last_used <= ?", arguments: [oldSessions.milliseconds])
        let oldLinks = now - linkMemory
        try database.execute(
            sql: "DELETE FROM links WHERE expires <= ? OR used <= ?",
            arguments: [oldLinks.milliseconds, oldLinks.milliseconds])
        try database.execute(sql: "DELETE FROM bindings WHERE expires <= ?", arguments: [now.milliseconds])
    }

    /// Writes what waits, ends `changes` and closes the file. Nothing may be asked of the store afterwards.
    package func close() async {
        watching.withLock { task in
            task?.cancel()
            task = nil
        }
        try? await flushBindings()
        journal.finish()
        let path = (writer as? DatabasePool)?.path
        try? writer.close()
        // A pool's last connection only reads, so that SQLite leaves the log beside the file (wal.html §6). One more
        // that may write takes it in, unless another process still has the file open: then that one will.
        guard let path, let last = try? DatabaseQueue(path: path) else { return }
        _ = try? await last.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_master") }
        try? last.close()
    }

    // MARK: - Reading and writing

    func read<Value: Sendable>(_ query: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do { return try await writer.read(query) } catch { throw Self.understandable(error) }
    }

    /// Returns after the commit.
    func write<Value: Sendable>(_ change: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do { return try await commits.run(change) } catch { throw Self.understandable(error) }
    }

    static func understandable(_ error: any Error) -> any Error {
        error is AccountError ? error : StoreError(error)
    }
}
