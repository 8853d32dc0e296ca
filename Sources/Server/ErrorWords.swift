import Accounts
import Foundation
import Store

/// What an error says to an operator, in one line.
package enum ErrorWords {
    package static func words(for error: any Error) -> String {
        switch error {
        case let error as SettingsError: error.description
        case let error as AccountError: error.message
        case let error as StoreError: error.description
        case let error as CocoaError: error.localizedDescription
        default: String(describing: error)
        }
    }
}

/// Writes a line to standard error.
package func printError(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data("hearth: \(text)\n".utf8))
}
