import Accounts
import HTTPTypes
import Store

extension Endpoint {
    static let phones = [
        Endpoint(
            method: .get, path: "/api/phones", summary: "One's native SIP phones, oldest first.", access: .signedIn,
            status: .ok, answer: "Phones"
        ) { call in
            try Answer(try await call.store.phones(of: call.signedIn().person.userName).map(PhoneAnswer.init))
        },
        Endpoint(
            method: .post, path: "/api/phones",
            summary: "Adds a native SIP phone. The answer has what to type into it; the password is told once.",
            access: .signedIn, body: "PhoneRequest", status: .created, answer: "NewPhone",
            refusals: [.like(.badLabel), .like(.tooManyPhones), .like(.labelTaken("Kitchen"))]
        ) { call in
            let label = try PhoneLabel(parsing: call.decode(PhoneRequest.self).label)
            let (name, domain, now) = (
                try call.signedIn().person.userName, call.configuration.domain, call.store.clock()
            )
            let (phone, password) = call.interface.withRandom { random in
                Phone.make(for: name, label: label, realm: domain, random: &random, at: now)
            }
            try await call.store.add(phone)
            let server = call.configuration.phoneServer
            return try Answer(
                NewPhoneAnswer(
                    id: phone.id.description, label: phone.label.description, server: server.host, domain: domain,
                    user: name.description, password: password,
                    transports: server.transports.map { transport, port in
                        NewPhoneAnswer.Transport(transport: transport.rawValue, port: port)
                    }))
        },
        Endpoint(
            method: .delete, path: "/api/phones/{id}", summary: "Takes a phone's password away.", access: .signedIn,
            status: .noContent, refusals: [.like(.phoneUnknown)]
        ) { call in
            let name = try call.signedIn().person.userName
            try await call.store.removePhone(Identifier(try call.parameter("id")), of: name)
            return .empty
        },
    ]
}
