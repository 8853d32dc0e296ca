import Base

/// A SIP, SIPS or tel URI, or any other as opaque bytes (RFC 3261 §19.1, RFC 3966).
///
/// `user`, `password`, parameters and headers are kept as written, escapes and all, so that writing gives back what was
/// read. `==` is the equivalence of RFC 3261 §19.1.4.
package struct SIPURI: Sendable {
    package enum Scheme: Hashable, Sendable {
        case sip, sips, tel
        /// In lower case.
        case other([UInt8])
    }

    /// All of it behind one reference, which is what a copy costs; a change makes new ones.
    private final class Storage: Sendable {
        let parts: Parts
        init(_ parts: consuming Parts) { self.parts = parts }
    }

    private var storage: Storage

    private var parts: Parts {
        get { storage.parts }
        set { storage = Storage(newValue) }
    }

    package var scheme: Scheme {
        get { storage.parts.scheme }
        set { parts.scheme = newValue }
    }
    /// Before the `@`, escaped as on the wire; of a tel URI the number. Nil when there is no `@`.
    package var user: [UInt8]? {
        get { storage.parts.user }
        set { parts.user = newValue }
    }
    package var password: [UInt8]? {
        get { storage.parts.password }
        set { parts.password = newValue }
    }
    /// `.name([])` for tel and other URIs, which have none.
    package var host: Host {
        get { storage.parts.host }
        set { parts.host = newValue }
    }
    package var port: UInt16? {
        get { storage.parts.port }
        set { parts.port = newValue }
    }
    package var parameters: Parameters {
        get { storage.parts.parameters }
        set { parts.parameters = newValue }
    }
    /// After the `?`, as written and without it: headers for a request made from this URI.
    package var headers: [UInt8] {
        get { storage.parts.headers }
        set { parts.headers = newValue }
    }
    /// What follows the colon of a URI that is neither SIP, SIPS nor tel.
    package var opaque: [UInt8] {
        get { storage.parts.opaque }
        set { parts.opaque = newValue }
    }

    /// A URI of ours.
    ///
    /// - Parameter user: plain text; what may not stand in a URI is escaped.
    package init(scheme: Scheme = .sip, user: [UInt8]? = nil, host: Host, port: UInt16? = nil) {
        storage = Storage(Parts(scheme: scheme, user: user.map(Self.escapedUser), host: host, port: port))
    }

    /// Reads a whole URI.
    package init(parsing text: some Collection<UInt8>) throws(SIPParseError) {
        let bytes = Array(text)
        try self.init(parsing: bytes[...])
    }

    package init(parsing text: ArraySlice<UInt8>) throws(SIPParseError) {
        var scanner = Scanner(text)
        try self.init(scanning: &scanner)
        guard scanner.isAtEnd else { throw .badURI }
    }

    init(scanning scanner: inout Scanner, bare: Bool = false) throws(SIPParseError) {
        storage = Storage(try Parts(scanning: &scanner, bare: bare))
    }

    // MARK: Text

    /// `name=value` joined by `&`; a name is not empty, a value may be.
    private static func areHeaders(_ text: ArraySlice<UInt8>) -> Bool {
        guard !text.isEmpty, Percent.isWellFormed(text) else { return false }
        return text.split(separator: 0x26, omittingEmptySubsequences: false).allSatisfy { header in
            guard let equals = header.firstIndex(of: ASCII.equals) else { return false }
            return equals > header.startIndex && !header[(equals + 1)...].contains(ASCII.equals)
        }
    }

    /// A user part in its escaped form.
    package static func escapedUser(_ plain: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(plain.count)
        Percent.encode(plain, into: &out) { ByteSet.user.contains($0) }
        return out
    }

    // MARK: Use

    /// The user part with its escapes undone.
    package var plainUser: [UInt8]? { user.map { Percent.decoded($0) } }

    /// Whether the URI asks for encryption on every hop.
    package var isSecure: Bool { scheme == .sips }

    /// The `transport` parameter as one we speak: `tls` too, which old phones still write.
    package var transport: SIPTransport? {
        guard let token = parameters["transport"] else { return nil }
        return SIPTransport(token: token)
    }

    /// The `lr` parameter: this hop routes loosely (RFC 3261 §19.1.1).
    package var isLooseRouter: Bool { parameters.contains("lr") }

    /// The `gr` parameter, which makes the URI a GRUU (RFC 5627 §4); its value, empty for a temporary GRUU.
    package var gruu: [UInt8]? { parameters.contains("gr") ? parameters["gr"] ?? [] : nil }

    /// The URI without password, parameters, headers and port: what an address-of-record is compared by
    /// (RFC 3261 §10.3 step 5).
    package var addressOfRecord: SIPURI {
        var (out, parts) = (self, parts)
        (parts.password, parts.parameters, parts.headers, parts.port) = (nil, Parameters(), [], nil)
        out.parts = parts
        return out
    }

    /// The URI as a Request-URI: without the parts RFC 3261 §19.1.1 table 1 forbids there.
    package var asRequestURI: SIPURI {
        guard !headers.isEmpty || parameters.contains("method") else { return self }
        var out = self
        out.headers = []
        out.parameters.remove("method")
        return out
    }
}

