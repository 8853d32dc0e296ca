import Accounts
import Base
import Foundation
import HTTPTypes
import Store
import Testing

@testable import HTTPAPI

@Suite struct SignInTests {
    private func signIn(_ browser: Browser, _ name: String, password: String = "secret") async throws -> Exchange {
        try await browser.post("/api/session", ["userName": name, "auth": Keys(name, password: password).auth])
    }

    @Test(arguments: Wire.allCases) func `a second device signs in and out`(wire: Wire) async throws {
        let house = try House()
        try await house.serve(wire) { client in
            let first = try await house.owner(client)
            let second = Browser(client)
            let salt = try await second.get("/api/salt?user=anna")
            #expect(
                salt.status == 200 && salt["salt"] == Keys("anna").salt && salt.value("iterations") as? Int == 600_000)
            let me = try await signIn(second, "anna")
            #expect(me.status == 200 && me["keys.wrapped.data"] == Keys.bytes(300) && second.cookieHeader != nil)
            #expect(try await first.get("/api/sessions").list.count == 2)
            let out = try await second.delete("/api/session")
            #expect(out.status == 204 && out.headers[.setCookie]?.contains("Max-Age=0") == true)
            #expect(try await second.get("/api/me").status == 401)
            #expect(try await first.get("/api/me").status == 200)
        }
    }

    @Test(arguments: Wire.allCases) func `one device ends another one's session`(wire: Wire) async throws {
        let house = try House()
        try await house.serve(wire) { client in
            let first = try await house.owner(client)
            let second = Browser(client)
            _ = try await signIn(second, "anna")
            let sessions = try await first.get("/api/sessions").list
            let other = try #require(sessions.first { $0["current"] as? Bool == false })
            #expect(other["userAgent"] as? String == "Test browser")
            let id = try #require(other["id"] as? String)
            #expect(try await first.delete("/api/sessions/\(id)").status == 204)
            #expect(try await second.get("/api/me").code == "not-signed-in")
            let again = try await first.delete("/api/sessions/\(id)")
            #expect(again.status == 404 && again.code == "session-unknown")
        }
    }

    @Test func `a wrong password and a name nobody has look the same`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            _ = try await house.owner(client)
            let wrong = try await signIn(Browser(client), "anna", password: "wrong")
            let nobody = try await signIn(Browser(client), "nobody")
            #expect(wrong.status == 401 && wrong.code == "wrong-password")
            #expect(wrong.bytes == nobody.bytes && wrong.headers == nobody.headers)
            let salt = try await Browser(client).get("/api/salt?user=nobody")
            #expect(salt.status == 200 && salt["salt"]?.count == 22)
            #expect(try await Browser(client).get("/api/salt?user=nobody")["salt"] == salt["salt"])
            #expect(try await Browser(client).get("/api/recovery/salt?user=nobody")["salt"] != salt["salt"])
        }
    }

    @Test func `guessing is slowed down, and the right password waits too`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            _ = try await house.owner(client)
            for _ in 0..<5 { #expect(try await signIn(Browser(client), "anna", password: "wrong").status == 401) }
            let refused = try await signIn(Browser(client), "anna")
            #expect(refused.status == 429 && refused.code == "too-many-tries")
            #expect(refused.headers[.retryAfter] == "1")
            house.clock.advance(by: .seconds(1))
            #expect(try await signIn(Browser(client), "anna").status == 200)
            #expect(try await signIn(Browser(client), "anna").status == 200)
        }
    }

    @Test func `an unknown name is slowed down alike`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            var statuses: [Int] = []
            for _ in 0..<6 { statuses.append(try await signIn(Browser(client), "nobody").status) }
            #expect(statuses == [401, 401, 401, 401, 401, 429])
        }
    }

    @Test func `what a browser sends is checked before it is looked up`() async throws {
        try await House().serve(.router) { client in
            let browser = Browser(client)
            #expect(try await browser.get("/api/salt").code == "bad-json")
            #expect(try await browser.get("/api/salt?user=").code == "bad-user-name")
            #expect(try await browser.get("/api/salt?user=a%20b").code == "bad-user-name")
            let short = try await browser.post("/api/session", ["userName": "anna", "auth": Keys.bytes(31)])
            #expect(short.code == "bad-secret")
            let name = try await browser.post("/api/session", ["userName": "ä", "auth": Keys.bytes(32)])
            #expect(name.code == "bad-user-name")
        }
    }

    @Test func `a session slides, and the cookie with it`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            let anna = try await house.owner(client)
            let fresh = try await anna.get("/api/me")
            #expect(fresh.headers[.setCookie] == nil)
            house.clock.advance(by: .seconds(80 * 86_400))
            let later = try await anna.get("/api/me")
            #expect(later.status == 200 && later.headers[.setCookie]?.contains("Max-Age=7776000") == true)
            house.clock.advance(by: .seconds(80 * 86_400))
            #expect(try await anna.get("/api/me").status == 200)
            house.clock.advance(by: .seconds(91 * 86_400))
            #expect(try await anna.get("/api/me").code == "not-signed-in")
        }
    }

    @Test func `over TLS the cookie is for TLS alone`() async throws {
        let house = try House()
        try await house.serve(.router, secure: true) { client in
            let fresh = try #require(try await house.store.makeOwnerLink(random: RandomSource(seed: 1)))
            var join = Keys("anna").join
            join["userName"] = "anna"
            join["fullName"] = "Anna"
            let browser = Browser(client, origin: "https://localhost")
            let me = try await browser.post("/api/join/\(fresh.token.text)", join)
            #expect(me.status == 201 && me.headers[.setCookie]?.hasSuffix("; SameSite=Strict; Secure") == true)
        }
    }

    @Test func `signing in again in the same browser takes the place of the session before`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            let anna = try await house.owner(client)
            _ = try await signIn(anna, "anna")
            #expect(try await anna.get("/api/sessions").list.count == 1)
        }
    }

    @Test(arguments: Wire.allCases) func `a recovery code opens an account whose password is forgotten`(wire: Wire)
        async throws
    {
        let house = try House()
        try await house.serve(wire) { client in
            let signedIn = try await house.owner(client)
            let browser = Browser(client)
            let keys = Keys("anna")
            #expect(try await browser.get("/api/recovery/salt?user=anna")["salt"] == Keys.bytes(16))
            let opened = try await browser.post(
                "/api/recovery/open", ["userName": "anna", "recoveryAuth": keys.recoveryAuth])
            #expect(opened.status == 200 && opened["recovery.data"] == Keys.bytes(301))

            let renewed = Keys("anna", password: "new")
            let message: [String: any Sendable] = [
                "userName": "anna", "recoveryAuth": keys.recoveryAuth, "salt": renewed.salt, "auth": renewed.auth,
                "wrapped": ["iv": Keys.bytes(12), "data": Keys.bytes(99)],
                "recovery": [
                    "salt": Keys.bytes(16), "iv": Keys.bytes(12), "data": Keys.bytes(77),
                    "auth": Keys.derived("code 2"),
                ],
            ]
            let me = try await browser.post("/api/recovery/complete", message)
            #expect(me.status == 200 && me["keys.wrapped.data"] == Keys.bytes(99) && me["userName"] == "anna")
            #expect(try await signedIn.get("/api/me").code == "not-signed-in")
            #expect(try await browser.get("/api/sessions").list.count == 1)
            #expect(try await signIn(Browser(client), "anna").status == 401)
            #expect(try await signIn(Browser(client), "anna", password: "new").status == 200)
            let used = try await Browser(client).post("/api/recovery/complete", message)
            #expect(used.status == 401 && used.code == "wrong-recovery-code")
            let open = try await Browser(client).post(
                "/api/recovery/open", ["userName": "anna", "recoveryAuth": Keys.derived("code 2")])
            #expect(open["recovery.data"] == Keys.bytes(77))
        }
    }

    @Test func `recovery codes are guessed as slowly as passwords`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            _ = try await house.owner(client)
            let guess: [String: any Sendable] = ["userName": "anna", "recoveryAuth": Keys.derived("guess")]
            for _ in 0..<5 {
                let exchange = try await Browser(client).post("/api/recovery/open", guess)
                #expect(exchange.status == 401 && exchange.code == "wrong-recovery-code")
            }
            #expect(try await Browser(client).post("/api/recovery/open", guess).status == 429)
            #expect(try await signIn(Browser(client), "anna").status == 429)
        }
    }

    @Test(arguments: Wire.allCases) func `a password is changed with the one before`(wire: Wire) async throws {
        let house = try House()
        try await house.serve(wire) { client in
            let anna = try await house.owner(client)
            let other = Browser(client)
            _ = try await signIn(other, "anna")
            let (old, new) = (Keys("anna"), Keys("anna", password: "new"))
            var message: [String: any Sendable] = [
                "currentAuth": new.auth, "salt": new.salt, "auth": new.auth, "wrapped": new.wrapped,
            ]
            #expect(try await anna.post("/api/me/password", message).code == "wrong-password")
            message["currentAuth"] = old.auth
            #expect(try await anna.post("/api/me/password", message).status == 204)
            #expect(try await anna.get("/api/me").status == 200)
            #expect(try await other.get("/api/me").status == 401)
            #expect(try await signIn(Browser(client), "anna", password: "new").status == 200)

            var recovery = new.recovery
            recovery["auth"] = Keys.derived("another code")
            let renewal: [String: any Sendable] = ["currentAuth": new.auth, "recovery": recovery]
            #expect(try await anna.post("/api/me/recovery", renewal).status == 204)
            let opened = try await Browser(client).post(
                "/api/recovery/open", ["userName": "anna", "recoveryAuth": Keys.derived("another code")])
            #expect(opened.status == 200)
        }
    }

    @Test func `the WebSocket knows who a cookie belongs to, until the session ends`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            let anna = try await house.owner(client)
            let header = "theme=dark; " + (try #require(anna.cookieHeader)) + "; other=1"
            let signedIn = try #require(await house.interface.signedIn(cookieHeader: header))
            #expect(signedIn.person.userName.description == "anna")
            #expect(await house.interface.signedIn(cookieHeader: "hearth_session=nonsense") == nil)
            #expect(await house.interface.signedIn(cookieHeader: "") == nil)
            _ = try await anna.delete("/api/session")
            #expect(await house.interface.signedIn(cookieHeader: header) == nil)
            for await change in house.store.changes {
                if change == .sessionEnded(signedIn.session.id, signedIn.person.userName) { break }
            }
        }
    }
}
