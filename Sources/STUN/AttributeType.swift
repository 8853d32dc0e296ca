/// The 16-bit number of an attribute (RFC 8489 §18.3, RFC 8656 §18, RFC 8445 §16.1).
package struct AttributeType: Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Whoever does not know it must refuse the message (RFC 8489 §14).
    package var isComprehensionRequired: Bool { rawValue < 0x8000 }

    package static let mappedAddress = AttributeType(rawValue: 0x0001)
    package static let username = AttributeType(rawValue: 0x0006)
    package static let messageIntegrity = AttributeType(rawValue: 0x0008)
    package static let errorCode = AttributeType(rawValue: 0x0009)
    package static let unknownAttributes = AttributeType(rawValue: 0x000a)
    package static let channelNumber = AttributeType(rawValue: 0x000c)
    package static let lifetime = AttributeType(rawValue: 0x000d)
    package static let xorPeerAddress = AttributeType(rawValue: 0x0012)
    package static let data = AttributeType(rawValue: 0x0013)
    package static let realm = AttributeType(rawValue: 0x0014)
    package static let nonce = AttributeType(rawValue: 0x0015)
    package static let xorRelayedAddress = AttributeType(rawValue: 0x0016)
    package static let requestedAddressFamily = AttributeType(rawValue: 0x0017)
    package static let evenPort = AttributeType(rawValue: 0x0018)
    package static let requestedTransport = AttributeType(rawValue: 0x0019)
    package static let dontFragment = AttributeType(rawValue: 0x001a)
    package static let messageIntegritySHA256 = AttributeType(rawValue: 0x001c)
    package static let passwordAlgorithm = AttributeType(rawValue: 0x001d)
    package static let userhash = AttributeType(rawValue: 0x001e)
    package static let xorMappedAddress = AttributeType(rawValue: 0x0020)
    package static let reservationToken = AttributeType(rawValue: 0x0022)
    package static let priority = AttributeType(rawValue: 0x0024)
    package static let useCandidate = AttributeType(rawValue: 0x0025)
    package static let additionalAddressFamily = AttributeType(rawValue: 0x8000)
    package static let addressErrorCode = AttributeType(rawValue: 0x8001)
    package static let passwordAlgorithms = AttributeType(rawValue: 0x8002)
    package static let alternateDomain = AttributeType(rawValue: 0x8003)
    package static let icmp = AttributeType(rawValue: 0x8004)
    package static let software = AttributeType(rawValue: 0x8022)
    package static let alternateServer = AttributeType(rawValue: 0x8023)
    package static let fingerprint = AttributeType(rawValue: 0x8028)
    package static let iceControlled = AttributeType(rawValue: 0x8029)
    package static let iceControlling = AttributeType(rawValue: 0x802a)
}

/// Which comprehension-required attributes somebody understands. All that are assigned to what we speak are below 64.
package struct AttributeSet: Sendable {
    private var bits: UInt64

    package init(_ types: AttributeType...) {
        bits = 0
        for type in types where type.rawValue < 64 { bits |= 1 << UInt64(type.rawValue) }
    }

    private init(bits: UInt64) { self.bits = bits }

    package func contains(_ type: AttributeType) -> Bool {
        type.rawValue < 64 && bits >> UInt64(type.rawValue) & 1 == 1
    }

    package func union(_ other: AttributeSet) -> AttributeSet { AttributeSet(bits: bits | other.bits) }

    /// What every STUN agent must know (RFC 8489 §14).
    package static let base = AttributeSet(
        .mappedAddress, .xorMappedAddress, .username, .messageIntegrity, .messageIntegritySHA256, .errorCode,
        .unknownAttributes, .realm, .nonce, .userhash, .passwordAlgorithm)

    /// What an ICE agent knows besides (RFC 8445 §7.1).
    package static let ice = base.union(AttributeSet(.priority, .useCandidate))
}
