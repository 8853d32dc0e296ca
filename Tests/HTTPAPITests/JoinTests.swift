import Accounts
import Base
import Foundation
import HTTPTypes
import Store
import Testing

@testable import HTTPAPI

@Suite struct JoinTests {
    @Test(arguments: Wire.allCases) func `the first owner joins and is signed in`(wire: Wire) async throws {
        let house = try House()
        try await house.serve(wire) { client in
            let fresh = try #require(try await house.store.makeOwnerLink(random: RandomSource(seed: 1)))
            let browser = Browser(client)
            let link = try await browser.get("/api/join/\(fresh.token.text)")
            #expect(
                link.status == 200 && link["purpose"] == "owner" && link["userName"] == nil && link["inviter"] == nil)
            #expect(link["domain"] == "home.example")
            var join = Keys("anna").join
            let unnamed = try await browser.post("/api/join/\(fresh.token.text)", join)
            #expect(unnamed.status == 400 && unnamed.code == "link-needs-name")
            join["userName"] = "Anna"
            join["fullName"] = "Anna Müller"
            let me = try await browser.post("/api/join/\(fresh.token.text)", join)
            #expect(me.status == 201 && me["userName"] == "anna" && me["fullName"] == "Anna Müller")
            #expect(me["role"] == "owner" && me["address"] == "sip:anna@home.example" && me["domain"] == "home.example")
            #expect(me["sip.url"] == "/sip" && me["sip.trickle"] == "full" && me["version"] == "1.0")
            #expect(me["keys.wrapped.iv"] == Keys.bytes(12) && me["keys.wrapped.data"] == Keys.bytes(300))
            let cookie = try #require(me.headers[.setCookie])
            #expect(
                cookie.contains("; Path=/; Max-Age=7776000; HttpOnly; SameSite=Strict") && !cookie.contains("Secure"))
            #expect(try await browser.get("/api/me")["userName"] == "anna")
            let again = try await browser.post("/api/join/\(fresh.token.text)", join)
            #expect(again.status == 410 && again.code == "link-used")
            #expect(try await browser.get("/api/join/\(fresh.token.text)").code == "link-used")
        }
    }

    @Test(arguments: Wire.allCases) func `somebody invited joins with the name the owner chose`(wire: Wire) async throws
    {
        let house = try House()
        try await house.serve(wire) { client in
            let anna = try await house.owner(client)
            let made = try await anna.post("/api/invitations", ["userName": "bob", "fullName": "Bob"])
            #expect(made.status == 201 && made["userName"] == "bob")
            let url = try #require(made["url"])
            let token = try #require(House.token(url))
            let fingerprint = try #require(try await anna.get("/api/me")["keys.fingerprint"])
            #expect(url == "https://home.example:8443/join/\(token)#\(fingerprint)")

            let bob = Browser(client)
            let link = try await bob.get("/api/join/\(token)")
            #expect(link["purpose"] == "member" && link["userName"] == "bob" && link["fullName"] == "Bob")
            #expect(link["inviter"] == "ANNA" && link["inviterUserName"] == "anna")
            var join = Keys("bob").join
            join["userName"] = "robert"
            #expect(try await bob.post("/api/join/\(token)", join).code == "link-has-name")
            join["userName"] = nil
            join["fullName"] = "Bobby"
            let me = try await bob.post("/api/join/\(token)", join)
            #expect(me.status == 201 && me["userName"] == "bob" && me["fullName"] == "Bobby" && me["role"] == "member")
        }
    }

    @Test(arguments: ["nothing", "AAAA", String(repeating: "A", count: 43), String(repeating: "%", count: 43)])
    func `an unknown link is refused`(token: String) async throws {
        try await House().serve(.router) { client in
            let exchange = try await Browser(client).get("/api/join/\(token)")
            #expect(exchange.status == 404 && exchange.code == "link-unknown")
            let posted = try await Browser(client).post("/api/join/\(token)", Keys("x").join)
            #expect(posted.status == 404 && posted.code == "link-unknown")
        }
    }

    @Test func `an old link is refused with other words`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            let fresh = try #require(try await house.store.makeOwnerLink(random: RandomSource(seed: 1)))
            house.clock.advance(by: JoinLink.lifetime)
            let exchange = try await Browser(client).get("/api/join/\(fresh.token.text)")
            #expect(exchange.status == 410 && exchange.code == "link-expired")
            #expect(exchange.message?.contains("Ask for a new one") == true)
        }
    }

    @Test func `what does not fit is refused, and the link still works`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            let fresh = try #require(try await house.store.makeOwnerLink(random: RandomSource(seed: 1)))
            let path = "/api/join/\(fresh.token.text)"
            var good = Keys("anna").join
            good["userName"] = "anna"
            good["fullName"] = "Anna"
            let keys = good["keys"] as? [String: any Sendable] ?? [:]
            func with(_ name: String, _ value: any Sendable) -> [String: any Sendable] {
                var message = good
                message[name] = value
                return message
            }
            func withKey(_ name: String, _ value: any Sendable) -> [String: any Sendable] {
                var changed = keys
                changed[name] = value
                return with("keys", changed)
            }
            let wrong: [(String, [String: any Sendable])] = [
                ("bad-user-name", with("userName", "1")), ("bad-full-name", with("fullName", " ")),
                ("bad-secret", with("salt", Keys.bytes(15))), ("bad-secret", with("auth", Keys.bytes(31))),
                ("bad-json", with("salt", "***")), ("bad-json", with("salt", 5)), ("bad-json", with("keys", "x")),
                ("bad-keys", withKey("signingPublic", Keys.bytes(65))),
                ("bad-keys", withKey("agreementPublic", Keys.bytes(33))),
                ("bad-keys", withKey("wrapped", ["iv": Keys.bytes(11), "data": Keys.bytes(300)])),
                ("bad-keys", withKey("wrapped", ["iv": Keys.bytes(12), "data": Keys.bytes(4097)])),
                ("bad-json", withKey("recovery", ["iv": Keys.bytes(12)])),
            ]
            for (code, message) in wrong {
                let exchange = try await Browser(client).post(path, message)
                #expect(exchange.status == 400 && exchange.code == code, "\(code): \(exchange.message ?? "")")
            }
            #expect(try await Browser(client).post(path, good).status == 201)
        }
    }

    @Test(arguments: Wire.allCases) func `a reset starts again with new keys`(wire: Wire) async throws {
        let house = try House()
        try await house.serve(wire) { client in
            let anna = try await house.owner(client)
            let bob = try await house.member(client, "bob", by: anna)
            let before = try await bob.get("/api/me")["keys.fingerprint"]
            let made = try await anna.post("/api/people/bob/reset")
            let token = try #require(made["url"].flatMap(House.token))
            #expect(made.status == 201)
            #expect(try await bob.get("/api/me").status == 200)
            #expect(try await Browser(client).get("/api/join/\(token)")["purpose"] == "reset")
            let again = Browser(client)
            let me = try await again.post("/api/join/\(token)", Keys("bob2", password: "new").join)
            #expect(me.status == 201 && me["userName"] == "bob" && me["keys.fingerprint"] != before)
            #expect(try await bob.get("/api/me").code == "not-signed-in")
        }
    }
}
