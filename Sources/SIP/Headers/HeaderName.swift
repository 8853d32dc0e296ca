import Base

/// The name of a header field, compared without case; a compact form is the same name (RFC 3261 §7.3.3).
///
/// One byte, so that a message's index and every error are plain values without references. Headers that no part of this
/// program understands are `unknown` together; `SIPMessage.headers` and `values(named:)` have their names.
package enum HeaderName: UInt8, CaseIterable, Hashable, Sendable {
    case unknown = 0, accept, acceptContact, acceptEncoding, acceptLanguage, alertInfo, allow, allowEvents,
        authenticationInfo, authorization, callID, callInfo, contact, contentDisposition, contentEncoding,
        contentID, contentLanguage, contentLength, contentType, cseq, date, errorInfo, event, expires, flowTimer,
        from, historyInfo, identity, inReplyTo, infoPackage, join, maxBreadth, maxForwards, mimeVersion,
        minExpires, minSE, organization, pAssertedIdentity, pPreferredIdentity, path, priority, privacy,
        proxyAuthenticate, proxyAuthenticationInfo, proxyAuthorization, proxyRequire, rack, reason, recordRoute,
        recvInfo, referSub, referTo, referredBy, rejectContact, replaces, replyTo, requestDisposition, require,
        retryAfter, route, rseq, server, serviceRoute, sessionExpires, sipETag, sipIfMatch, subject,
        subscriptionState, supported, targetDialog, timestamp, to, unsupported, userAgent, via, warning,
        wwwAuthenticate

    /// A name as it came; known names, compact or not, are recognised.
    package init(_ name: some Collection<UInt8>) { self = Self.code(of: Array(name)) }

    package init(_ literal: StaticString) { self = literal.withUTF8Buffer { Self.code(of: $0) } }

    /// The long form as the RFCs write it; empty of an unknown name.
    package var text: [UInt8] { Array(name) }

    /// Whether lines of this name may be joined by commas (RFC 3261 §7.3.1). Unknown names are never split.
    package var isList: Bool {
        switch self {
        case .accept, .acceptContact, .acceptEncoding, .acceptLanguage, .alertInfo, .allow, .allowEvents, .callInfo,
            .contact, .contentEncoding, .contentLanguage, .errorInfo, .historyInfo, .inReplyTo, .path,
            .pAssertedIdentity, .pPreferredIdentity, .proxyRequire, .reason, .recordRoute, .recvInfo, .rejectContact,
            .requestDisposition, .require, .route, .serviceRoute, .supported, .unsupported, .via, .warning:
            true
        default:
            false
        }
    }
}

// MARK: - Recognition

extension HeaderName {
    /// Finds a name's code: single letters by switch, others by one probe of a table and one comparison.
    static func code(of name: [UInt8]) -> HeaderName {
        name.withUnsafeBufferPointer { code(of: $0) }
    }

    static func code(of name: UnsafeBufferPointer<UInt8>) -> HeaderName {
        guard let first = name.first, let last = name.last else { return .unknown }
        if name.count == 1 { return compact(first | 0x20) }
        var slot = hash(first: first, last: last, count: name.count)
        while true {
            let code = table[slot]
            guard code != .unknown else { return .unknown }
            if equals(code.name, name) { return code }
            slot = (slot + 1) & tableMask
        }
    }

    private static let tableMask = 511

    /// Names of one slot stand in the slots after it; the table is never full, so that every search ends.
    private static let table: [HeaderName] = {
        var table = [HeaderName](repeating: .unknown, count: tableMask + 1)
        for code in allCases where code != .unknown {
            let name = code.text
            guard let first = name.first, let last = name.last else { continue }
            var slot = hash(first: first, last: last, count: name.count)
            while table[slot] != .unknown { slot = (slot + 1) & tableMask }
            table[slot] = code
        }
        return table
    }()

    @inline(__always)
    private static func hash(first: UInt8, last: UInt8, count: Int) -> Int {
        (Int(first & 0x1f) &* 37 &+ Int(last & 0x1f) &* 11 &+ count &* 29) & tableMask
    }

    @inline(__always)
    private static func equals(_ known: UnsafeBufferPointer<UInt8>, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard known.count == name.count else { return false }
        // Among all but control characters, only the two cases of a letter agree with a name's in all bits but 0x20.
        guard let left = UnsafeRawPointer(known.baseAddress), let right = UnsafeRawPointer(name.baseAddress) else {
            return false
        }
        func differs(at index: Int) -> Bool {
            let difference =
                left.loadUnaligned(fromByteOffset: index, as: UInt32.self)
                ^ right.loadUnaligned(fromByteOffset: index, as: UInt32.self)
            return difference & ~0x2020_2020 != 0
        }
        guard name.count >= 4 else {
            for index in 0..<name.count where (known[index] ^ name[index]) & ~0x20 != 0 { return false }
            return true
        }
        var index = 0
        while index < name.count - 4 {
            if differs(at: index) { return false }
            index += 4
        }
        // The last four, some of which may have been seen.
        return !differs(at: name.count - 4)
    }

