import Base

/// A session description (RFC 8866): the session's lines, then media descriptions.
///
/// Parsing keeps every line in its order; only `v=`, `o=` and `m=` lines become values of their own. Attributes are read
/// when somebody asks.
package struct SessionDescription: Equatable, Sendable {
    package var origin: Origin
    /// The session's lines after `o=`, up to the first `m=`.
    package var session: LineList
    package var media: [MediaDescription]

    package init(origin: Origin, session: LineList, media: [MediaDescription] = []) {
        (self.origin, self.session, self.media) = (origin, session, media)
    }

    package init(parsing bytes: [UInt8], limits: SDPLimits = .standard) throws(SDPError) {
        try self.init(parsing: bytes[...], limits: limits)
    }

    package init(parsing bytes: ArraySlice<UInt8>, limits: SDPLimits = .standard) throws(SDPError) {
        var reader = try LineReader(bytes, limits: limits)
        guard let first = try reader.next(), first.letter == Letter.version, first.value.equals("0") else {
            throw .notVersionZero
        }
        guard let second = try reader.next(), second.letter == Letter.origin else { throw .malformedOrigin }
        origin = try Origin(parsing: second.value[...])
        session = LineList()
        media = []
        while let line = try reader.next() {
            switch line.letter {
            case Letter.version, Letter.origin:
                throw .malformedLine(line: reader.number)
            case Letter.media:
                guard media.count < limits.maximumMedia else { throw .overLimit }
                media.append(try MediaDescription(parsing: line.value[...], line: reader.number))
            default:
                if media.isEmpty { session.lines.append(line) } else { media[media.count - 1].list.lines.append(line) }
            }
        }
    }

    /// The description as it goes on the wire, lines ended by CRLF.
    package var bytes: [UInt8] {
        var out: [UInt8] = []
        Line(Letter.version, [UInt8](ascii: "0")).write(into: &out)
        Line(Letter.origin, origin.bytes).write(into: &out)
        session.write(into: &out)
        for description in media { description.write(into: &out) }
        return out
    }
}

// MARK: - Questions

extension SessionDescription {
    /// The direction of one media description: its own, else the session's, else `sendrecv` (RFC 3264 §5.1).
    package func direction(of index: Int) -> Direction {
        guard media.indices.contains(index) else { return .inactive }
        return media[index].list.direction ?? session.direction ?? .sendReceive
    }

    /// Whether whoever sent this hears nothing of us: every live stream of sound or picture is `sendonly` or `inactive`,
    /// or has the address 0.0.0.0 of older phones (RFC 3264 §8.4). A description without live streams is not held.
    package var isHold: Bool {
        var live = 0
        for index in media.indices where media[index].isRTP && !media[index].isRejected {
            live += 1
            guard direction(of: index).receives, !hasNullAddress(index) else { continue }
            return false
        }
        return live > 0
    }

    private func hasNullAddress(_ index: Int) -> Bool {
        // ICE offers carry 0.0.0.0 as the default candidate of a trickled stream (RFC 8840 §4.1.1), which is no hold.
        guard iceCredentials(of: index) == nil else { return false }
        return (media[index].list.connection ?? session.connection)?.address.equals("0.0.0.0") ?? false
    }

    /// Sets the direction of every media description, in place of what the session or the media said.
    package mutating func setDirection(_ direction: Direction) {
        for other in Direction.allCases { session.remove(other.attributeName) }
        for index in media.indices { media[index].list.direction = direction }
    }

    /// The ICE user name fragment and password in force for one media description (RFC 8839 §5.4).
    package func iceCredentials(of index: Int) -> ICECredentials? {
        guard media.indices.contains(index) else { return nil }
        return ICECredentials(of: media[index].list, session: session)
    }

    /// The certificate fingerprints in force for one media description (RFC 8122 §5).
    package func fingerprints(of index: Int) -> [Fingerprint] {
        guard media.indices.contains(index) else { return [] }
        let own = media[index].list.fingerprints
        return own.isEmpty ? session.fingerprints : own
    }

