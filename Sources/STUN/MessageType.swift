/// What a message is to its transaction (RFC 8489 §5).
package enum STUNClass: UInt8, Sendable {
    case request, indication, success, error
}

/// What a message is about: 12 bits (RFC 8489 §18.2, RFC 8656 §17).
package struct STUNMethod: Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue & 0xfff }

    package static let binding = STUNMethod(rawValue: 0x001)
    package static let allocate = STUNMethod(rawValue: 0x003)
    package static let refresh = STUNMethod(rawValue: 0x004)
    package static let send = STUNMethod(rawValue: 0x006)
    package static let data = STUNMethod(rawValue: 0x007)
    package static let createPermission = STUNMethod(rawValue: 0x008)
    package static let channelBind = STUNMethod(rawValue: 0x009)
}

/// The 14 bits after the two zero bits: method and class, interleaved (RFC 8489 §5, figure 3).
package struct STUNType: Hashable, Sendable {
    package let method: STUNMethod
    package let messageClass: STUNClass

    package init(_ messageClass: STUNClass, _ method: STUNMethod) {
        (self.messageClass, self.method) = (messageClass, method)
    }

    init(bits: UInt16) {
        method = STUNMethod(rawValue: bits & 0xf | bits >> 1 & 0x70 | bits >> 2 & 0xf80)
        let classBits = UInt8(bits >> 4 & 1 | bits >> 7 & 2)
        // Two bits have four values, each with a case.
        messageClass = STUNClass(rawValue: classBits) ?? .request
    }

    var bits: UInt16 {
        let (m, c) = (method.rawValue, UInt16(messageClass.rawValue))
        return m & 0xf | (m & 0x70) << 1 | (m & 0xf80) << 2 | (c & 1) << 4 | (c & 2) << 7
    }
}

/// 96 bits that tie a response to its request; random, and chosen by the client (RFC 8489 §5).
package struct TransactionID: Hashable, Sendable {
    /// The first four bytes and the other eight, in network order.
    package let high: UInt32
    package let low: UInt64

    package init(high: UInt32, low: UInt64) { (self.high, self.low) = (high, low) }
}
