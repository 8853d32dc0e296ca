import Dispatch
import GRDB
import Synchronization
import Testing

@testable import Store

@Suite struct CommitQueueTests {
    private let database: DatabaseQueue

    init() throws {
        database = try DatabaseQueue()
        try database.write { try $0.execute(sql: "CREATE TABLE numbers (number INTEGER PRIMARY KEY) STRICT") }
    }

    /// Submits writes while the disk is busy, and returns the number of commits and the error of each write.
    private func run(_ numbers: [Int]) async throws -> (commits: Int, failed: [Int]) {
        let commits = Mutex(0)
        let queue = CommitQueue(writer: database) { _ in commits.withLock { $0 += 1 } }
        let gate = DispatchSemaphore(value: 0)
        database.asyncWriteWithoutTransaction { _ in gate.wait() }
        let failed = await withCheckedContinuation { (continuation: CheckedContinuation<[Int], Never>) in
            let tally = Mutex((answers: 0, failed: [Int]()))
            for number in numbers {
                let run: @Sendable (Database) throws -> Void = { database in
                    try database.execute(sql: "INSERT INTO numbers VALUES (?)", arguments: [number])
                }
                let write = CommitQueue.Write(run: run) { error in
                    let counts = tally.withLock { tally in
                        tally.answers += 1
                        if error != nil { tally.failed.append(number) }
                        return tally
                    }
                    if counts.answers == numbers.count { continuation.resume(returning: counts.failed) }
                }
                queue.submit(write)
            }
            gate.signal()
        }
        // The last group is counted after its writes were told.
        try await database.writeWithoutTransaction { _ in }
        return (commits.withLock { $0 }, failed)
    }

    @Test func `what waits together is committed together`() async throws {
        let (commits, failed) = try await run(Array(1...500))
        #expect(commits == 1 && failed.isEmpty)
        #expect(try await database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM numbers") } == 500)
    }

    @Test func `a write that fails takes nobody with it`() async throws {
        let (commits, failed) = try await run([1, 2, 2, 3, 1, 4])
        #expect(commits == 1 && failed == [2, 1])
        #expect(try await database.read { try Int.fetchAll($0, sql: "SELECT number FROM numbers") } == [1, 2, 3, 4])
    }

    @Test func `when the commit fails, nothing was stored and everybody is told`() async throws {
        try await database.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE later (number INTEGER REFERENCES numbers DEFERRABLE INITIALLY DEFERRED);
                    CREATE TRIGGER break_commit AFTER INSERT ON numbers WHEN NEW.number = 7
                    BEGIN INSERT INTO later VALUES (99); END;
                    """)
        }
        let (_, failed) = try await run([6, 7, 8])
        #expect(failed == [6, 7, 8])
        #expect(try await database.read { try Int.fetchAll($0, sql: "SELECT number FROM numbers") }.isEmpty)
    }
}
