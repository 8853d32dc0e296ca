import Accounts
import HTTPTypes
import Store

extension Endpoint {
    static let join = [
        Endpoint(
            method: .get, path: "/api/join/{token}", summary: "What a join link is for.", access: .anyone,
            status: .ok, answer: "Join", refusals: linkRefusals
        ) { call in
            let (link, inviter) = try await call.store.link(try call.linkHash())
            return try Answer(
                JoinAnswer(
                    purpose: link.purpose.rawValue, userName: link.userName?.description,
                    fullName: link.fullName?.description, inviter: inviter?.fullName.description,
                    inviterUserName: inviter?.userName.description, domain: call.configuration.domain,
                    expires: link.expires.description))
        },
        Endpoint(
            method: .post, path: "/api/join/{token}",
            summary: "Joins the household, or starts again with new keys after a reset. Signs in.", access: .anyone,
            body: "JoinRequest", status: .created, answer: "Me",
            refusals: linkRefusals + [
                .like(.nameTaken(.example)), .like(.badKeys("…")), .like(.badSecret("…")), .like(.badUserName),
                .like(.badFullName), .like(.linkNeedsName), .like(.linkHasName), .like(.personUnknown(.example)),
            ]
        ) { call in
            let hash = try call.linkHash()
            let message = try call.decode(JoinRequest.self)
            let keys = message.keys
            let newcomer = Newcomer(
                userName: try message.userName.map { try UserName(parsing: $0) },
                fullName: try message.fullName.map { try FullName(parsing: $0) },
                keys: try PublicKeys(signing: keys.signingPublic.bytes, agreement: keys.agreementPublic.bytes),
                credentials: Credentials(
                    password: try call.proof(salt: message.salt, auth: message.auth),
                    wrapped: try keys.wrapped.parsed(),
                    recovery: try call.recovery(keys.recovery)))
            let (userAgent, now, random) = (call.userAgent, call.store.clock(), call.interface.fork())
            let (person, session, token) = try await call.store.accept(hash, newcomer) { name in
                var random = random
                return Session.make(for: name, userAgent: userAgent, random: &random, at: now)
            }
            call.interface.counters.count(.joined)
            return try call.me(person, newcomer.credentials.wrapped, session, cookie: .set(token))
        },
    ]

    private static let linkRefusals: [Refusal] = [.like(.linkUnknown), .like(.linkUsed), .like(.linkExpired)]
}

extension Refusal {
    /// What an `AccountError` becomes, for the table of what an operation may answer.
    static func like(_ error: AccountError) -> Refusal { Refusal(error) }
}

extension UserName {
    /// Stands for any name in the interface's own description.
    static var example: UserName {
        guard let name = try? UserName(parsing: "anna") else { preconditionFailure("“anna” is a user name") }
        return name
    }
}

extension Call {
    fileprivate func linkHash() throws -> TokenHash {
        guard let token = Token(parsing: try parameter("token")) else { throw AccountError.linkUnknown }
        return token.hash
    }

    func proof(salt: JSONBytes, auth: JSONBytes) throws -> Credentials.Proof {
        let (salt, auth) = (try ClientSalt(parsing: salt.bytes), try Auth(parsing: auth.bytes))
        return Credentials.Proof(salt: salt, verifier: interface.withRandom { Verifier(of: auth, random: &$0) })
    }

    func recovery(_ message: RecoveryMessage) throws -> Credentials.Recovery {
        Credentials.Recovery(
            proof: try proof(salt: message.salt, auth: message.auth),
            sealed: try SealedKeys(iv: message.iv.bytes, data: message.data.bytes))
    }

    /// The answer that tells a person about herself.
    func me(
        _ person: Person, _ wrapped: SealedKeys, _ session: Session, cookie: Answer.Cookie = .unchanged
    ) throws -> Answer {
        // Credentials come with keys: whoever signs in has both.
        guard let keys = person.keys else { throw Refusal.notSignedIn }
        return try Answer(
            MeAnswer(
                userName: person.userName.description, fullName: person.fullName.description,
                role: person.role.rawValue, address: address(of: person.userName), domain: configuration.domain,
                keys: MeAnswer.Keys(
                    signingPublic: JSONBytes(keys.signing), agreementPublic: JSONBytes(keys.agreement),
                    fingerprint: keys.fingerprint.description, wrapped: SealedKeysMessage(wrapped)),
                session: session.id.description, version: configuration.version),
            cookie: cookie)
    }

    /// The SIP address of somebody here.
    func address(of name: UserName) -> String { "sip:\(name)@\(configuration.domain)" }
}
