import Foundation
import SIP
import Testing

/// A message of RFC 4475 or RFC 5118 as the RFC's own archive has it.
func tortureFile(_ folder: String, _ name: String) throws -> [UInt8] {
    let url = try #require(
        Bundle.module.url(forResource: name, withExtension: "dat", subdirectory: "Resources/\(folder)"))
    return [UInt8](try Data(contentsOf: url))
}

/// What the parser and `validate()` together say of a message.
enum Verdict: Equatable, CustomStringConvertible {
    case valid
    case refused(SIPParseError)

    init(_ bytes: [UInt8]) {
        do throws(SIPParseError) {
            let message = try SIPMessage(parsing: bytes)
            try message.validate()
            self = .valid
        } catch { self = .refused(error) }
    }

    var description: String {
        switch self {
        case .valid: "valid"
        case .refused(let error): "\(error.status) \(text(error.reason))"
        }
    }
}

func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
