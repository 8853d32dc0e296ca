import Accounts
import GRDB

extension HouseholdStore {
    /// A person's native phones, oldest first.
    package func phones(of name: UserName) async throws -> [Phone] {
        try await read { try Self.phones(of: name, $0) }
    }

    /// Adds a phone. Somebody who is invited and has not opened her link is a person from her first phone on.
    package func add(_ phone: Phone) async throws {
        try await write { database in
            try Self.admit(phone.user, at: phone.created, database)
            let phones = try Self.phones(of: phone.user, database)
            guard phones.count < Phone.maximumPerPerson else { throw AccountError.tooManyPhones }
            guard !phones.contains(where: { $0.label == phone.label }) else {
                throw AccountError.labelTaken(phone.label.description)
            }
            try database.execute(
                sql: "INSERT INTO phones (id, user_name, label, md5, sha256, created) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    phone.id, phone.user, phone.label.description, Bytes(phone.md5), Bytes(phone.sha256), phone.created,
                ])
        }
    }

    /// Takes a phone's password away. Its bindings go when the SIP side hears of it.
    package func removePhone(_ id: Identifier<Phone>, of name: UserName) async throws {
        try await write { database in
            try database.execute(sql: "DELETE FROM phones WHERE id = ? AND user_name = ?", arguments: [id, name])
            guard database.changesCount == 1 else { throw AccountError.phoneUnknown }
        }
    }

    static func phones(of name: UserName, _ database: Database) throws -> [Phone] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM phones WHERE user_name = ? ORDER BY created, id", arguments: [name]
        ).map(Phone.init(row:))
    }
}

extension Phone {
    init(row: Row) throws {
        self.init(
            id: Identifier(try row.text("id")), user: try row.userName(),
            label: try PhoneLabel(parsing: row.text("label")), md5: try row.bytes("md5"),
            sha256: try row.bytes("sha256"), created: try row.time("created"))
    }
}
