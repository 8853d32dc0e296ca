import Base

extension STUNMessage {
    /// An address under the XOR of cookie and transaction (RFC 8489 §14.2): XOR-MAPPED-ADDRESS, XOR-PEER-ADDRESS,
    /// XOR-RELAYED-ADDRESS. Nil when absent or of a family or length that does not exist.
    package func xorAddress(_ type: AttributeType) -> TransportAddress? {
        value(of: type).flatMap { Self.address(in: $0, mask: AddressMask(transactionID)) }
    }

    /// The same in one attribute of several.
    package func xorAddress(in attribute: STUNAttribute) -> TransportAddress? {
        Self.address(in: attribute.value, mask: AddressMask(transactionID))
    }

    /// An address in clear (§14.1): MAPPED-ADDRESS, ALTERNATE-SERVER.
    package func address(_ type: AttributeType) -> TransportAddress? {
        value(of: type).flatMap { Self.address(in: $0, mask: AddressMask()) }
    }

    private static func address(in value: UnsafeRawBufferPointer, mask: AddressMask) -> TransportAddress? {
        guard let family = value.uint8(at: 1), let port = value.uint16(at: 2) else { return nil }
        switch AddressFamily(rawValue: family) {
        case .v4:
            guard value.count == 8, let bits = value.uint32(at: 4) else { return nil }
            return TransportAddress(ip: .v4(bits ^ mask.v4), port: port ^ mask.port)
        case .v6:
            guard value.count == 20, let high = value.uint64(at: 4), let low = value.uint64(at: 12) else { return nil }
            return TransportAddress(ip: .v6(high: high ^ mask.high, low: low ^ mask.low), port: port ^ mask.port)
        case nil: return nil
        }
    }

    // MARK: Who asks (RFC 8489 §9)

    /// At most 508 bytes (§14.3).
    package var username: UnsafeRawBufferPointer? { text(.username, maximum: 508) }
    /// SHA-256 of user name and realm: 32 bytes (§14.4).
    package var userhash: UnsafeRawBufferPointer? { value(of: .userhash).flatMap { $0.count == 32 ? $0 : nil } }
    /// At most 763 bytes (§14.9).
    package var realm: UnsafeRawBufferPointer? { text(.realm, maximum: 763) }
    /// At most 763 bytes (§14.10).
    package var nonce: UnsafeRawBufferPointer? { text(.nonce, maximum: 763) }
    /// What the sender is, for people to read; at most 763 bytes (§14.14).
    package var software: UnsafeRawBufferPointer? { text(.software, maximum: 763) }
    /// Which hash the key is made with; nil when absent or unreadable (§14.12).
    package var passwordAlgorithm: PasswordAlgorithm? {
        value(of: .passwordAlgorithm).flatMap { $0.uint16(at: 0) }.flatMap(PasswordAlgorithm.init)
    }

    private func text(_ type: AttributeType, maximum: Int) -> UnsafeRawBufferPointer? {
        value(of: type).flatMap { $0.count <= maximum ? $0 : nil }
    }

    // MARK: What came of it

    /// 300 to 699 (§14.8); nil when absent or malformed.
    package var errorCode: STUNErrorCode? {
        guard let value = value(of: .errorCode), let hundreds = value.uint8(at: 2), let rest = value.uint8(at: 3),
            (3...6).contains(hundreds & 7), rest < 100
        else { return nil }
        return STUNErrorCode(rawValue: UInt16(hundreds & 7) * 100 + UInt16(rest))
    }

    // MARK: ICE (RFC 8445 §16.1)

    /// The priority a peer-reflexive candidate would get.
    package var priority: UInt32? { number(.priority) }
    package var isUsingCandidate: Bool { contains(.useCandidate) }
    /// The tie-breaker of a sender that is controlled.
    package var iceControlled: UInt64? { number(.iceControlled) }
    /// The tie-breaker of a sender that controls.
    package var iceControlling: UInt64? { number(.iceControlling) }

    /// A value of exactly four bytes.
    package func number(_ type: AttributeType) -> UInt32? {
        value(of: type).flatMap { $0.count == 4 ? $0.uint32(at: 0) : nil }
    }

    /// A value of exactly eight bytes.
    package func number(_ type: AttributeType) -> UInt64? {
        value(of: type).flatMap { $0.count == 8 ? $0.uint64(at: 0) : nil }
    }
}

/// The family of an address in an attribute (RFC 8489 §14.1).
package enum AddressFamily: UInt8, Sendable {
    case v4 = 1, v6

    package init(of address: IPAddress) {
        switch address {
        case .v4: self = .v4
        case .v6: self = .v6
        }
    }
}

/// Which hash makes a key of a password (RFC 8489 §18.5).
package enum PasswordAlgorithm: UInt16, Sendable {
    case md5 = 1, sha256
}

/// What is laid over an address so that no NAT on the way rewrites it (RFC 8489 §14.2).
struct AddressMask {
    var port = UInt16(0)
    var v4 = UInt32(0)
    var high = UInt64(0)
    var low = UInt64(0)

    /// No mask.
    init() {}

    init(_ transactionID: TransactionID) {
        (port, v4) = (UInt16(STUNMessage.magicCookie >> 16), STUNMessage.magicCookie)
        high = UInt64(STUNMessage.magicCookie) << 32 | UInt64(transactionID.high)
        low = transactionID.low
    }
}
