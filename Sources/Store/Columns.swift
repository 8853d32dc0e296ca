import Accounts
import Foundation
import GRDB

/// A blob.
struct Bytes: DatabaseValueConvertible, StatementColumnConvertible {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init?(sqliteStatement: SQLiteStatement, index: CInt) {
        bytes = Array(Data(sqliteStatement: sqliteStatement, index: index))
    }

    var databaseValue: DatabaseValue { Data(bytes).databaseValue }

    static func fromDatabaseValue(_ value: DatabaseValue) -> Bytes? {
        Data.fromDatabaseValue(value).map { Bytes(Array($0)) }
    }
}

extension Row {
    func bytes(_ column: String) throws -> [UInt8] { try decode(Bytes.self, forColumn: column).bytes }
    func text(_ column: String) throws -> String { try decode(String.self, forColumn: column) }
    func time(_ column: String) throws -> WallTime {
        WallTime(milliseconds: try decode(Int64.self, forColumn: column))
    }
    func userName(_ column: String = "user_name") throws -> UserName { try UserName(parsing: text(column)) }
    func optional<Value: DatabaseValueConvertible>(_ column: String) throws -> Value? {
        try decode(Value?.self, forColumn: column)
    }
}

extension WallTime: DatabaseValueConvertible {
    package var databaseValue: DatabaseValue { milliseconds.databaseValue }

    package static func fromDatabaseValue(_ value: DatabaseValue) -> WallTime? {
        Int64.fromDatabaseValue(value).map(WallTime.init(milliseconds:))
    }
}

extension UserName: DatabaseValueConvertible {
    package var databaseValue: DatabaseValue { description.databaseValue }

    package static func fromDatabaseValue(_ value: DatabaseValue) -> UserName? {
        String.fromDatabaseValue(value).flatMap { try? UserName(parsing: $0) }
    }
}

extension FullName: DatabaseValueConvertible {
    package var databaseValue: DatabaseValue { description.databaseValue }

    package static func fromDatabaseValue(_ value: DatabaseValue) -> FullName? {
        String.fromDatabaseValue(value).flatMap { try? FullName(parsing: $0) }
    }
}

extension Identifier: DatabaseValueConvertible {
    package var databaseValue: DatabaseValue { description.databaseValue }

    package static func fromDatabaseValue(_ value: DatabaseValue) -> Identifier? {
        String.fromDatabaseValue(value).map { Identifier($0) }
    }
}
