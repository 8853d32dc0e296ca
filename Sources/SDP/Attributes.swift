import Base

/// Which way media flows, seen from whoever wrote the description (RFC 8866 §6.7).
package enum Direction: Equatable, Sendable, CaseIterable {
    case sendReceive, sendOnly, receiveOnly, inactive

    package init(sends: Bool, receives: Bool) {
        self = sends ? (receives ? .sendReceive : .sendOnly) : (receives ? .receiveOnly : .inactive)
    }

    package var sends: Bool { self == .sendReceive || self == .sendOnly }
    package var receives: Bool { self == .sendReceive || self == .receiveOnly }

    /// The same flow seen from the other side.
    package var reversed: Direction { Direction(sends: receives, receives: sends) }

    /// What to answer to an offer of this direction when we would like `wanted` (RFC 3264 §6.1).
    package func answer(wanting wanted: Direction) -> Direction {
        Direction(sends: receives && wanted.sends, receives: sends && wanted.receives)
    }

    /// The direction that holds the other side: we stop listening (RFC 3264 §8.4).
    package var held: Direction { Direction(sends: sends, receives: false) }

    package var attributeName: StaticString {
        switch self {
        case .sendReceive: "sendrecv"
        case .sendOnly: "sendonly"
        case .receiveOnly: "recvonly"
        case .inactive: "inactive"
        }
    }
}

/// The role in the DTLS connection (RFC 4145 §4, RFC 8842).
package enum Setup: Equatable, Sendable {
    case active, passive, activeOrPassive, holdConnection

    init?(parsing value: ArraySlice<UInt8>) {
        if value.equals("active") {
            self = .active
        } else if value.equals("passive") {
            self = .passive
        } else if value.equals("actpass") {
            self = .activeOrPassive
        } else if value.equals("holdconn") {
            self = .holdConnection
        } else {
            return nil
        }
    }

    package var text: [UInt8] {
        switch self {
        case .active: [UInt8](ascii: "active")
        case .passive: [UInt8](ascii: "passive")
        case .activeOrPassive: [UInt8](ascii: "actpass")
        case .holdConnection: [UInt8](ascii: "holdconn")
        }
    }
}

/// ICE user name fragment and password (RFC 8839 §5.4).
package struct ICECredentials: Equatable, Sendable {
    package var ufrag: [UInt8]
    package var password: [UInt8]

    package init(ufrag: [UInt8], password: [UInt8]) { (self.ufrag, self.password) = (ufrag, password) }

    /// Those in force for one media description: its own, else the session's (RFC 8839 §5.4).
    init?(of list: LineList, session: LineList) {
        guard let ufrag = list.attribute("ice-ufrag") ?? session.attribute("ice-ufrag"),
            let password = list.attribute("ice-pwd") ?? session.attribute("ice-pwd")
        else { return nil }
        self.init(ufrag: Array(ufrag), password: Array(password))
    }
}

/// `a=fingerprint:sha-256 AB:CD:…` (RFC 8122 §5).
package struct Fingerprint: Equatable, Sendable {
    /// The hash function's name in lower case, such as `sha-256`.
    package var hash: [UInt8]
    /// The digest of the certificate in DER.
    package var digest: [UInt8]

    package init(hash: [UInt8], digest: [UInt8]) { (self.hash, self.digest) = (hash, digest) }

    package init?(parsing value: ArraySlice<UInt8>) {
        let words = value.words
        guard words.count == 2 else { return nil }
        hash = []
        for byte in words[0] { hash.append(ASCII.lowercased(byte)) }
        digest = []
        for pair in words[1].split(separator: ASCII.colon, omittingEmptySubsequences: false) {
            guard pair.count == 2, let first = pair.first, let last = pair.last, let high = ASCII.hexValue(first),
                let low = ASCII.hexValue(last)
            else { return nil }
            digest.append(high << 4 | low)
        }
    }

    package var bytes: [UInt8] {
        var out = hash
        out.append(ASCII.space)
        for index in digest.indices {
            if index > 0 { out.append(ASCII.colon) }
            out.append(Self.digit(digest[index] >> 4))
            out.append(Self.digit(digest[index] & 0xf))
        }
        return out
    }

    private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x41 + nibble - 10 }
}

