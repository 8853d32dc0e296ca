import Base
import RTP
import SDP

/// One line of a phone's description that the bridge may use.
struct PhoneLine: Sendable {
    var index: Int
    var terms: StreamTerms
    var transport: [UInt8]
    var profile: RTPProfile
    /// Where the phone likes to receive. nil when the address is a name, or the null address of a phone on hold: then
    /// only what it sends can tell.
    var address: TransportAddress?
    /// Where it likes to receive RTCP if that has a port of its own.
    var controlAddress: TransportAddress?
    var hasMux: Bool
    var cryptos: [CryptoAttribute]
    var fingerprints: [Fingerprint]
    var setup: Setup?

    /// - Throws: `.noMedia` when the line is refused, or why it cannot be used.
    init(_ description: SessionDescription, line index: Int) throws(GatewayError) {
        let media = description.media[index]
        guard MediaKind(media) != nil, !media.isRejected, let profile = media.profile else { throw .noMedia }
        guard let terms = StreamTerms(description, line: index) else { throw .noSharedCodec }
        (self.index, self.terms, self.profile) = (index, terms, profile)
        transport = media.transport
        hasMux = media.hasRTCPMux
        cryptos = media.list.attributes("crypto").prefix(CryptoAttribute.maximumCount)
            .compactMap { CryptoAttribute(parsing: $0) }
        fingerprints = description.fingerprints(of: index)
        setup = description.setup(of: index)
        try readAddresses(media, session: description.session)
    }

    private mutating func readAddresses(_ media: MediaDescription, session: LineList) throws(GatewayError) {
        guard let connection = media.list.connection ?? session.connection else { return }
        // A time to live stands behind multicast addresses alone (RFC 8866 §5.7).
        guard !connection.address.contains(0x2f) else { throw .badAddress }
        guard let ip = IPAddress(parsing: connection.address) else { return }
        guard !ip.isNull else {
            // How a phone of RFC 2543 holds a call (RFC 3264 §8.4).
            terms.direction = terms.direction.held
            return
        }
        guard !ip.isMulticast else { throw .badAddress }
        let address = TransportAddress(ip: ip, port: media.port)
        self.address = address
        controlAddress = Self.control(media.list.attribute("rtcp"), beside: address)
    }

    /// `a=rtcp:53020 IN IP4 192.0.2.1` (RFC 3605), else the next port (RFC 3550 §11).
    private static func control(_ value: ArraySlice<UInt8>?, beside address: TransportAddress) -> TransportAddress? {
        let words = value?.words ?? []
        if let first = words.first, let port = ASCII.decimal(first).flatMap({ UInt16(exactly: $0) }), port != 0 {
            let ip = words.count == 4 ? IPAddress(parsing: words[3]) : nil
            guard let ip, !ip.isNull, !ip.isMulticast else { return TransportAddress(ip: address.ip, port: port) }
            return TransportAddress(ip: ip, port: port)
        }
        guard address.port < UInt16.max else { return nil }
        return TransportAddress(ip: address.ip, port: address.port + 1)
    }
}

extension IPAddress {
    var isNull: Bool { self == .v4(0) || self == .v6(high: 0, low: 0) }

    var isMulticast: Bool {
        switch unmapped {
        case .v4(let bits): bits >> 28 == 0xe
        case .v6(let high, _): high >> 56 == 0xff
        }
    }
}

extension RTPProfile {
    var hasFeedback: Bool {
        switch self {
        case .plain(let feedback), .secure(let feedback), .dtls(let feedback): feedback
        }
    }

    var isSecure: Bool { if case .plain = self { false } else { true } }

    /// The transport field of an `m=` line.
    var text: [UInt8] {
        switch self {
        case .plain(let feedback): [UInt8](ascii: feedback ? "RTP/AVPF" : "RTP/AVP")
        case .secure(let feedback): [UInt8](ascii: feedback ? "RTP/SAVPF" : "RTP/SAVP")
        case .dtls(let feedback): [UInt8](ascii: feedback ? "UDP/TLS/RTP/SAVPF" : "UDP/TLS/RTP/SAVP")
        }
    }
}
