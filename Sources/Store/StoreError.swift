import GRDB

/// Why the database could not do its work. Refusals for reasons of the household are `AccountError`s.
package enum StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file cannot be opened or created.
    case cannotOpen(path: String, reason: String)
    /// A newer Hearth has changed the file.
    case newerSchema(path: String)
    /// No space left on the disk.
    case diskFull
    /// Another program held the database for longer than `HouseholdStore.busyTimeout`.
    case busy
    /// Anything else SQLite says.
    case failed(String)

    /// What happened and what to do, for the operator.
    package var description: String {
        switch self {
        case .cannotOpen(let path, let reason):
            "The database \(path) cannot be opened (\(reason)). Check that the folder exists and belongs to the user Hearth "
                + "runs as, or choose another with --data."
        case .newerSchema(let path):
            "The database \(path) was changed by a newer version of Hearth. Start that version, or restore a backup."
        case .diskFull: "The disk is full. Free some space; nothing was lost, but nothing new can be stored."
        case .busy:
            "Another program holds the database. End it (perhaps a stopped “hearth” or an SQLite shell) and try again."
        case .failed(let reason): "The database refused: \(reason)."
        }
    }

    init(_ error: any Error) {
        guard let error = error as? DatabaseError else {
            self = error as? StoreError ?? .failed(String(describing: error))
            return
        }
        self =
            switch error.resultCode {
            case .SQLITE_FULL: .diskFull
            case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
            default: .failed("\(error.resultCode): \(error.message ?? "no details")")
            }
    }
}
