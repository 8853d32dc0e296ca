import Accounts
import HTTPTypes

/// The description of the JSON interface for programs, `/api/openapi.json` (OpenAPI 3.1.0).
///
/// Paths come from the table the router is made from; schemas stand here. A test holds answers against them.
enum OpenAPI {
    static func document(_ endpoints: [Endpoint], version: String) -> JSONValue {
        var paths: [JSONValue.Member] = []
        for endpoint in endpoints {
            let operation = JSONValue.Member(name: endpoint.method.rawValue.lowercased(), value: operation(endpoint))
            if let index = paths.firstIndex(where: { $0.name == endpoint.path }),
                case .object(let operations) = paths[index].value
            {
                paths[index].value = .object(operations + [operation])
            } else {
                paths.append(JSONValue.Member(name: endpoint.path, value: .object([operation])))
            }
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Hearth", "version": .string(version),
                "description": """
                The household over HTTP. Calls, presence and messages are SIP over the WebSocket at /sip and not \
                described here. Bytes are base64url without padding; times are ISO 8601 in UTC. Requests that \
                change something need the header X-Hearth: 1 and our own Origin.
                """,
            ],
            "servers": [["url": "/"]],
            "paths": .object(paths),
            "components": [
                "schemas": schemas,
                "securitySchemes": [
                    "session": ["type": "apiKey", "in": "cookie", "name": .string(SessionCookie.name)]
                ],
            ],
        ]
    }

    // MARK: - Operations

    private static func operation(_ endpoint: Endpoint) -> JSONValue {
        var members: [JSONValue.Member] = [.init(name: "summary", value: .string(endpoint.summary))]
        members.append(.init(name: "operationId", value: .string(operationID(endpoint))))
        members.append(.init(name: "security", value: endpoint.access == .anyone ? [] : [["session": []]]))
        let parameters = parameters(endpoint)
        if !parameters.isEmpty { members.append(.init(name: "parameters", value: .array(parameters))) }
        if let body = endpoint.body {
            members.append(
                .init(name: "requestBody", value: ["required": true, "content": content(reference(body))]))
        }
        members.append(.init(name: "responses", value: responses(endpoint)))
        return .object(members)
    }

    /// `post /api/people/{userName}/reset` is `postPeopleReset`.
    private static func operationID(_ endpoint: Endpoint) -> String {
        let words = endpoint.path.split(separator: "/").dropFirst().filter { !$0.hasPrefix("{") }
        let hasParameter = endpoint.path.hasSuffix("}")
        return endpoint.method.rawValue.lowercased()
            + words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() + (hasParameter ? "One" : "")
    }

    private static func parameters(_ endpoint: Endpoint) -> [JSONValue] {
        var parameters: [JSONValue] = endpoint.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { part in
            [
                "name": .string(String(part.dropFirst().dropLast())), "in": "path", "required": true,
                "schema": ["type": "string"],
            ]
        }
        for query in endpoint.query {
            parameters.append([
                "name": .string(query.name), "in": "query", "required": true, "description": .string(query.about),
                "schema": ["type": "string"],
            ])
        }
        if endpoint.isUnsafe {
            parameters.append([
                "name": "X-Hearth", "in": "header", "required": true, "schema": ["type": "string", "const": "1"],
            ])
        }
        return parameters
    }

    private static func responses(_ endpoint: Endpoint) -> JSONValue {
        var success: [JSONValue.Member] = [.init(name: "description", value: .string(endpoint.summary))]
        if let answer = endpoint.answer { success.append(.init(name: "content", value: content(reference(answer)))) }
        var responses = [JSONValue.Member(name: String(endpoint.status.code), value: .object(success))]
        let refusals = refusals(of: endpoint)
        for status in Set(refusals.map(\.status.code)).sorted() {
            let same = refusals.filter { $0.status.code == status }
            responses.append(
                .init(
                    name: String(status),
                    value: [
                        "description": .string(same.map { "`\($0.code)`: \($0.message)" }.joined(separator: "\n\n")),
                        "content": content([
                            "allOf": [
                                reference("Error"),
                                [
                                    "properties": [
                                        "error": [
                                            "properties": [
                                                "code": ["enum": .array(same.map { .string($0.code) })]
                                            ]
                                        ]
                                    ]
                                ],
                            ]
                        ]),
                    ]))
        }
        return .object(responses)
    }

    /// Everything an endpoint may refuse with: its own reasons and those of its kind.
    static func refusals(of endpoint: Endpoint) -> [Refusal] {
        var refusals = endpoint.refusals
        if endpoint.isUnsafe { refusals += [.badOrigin, .missingHeader] }
        if endpoint.body != nil { refusals += [.badJSON("…"), .notJSON, .tooLarge] }
        if !endpoint.query.isEmpty { refusals.append(.badJSON("…")) }
        if endpoint.access != .anyone { refusals.append(.notSignedIn) }
        if endpoint.access == .owner { refusals.append(.notOwner) }
        if endpoint.path.contains("{userName}") { refusals.append(.notFound) }
        return refusals + [.storage, .broken]
    }

    private static func content(_ schema: JSONValue) -> JSONValue { ["application/json": ["schema": schema]] }

    private static func reference(_ schema: String) -> JSONValue { ["$ref": "#/components/schemas/\(schema)"] }

    // MARK: - Schemas

    private static let text: JSONValue = ["type": "string"]
    private static let maybeText: JSONValue = ["type": ["string", "null"]]
    private static let time: JSONValue = ["type": "string", "format": "date-time"]
    private static let role: JSONValue = ["type": "string", "enum": ["owner", "member"]]
    private static let purpose: JSONValue = ["type": "string", "enum": ["owner", "member", "reset"]]

    /// Base64url of so many bytes.
    private static func bytes(_ count: Int? = nil, atMost: Int? = nil, _ about: String? = nil) -> JSONValue {
        func digits(_ count: Int) -> JSONValue { .number((count * 4 + 2) / 3) }
        var members: [JSONValue.Member] = [
            .init(name: "type", value: "string"), .init(name: "contentEncoding", value: "base64url"),
        ]
        if let count {
            members += [.init(name: "minLength", value: digits(count)), .init(name: "maxLength", value: digits(count))]
        }
        if let atMost { members.append(.init(name: "maxLength", value: digits(atMost))) }
        if let about { members.append(.init(name: "description", value: .string(about))) }
        return .object(members)
    }

    /// An object with these members; names that end in `?` may be absent.
    private static func object(_ properties: KeyValuePairs<String, JSONValue>) -> JSONValue {
        let isOptional = { (name: String) in name.hasSuffix("?") }
        return [
            "type": "object",
            "properties": .object(
                properties.map { name, schema in
                    JSONValue.Member(name: isOptional(name) ? String(name.dropLast()) : name, value: schema)
                }),
            "required": .array(properties.map(\.key).filter { !isOptional($0) }.map { .string($0) }),
        ]
    }

    private static func list(of schema: JSONValue) -> JSONValue { ["type": "array", "items": schema] }

    private static let sealed = object([
        "iv": bytes(SealedKeys.ivLength), "data": bytes(atMost: SealedKeys.maximumLength, "AES-256-GCM"),
    ])

    private static let recovery = object([
        "salt": bytes(ClientSalt.length), "iv": bytes(SealedKeys.ivLength),
        "data": bytes(atMost: SealedKeys.maximumLength, "AES-256-GCM"), "auth": bytes(Auth.length),
    ])

    private static let point = bytes(PublicKeys.pointLength, "An uncompressed P-256 point.")
    private static let fingerprint = bytes(32, "SHA-256 of signingPublic, then agreementPublic.")

    static let schemas: JSONValue = [
        "Error": object(["error": object(["code": text, "message": text])]),
        "Sealed": sealed,
        "Recovery": recovery,
        "Join": object([
            "purpose": purpose, "userName?": text, "fullName?": text, "inviter?": text, "inviterUserName?": text,
            "domain": text, "expires": time,
        ]),
        "JoinRequest": object([
            "userName?": maybeText, "fullName?": maybeText, "salt": bytes(ClientSalt.length),
            "auth": bytes(Auth.length),
            "keys": object([
                "signingPublic": point, "agreementPublic": point, "wrapped": reference("Sealed"),
                "recovery": reference("Recovery"),
            ]),
        ]),
        "Salt": object(["salt": bytes(ClientSalt.length), "iterations": ["type": "integer", "minimum": 1]]),
        "SignInRequest": object(["userName": text, "auth": bytes(Auth.length)]),
        "Me": object([
            "userName": text, "fullName": text, "role": role, "address": text, "domain": text,
            "keys": object([
                "signingPublic": point, "agreementPublic": point, "fingerprint": fingerprint,
                "wrapped": reference("Sealed"),
            ]),
            "sip": object(["url": text, "trickle": ["type": "string", "enum": ["full", "half", "off"]]]),
            "session": text, "version": text,
        ]),
        "MeRequest": object(["fullName": text]),
        "PasswordRequest": object([
            "currentAuth": bytes(Auth.length), "salt": bytes(ClientSalt.length), "auth": bytes(Auth.length),
            "wrapped": reference("Sealed"),
        ]),
        "RecoveryRenewalRequest": object([
            "currentAuth": bytes(Auth.length), "recovery": reference("Recovery"),
        ]),
        "Sessions": list(
            of: object([
                "id": text, "created": time, "lastUsed": time, "userAgent": text, "current": ["type": "boolean"],
            ])),
        "RecoveryOpenRequest": object(["userName": text, "recoveryAuth": bytes(Auth.length)]),
        "RecoveryOpen": object([
            "recovery": object([
                "salt": bytes(ClientSalt.length), "iv": bytes(SealedKeys.ivLength),
                "data": bytes(atMost: SealedKeys.maximumLength),
            ])
        ]),
        "RecoveryCompleteRequest": object([
            "userName": text, "recoveryAuth": bytes(Auth.length), "salt": bytes(ClientSalt.length),
            "auth": bytes(Auth.length), "wrapped": reference("Sealed"), "recovery": reference("Recovery"),
        ]),
        "People": list(
            of: object([
                "userName": text, "fullName": text, "role": role, "address": text, "signingPublic?": point,
                "agreementPublic?": point, "fingerprint?": fingerprint, "reachable": ["type": "boolean"],
            ])),
        "RoleRequest": object(["role": role]),
        "InvitationRequest": object([
            "userName": text, "fullName?": maybeText, "role?": ["enum": ["owner", "member", .null]],
        ]),
        "Link": object(["id": text, "url": text, "userName": text, "expires": time]),
        "Invitations": list(
            of: object([
                "id": text, "purpose": purpose, "userName?": text, "fullName?": text, "inviter?": text,
                "created": time, "expires": time,
            ])),
        "PhoneRequest": object(["label": text]),
        "Phones": list(of: object(["id": text, "label": text, "user": text, "created": time])),
        "NewPhone": object([
            "id": text, "label": text, "server": text, "domain": text, "user": text, "password": text,
            "transports": list(
                of: object([
                    "transport": ["type": "string", "enum": ["udp", "tcp", "tls"]],
                    "port": ["type": "integer", "minimum": 1, "maximum": 65535],
                ])),
        ]),
    ]
}
