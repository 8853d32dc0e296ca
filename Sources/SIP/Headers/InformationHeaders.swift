import Base

/// Retry-After (RFC 3261 §20.33).
package struct RetryAfter: HeaderValue, Equatable {
    package var seconds: Int
    /// Without the parentheses; nil when there is none.
    package var comment: [UInt8]?
    package var parameters: Parameters

    package init(seconds: Int) { (self.seconds, comment, parameters) = (seconds, nil, Parameters()) }

    package init(parsing text: ArraySlice<UInt8>) throws(SIPParseError) {
        var scanner = Scanner(text)
        scanner.skipSpace()
        guard let seconds = DeltaSeconds.parse(scanner.run(.digit)) else { throw .malformed(.retryAfter) }
        self.seconds = seconds
        scanner.skipSpace()
        if scanner.peek == 0x28 {
            guard let comment = scanner.comment() else { throw .malformed(.retryAfter) }
            self.comment = comment
        }
        guard let parameters = Parameters(scanning: &scanner, rules: .header) else { throw .malformed(.retryAfter) }
        self.parameters = parameters
        scanner.skipSpace()
        guard scanner.isAtEnd else { throw .malformed(.retryAfter) }
    }

    package func serialize(into out: inout [UInt8]) {
        out.appendDecimal(max(0, seconds))
        if let comment {
            out.append(" (")
            for byte in comment {
                if byte == 0x28 || byte == 0x29 || byte == ASCII.backslash { out.append(ASCII.backslash) }
                out.append(byte)
            }
            out.append(")")
        }
        parameters.serialize(into: &out)
    }
}

extension Scanner {
    /// Text in parentheses, which may nest, with escapes undone but inner parentheses kept.
    mutating func comment() -> [UInt8]? {
        guard take(0x28) else { return nil }
        var out: [UInt8] = []
        var depth = 1
        while let byte = peek {
            index += 1
            switch byte {
            case ASCII.backslash:
                guard let escaped = peek else { return nil }
                index += 1
                out.append(escaped)
                continue
            case 0x28: depth += 1
            case 0x29: depth -= 1
            default: break
            }
            if depth == 0 { return out }
            out.append(byte)
        }
        return nil
    }
}

/// One value of Warning (RFC 3261 §20.43): words for a person beside a refusal.
package struct Warning: HeaderValue, Equatable {
    /// 300 to 399.
    package var code: Int
    package var agent: [UInt8]
    package var message: [UInt8]

    package init(code: Int, agent: [UInt8], message: [UInt8]) {
        (self.code, self.agent, self.message) = (code, agent, message)
    }

    package init(parsing text: ArraySlice<UInt8>) throws(SIPParseError) {
        var scanner = Scanner(text)
        scanner.skipSpace()
        let digits = scanner.run(.digit)
        guard digits.count == 3, let code = ASCII.decimal(digits), scanner.skipGap() else { throw .malformed(.warning) }
        let agent = scanner.run(.authValue)
        guard !agent.isEmpty, scanner.skipGap(), let message = scanner.quotedString() else {
            throw .malformed(.warning)
        }
        scanner.skipSpace()
        guard scanner.isAtEnd else { throw .malformed(.warning) }
        (self.code, self.agent, self.message) = (code, Array(agent), Grammar.unquoted(message))
    }

    package func serialize(into out: inout [UInt8]) {
        out.appendDecimal(min(max(code, 300), 399))
        out.append(ASCII.space)
        out += agent
        out.append(ASCII.space)
        Grammar.quote(message, into: &out)
    }
}