    /// RFC 3261 §7.3.3 and the later RFCs' letters.
    private static func compact(_ letter: UInt8) -> HeaderName {
        switch letter {
        case 0x61: .acceptContact  // a
        case 0x62: .referredBy  // b
        case 0x63: .contentType  // c
        case 0x64: .requestDisposition  // d
        case 0x65: .contentEncoding  // e
        case 0x66: .from  // f
        case 0x69: .callID  // i
        case 0x6a: .rejectContact  // j
        case 0x6b: .supported  // k
        case 0x6c: .contentLength  // l
        case 0x6d: .contact  // m
        case 0x6f: .event  // o
        case 0x72: .referTo  // r
        case 0x73: .subject  // s
        case 0x74: .to  // t
        case 0x75: .allowEvents  // u
        case 0x76: .via  // v
        case 0x78: .sessionExpires  // x
        case 0x79: .identity  // y
        default: .unknown
        }
    }

    /// The long form as the RFCs write it; empty of an unknown name.
    @inline(__always)
    private var name: UnsafeBufferPointer<UInt8> {
        let literal = beginning
        return UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount - 2)
    }

    /// How a line of that name begins: one piece to append, since that happens for every line written.
    var beginning: StaticString {
        switch self {
        case .unknown: ": "
        case .accept: "Accept: "
        case .acceptContact: "Accept-Contact: "
        case .acceptEncoding: "Accept-Encoding: "
        case .acceptLanguage: "Accept-Language: "
        case .alertInfo: "Alert-Info: "
        case .allow: "Allow: "
        case .allowEvents: "Allow-Events: "
        case .authenticationInfo: "Authentication-Info: "
        case .authorization: "Authorization: "
        case .callID: "Call-ID: "
        case .callInfo: "Call-Info: "
        case .contact: "Contact: "
        case .contentDisposition: "Content-Disposition: "
        case .contentEncoding: "Content-Encoding: "
        case .contentID: "Content-ID: "
        case .contentLanguage: "Content-Language: "
        case .contentLength: "Content-Length: "
        case .contentType: "Content-Type: "
        case .cseq: "CSeq: "
        case .date: "Date: "
        case .errorInfo: "Error-Info: "
        case .event: "Event: "
        case .expires: "Expires: "
        case .flowTimer: "Flow-Timer: "
        case .from: "From: "
        case .historyInfo: "History-Info: "
        case .identity: "Identity: "
        case .inReplyTo: "In-Reply-To: "
        case .infoPackage: "Info-Package: "
        case .join: "Join: "
        case .maxBreadth: "Max-Breadth: "
        case .maxForwards: "Max-Forwards: "
        case .mimeVersion: "MIME-Version: "
        case .minExpires: "Min-Expires: "
        case .minSE: "Min-SE: "
        case .organization: "Organization: "
        case .pAssertedIdentity: "P-Asserted-Identity: "
        case .pPreferredIdentity: "P-Preferred-Identity: "
        case .path: "Path: "
        case .priority: "Priority: "
        case .privacy: "Privacy: "
        case .proxyAuthenticate: "Proxy-Authenticate: "
        case .proxyAuthenticationInfo: "Proxy-Authentication-Info: "
        case .proxyAuthorization: "Proxy-Authorization: "
        case .proxyRequire: "Proxy-Require: "
        case .rack: "RAck: "
        case .reason: "Reason: "
        case .recordRoute: "Record-Route: "
        case .recvInfo: "Recv-Info: "
        case .referSub: "Refer-Sub: "
        case .referTo: "Refer-To: "
        case .referredBy: "Referred-By: "
        case .rejectContact: "Reject-Contact: "
        case .replaces: "Replaces: "
        case .replyTo: "Reply-To: "
        case .requestDisposition: "Request-Disposition: "
        case .require: "Require: "
        case .retryAfter: "Retry-After: "
        case .route: "Route: "
        case .rseq: "RSeq: "
        case .server: "Server: "
        case .serviceRoute: "Service-Route: "
        case .sessionExpires: "Session-Expires: "
        case .sipETag: "SIP-ETag: "
        case .sipIfMatch: "SIP-If-Match: "
        case .subject: "Subject: "
        case .subscriptionState: "Subscription-State: "
        case .supported: "Supported: "
        case .targetDialog: "Target-Dialog: "
        case .timestamp: "Timestamp: "
        case .to: "To: "
        case .unsupported: "Unsupported: "
        case .userAgent: "User-Agent: "
        case .via: "Via: "
        case .warning: "Warning: "
        case .wwwAuthenticate: "WWW-Authenticate: "
        }
    }
}