    /// Who opens the DTLS connection of one media description (RFC 8842 §5.3).
    package func setup(of index: Int) -> Setup? {
        guard media.indices.contains(index) else { return nil }
        return media[index].list.setup ?? session.setup
    }

    /// The `a=group:BUNDLE` groups, each a list of mids (RFC 9143).
    package var bundleGroups: [[[UInt8]]] {
        var groups: [[[UInt8]]] = []
        for value in session.attributes("group") {
            let words = value.words
            guard let semantics = words.first, semantics.equals("BUNDLE") else { continue }
            var mids: [[UInt8]] = []
            for mid in words.dropFirst() { mids.append(Array(mid)) }
            groups.append(mids)
        }
        return groups
    }

    /// Whether the sender trickles candidates (RFC 8838 §3).
    package var supportsTrickle: Bool {
        if session.hasOption("trickle") { return true }
        for description in media where description.list.hasOption("trickle") { return true }
        return false
    }
}

/// The `o=` line (RFC 8866 §5.2): who made the session, and which version of it this is.
package struct Origin: Equatable, Sendable {
    package var userName: [UInt8]
    /// Digits; kept as text because no arithmetic is done on it and peers exceed 64 bits.
    package var sessionID: [UInt8]
    /// Digits. Goes up by one with every changed description (RFC 3264 §8).
    package var sessionVersion: [UInt8]
    /// `IN IP4 address` and the like.
    package var address: ConnectionAddress

    package init(userName: [UInt8], sessionID: [UInt8], sessionVersion: [UInt8], address: ConnectionAddress) {
        (self.userName, self.sessionID) = (userName, sessionID)
        (self.sessionVersion, self.address) = (sessionVersion, address)
    }

    init(parsing text: ArraySlice<UInt8>) throws(SDPError) {
        let words = text.words
        guard words.count == 6, words[1].allSatisfy(ASCII.isDigit), words[2].allSatisfy(ASCII.isDigit) else {
            throw .malformedOrigin
        }
        userName = Array(words[0])
        sessionID = Array(words[1])
        sessionVersion = Array(words[2])
        address = ConnectionAddress(
            networkType: Array(words[3]), addressType: Array(words[4]), address: Array(words[5]))
    }

    var bytes: [UInt8] {
        var out = userName
        out.appendWord(sessionID)
        out.appendWord(sessionVersion)
        out.append(ASCII.space)
        out += address.bytes
        return out
    }

    /// Adds one to the version, digit by digit, so that no number of a peer overflows.
    package mutating func incrementVersion() {
        var index = sessionVersion.count
        while index > 0 {
            index -= 1
            if sessionVersion[index] != UInt8(ascii: "9") {
                sessionVersion[index] &+= 1
                return
            }
            sessionVersion[index] = UInt8(ascii: "0")
        }
        sessionVersion.insert(UInt8(ascii: "1"), at: 0)
    }
}

/// `IN IP4 192.0.2.1`: the value of a `c=` line and the end of an `o=` line.
package struct ConnectionAddress: Equatable, Sendable {
    package var networkType: [UInt8]
    package var addressType: [UInt8]
    /// An address or a host name, with `/ttl` when multicast.
    package var address: [UInt8]

    package init(networkType: [UInt8], addressType: [UInt8], address: [UInt8]) {
        (self.networkType, self.addressType, self.address) = (networkType, addressType, address)
    }

    package init(_ ip: IPAddress) {
        networkType = [UInt8](ascii: "IN")
        if case .v4 = ip { addressType = [UInt8](ascii: "IP4") } else { addressType = [UInt8](ascii: "IP6") }
        address = ip.text
    }

    init?(parsing text: ArraySlice<UInt8>) {
        let words = text.words
        guard words.count == 3 else { return nil }
        self.init(networkType: Array(words[0]), addressType: Array(words[1]), address: Array(words[2]))
    }

    package var bytes: [UInt8] {
        var out = networkType
        out.appendWord(addressType)
        out.appendWord(address)
        return out
    }
}
