import Accounts
import HTTPTypes
import Store

extension Endpoint {
    static let me = [
        Endpoint(
            method: .get, path: "/api/me", summary: "Who one is, with one's keys as the password wraps them.",
            access: .signedIn, status: .ok, answer: "Me"
        ) { call in
            let caller = try call.signedIn()
            guard let credentials = try await call.store.credentials(of: caller.person.userName) else {
                throw Refusal.notSignedIn
            }
            return try call.me(caller.person, credentials.wrapped, caller.session)
        },
        Endpoint(
            method: .patch, path: "/api/me", summary: "Changes one's full name.", access: .signedIn,
            body: "MeRequest", status: .noContent, refusals: [.like(.badFullName)]
        ) { call in
            let caller = try call.signedIn()
            let fullName = try FullName(parsing: call.decode(MeRequest.self).fullName)
            try await call.store.rename(caller.person.userName, to: fullName)
            return .empty
        },
        Endpoint(
            method: .post, path: "/api/me/password",
            summary: "Changes one's password. Ends all other sessions.", access: .signedIn, body: "PasswordRequest",
            status: .noContent, refusals: currentRefusals
        ) { call in
            let caller = try call.signedIn()
            let message = try call.decode(PasswordRequest.self)
            var credentials = try await call.proveCurrent(message.currentAuth)
            credentials.password = try call.proof(salt: message.salt, auth: message.auth)
            credentials.wrapped = try message.wrapped.parsed()
            try await call.store.replaceCredentials(
                of: caller.person.userName, with: credentials, keeping: caller.session.id)
            return .empty
        },
        Endpoint(
            method: .post, path: "/api/me/recovery",
            summary: "Replaces the recovery code. Ends all other sessions.", access: .signedIn,
            body: "RecoveryRenewalRequest", status: .noContent, refusals: currentRefusals
        ) { call in
            let caller = try call.signedIn()
            let message = try call.decode(RecoveryRenewalRequest.self)
            var credentials = try await call.proveCurrent(message.currentAuth)
            credentials.recovery = try call.recovery(message.recovery)
            try await call.store.replaceCredentials(
                of: caller.person.userName, with: credentials, keeping: caller.session.id)
            return .empty
        },
    ]

    private static let currentRefusals: [Refusal] = [
        .wrongPassword, .tooManyTries(.zero), .like(.badSecret("…")), .like(.badKeys("…")),
    ]
}

extension Call {
    /// A session alone does not change the password: the tab may have been left open.
    fileprivate func proveCurrent(_ auth: JSONBytes) async throws -> Credentials {
        let name = try signedIn().person.userName.description
        return try await prove(name, auth, or: .wrongPassword) { $0.password.verifier }.1
    }
}
