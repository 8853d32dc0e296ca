import Base
import STUN

/// What an Allocate request asks for (RFC 8656 §7.2), or the error it gets.
struct AllocateTerms {
    var families: [AddressFamily] = [.v4]
    /// The second family is welcome, but need not be.
    var isAdditional = false
    var needsEvenPort = false
    var reservesNext = false
    var token: UInt64?
    var lifetime: UInt32

    private static let udp = UInt32(17) << 24

    init(_ request: STUNMessage, _ limits: TURNLimits) throws(AllocateRefusal) {
        guard let transport: UInt32 = request.number(.requestedTransport) else { throw .init(.badRequest) }
        guard transport & 0xff00_0000 == Self.udp else { throw .init(.unsupportedTransport) }
        lifetime = limits.defaultLifetime
        if let asked: UInt32 = request.number(.lifetime) { lifetime = limits.lifetime(asked) }
        let (requested, additional) = (
            request.contains(.requestedAddressFamily), request.value(of: .additionalAddressFamily)
        )
        if request.contains(.reservationToken) {
            guard let given: UInt64 = request.number(.reservationToken), !requested, additional == nil,
                !request.contains(.evenPort)
            else { throw .init(.badRequest) }
            token = given
            return
        }
        if let value = request.value(of: .evenPort) {
            guard let bits = value.uint8(at: 0), value.count == 1 else { throw .init(.badRequest) }
            (needsEvenPort, reservesNext) = (true, bits & 0x80 != 0)
        }
        if let additional {
            guard !requested, !reservesNext, additional.count == 4, additional.uint8(at: 0) == AddressFamily.v6.rawValue
            else { throw .init(.badRequest) }
            (families, isAdditional) = ([.v4, .v6], true)
        }
        if requested { families = [try request.requestedFamily()] }
    }
}

/// An error for an Allocate request.
struct AllocateRefusal: Error {
    let code: STUNErrorCode
    init(_ code: STUNErrorCode) { self.code = code }
}

extension STUNMessage {
    /// REQUESTED-ADDRESS-FAMILY (RFC 8656 §18.7), where it is present.
    func requestedFamily() throws(AllocateRefusal) -> AddressFamily {
        guard let value = value(of: .requestedAddressFamily), value.count == 4, let family = value.uint8(at: 0) else {
            throw AllocateRefusal(.badRequest)
        }
        guard let known = AddressFamily(rawValue: family) else { throw AllocateRefusal(.addressFamilyNotSupported) }
        return known
    }
}

extension TURNLimits {
    /// What a client gets that asks for so many seconds (§7.2): never less than the default, never more than the most.
    func lifetime(_ asked: UInt32) -> UInt32 { max(defaultLifetime, min(asked, maximumLifetime)) }
}
