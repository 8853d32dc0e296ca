import Accounts
import HTTPTypes
import Store

extension Endpoint {
    static let signIn = [
        Endpoint(
            method: .get, path: "/api/salt", summary: "The salt a browser needs to turn a password into its proof.",
            access: .anyone, query: [userQuery], status: .ok, answer: "Salt", refusals: [.like(.badUserName)]
        ) { call in try await call.salt(.password) { $0.password.salt } },
        Endpoint(
            method: .post, path: "/api/session", summary: "Signs in.", access: .anyone, body: "SignInRequest",
            status: .ok, answer: "Me",
            refusals: [.wrongPassword, .tooManyTries(.zero), .like(.badUserName), .like(.badSecret("…"))]
        ) { call in
            let message = try call.decode(SignInRequest.self)
            let (person, credentials) = try await call.prove(
                message.userName, message.auth, or: .wrongPassword
            ) { $0.password.verifier }
            let (session, token) = call.newSession(for: person.userName)
            try await call.store.add(session, token.hash)
            // Signing in again in the same browser takes the place of the session before.
            if let caller = call.caller {
                try? await call.store.endSession(caller.session.id, of: caller.person.userName)
            }
            return try call.me(person, credentials.wrapped, session, cookie: .set(token))
        },
        Endpoint(
            method: .delete, path: "/api/session", summary: "Signs out.", access: .signedIn, status: .noContent
        ) { call in
            let caller = try call.signedIn()
            try await call.store.endSession(caller.session.id, of: caller.person.userName)
            return Answer.empty.with(cookie: .clear)
        },
        Endpoint(
            method: .get, path: "/api/sessions", summary: "The browsers one is signed in with, last used first.",
            access: .signedIn, status: .ok, answer: "Sessions"
        ) { call in
            let caller = try call.signedIn()
            let sessions = try await call.store.sessions(of: caller.person.userName)
            return try Answer(
                sessions.map { session in
                    SessionAnswer(
                        id: session.id.description, created: session.created.description,
                        lastUsed: session.lastUsed.description, userAgent: session.userAgent,
                        current: session.id == caller.session.id)
                })
        },
        Endpoint(
            method: .delete, path: "/api/sessions/{id}", summary: "Signs a browser of one's own out.",
            access: .signedIn, status: .noContent, refusals: [.like(.sessionUnknown)]
        ) { call in
            let caller = try call.signedIn()
            let id = Identifier<Session>(try call.parameter("id"))
            try await call.store.endSession(id, of: caller.person.userName)
            return id == caller.session.id ? Answer.empty.with(cookie: .clear) : .empty
        },
    ]

    static let userQuery = Query(name: "user", about: "A user name. Names nobody has get an answer too.")
}

extension Call {
    /// A salt, real or believable: the answers do not tell who lives here.
    func salt(_ purpose: ClientSalt.Purpose, _ real: (Credentials) -> ClientSalt) async throws -> Answer {
        let name = try UserName(parsing: query("user"))
        let believable = ClientSalt(believableFor: name, purpose: purpose, secret: interface.secret)
        return try Answer(SaltAnswer(try await store.credentials(of: name).map(real) ?? believable))
    }

    /// Checks what a browser derived from a password or a recovery code, slowly when it was wrong before.
    func prove(
        _ userName: String, _ auth: JSONBytes, or refusal: Refusal, by verifier: (Credentials) -> Verifier
    ) async throws -> (Person, Credentials) {
        let (name, auth) = (try UserName(parsing: userName), try Auth(parsing: auth.bytes))
        try interface.admitTry(name, from: address)
        let known = try await store.credentials(of: name)
        let isRight = known.map { verifier($0).accepts(auth) } ?? Verifier.refuse(auth)
        guard isRight, let known, let person = try await store.person(name) else {
            interface.counters.count(.provedWrong)
            throw refusal
        }
        interface.trySucceeded(name, from: address)
        return (person, known)
    }

    func newSession(for name: UserName) -> (session: Session, token: Token) {
        interface.withRandom { Session.make(for: name, userAgent: userAgent, random: &$0, at: store.clock()) }
    }
}
