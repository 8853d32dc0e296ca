import Accounts
import Foundation

// The JSON of docs/protocol.md, one type per message. The OpenAPI document describes the same shapes; a test compares.

/// Bytes as base64url without padding.
struct JSONBytes: Codable {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let bytes = Base64URL.decode(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "bytes are written as base64url without padding")
        }
        self.bytes = bytes
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Base64URL.encode(bytes))
    }
}

// MARK: - Requests

struct SealedKeysMessage: Codable {
    var iv: JSONBytes
    var data: JSONBytes

    init(_ sealed: SealedKeys) { (iv, data) = (JSONBytes(sealed.iv), JSONBytes(sealed.data)) }

    func parsed() throws(AccountError) -> SealedKeys { try SealedKeys(iv: iv.bytes, data: data.bytes) }
}

struct RecoveryMessage: Decodable {
    var salt: JSONBytes
    var iv: JSONBytes
    var data: JSONBytes
    var auth: JSONBytes
}

struct JoinRequest: Decodable {
    struct Keys: Decodable {
        var signingPublic: JSONBytes
        var agreementPublic: JSONBytes
        var wrapped: SealedKeysMessage
        var recovery: RecoveryMessage
    }

    var userName: String?
    var fullName: String?
    var salt: JSONBytes
    var auth: JSONBytes
    var keys: Keys
}

struct SignInRequest: Decodable {
    var userName: String
    var auth: JSONBytes
}

struct RecoveryOpenRequest: Decodable {
    var userName: String
    var recoveryAuth: JSONBytes
}

struct RecoveryCompleteRequest: Decodable {
    var userName: String
    var recoveryAuth: JSONBytes
    var salt: JSONBytes
    var auth: JSONBytes
    var wrapped: SealedKeysMessage
    var recovery: RecoveryMessage
}

struct PasswordRequest: Decodable {
    var currentAuth: JSONBytes
    var salt: JSONBytes
    var auth: JSONBytes
    var wrapped: SealedKeysMessage
}

struct RecoveryRenewalRequest: Decodable {
    var currentAuth: JSONBytes
    var recovery: RecoveryMessage
}

struct MeRequest: Decodable {
    var fullName: String
}

struct RoleRequest: Decodable {
    var role: String
}

struct InvitationRequest: Decodable {
    var userName: String
    var fullName: String?
    var role: String?
}

struct PhoneRequest: Decodable {
    var label: String
}

// MARK: - Answers

struct JoinAnswer: Encodable {
    var purpose: String
    var userName: String?
    var fullName: String?
    var inviter: String?
    var inviterUserName: String?
    var domain: String
    var expires: String
}

struct SaltAnswer: Encodable {
    var salt: JSONBytes
    var iterations = ClientSalt.iterations

    init(_ salt: ClientSalt) { self.salt = JSONBytes(salt.bytes) }
}

struct MeAnswer: Encodable {
    struct Keys: Encodable {
        var signingPublic: JSONBytes
        var agreementPublic: JSONBytes
        var fingerprint: String
        var wrapped: SealedKeysMessage
    }

    struct SIP: Encodable {
        var url = "/sip"
        var trickle = "full"
    }

    var userName: String
    var fullName: String
    var role: String
    var address: String
    var domain: String
    var keys: Keys
    var sip = SIP()
    var session: String
    var version: String
}

struct SessionAnswer: Encodable {
    var id: String
    var created: String
    var lastUsed: String
    var userAgent: String
    var current: Bool
}

struct PersonAnswer: Encodable {
    var userName: String
    var fullName: String
    var role: String
    var address: String
    /// Absent for somebody with telephones alone.
    var signingPublic: JSONBytes?
    var agreementPublic: JSONBytes?
    var fingerprint: String?
    var reachable: Bool
}

struct LinkAnswer: Encodable {
    var id: String
    var url: String
    var userName: String
    var expires: String
}

struct InvitationAnswer: Encodable {
    var id: String
    var purpose: String
    var userName: String?
    var fullName: String?
    var inviter: String?
    var created: String
    var expires: String
}

struct RecoveryOpenAnswer: Encodable {
    struct Recovery: Encodable {
        var salt: JSONBytes
        var iv: JSONBytes
        var data: JSONBytes
    }

    var recovery: Recovery
}

struct PhoneAnswer: Encodable {
    var id: String
    var label: String
    var user: String
    var created: String

    init(_ phone: Phone) {
        (id, label) = (phone.id.description, phone.label.description)
        (user, created) = (phone.user.description, phone.created.description)
    }
}

struct NewPhoneAnswer: Encodable {
    struct Transport: Encodable {
        var transport: String
        var port: Int
    }

    var id: String
    var label: String
    var server: String
    var domain: String
    var user: String
    var password: String
    var transports: [Transport]
}

struct ErrorAnswer: Encodable {
    struct Details: Encodable {
        var code: String
        var message: String
    }

    var error: Details

    init(_ refusal: Refusal) { error = Details(code: refusal.code, message: refusal.message) }
}
