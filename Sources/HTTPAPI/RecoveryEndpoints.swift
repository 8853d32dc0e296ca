import Accounts
import HTTPTypes
import Store

extension Endpoint {
    static let recovery = [
        Endpoint(
            method: .get, path: "/api/recovery/salt",
            summary: "The salt a browser needs to turn a recovery code into its proof.", access: .anyone,
            query: [userQuery], status: .ok, answer: "Salt", refusals: [.like(.badUserName)]
        ) { call in try await call.salt(.recovery) { $0.recovery.proof.salt } },
        Endpoint(
            method: .post, path: "/api/recovery/open",
            summary: "Hands out the keys as the recovery code wraps them, to whoever has the code.", access: .anyone,
            body: "RecoveryOpenRequest", status: .ok, answer: "RecoveryOpen", refusals: recoveryRefusals
        ) { call in
            let message = try call.decode(RecoveryOpenRequest.self)
            let (_, credentials) = try await call.prove(
                message.userName, message.recoveryAuth, or: .wrongRecoveryCode
            ) { $0.recovery.proof.verifier }
            let (proof, sealed) = (credentials.recovery.proof, credentials.recovery.sealed)
            return try Answer(
                RecoveryOpenAnswer(
                    recovery: RecoveryOpenAnswer.Recovery(
                        salt: JSONBytes(proof.salt.bytes), iv: JSONBytes(sealed.iv), data: JSONBytes(sealed.data))))
        },
        Endpoint(
            method: .post, path: "/api/recovery/complete",
            summary: "Sets a new password and a new recovery code, ends all sessions and signs in.", access: .anyone,
            body: "RecoveryCompleteRequest", status: .ok, answer: "Me",
            refusals: recoveryRefusals + [.like(.badKeys("…"))]
        ) { call in
            let message = try call.decode(RecoveryCompleteRequest.self)
            // What does not fit is refused before the try is charged.
            let renewed = Credentials(
                password: try call.proof(salt: message.salt, auth: message.auth),
                wrapped: try message.wrapped.parsed(), recovery: try call.recovery(message.recovery))
            let (person, _) = try await call.prove(
                message.userName, message.recoveryAuth, or: .wrongRecoveryCode
            ) { $0.recovery.proof.verifier }
            let (session, token) = call.newSession(for: person.userName)
            try await call.store.replaceCredentials(
                of: person.userName, with: renewed, new: (session, token.hash))
            return try call.me(person, renewed.wrapped, session, cookie: .set(token))
        },
    ]

    private static let recoveryRefusals: [Refusal] = [
        .wrongRecoveryCode, .tooManyTries(.zero), .like(.badUserName), .like(.badSecret("…")),
    ]
}
