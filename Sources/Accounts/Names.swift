import Base

// Swift's own Unicode normalisation, which Foundation uses too; without it a pure target would need Foundation.
@_spi(_Unicode) import Swift

/// The name a person signs in with, and the user part of her SIP address: `anna` in `sip:anna@example.org`.
///
/// Lower-case letters a-z, digits, `.`, `_` and `-`, 1 to 32 of them, the first a letter: safe in a SIP URI, an HTTP
/// path, a shell and a file name without any escaping.
package struct UserName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Long enough for any name, short enough for a desk phone's display and log lines.
    package static let maximumLength = 32

    package let description: String

    /// Reads what a person typed: capitals become small letters and spaces around it go, since phones' keyboards add both.
    package init(parsing text: some StringProtocol) throws(AccountError) {
        var bytes = Array(text.utf8)[...].drop { $0 == ASCII.space }
        while bytes.last == ASCII.space { bytes.removeLast() }
        guard bytes.count <= Self.maximumLength, let first = bytes.first, ASCII.isLetter(first) else {
            throw .badUserName
        }
        let lowered = bytes.map(ASCII.lowercased)
        guard lowered.allSatisfy({ ASCII.isAlphanumeric($0) || $0 == 0x2e || $0 == 0x5f || $0 == 0x2d }) else {
            throw .badUserName
        }
        description = String(decoding: lowered, as: UTF8.self)
    }

    /// Reads the user part of a SIP address, or whatever else arrives as bytes.
    package init(parsing bytes: some Collection<UInt8>) throws(AccountError) {
        try self.init(parsing: String(decoding: bytes, as: UTF8.self))
    }

    /// The name as SIP has it.
    package var bytes: [UInt8] { Array(description.utf8) }

    package static func < (left: UserName, right: UserName) -> Bool { left.description < right.description }
}

/// What the family calls a person: any script, one line, in Unicode Normalization Form C.
package struct FullName: Hashable, Sendable, CustomStringConvertible {
    /// What fits a list on a small screen.
    package static let maximumCharacters = 64

    package let description: String

    package init(parsing text: some StringProtocol) throws(AccountError) {
        guard let line = DisplayText.line(text, maximumCharacters: Self.maximumCharacters) else { throw .badFullName }
        description = line
    }
}

/// What a person calls one of her native phones: `Kitchen`.
package struct PhoneLabel: Hashable, Sendable, CustomStringConvertible {
    /// What fits a list on a small screen.
    package static let maximumCharacters = 40

    package let description: String

    package init(parsing text: some StringProtocol) throws(AccountError) {
        guard let line = DisplayText.line(text, maximumCharacters: Self.maximumCharacters) else { throw .badLabel }
        description = line
    }
}

/// Text that people type and other people read.
enum DisplayText {
    /// Characters may carry any number of combining marks, so that the bytes need a limit of their own.
    private static let maximumBytesPerCharacter = 8

    /// One line in NFC without spaces around it, or nil when it is empty, too long, or holds controls, line breaks or
    /// marks that turn the direction of the text around it (which could make one name look like another).
    static func line(_ text: some StringProtocol, maximumCharacters: Int) -> String? {
        guard text.utf8.count <= maximumCharacters * maximumBytesPerCharacter * 2 else { return nil }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return nil }
        let composed = String(String.UnicodeScalarView(String(String.UnicodeScalarView(scalars[first...last]))._nfc))
        guard composed.count <= maximumCharacters, composed.utf8.count <= maximumCharacters * maximumBytesPerCharacter,
            composed.unicodeScalars.allSatisfy(isPrintable)
        else { return nil }
        return composed
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: return false
        default: break
        }
        // Bidirectional controls (UAX #9 §2), the byte order mark, and the replacement of bytes that were no text.
        switch scalar.value {
        case 0x061c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069, 0xfeff, 0xfffd: return false
        default: return true
        }
    }
}
