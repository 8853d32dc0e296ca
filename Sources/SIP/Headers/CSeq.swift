import Base

/// The order of requests in a dialog (RFC 3261 §20.16).
package struct CSeq: HeaderValue, Hashable {
    /// Below 2^31 (RFC 3261 §8.1.1.5).
    package var number: UInt32
    package var method: SIPMethod

    package init(number: UInt32, method: SIPMethod) { (self.number, self.method) = (number, method) }

    package init(parsing text: ArraySlice<UInt8>) throws(SIPParseError) {
        var scanner = Scanner(text)
        scanner.skipSpace()
        guard let number = scanner.sequenceNumber(), scanner.skipGap(), let method = scanner.token() else {
            throw .malformed(.cseq)
        }
        scanner.skipSpace()
        guard scanner.isAtEnd else { throw .malformed(.cseq) }
        (self.number, self.method) = (number, SIPMethod(method))
    }

    package func serialize(into out: inout [UInt8]) {
        out.appendDecimal(Int(number))
        out.append(ASCII.space)
        method.serialize(into: &out)
    }
}

/// Which provisional response a PRACK acknowledges (RFC 3262 §7.2).
package struct RAck: HeaderValue, Hashable {
    package var responseNumber: UInt32
    package var cseq: CSeq

    package init(responseNumber: UInt32, cseq: CSeq) { (self.responseNumber, self.cseq) = (responseNumber, cseq) }

    package init(parsing text: ArraySlice<UInt8>) throws(SIPParseError) {
        var scanner = Scanner(text)
        scanner.skipSpace()
        guard let number = scanner.number(), let response = UInt32(exactly: number), scanner.skipGap() else {
            throw .malformed(.rack)
        }
        do throws(SIPParseError) {
            self.init(responseNumber: response, cseq: try CSeq(parsing: scanner.rest))
        } catch { throw .malformed(.rack) }
    }

    package func serialize(into out: inout [UInt8]) {
        out.appendDecimal(Int(responseNumber))
        out.append(ASCII.space)
        cseq.serialize(into: &out)
    }
}

extension Scanner {
    /// A number below 2^31.
    mutating func sequenceNumber() -> UInt32? {
        guard let number = number(), number <= Int(Int32.max) else { return nil }
        return UInt32(exactly: number)
    }

    /// White space, at least one byte of it.
    mutating func skipGap() -> Bool {
        let start = index
        skipSpace()
        return index > start
    }
}