/// Date: a moment of UTC with whole seconds, the only form of RFC 3261 §20.17.
package struct SIPDate: HeaderValue, Equatable {
    /// Since 1970-01-01T00:00:00Z, without leap seconds.
    package var secondsSince1970: Int64

    package init(secondsSince1970: Int64) { self.secondsSince1970 = secondsSince1970 }

    /// `Sat, 13 Nov 2010 23:29:00 GMT`; RFC 3261 knows no zone but GMT.
    package init(parsing text: ArraySlice<UInt8>) throws(SIPParseError) {
        guard let seconds = Self.read(text) else { throw .malformed(.date) }
        secondsSince1970 = seconds
    }

    private static let days = [UInt8](ascii: "ThuFriSatSunMonTueWed")
    private static let months = [UInt8](ascii: "JanFebMarAprMayJunJulAugSepOctNovDec")

    private static func read(_ text: ArraySlice<UInt8>) -> Int64? {
        var scanner = Scanner(text)
        scanner.skipSpace()
        guard name(&scanner, in: days) != nil, scanner.take(ASCII.comma), scanner.skipGap(),
            let day = digits(&scanner, 2), scanner.skipGap(), let month = name(&scanner, in: months), scanner.skipGap(),
            let year = digits(&scanner, 4), scanner.skipGap(), let hour = digits(&scanner, 2),
            scanner.take(ASCII.colon),
            let minute = digits(&scanner, 2), scanner.take(ASCII.colon), let second = digits(&scanner, 2),
            scanner.skipGap(), let zone = scanner.token(), ASCII.equalIgnoringCase(zone, [UInt8](ascii: "GMT"))
        else { return nil }
        scanner.skipSpace()
        guard scanner.isAtEnd, (1...31).contains(day), hour < 24, minute < 60, second <= 60 else { return nil }
        let date = daysSince1970(year: year, month: month + 1, day: day)
        return Int64(date) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    }

    private static func name(_ scanner: inout Scanner, in names: [UInt8]) -> Int? {
        let word = scanner.run(.letter)
        guard word.count == 3 else { return nil }
        return (0..<names.count / 3).first { ASCII.equalIgnoringCase(names[($0 * 3)..<($0 * 3 + 3)], word) }
    }

    private static func digits(_ scanner: inout Scanner, _ count: Int) -> Int? {
        let run = scanner.run(.digit)
        return run.count == count ? ASCII.decimal(run) : nil
    }

    /// Days of the proleptic Gregorian calendar, counted from 1 March so that a leap day ends the year.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    package func serialize(into out: inout [UInt8]) {
        // Years 1970 to 9999, the most four digits hold.
        let seconds = min(max(secondsSince1970, 0), 253_402_300_799)
        let (days, time) = (Int(seconds / 86_400), Int(seconds % 86_400))
        let (year, month, day) = Self.date(daysSince1970: days)
        out += Self.days[(days % 7 * 3)..<(days % 7 * 3 + 3)]
        out.append(", ")
        out.appendDigits(day, 2)
        out.append(ASCII.space)
        out += Self.months[(month * 3 - 3)..<(month * 3)]
        out.append(ASCII.space)
        out.appendDigits(year, 4)
        out.append(ASCII.space)
        out.appendDigits(time / 3600, 2)
        out.append(ASCII.colon)
        out.appendDigits(time / 60 % 60, 2)
        out.append(ASCII.colon)
        out.appendDigits(time % 60, 2)
        out.append(" GMT")
    }

    /// The inverse of `daysSince1970`, for days from 1970 on.
    private static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let isAfterFebruary = month < 10
        return (yearOfEra + era * 400 + (isAfterFebruary ? 0 : 1), isAfterFebruary ? month + 3 : month - 9, day)
    }
}

extension [UInt8] {
    /// Appends a number with leading zeros.
    fileprivate mutating func appendDigits(_ number: Int, _ width: Int) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            append(0x30 + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }
}

/// Headers that inform; nil when absent.
extension SIPMessage {
    package func retryAfter() throws(SIPParseError) -> RetryAfter? {
        guard let text = try single(.retryAfter) else { return nil }
        return try RetryAfter(parsing: text)
    }

    package func warnings() throws(SIPParseError) -> [Warning] {
        var out: [Warning] = []
        for text in try list(.warning) { out.append(try Warning(parsing: text)) }
        return out
    }

    package func date() throws(SIPParseError) -> SIPDate? {
        guard let text = try single(.date) else { return nil }
        return try SIPDate(parsing: text)
    }

    package var userAgent: ArraySlice<UInt8>? { value(of: .userAgent) }
    package var subject: ArraySlice<UInt8>? { value(of: .subject) }
}
