import Base
import STUN

/// One request, who sent it, and where its answer is written.
struct Exchange {
    let request: STUNMessage
    let client: TURNClient
    let reply: UnsafeMutableRawBufferPointer
    let time: Instant

    /// What a client may ask that must be understood. DONT-FRAGMENT is not among it: we do not set that bit, and
    /// RFC 8656 §7.2 has such a server refuse the attribute like one it never heard of.
    static let known = AttributeSet.base.union(
        AttributeSet(
            .channelNumber, .lifetime, .xorPeerAddress, .requestedAddressFamily, .evenPort, .requestedTransport,
            .reservationToken))

    func begin(_ messageClass: STUNClass) -> STUNWriter { STUNWriter(messageClass, to: request, into: reply) }

    /// Protects and ends an answer.
    func finish(_ writer: STUNWriter, _ key: IntegrityKey?) -> Int {
        var writer = writer
        if let key { writer.add(key) }
        if request.hasFingerprint { writer.addFingerprint() }
        return writer.finish() ?? 0
    }

    /// An error. To those who proved who they are it says in words what is wrong.
    func refuse(_ code: STUNErrorCode, _ key: IntegrityKey?) -> Int {
        var writer = begin(.error)
        writer.add(code, hasPhrase: key != nil)
        return finish(writer, key)
    }

    func refuseUnknown(_ key: IntegrityKey) -> Int {
        var writer = begin(.error)
        writer.add(.unknownAttribute, hasPhrase: true)
        writer.addUnknownAttributes(
            of: request, besides: Self.known, maximum: BindingResponder.maximumUnknownAttributes)
        return finish(writer, key)
    }

    func succeed(_ key: IntegrityKey) -> Int { finish(begin(.success), key) }
}

/// Who proved to know a password.
struct AuthenticatedUser {
    /// Without the expiry.
    let name: [UInt8]
    /// Protects the answers.
    let key: IntegrityKey
}
