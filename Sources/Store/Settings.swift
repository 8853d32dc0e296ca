import Base
import GRDB

extension HouseholdStore {
    /// The secret of this household's server: 32 random bytes, made when first asked for.
    ///
    /// Keys that must survive a restart are derived from it: believable salts, Record-Route tokens, digest nonces.
    package func serverSecret(random: RandomSource) async throws -> [UInt8] {
        try await write { database in
            if let secret = try Self.setting("server-secret", database) { return secret }
            var random = random
            let secret = random.bytes(count: 32)
            try Self.set("server-secret", to: secret, database)
            return secret
        }
    }

    package func setting(_ name: String) async throws -> [UInt8]? {
        try await read { try Self.setting(name, $0) }
    }

    package func set(_ name: String, to value: [UInt8]) async throws {
        try await write { try Self.set(name, to: value, $0) }
    }

    private static func setting(_ name: String, _ database: Database) throws -> [UInt8]? {
        try Bytes.fetchOne(database, sql: "SELECT value FROM settings WHERE name = ?", arguments: [name])?.bytes
    }

    private static func set(_ name: String, to value: [UInt8], _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO settings (name, value) VALUES (?, ?)
                ON CONFLICT (name) DO UPDATE SET value = excluded.value
                """,
            arguments: [name, Bytes(value)])
    }
}
