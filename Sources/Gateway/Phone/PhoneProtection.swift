import SDP

/// How the media of one stream is protected on the phone's leg.
package enum PhoneProtection: Equatable, Sendable {
    /// In the clear.
    case none
    /// Keys in the description (RFC 4568): ours protects what we send, the phone's what it sends.
    case keys(ours: SDESKey, theirs: SDESKey)
    case dtls(fingerprints: [Fingerprint], role: DTLSRole)
}

/// What one of our lines for a phone says about protection.
struct PhoneCarriage: Equatable, Sendable {
    var profile: RTPProfile
    var transport: [UInt8]
    var cryptos: [CryptoAttribute] = []
    /// nil without DTLS.
    var setup: Setup?

    init(_ profile: RTPProfile, cryptos: [CryptoAttribute] = [], setup: Setup? = nil) {
        (self.profile, transport, self.cryptos, self.setup) = (profile, profile.text, cryptos, setup)
    }

    /// The lines' carriage in a first offer, best first.
    static func offers(_ security: PhoneSecurity, keys: [SDESKey], feedback: Bool) -> [PhoneCarriage] {
        let cryptos = keys.enumerated().map { CryptoAttribute(tag: decimal($0.offset + 1), key: $0.element) }
        let plain = PhoneCarriage(.plain(feedback: feedback))
        let keyed = PhoneCarriage(.secure(feedback: feedback), cryptos: cryptos)
        switch security {
        case .none: return [plain]
        case .opportunistic: return [PhoneCarriage(.plain(feedback: feedback), cryptos: cryptos)]
        case .twoLines: return [keyed, plain]
        case .keys: return [keyed]
        case .dtls: return [PhoneCarriage(.dtls(feedback: feedback), setup: .activeOrPassive)]
        }
    }
}

/// What was agreed on for one stream; a later offer of ours says the same again.
struct PhoneAgreement: Equatable, Sendable {
    var profile: RTPProfile
    var protection: PhoneProtection

    /// The carriage of our next offer.
    var carriage: PhoneCarriage {
        switch protection {
        case .none: PhoneCarriage(profile)
        case .keys(let ours, _): PhoneCarriage(profile, cryptos: [CryptoAttribute(tag: [0x31], key: ours)])
        case .dtls: PhoneCarriage(profile, setup: .activeOrPassive)
        }
    }

    private var role: DTLSRole? { if case .dtls(_, let role) = protection { role } else { nil } }

    private func isOfSameCertificate(_ fingerprints: [Fingerprint]) -> Bool {
        if case .dtls(fingerprints, _) = protection { true } else { false }
    }

    // MARK: Answering a phone's offer

    /// How to answer a line of a phone's offer, and what we then have.
    ///
    /// - Parameter before: what was agreed on before; its keys and roles stay as long as the phone's do.
    static func answer(
        _ line: PhoneLine, keys: [SDESKey], hasCertificate: Bool, requiresEncryption: Bool, before: PhoneAgreement?
    ) throws(GatewayError) -> (agreement: PhoneAgreement, carriage: PhoneCarriage) {
        if let (offered, ours) = keyed(line, keys) {
            let agreement = PhoneAgreement(profile: line.profile, protection: .keys(ours: ours, theirs: offered.key))
            let crypto = CryptoAttribute(tag: offered.tag, key: ours)
            return (agreement, PhoneCarriage(line.profile, cryptos: [crypto]))
        }
        if !line.fingerprints.isEmpty, line.profile.isSecure || line.setup != nil, hasCertificate {
            let role = Self.role(answering: line, before: before)
            let agreement = PhoneAgreement(
                profile: line.profile, protection: .dtls(fingerprints: line.fingerprints, role: role))
            return (agreement, PhoneCarriage(line.profile, setup: role.setup))
        }
        guard !line.profile.isSecure else { throw .noUsableKeys }
        guard !requiresEncryption else { throw .encryptionRequired }
        return (PhoneAgreement(profile: line.profile, protection: .none), PhoneCarriage(line.profile))
    }

    /// The first offered key of a suite that we can do, and ours for it.
    private static func keyed(_ line: PhoneLine, _ keys: [SDESKey]) -> (CryptoAttribute, SDESKey)? {
        if case .dtls = line.profile { return nil }
        for crypto in line.cryptos {
            if let ours = keys.first(where: { $0.suite == crypto.key.suite }) { return (crypto, ours) }
        }
        return nil
    }

    /// We wait for the phone's ClientHello where we may: its description may name an address behind a router, which only
    /// its first packet tells.
    private static func role(answering line: PhoneLine, before: PhoneAgreement?) -> DTLSRole {
        switch line.setup {
        case .passive: return .client
        case .activeOrPassive:
            guard let before, before.isOfSameCertificate(line.fingerprints) else { return .server }
            return before.role ?? .server
        default: return .server
        }
    }
}

// MARK: - Reading a phone's answer

extension PhoneAgreement {
    /// - Parameter offered: our line, as it was sent.
    init(answer line: PhoneLine, to offered: PhoneLine) throws(GatewayError) {
        profile = line.profile
        if let crypto = line.cryptos.first, let ours = Self.offered(crypto, among: offered.cryptos) {
            protection = .keys(ours: ours.key, theirs: crypto.key)
        } else if offered.setup != nil, !line.fingerprints.isEmpty {
            protection = .dtls(fingerprints: line.fingerprints, role: DTLSRole(answered: line.setup))
        } else {
            guard !line.profile.isSecure else { throw .noUsableKeys }
            guard !offered.profile.isSecure else { throw .encryptionRequired }
            protection = .none
        }
    }

    /// The line of ours that an answer takes: by its tag, or, where a phone counts anew, by its suite.
    private static func offered(_ answer: CryptoAttribute, among offers: [CryptoAttribute]) -> CryptoAttribute? {
        let matching = offers.filter { $0.key.suite == answer.key.suite }
        return matching.first { $0.tag == answer.tag } ?? matching.first
    }
}
