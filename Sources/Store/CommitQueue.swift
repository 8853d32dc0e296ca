import GRDB
import Synchronization

/// Groups writes into few commits: what arrives while one commit waits for the disk goes into the next one together.
///
///     submit ─▶ pending ─▶ [ BEGIN IMMEDIATE · savepoint per write · COMMIT = one fsync ] ─▶ every write is told
///
/// A write that fails rolls back to its savepoint and takes nobody with it. `finished` is called after the commit, so
/// that what it acknowledges is on disk.
final class CommitQueue: Sendable {
    /// One write. `finished` gets nil, or why nothing of it was stored.
    struct Write: Sendable {
        var run: @Sendable (Database) throws -> Void
        var finished: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var pending: [Write] = []
        var isScheduled = false
    }

    /// Writes per commit: bounds how long the first of them waits for the last.
    private static let maximumGroup = 512

    private let writer: any DatabaseWriter
    private let state = Mutex(State())
    /// Called on the writer's queue after every group, outside any transaction.
    private let committed: @Sendable (Database) -> Void

    init(writer: any DatabaseWriter, committed: @escaping @Sendable (Database) -> Void) {
        (self.writer, self.committed) = (writer, committed)
    }

    func submit(_ write: Write) {
        let mustSchedule = state.withLock { state in
            state.pending.append(write)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        guard mustSchedule else { return }
        writer.asyncWriteWithoutTransaction { [self] database in drain(database) }
    }

    /// Runs `work` in a group and returns after the commit.
    func run<Value: Sendable>(_ work: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        let result = Slot<Value>()
        return try await withCheckedThrowingContinuation { continuation in
            submit(
                Write(
                    run: { database in
                        let value = try work(database)
                        result.value.withLock { $0 = value }
                    },
                    finished: { error in
                        if let error { return continuation.resume(throwing: error) }
                        guard let value = result.value.withLock({ $0 }) else {
                            return continuation.resume(throwing: StoreError.failed("a write ended without a result"))
                        }
                        continuation.resume(returning: value)
                    }))
        }
    }

    private final class Slot<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }

    private func drain(_ database: Database) {
        while true {
            let group = state.withLock { state in
                let group = Array(state.pending.prefix(Self.maximumGroup))
                state.pending.removeFirst(group.count)
                if group.isEmpty { state.isScheduled = false }
                return group
            }
            guard !group.isEmpty else { return }
            let errors = commit(group, database)
            for (write, error) in zip(group, errors) { write.finished(error) }
            committed(database)
        }
    }

    /// One transaction. The result has each write's error, nil where it is on disk.
    private func commit(_ group: [Write], _ database: Database) -> [(any Error)?] {
        var errors = [(any Error)?](repeating: nil, count: group.count)
        do {
            try database.inTransaction(.immediate) {
                for (index, write) in group.enumerated() {
                    do {
                        try database.inSavepoint {
                            try write.run(database)
                            return .commit
                        }
                    } catch {
                        // SQLite gives the whole transaction up when the disk is full or fails (lang_transaction.html).
                        guard database.isInsideTransaction else { throw error }
                        errors[index] = error
                    }
                }
                return .commit
            }
        } catch {
            return group.map { _ in error }
        }
        return errors
    }
}
