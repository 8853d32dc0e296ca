import Accounts
import Base
import CallControl
import Crypto
import Foundation
import HTTPTypes
import SIP
import Store
import Testing

@testable import HTTPAPI

@Suite struct HouseholdTests {
    @Test(arguments: Wire.allCases) func `everybody sees everybody, and who can be reached`(wire: Wire) async throws {
        let house = try House()
        try await house.serve(wire) { client in
            let anna = try await house.owner(client)
            let bob = try await house.member(client, "bob", by: anna)
            let address = TransportAddress(ip: .loopback, port: 1)
            let binding = Binding(
                user: Array("bob".utf8), key: [1], contact: [1],
                flow: Flow(transport: .wss, id: 1, remote: address, local: address), remaining: .seconds(60))
            await withCheckedContinuation { continuation in
                house.store.apply(BindingChange(user: Array("bob".utf8), saved: [binding])) { _ in continuation.resume()
                }
            }
            let people = try await bob.get("/api/people")
            #expect(people.status == 200)
            #expect(people.list.map { $0["userName"] as? String } == ["anna", "bob"])
            #expect(people.list.map { $0["role"] as? String } == ["owner", "member"])
            #expect(people.list.map { $0["reachable"] as? Bool } == [false, true])
            #expect(people.list.map { $0["address"] as? String } == ["sip:anna@home.example", "sip:bob@home.example"])
            let keys = Keys("bob")
            let fingerprint = Base64URL.encode(Array(SHA256.hash(data: keys.signing + keys.agreement)))
            #expect(people.list.last?["signingPublic"] as? String == Base64URL.encode(keys.signing))
            #expect(people.list.last?["fingerprint"] as? String == fingerprint)
        }
    }