/// One payload type and its codec: `a=rtpmap:111 opus/48000/2` (RFC 8866 §6.6).
package struct RTPMap: Equatable, Sendable {
    package var payloadType: UInt8
    package var encoding: [UInt8]
    /// Ticks of the RTP timestamp per second.
    package var clockRate: Int
    /// Channels of sound; 1 when not given.
    package var channels: Int

    package init(payloadType: UInt8, encoding: [UInt8], clockRate: Int, channels: Int = 1) {
        (self.payloadType, self.encoding) = (payloadType, encoding)
        (self.clockRate, self.channels) = (clockRate, channels)
    }

    package init?(parsing value: ArraySlice<UInt8>) {
        let words = value.words
        guard words.count == 2, let type = words[0].number(as: UInt8.self), type < 128 else { return nil }
        let parts = words[1].split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), !parts[0].isEmpty, let rate = parts[1].number(as: Int.self), rate > 0
        else { return nil }
        payloadType = type
        encoding = Array(parts[0])
        clockRate = rate
        channels = 1
        if parts.count == 3 {
            guard let count = parts[2].number(as: Int.self), count > 0 else { return nil }
            channels = count
        }
    }

    package var bytes: [UInt8] {
        var out: [UInt8] = []
        out.appendNumber(payloadType)
        out.appendWord(encoding)
        out.append(UInt8(ascii: "/"))
        out.appendDecimal(clockRate)
        if channels != 1 {
            out.append(UInt8(ascii: "/"))
            out.appendDecimal(channels)
        }
        return out
    }

    /// Encoding names are compared without case (RFC 4855 §3).
    package func isNamed(_ name: StaticString) -> Bool {
        ASCII.equalIgnoringCase(encoding, [UInt8](ascii: name))
    }

    /// The static assignments of RFC 3551 §6 that telephones use.
    package static func assigned(_ payloadType: UInt8) -> RTPMap? {
        switch payloadType {
        case 0: RTPMap(payloadType: 0, encoding: [UInt8](ascii: "PCMU"), clockRate: 8000)
        case 3: RTPMap(payloadType: 3, encoding: [UInt8](ascii: "GSM"), clockRate: 8000)
        case 4: RTPMap(payloadType: 4, encoding: [UInt8](ascii: "G723"), clockRate: 8000)
        case 8: RTPMap(payloadType: 8, encoding: [UInt8](ascii: "PCMA"), clockRate: 8000)
        // G.722 samples at 16 kHz; its RTP clock stays at the 8 kHz of a mistake in RFC 1890.
        case 9: RTPMap(payloadType: 9, encoding: [UInt8](ascii: "G722"), clockRate: 8000)
        case 13: RTPMap(payloadType: 13, encoding: [UInt8](ascii: "CN"), clockRate: 8000)
        case 18: RTPMap(payloadType: 18, encoding: [UInt8](ascii: "G729"), clockRate: 8000)
        default: nil
        }
    }
}

// MARK: - Attributes of a section

extension LineList {
    package var direction: Direction? {
        get {
            for line in lines {
                for direction in Direction.allCases where line.value.equals(direction.attributeName) {
                    if line.letter == Letter.attribute { return direction }
                }
            }
            return nil
        }
        set {
            var position: Int?
            for direction in Direction.allCases {
                if let found = lines.firstIndex(where: { $0.isAttribute(direction.attributeName) }) {
                    position = min(position ?? found, found)
                }
            }
            for direction in Direction.allCases { remove(direction.attributeName) }
            if let newValue { lines.insert(.attribute(newValue.attributeName), at: position ?? lines.endIndex) }
        }
    }

    package var connection: ConnectionAddress? {
        value(of: Letter.connection).flatMap { ConnectionAddress(parsing: $0) }
    }

    package var setup: Setup? { attribute("setup").flatMap { Setup(parsing: $0) } }

    package var fingerprints: [Fingerprint] {
        var found: [Fingerprint] = []
        for value in attributes("fingerprint") {
            if let fingerprint = Fingerprint(parsing: value) { found.append(fingerprint) }
        }
        return found
    }

    package var candidates: [Candidate] {
        var found: [Candidate] = []
        for value in attributes("candidate") {
            if let candidate = Candidate(parsing: value) { found.append(candidate) }
        }
        return found
    }

    /// Whether `a=ice-options` lists the option (RFC 8839 §5.6).
    package func hasOption(_ option: StaticString) -> Bool {
        for value in attributes("ice-options") {
            for word in value.words where word.equals(option) { return true }
        }
        return false
    }
}
