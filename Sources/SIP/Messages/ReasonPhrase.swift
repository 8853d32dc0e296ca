import Base

/// The words beside a status (RFC 3261 §21 and the RFCs that add to it).
package enum ReasonPhrase {
    package static func text(for status: Int) -> [UInt8] {
        var out: [UInt8] = []
        append(status, to: &out)
        return Array(out[4...])
    }

    /// Appends the status, a space and the words.
    ///
    /// - Parameter status: 100 to 699.
    static func append(_ status: Int, to out: inout [UInt8]) {
        let digits = (
            UInt8(truncatingIfNeeded: status / 100) &+ 0x30, UInt8(truncatingIfNeeded: status / 10 % 10) &+ 0x30
        )
        if let line = line(digits.0, digits.1, UInt8(truncatingIfNeeded: status % 10) &+ 0x30) {
            return out.append(contentsOf: line)
        }
        out.appendDecimal(status)
        if let line = line(digits.0, 0x2d, 0x2d) { out.append(contentsOf: UnsafeBufferPointer(rebasing: line[3...])) }
    }

    /// The line that begins with these three bytes.
    private static func line(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> UnsafeBufferPointer<UInt8>? {
        let (text, count) = (table.utf8Start, table.utf8CodeUnitCount)
        var start = 0
        while start < count {
            var end = start + 4
            while text[end] != ASCII.lineFeed { end += 1 }
            if text[start] == first && text[start + 1] == second && text[start + 2] == third {
                return UnsafeBufferPointer(start: text + start, count: end - start)
            }
            start = end + 1
        }
        return nil
    }

    /// The most frequent first; the last six are for statuses we do not know. One literal, since a `switch` over so many
    /// is more code than its words.
    private static var table: StaticString {
        """
        100 Trying
        180 Ringing
        200 OK
        401 Unauthorized
        407 Proxy Authentication Required
        181 Call Is Being Forwarded
        182 Queued
        183 Session Progress
        199 Early Dialog Terminated
        202 Accepted
        204 No Notification
        300 Multiple Choices
        301 Moved Permanently
        302 Moved Temporarily
        305 Use Proxy
        380 Alternative Service
        400 Bad Request
        402 Payment Required
        403 Forbidden
        404 Not Found
        405 Method Not Allowed
        406 Not Acceptable
        408 Request Timeout
        410 Gone
        412 Conditional Request Failed
        413 Request Entity Too Large
        414 Request-URI Too Long
        415 Unsupported Media Type
        416 Unsupported URI Scheme
        420 Bad Extension
        421 Extension Required
        422 Session Interval Too Small
        423 Interval Too Brief
        428 Use Identity Header
        429 Provide Referrer Identity
        430 Flow Failed
        433 Anonymity Disallowed
        436 Bad Identity Info
        437 Unsupported Credential
        438 Invalid Identity Header
        439 First Hop Lacks Outbound Support
        440 Max-Breadth Exceeded
        469 Bad Info Package
        470 Consent Needed
        480 Temporarily Unavailable
        481 Call/Transaction Does Not Exist
        482 Loop Detected
        483 Too Many Hops
        484 Address Incomplete
        485 Ambiguous
        486 Busy Here
        487 Request Terminated
        488 Not Acceptable Here
        489 Bad Event
        491 Request Pending
        493 Undecipherable
        494 Security Agreement Required
        500 Server Internal Error
        501 Not Implemented
        502 Bad Gateway
        503 Service Unavailable
        504 Server Time-out
        505 Version Not Supported
        513 Message Too Large
        555 Push Notification Service Not Supported
        580 Precondition Failure
        600 Busy Everywhere
        603 Decline
        604 Does Not Exist Anywhere
        606 Not Acceptable
        607 Unwanted
        608 Rejected
        1-- Progress
        2-- Success
        3-- Redirection
        4-- Request Failure
        5-- Server Failure
        6-- Global Failure

        """
    }
}
