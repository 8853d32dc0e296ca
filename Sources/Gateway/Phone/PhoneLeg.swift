import Base
import RTP
import SDP

/// Our half of the phone's leg: what was agreed on, and what we say next.
struct PhoneLeg: Sendable {
    var outbox: Outbox
    var slots: [Slot] = []
    var places: [MediaKind: Int] = [:]
    /// Without a bundle each stream has its own: Linphone has 96 for Opus and for VP8.
    var numbering: [MediaKind: PayloadNumbering] = [:]
    var agreements: [MediaKind: PhoneAgreement] = [:]

    init(outbox: Outbox) { self.outbox = outbox }

    /// Takes note of an offer; nothing is answered yet.
    mutating func take(offer description: SessionDescription, _ lines: [PhoneLine]) {
        places = Dictionary(uniqueKeysWithValues: lines.map { ($0.terms.kind, $0.index) })
        for line in lines {
            numbering[line.terms.kind, default: PayloadNumbering()].reserve(description.media[line.index])
            numbering[line.terms.kind]?.adopt(line.terms.formats)
        }
    }

    /// Takes note of what a phone has accepted.
    mutating func take(answer description: SessionDescription, _ ends: [PhoneEnd]) {
        for end in ends {
            let kind = end.line.terms.kind
            (agreements[kind], places[kind]) = (end.agreement, end.line.index)
            numbering[kind]?.reserve(description.media[end.line.index])
        }
    }

    /// The carriage of a stream in our next offer: what was agreed on, for it or for the stream beside it.
    func carriages(_ kind: MediaKind, socket: PhoneSocket, parameters: PhoneParameters) -> [PhoneCarriage] {
        if let agreed = agreements[kind] { return [agreed.carriage] }
        let feedback = kind == .video && !parameters.offeredFeedback.isEmpty
        guard let other = agreements.values.first else {
            return PhoneCarriage.offers(parameters.security, keys: socket.keys, feedback: feedback)
        }
        let security: PhoneSecurity =
            switch (other.protection, other.profile.isSecure) {
            case (.none, _): .none
            case (.keys, let isSecure): isSecure ? .keys : .opportunistic
            case (.dtls, _): .dtls
            }
        return PhoneCarriage.offers(security, keys: socket.keys, feedback: feedback || other.profile.hasFeedback)
    }

    /// Which lines of a phone's offer the bridge uses: of each kind one that is alive and known, an encrypted one before a
    /// plain one, the one in use before others.
    func pick(_ description: SessionDescription, parameters: PhoneParameters) throws(GatewayError) -> [PhoneLine] {
        var failure = GatewayError.noMedia
        var picked: [PhoneLine] = []
        for kind in MediaKind.allCases {
            guard let socket = parameters.socket(kind) else { continue }
            var best: (line: PhoneLine, score: Int)?
            for index in description.media.indices where MediaKind(description.media[index]) == kind {
                do throws(GatewayError) {
                    let line = try PhoneLine(description, line: index)
                    let answer = try answer(line, socket: socket, parameters: parameters)
                    let score = (answer.agreement.protection == .none ? 0 : 2) + (places[kind] == index ? 1 : 0)
                    if score > best?.score ?? -1 { best = (line, score) }
                } catch {
                    if error != .noMedia { failure = error }
                }
            }
            if let best { picked.append(best.line) }
        }
        guard !picked.isEmpty else { throw failure }
        return picked
    }

    func answer(
        _ line: PhoneLine, socket: PhoneSocket, parameters: PhoneParameters
    ) throws(GatewayError) -> (agreement: PhoneAgreement, carriage: PhoneCarriage) {
        var answer = try PhoneAgreement.answer(
            line, keys: socket.keys, hasCertificate: !parameters.fingerprints.isEmpty,
            requiresEncryption: parameters.requiresEncryption, before: agreements[line.terms.kind])
        answer.carriage.transport = line.transport
        return answer
    }

    /// Back to where we were, when an offer was refused or is answered once more; but what the peer was told since stays
    /// told: versions rise, and a number is not given to anything else.
    mutating func rollBack(told latest: PhoneLeg) { (outbox, numbering) = (latest.outbox, latest.numbering) }
}

/// Writes our descriptions for a phone: nothing that an old one could stumble over.
struct PhoneWriter {
    let parameters: PhoneParameters

    var session: LineList {
        LineList([
            Line(Letter.sessionName, [0x2d]), Line(Letter.connection, ConnectionAddress(parameters.address).bytes),
            Line(Letter.time, [UInt8](ascii: "0 0")),
        ])
    }

    /// - Parameter hasMux: whether to say `a=rtcp-mux`.
    func line(_ terms: StreamTerms, _ socket: PhoneSocket, _ carriage: PhoneCarriage, hasMux: Bool) -> MediaDescription
    {
        var media = MediaDescription(
            kind: [UInt8](ascii: terms.kind == .audio ? "audio" : "video"), port: socket.port,
            transport: carriage.transport, formats: terms.formats.map(\.number))
        media.list.lines += terms.bandwidth
        // Needed only where the port is not the next one (RFC 3605 §2.1).
        if socket.port == .max || socket.controlPort != socket.port + 1 {
            media.list.append("rtcp", decimal(Int(socket.controlPort)))
        }
        if hasMux { media.list.append("rtcp-mux") }
        for crypto in carriage.cryptos { media.list.append("crypto", crypto.bytes) }
        if let setup = carriage.setup {
            for fingerprint in parameters.fingerprints { media.list.append("fingerprint", fingerprint.bytes) }
            media.list.append("setup", setup.text)
        }
        var written = terms
        if !carriage.profile.hasFeedback {
            for index in written.formats.indices { written.formats[index].feedback = [] }
        }
        written.write(into: &media.list)
        media.list.direction = terms.direction
        return media
    }
}
