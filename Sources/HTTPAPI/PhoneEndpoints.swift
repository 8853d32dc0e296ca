import Accounts
import HTTPTypes
import Store

extension Endpoint {
    static let phones =
        phones(
            at: "/api/phones", whose: "one's own", access: .signedIn, of: { try $0.signedIn().person.userName })
        + phones(
            at: "/api/people/{userName}/phones",
            whose: "somebody's, who need not have joined in a browser: her invitation is enough", access: .owner,
            of: { try $0.userName() }, isForeign: true)

    /// List, add, remove: for oneself, and for an owner who sets up others' telephones.
    private static func phones(
        at path: String, whose: String, access: Access, of owner: @escaping @Sendable (Call) throws -> UserName,
        isForeign: Bool = false
    ) -> [Endpoint] {
        let unknown: [Refusal] = isForeign ? [.like(.personUnknown(.example))] : []
        return [
            Endpoint(
                method: .get, path: path, summary: "Native SIP phones, oldest first: \(whose).", access: access,
                status: .ok, answer: "Phones"
            ) { call in
                try Answer(try await call.store.phones(of: owner(call)).map(PhoneAnswer.init))
            },
            Endpoint(
                method: .post, path: path,
                summary:
                    "Adds a native SIP phone, \(whose). The answer has what to type into it; the password is told once.",
                access: access, body: "PhoneRequest", status: .created, answer: "NewPhone",
                refusals: [.like(.badLabel), .like(.tooManyPhones), .like(.labelTaken("Kitchen"))] + unknown
            ) { call in try await call.addPhone(of: owner(call)) },
            Endpoint(
                method: .delete, path: path + "/{id}", summary: "Takes a phone's password away.", access: access,
                status: .noContent, refusals: [.like(.phoneUnknown)]
            ) { call in
                try await call.store.removePhone(Identifier(try call.parameter("id")), of: owner(call))
                return .empty
            },
        ]
    }
}

extension Call {
    fileprivate func addPhone(of name: UserName) async throws -> Answer {
        let label = try PhoneLabel(parsing: decode(PhoneRequest.self).label)
        let (domain, now) = (configuration.domain, store.clock())
        let (phone, password) = interface.withRandom { random in
            Phone.make(for: name, label: label, realm: domain, random: &random, at: now)
        }
        try await store.add(phone)
        let server = configuration.phoneServer
        return try Answer(
            NewPhoneAnswer(
                id: phone.id.description, label: phone.label.description, server: server.host, domain: domain,
                user: name.description, password: password,
                transports: server.transports.map { transport, port in
                    NewPhoneAnswer.Transport(transport: transport.rawValue, port: port)
                }))
    }
}