    @Test(arguments: Wire.allCases) func `an owner invites, lists and takes back`(wire: Wire) async throws {
        let house = try House()
        try await house.serve(wire) { client in
            let anna = try await house.owner(client)
            let made = try await anna.post("/api/invitations", ["userName": "bob"])
            #expect(made.status == 201)
            let again = try await anna.post("/api/invitations", ["userName": "bob"])
            #expect(again.status == 409 && again.code == "already-invited")
            #expect(try await anna.post("/api/invitations", ["userName": "anna"]).code == "name-taken")
            #expect(try await anna.post("/api/invitations", ["userName": "B B"]).code == "bad-user-name")
            #expect(try await anna.post("/api/invitations", ["userName": "c", "fullName": ""]).code == "bad-full-name")
            #expect(try await anna.post("/api/invitations", ["userName": "c", "role": "king"]).code == "bad-json")
            #expect(try await anna.post("/api/invitations", ["fullName": "C"]).code == "bad-json")
            let list = try await anna.get("/api/invitations").list
            #expect(
                list.count == 1 && list[0]["userName"] as? String == "bob" && list[0]["purpose"] as? String == "member")
            #expect(list[0]["inviter"] as? String == "anna" && list[0]["id"] as? String == made["id"])
            let id = try #require(made["id"])
            #expect(try await anna.delete("/api/invitations/\(id)").status == 204)
            #expect(try await anna.delete("/api/invitations/\(id)").code == "link-unknown")
            #expect(try await anna.get("/api/invitations").list.isEmpty)
        }
    }

    @Test(arguments: Wire.allCases) func `owners are made, unmade and removed, but never the last`(wire: Wire)
        async throws
    {
        let house = try House()
        try await house.serve(wire) { client in
            let anna = try await house.owner(client)
            let bob = try await house.member(client, "bob", by: anna)
            #expect(try await anna.delete("/api/people/anna").code == "last-owner")
            #expect(try await anna.patch("/api/people/anna", ["role": "member"]).status == 409)
            #expect(try await anna.patch("/api/people/bob", ["role": "owner"]).status == 204)
            #expect(try await bob.patch("/api/people/anna", ["role": "member"]).status == 204)
            #expect(try await anna.delete("/api/people/bob").code == "not-owner")
            #expect(try await bob.delete("/api/people/anna").status == 204)
            #expect(try await anna.get("/api/me").code == "not-signed-in")
            #expect(try await bob.delete("/api/people/anna").code == "person-unknown")
            #expect(try await bob.patch("/api/people/nobody", ["role": "owner"]).code == "person-unknown")
            #expect(try await bob.patch("/api/people/bob", ["role": "king"]).code == "bad-json")
            #expect(try await bob.post("/api/people/nobody/reset").code == "person-unknown")
            #expect(try await bob.delete("/api/people/B%20B").code == "not-found")
        }
    }

    @Test func `members may not do what owners do`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            let anna = try await house.owner(client)
            let bob = try await house.member(client, "bob", by: anna)
            for exchange in [
                try await bob.post("/api/invitations", ["userName": "eve"]), try await bob.get("/api/invitations"),
                try await bob.delete("/api/invitations/x"), try await bob.delete("/api/people/anna"),
                try await bob.patch("/api/people/bob", ["role": "owner"]), try await bob.post("/api/people/anna/reset"),
            ] {
                #expect(exchange.status == 403 && exchange.code == "not-owner")
            }
            #expect(try await anna.get("/api/people").list.count == 2)
        }
    }

    @Test func `nobody who is not signed in learns or changes anything`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            _ = try await house.owner(client)
            for endpoint in Endpoint.all where endpoint.access != .anyone {
                let path = endpoint.path.replacing("{userName}", with: "anna").replacing("{id}", with: "x")
                for cookie in [nil, "hearth_session=" + String(repeating: "A", count: 43), "hearth_session=x"] {
                    let body = endpoint.method == .get ? nil : Data("{}".utf8)
                    let exchange = try await Browser(client, cookie: cookie).send(endpoint.method, path, body)
                    #expect(exchange.status == 401 && exchange.code == "not-signed-in", "\(endpoint.method) \(path)")
                }
            }
        }
    }

    @Test(arguments: Wire.allCases) func `native phones get a password that is told once`(wire: Wire) async throws {
        let house = try House()
        try await house.serve(wire) { client in
            let anna = try await house.owner(client)
            let made = try await anna.post("/api/phones", ["label": "Kitchen"])
            #expect(made.status == 201 && made["user"] == "anna" && made["server"] == "home.example")
            #expect(made["domain"] == "home.example" && made["label"] == "Kitchen")
            let transports = made.value("transports") as? [[String: Any]] ?? []
            #expect(transports.map { $0["transport"] as? String } == ["udp", "tcp", "tls"])
            #expect(transports.map { $0["port"] as? Int } == [5060, 5060, 5061])
            let password = try #require(made["password"])
            let phones = try await house.store.phones(of: UserName(parsing: "anna"))
            #expect(phones.first?.md5 == Array(Insecure.MD5.hash(data: Array("anna:home.example:\(password)".utf8))))
            #expect(try await anna.post("/api/phones", ["label": "Kitchen"]).code == "label-taken")
            #expect(try await anna.post("/api/phones", ["label": ""]).code == "bad-label")
            for number in 1..<Phone.maximumPerPerson {
                #expect(try await anna.post("/api/phones", ["label": "Phone \(number)"]).status == 201)
            }
            #expect(try await anna.post("/api/phones", ["label": "More"]).code == "too-many-phones")
            let listed = try await anna.get("/api/phones")
            #expect(listed.list.count == 10 && !listed.text.contains(password))
            let id = try #require(made["id"])
            #expect(try await anna.delete("/api/phones/\(id)").status == 204)
            #expect(try await anna.delete("/api/phones/\(id)").code == "phone-unknown")
            #expect(try await anna.get("/api/phones").list.count == 9)
        }
    }

    @Test func `a phone belongs to one person`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            let anna = try await house.owner(client)
            let bob = try await house.member(client, "bob", by: anna)
            let id = try #require(try await anna.post("/api/phones", ["label": "Kitchen"])["id"])
            #expect(try await bob.delete("/api/phones/\(id)").code == "phone-unknown")
            #expect(try await bob.get("/api/phones").list.isEmpty)
        }
    }

    @Test(arguments: Wire.allCases)
    func `an owner sets up the telephone of somebody who has not joined`(wire: Wire) async throws {
        let house = try House()
        try await house.serve(wire) { client in
            let anna = try await house.owner(client)
            let phones = "/api/people/grandma/phones"
            #expect(try await anna.post(phones, ["label": "Hall"]).code == "person-unknown")
            #expect(try await anna.post("/api/invitations", ["userName": "grandma"]).status == 201)
            let made = try await anna.post(phones, ["label": "Hall"])
            #expect(made.status == 201 && made["user"] == "grandma" && made["password"] != nil)
            let people = try await anna.get("/api/people")
            let grandma = try #require(people.list.first { $0["userName"] as? String == "grandma" })
            #expect(grandma["fullName"] as? String == "grandma" && grandma["reachable"] as? Bool == false)
            #expect(grandma["signingPublic"] == nil && grandma["fingerprint"] == nil)
            #expect(try await anna.patch("/api/people/grandma", ["role": "owner"]).code == "not-joined")
            #expect(try await anna.get(phones).list.map { $0["label"] as? String } == ["Hall"])
            let bob = try await house.member(client, "bob", by: anna)
            #expect(try await bob.get(phones).code == "not-owner")
            #expect(try await bob.post(phones, ["label": "Mine"]).code == "not-owner")
            let id = try #require(made["id"])
            #expect(try await anna.delete("\(phones)/\(id)").status == 204)
            #expect(try await anna.get(phones).list.isEmpty)
        }
    }

    @Test func `a person changes her own full name`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            let anna = try await house.owner(client)
            #expect(try await anna.patch("/api/me", ["fullName": " Anna-Lena "]).status == 204)
            #expect(try await anna.get("/api/me")["fullName"] == "Anna-Lena")
            #expect(try await anna.patch("/api/me", ["fullName": "\u{202e}annA"]).code == "bad-full-name")
        }
    }

    @Test func `open links are bounded`() async throws {
        let house = try House()
        try await house.serve(.router) { client in
            let anna = try await house.owner(client)
            for number in 0..<JoinLink.maximumOpen {
                #expect(try await anna.post("/api/invitations", ["userName": "n\(number)"]).status == 201)
            }
            let exchange = try await anna.post("/api/invitations", ["userName": "more"])
            #expect(exchange.status == 409 && exchange.code == "too-many-links")
        }
    }
}
