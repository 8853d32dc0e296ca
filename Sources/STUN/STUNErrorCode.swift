/// Why a request was refused (RFC 8489 §14.8, RFC 8656 §19, RFC 8445 §16.2).
package struct STUNErrorCode: Hashable, Sendable {
    /// 300 to 699.
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let tryAlternate = STUNErrorCode(rawValue: 300)
    package static let badRequest = STUNErrorCode(rawValue: 400)
    package static let unauthenticated = STUNErrorCode(rawValue: 401)
    package static let forbidden = STUNErrorCode(rawValue: 403)
    package static let unknownAttribute = STUNErrorCode(rawValue: 420)
    package static let allocationMismatch = STUNErrorCode(rawValue: 437)
    package static let staleNonce = STUNErrorCode(rawValue: 438)
    package static let addressFamilyNotSupported = STUNErrorCode(rawValue: 440)
    package static let wrongCredentials = STUNErrorCode(rawValue: 441)
    package static let unsupportedTransport = STUNErrorCode(rawValue: 442)
    package static let peerAddressFamilyMismatch = STUNErrorCode(rawValue: 443)
    package static let allocationQuotaReached = STUNErrorCode(rawValue: 486)
    package static let roleConflict = STUNErrorCode(rawValue: 487)
    package static let serverError = STUNErrorCode(rawValue: 500)
    package static let insufficientCapacity = STUNErrorCode(rawValue: 508)

    /// The words the RFCs have for it; empty for a code they do not have.
    package var phrase: StaticString {
        switch self {
        case .tryAlternate: "Try Alternate"
        case .badRequest: "Bad Request"
        case .unauthenticated: "Unauthenticated"
        case .forbidden: "Forbidden"
        case .unknownAttribute: "Unknown Attribute"
        case .allocationMismatch: "Allocation Mismatch"
        case .staleNonce: "Stale Nonce"
        case .addressFamilyNotSupported: "Address Family not Supported"
        case .wrongCredentials: "Wrong Credentials"
        case .unsupportedTransport: "Unsupported Transport Protocol"
        case .peerAddressFamilyMismatch: "Peer Address Family Mismatch"
        case .allocationQuotaReached: "Allocation Quota Reached"
        case .roleConflict: "Role Conflict"
        case .serverError: "Server Error"
        case .insufficientCapacity: "Insufficient Capacity"
        default: ""
        }
    }
}
