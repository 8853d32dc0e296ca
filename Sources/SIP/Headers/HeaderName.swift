import Base

/// The name of a header field, compared without case; a compact form is the same name (RFC 3261 §7.3.3).
package struct HeaderName: Hashable, Sendable {
    /// One number per name this program knows, kept in a message's index.
    enum Code: UInt8, CaseIterable, Sendable {
        case other = 0, accept, acceptContact, acceptEncoding, acceptLanguage, alertInfo, allow, allowEvents,
            authenticationInfo, authorization, callID, callInfo, contact, contentDisposition, contentEncoding,
            contentID, contentLanguage, contentLength, contentType, cseq, date, errorInfo, event, expires, flowTimer,
            from, historyInfo, identity, inReplyTo, infoPackage, join, maxBreadth, maxForwards, mimeVersion,
            minExpires, minSE, organization, pAssertedIdentity, pPreferredIdentity, path, priority, privacy,
            proxyAuthenticate, proxyAuthenticationInfo, proxyAuthorization, proxyRequire, rack, reason, recordRoute,
            recvInfo, referSub, referTo, referredBy, rejectContact, replaces, replyTo, requestDisposition, require,
            retryAfter, route, rseq, server, serviceRoute, sessionExpires, sipETag, sipIfMatch, subject,
            subscriptionState, supported, targetDialog, timestamp, to, unsupported, userAgent, via, warning,
            wwwAuthenticate
    }

    let code: Code
    /// The name in lower case when `code` is `other`, else empty.
    private let custom: [UInt8]

    @inline(__always)
    init(_ code: Code) { (self.code, custom) = (code, []) }

    /// A name as it came; known names, compact or not, are recognised.
    package init(_ name: some Collection<UInt8>) {
        let code = Self.code(of: Array(name))
        (self.code, custom) = (code, code == .other ? name.map(ASCII.lowercased) : [])
    }

    package init(_ literal: StaticString) { self.init([UInt8](ascii: literal)) }

    /// A header this program knows nothing about.
    package static func other(_ name: [UInt8]) -> HeaderName { HeaderName(name) }

    /// The long form as the RFCs write it; a name of no RFC in lower case.
    package var text: [UInt8] { code == .other ? custom : [UInt8](ascii: Self.literal(of: code)) }

    /// Appends the name.
    package func serialize(into out: inout [UInt8]) {
        if code == .other { out += custom } else { out.append(Self.literal(of: code)) }
    }

    /// Whether lines of this name may be joined by commas (RFC 3261 §7.3.1). Unknown names are never split.
    package var isList: Bool {
        switch code {
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
    static func code(of name: [UInt8]) -> Code {
        name.withUnsafeBufferPointer { code(of: $0) }
    }

    static func code(of name: UnsafeBufferPointer<UInt8>) -> Code {
        guard let first = name.first, let last = name.last else { return .other }
        if name.count == 1 { return compact(first | 0x20) }
        var slot = hash(first: first, last: last, count: name.count)
        while true {
            let code = table[slot]
            guard code != .other else { return .other }
            if equals(literal(of: code), name) { return code }
            slot = (slot + 1) & tableMask
        }
    }

    private static let tableMask = 511

    /// Names of one slot stand in the slots after it; the table is never full, so that every search ends.
    private static let table: [Code] = {
        var table = [Code](repeating: .other, count: tableMask + 1)
        for code in Code.allCases where code != .other {
            let name = [UInt8](ascii: literal(of: code))
            guard let first = name.first, let last = name.last else { continue }
            var slot = hash(first: first, last: last, count: name.count)
            while table[slot] != .other { slot = (slot + 1) & tableMask }
            table[slot] = code
        }
        return table
    }()

    @inline(__always)
    private static func hash(first: UInt8, last: UInt8, count: Int) -> Int {
        (Int(first & 0x1f) &* 37 &+ Int(last & 0x1f) &* 11 &+ count &* 29) & tableMask
    }

    @inline(__always)
    private static func equals(_ literal: StaticString, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard literal.utf8CodeUnitCount == name.count else { return false }
        let expected = literal.utf8Start
        // Among token characters, only the two cases of a letter agree in all bits but 0x20.
        for index in 0..<name.count where (expected[index] ^ name[index]) & ~0x20 != 0 {
            return false
        }
        return true
    }

    /// RFC 3261 §7.3.3 and the later RFCs' letters.
    private static func compact(_ letter: UInt8) -> Code {
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
        default: .other
        }
    }

    private static func literal(of code: Code) -> StaticString {
        switch code {
        case .other: ""
        case .accept: "Accept"
        case .acceptContact: "Accept-Contact"
        case .acceptEncoding: "Accept-Encoding"
        case .acceptLanguage: "Accept-Language"
        case .alertInfo: "Alert-Info"
        case .allow: "Allow"
        case .allowEvents: "Allow-Events"
        case .authenticationInfo: "Authentication-Info"
        case .authorization: "Authorization"
        case .callID: "Call-ID"
        case .callInfo: "Call-Info"
        case .contact: "Contact"
        case .contentDisposition: "Content-Disposition"
        case .contentEncoding: "Content-Encoding"
        case .contentID: "Content-ID"
        case .contentLanguage: "Content-Language"
        case .contentLength: "Content-Length"
        case .contentType: "Content-Type"
        case .cseq: "CSeq"
        case .date: "Date"
        case .errorInfo: "Error-Info"
        case .event: "Event"
        case .expires: "Expires"
        case .flowTimer: "Flow-Timer"
        case .from: "From"
        case .historyInfo: "History-Info"
        case .identity: "Identity"
        case .inReplyTo: "In-Reply-To"
        case .infoPackage: "Info-Package"
        case .join: "Join"
        case .maxBreadth: "Max-Breadth"
        case .maxForwards: "Max-Forwards"
        case .mimeVersion: "MIME-Version"
        case .minExpires: "Min-Expires"
        case .minSE: "Min-SE"
        case .organization: "Organization"
        case .pAssertedIdentity: "P-Asserted-Identity"
        case .pPreferredIdentity: "P-Preferred-Identity"
        case .path: "Path"
        case .priority: "Priority"
        case .privacy: "Privacy"
        case .proxyAuthenticate: "Proxy-Authenticate"
        case .proxyAuthenticationInfo: "Proxy-Authentication-Info"
        case .proxyAuthorization: "Proxy-Authorization"
        case .proxyRequire: "Proxy-Require"
        case .rack: "RAck"
        case .reason: "Reason"
        case .recordRoute: "Record-Route"
        case .recvInfo: "Recv-Info"
        case .referSub: "Refer-Sub"
        case .referTo: "Refer-To"
        case .referredBy: "Referred-By"
        case .rejectContact: "Reject-Contact"
        case .replaces: "Replaces"
        case .replyTo: "Reply-To"
        case .requestDisposition: "Request-Disposition"
        case .require: "Require"
        case .retryAfter: "Retry-After"
        case .route: "Route"
        case .rseq: "RSeq"
        case .server: "Server"
        case .serviceRoute: "Service-Route"
        case .sessionExpires: "Session-Expires"
        case .sipETag: "SIP-ETag"
        case .sipIfMatch: "SIP-If-Match"
        case .subject: "Subject"
        case .subscriptionState: "Subscription-State"
        case .supported: "Supported"
        case .targetDialog: "Target-Dialog"
        case .timestamp: "Timestamp"
        case .to: "To"
        case .unsupported: "Unsupported"
        case .userAgent: "User-Agent"
        case .via: "Via"
        case .warning: "Warning"
        case .wwwAuthenticate: "WWW-Authenticate"
        }
    }
}

// MARK: - The names

extension HeaderName {
    package static var accept: HeaderName { HeaderName(.accept) }
    package static var acceptContact: HeaderName { HeaderName(.acceptContact) }
    package static var acceptEncoding: HeaderName { HeaderName(.acceptEncoding) }
    package static var acceptLanguage: HeaderName { HeaderName(.acceptLanguage) }
    package static var alertInfo: HeaderName { HeaderName(.alertInfo) }
    package static var allow: HeaderName { HeaderName(.allow) }
    package static var allowEvents: HeaderName { HeaderName(.allowEvents) }
    package static var authenticationInfo: HeaderName { HeaderName(.authenticationInfo) }
    package static var authorization: HeaderName { HeaderName(.authorization) }
    package static var callID: HeaderName { HeaderName(.callID) }
    package static var callInfo: HeaderName { HeaderName(.callInfo) }
    package static var contact: HeaderName { HeaderName(.contact) }
    package static var contentDisposition: HeaderName { HeaderName(.contentDisposition) }
    package static var contentEncoding: HeaderName { HeaderName(.contentEncoding) }
    package static var contentID: HeaderName { HeaderName(.contentID) }
    package static var contentLanguage: HeaderName { HeaderName(.contentLanguage) }
    package static var contentLength: HeaderName { HeaderName(.contentLength) }
    package static var contentType: HeaderName { HeaderName(.contentType) }
    package static var cseq: HeaderName { HeaderName(.cseq) }
    package static var date: HeaderName { HeaderName(.date) }
    package static var errorInfo: HeaderName { HeaderName(.errorInfo) }
    package static var event: HeaderName { HeaderName(.event) }
    package static var expires: HeaderName { HeaderName(.expires) }
    package static var flowTimer: HeaderName { HeaderName(.flowTimer) }
    package static var from: HeaderName { HeaderName(.from) }
    package static var historyInfo: HeaderName { HeaderName(.historyInfo) }
    package static var identity: HeaderName { HeaderName(.identity) }
    package static var inReplyTo: HeaderName { HeaderName(.inReplyTo) }
    package static var infoPackage: HeaderName { HeaderName(.infoPackage) }
    package static var join: HeaderName { HeaderName(.join) }
    package static var maxBreadth: HeaderName { HeaderName(.maxBreadth) }
    package static var maxForwards: HeaderName { HeaderName(.maxForwards) }
    package static var mimeVersion: HeaderName { HeaderName(.mimeVersion) }
    package static var minExpires: HeaderName { HeaderName(.minExpires) }
    package static var minSE: HeaderName { HeaderName(.minSE) }
    package static var organization: HeaderName { HeaderName(.organization) }
    package static var pAssertedIdentity: HeaderName { HeaderName(.pAssertedIdentity) }
    package static var pPreferredIdentity: HeaderName { HeaderName(.pPreferredIdentity) }
    package static var path: HeaderName { HeaderName(.path) }
    package static var priority: HeaderName { HeaderName(.priority) }
    package static var privacy: HeaderName { HeaderName(.privacy) }
    package static var proxyAuthenticate: HeaderName { HeaderName(.proxyAuthenticate) }
    package static var proxyAuthenticationInfo: HeaderName { HeaderName(.proxyAuthenticationInfo) }
    package static var proxyAuthorization: HeaderName { HeaderName(.proxyAuthorization) }
    package static var proxyRequire: HeaderName { HeaderName(.proxyRequire) }
    package static var rack: HeaderName { HeaderName(.rack) }
    package static var reason: HeaderName { HeaderName(.reason) }
    package static var recordRoute: HeaderName { HeaderName(.recordRoute) }
    package static var recvInfo: HeaderName { HeaderName(.recvInfo) }
    package static var referSub: HeaderName { HeaderName(.referSub) }
    package static var referTo: HeaderName { HeaderName(.referTo) }
    package static var referredBy: HeaderName { HeaderName(.referredBy) }
    package static var rejectContact: HeaderName { HeaderName(.rejectContact) }
    package static var replaces: HeaderName { HeaderName(.replaces) }
    package static var replyTo: HeaderName { HeaderName(.replyTo) }
    package static var requestDisposition: HeaderName { HeaderName(.requestDisposition) }
    package static var require: HeaderName { HeaderName(.require) }
    package static var retryAfter: HeaderName { HeaderName(.retryAfter) }
    package static var route: HeaderName { HeaderName(.route) }
    package static var rseq: HeaderName { HeaderName(.rseq) }
    package static var server: HeaderName { HeaderName(.server) }
    package static var serviceRoute: HeaderName { HeaderName(.serviceRoute) }
    package static var sessionExpires: HeaderName { HeaderName(.sessionExpires) }
    package static var sipETag: HeaderName { HeaderName(.sipETag) }
    package static var sipIfMatch: HeaderName { HeaderName(.sipIfMatch) }
    package static var subject: HeaderName { HeaderName(.subject) }
    package static var subscriptionState: HeaderName { HeaderName(.subscriptionState) }
    package static var supported: HeaderName { HeaderName(.supported) }
    package static var targetDialog: HeaderName { HeaderName(.targetDialog) }
    package static var timestamp: HeaderName { HeaderName(.timestamp) }
    package static var to: HeaderName { HeaderName(.to) }
    package static var unsupported: HeaderName { HeaderName(.unsupported) }
    package static var userAgent: HeaderName { HeaderName(.userAgent) }
    package static var via: HeaderName { HeaderName(.via) }
    package static var warning: HeaderName { HeaderName(.warning) }
    package static var wwwAuthenticate: HeaderName { HeaderName(.wwwAuthenticate) }
}
