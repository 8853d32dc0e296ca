import Base

/// Answers challenges with one user name and password (RFC 3261 §22.2, RFC 7616 §3.4).
///
/// 1. A 401 or 407 comes: `accept` remembers its challenges, or says that the password was refused.
/// 2. `authorize` adds credentials to the next try, and to every later request: a nonce is used again, with a higher
///    count, until the server calls it stale.
package struct DigestClient: Sendable {
    package enum Answer: Equatable, Sendable {
        /// Send the request again, authorized.
        case retry
        /// The same nonce was refused, or a fresh one after our answer: the password is wrong.
        case refused
        /// No challenge with an algorithm we have.
        case unsupported
    }

    /// One protection space: a realm of the registrar's, or of a proxy's.
    private struct Session: Sendable {
        var header: HeaderName
        var challenge: DigestChallenge
        var algorithm: DigestAlgorithm
        var ha1: [UInt8]
        var cnonce: [UInt8]
        var count: UInt32 = 0
    }

    /// Realms one client talks to: its registrar, the proxies on the way, and some to spare.
    private static let maximumSessions = 8

    private let userName: [UInt8]
    private let password: [UInt8]
    private var sessions: [Session] = []

    package init(userName: [UInt8], password: [UInt8]) { (self.userName, self.password) = (userName, password) }

    /// Whether credentials would be added to a request.
    package var isReady: Bool { !sessions.isEmpty }

    /// Takes the challenges of a 401 or 407.
    ///
    /// - Parameter request: what was refused; if it carried credentials for the same realm and the challenge is not
    ///   stale, the password is wrong.
    package mutating func accept(
        _ response: SIPMessage, for request: SIPMessage, random: inout RandomSource
    ) -> Answer {
        var answer = Answer.unsupported
        for (name, reply) in [
            (HeaderName.wwwAuthenticate, HeaderName.authorization), (.proxyAuthenticate, .proxyAuthorization),
        ] {
            for challenge in strongest(response, name) {
                if wasTried(challenge, in: request, reply) { return .refused }
                start(challenge, reply, random: &random)
                answer = .retry
            }
        }
        return answer
    }

    /// The best challenge of each realm that we can answer: the first in the server's order (RFC 8760 §2.4).
    private func strongest(_ response: SIPMessage, _ name: HeaderName) -> [DigestChallenge] {
        var out: [DigestChallenge] = []
        for text in response.values(of: name) {
            do throws(SIPParseError) {
                guard let challenge = try DigestChallenge(parsing: text, header: name), challenge.algorithm != nil,
                    !out.contains(where: { $0.realm == challenge.realm }), out.count < Self.maximumSessions
                else { continue }
                out.append(challenge)
            } catch { continue }
        }
        return out
    }

    private func wasTried(_ challenge: DigestChallenge, in request: SIPMessage, _ name: HeaderName) -> Bool {
        guard !challenge.isStale else { return false }
        for line in request.lines where line.code == name {
            if let sent = AuthParameters(parsing: request.text(of: line)), sent.isDigest,
                sent[.realm] == challenge.realm, sent[.userName] == userName
            {
                return true
            }
        }
        return false
    }

    private mutating func start(_ challenge: DigestChallenge, _ header: HeaderName, random: inout RandomSource) {
        guard let algorithm = challenge.algorithm else { return }
        let ha1 = algorithm.ha1(user: userName, realm: challenge.realm, password: password)
        let session = Session(
            header: header, challenge: challenge, algorithm: algorithm, ha1: ha1, cnonce: random.token(length: 20))
        sessions.removeAll { $0.header == header && $0.challenge.realm == challenge.realm }
        if sessions.count >= Self.maximumSessions { sessions.removeFirst() }
        sessions.append(session)
    }

    /// A copy of the request with credentials for every challenge known, in place of any it had.
    ///
    /// CSeq and branch are the caller's: a retried request is a new transaction (RFC 3261 §22.2).
    package mutating func authorize(_ request: SIPMessage) -> SIPMessage {
        guard let method = request.method, !sessions.isEmpty else { return request }
        var edit = MessageEdit(request)
        edit.remove(.authorization)
        edit.remove(.proxyAuthorization)
        for (header, credentials) in credentials(
            method: method, uri: Array(request.requestURIText), body: request.body)
        {
            edit.append(header, credentials)
        }
        return edit.finish()
    }

    /// The credentials themselves, each with its header; every call counts the nonces on.
    package mutating func credentials(
        method: SIPMethod, uri: [UInt8], body: ArraySlice<UInt8> = []
    ) -> [(header: HeaderName, value: DigestCredentials)] {
        var out: [(header: HeaderName, value: DigestCredentials)] = []
        for index in sessions.indices {
            sessions[index].count &+= 1
            let session = sessions[index]
            var credentials = DigestCredentials(
                userName: userName, realm: session.challenge.realm, nonce: session.challenge.nonce, uri: uri,
                algorithm: session.algorithm)
            credentials.opaque = session.challenge.opaque
            credentials.quality =
                session.challenge.qualities.contains(.auth) ? .auth : session.challenge.qualities.first
            if credentials.quality != nil || session.algorithm.isSession { credentials.cnonce = session.cnonce }
            if credentials.quality != nil { credentials.nonceCount = session.count }
            credentials.response = credentials.expectedResponse(
                ha1: session.ha1, algorithm: session.algorithm, method: method, body: body)
            out.append((session.header, credentials))
        }
        return out
    }
}