// MARK: - Parts

extension SIPURI {
    private struct Parts: Sendable {
        var scheme: Scheme
        var user: [UInt8]?
        var password: [UInt8]?
        var host = Host.name([])
        var port: UInt16?
        var parameters = Parameters()
        var headers: [UInt8] = []
        var opaque: [UInt8] = []

        init(scheme: Scheme, user: [UInt8]?, host: Host, port: UInt16?) {
            (self.scheme, self.user, self.host, self.port) = (scheme, user, host, port)
        }

        /// - Parameter bare: no parameters or headers are read, because the URI stands without `<` and `>` in a header,
        ///   whose own parameters follow (RFC 3261 §20.10).
        init(scanning scanner: inout Scanner, bare: Bool) throws(SIPParseError) {
            let name = scanner.run(.scheme)
            guard let first = name.first, ASCII.isLetter(first), scanner.take(ASCII.colon) else { throw .badURI }
            scheme = Scheme(name)
            switch scheme {
            case .sip, .sips: try readAddress(&scanner, bare: bare)
            case .tel: try readNumber(&scanner, bare: bare)
            case .other: try readOpaque(&scanner, bare: bare)
            }
        }

        private mutating func readAddress(_ scanner: inout Scanner, bare: Bool) throws(SIPParseError) {
            try readUserInfo(&scanner)
            guard let host = Host(scanning: &scanner), let port = scanner.port() else { throw .badURI }
            (self.host, self.port) = (host, port)
            guard !bare else {
                if scanner.peek == ASCII.questionMark { throw .badURI }
                return
            }
            guard let parameters = Parameters(scanning: &scanner, rules: .uri) else { throw .badURI }
            self.parameters = parameters
            if scanner.take(ASCII.questionMark) {
                let text = scanner.run(.uriHeaders)
                guard SIPURI.areHeaders(text) else { throw .badURI }
                headers = Array(text)
            }
        }

        /// userinfo, if an `@` follows one: the user part may contain `;`, `?` and `/` itself.
        private mutating func readUserInfo(_ scanner: inout Scanner) throws(SIPParseError) {
            let start = scanner.index
            var colon: Int?
            var index = start
            while index < scanner.bytes.endIndex {
                let byte = scanner.bytes[index]
                if byte == ASCII.at { break }
                if byte == ASCII.colon, colon == nil { colon = index }
                guard byte == ASCII.colon || byte == ASCII.percent || ByteSet.user.contains(byte) else { return }
                index += 1
            }
            guard index < scanner.bytes.endIndex else { return }
            let name = scanner.bytes[start..<(colon ?? index)]
            guard !name.isEmpty, Percent.isWellFormed(name) else { throw .badURI }
            user = Array(name)
            if let colon {
                let secret = scanner.bytes[(colon + 1)..<index]
                guard
                    !secret.contains(where: { $0 == ASCII.colon || $0 == ASCII.semicolon || $0 == 0x3f || $0 == 0x2f }),
                    Percent.isWellFormed(secret)
                else { throw .badURI }
                password = Array(secret)
            }
            scanner.index = index + 1
        }

        /// RFC 3966 §3: a global number begins with `+`, a local one has a `phone-context`; neither is checked further.
        private mutating func readNumber(_ scanner: inout Scanner, bare: Bool) throws(SIPParseError) {
            let digits = scanner.run(.telephone)
            guard !digits.isEmpty else { throw .badURI }
            user = Array(digits)
            guard !bare else { return }
            guard let parameters = Parameters(scanning: &scanner, rules: .uri) else { throw .badURI }
            self.parameters = parameters
        }

        private mutating func readOpaque(_ scanner: inout Scanner, bare: Bool) throws(SIPParseError) {
            let text = scanner.run(bare ? .bareOpaque : .opaque)
            guard !text.isEmpty else { throw .badURI }
            opaque = Array(text)
        }
    }
}

extension SIPURI: HeaderValue {
    package func serialize(into out: inout [UInt8]) {
        switch scheme {
        case .sip: out.append("sip:")
        case .sips: out.append("sips:")
        case .tel: out.append("tel:")
        case .other(let name):
            out += name
            out.append(ASCII.colon)
            out += opaque
            return
        }
        if let user {
            out += user
            if let password {
                out.append(ASCII.colon)
                out += password
            }
            if scheme != .tel { out.append(ASCII.at) }
        }
        host.serialize(into: &out)
        if let port {
            out.append(ASCII.colon)
            out.appendDecimal(Int(port))
        }
        parameters.serialize(into: &out)
        if !headers.isEmpty {
            out.append(ASCII.questionMark)
            out += headers
        }
    }
}

extension SIPURI.Scheme {
    init(_ name: ArraySlice<UInt8>) {
        if ASCII.equalIgnoringCase(name, "sip") {
            self = .sip
        } else if ASCII.equalIgnoringCase(name, "sips") {
            self = .sips
        } else if ASCII.equalIgnoringCase(name, "tel") {
            self = .tel
        } else {
            self = .other([UInt8](lowercasing: name))
        }
    }
}
