import Base

/// Tells whoever asks which address its packet came from: a STUN server without users or state (RFC 8489 §2, §12).
///
/// It also keeps NAT bindings of SIP over UDP alive (RFC 5626 §4.4.2, §8). Strangers may ask, and a stranger may write
/// somebody else's address on the envelope, so an answer is never longer than it must be: no SOFTWARE, no phrase, and
/// FINGERPRINT only for those who sent one.
package enum BindingResponder {
    /// Types listed in a 420. Each needs four bytes of request, and two here.
    package static let maximumUnknownAttributes = 8
    /// Bytes of the longest answer: to an IPv6 address with fingerprint, or a 420 with all it may list.
    package static let maximumResponse = STUNMessage.headerSize + 8 + 4 + 2 * maximumUnknownAttributes + 8

    /// Answers one datagram.
    ///
    /// - Parameters:
    ///   - remote: where the datagram came from, and where the answer goes.
    ///   - buffer: for the answer, `maximumResponse` bytes.
    /// - Returns: bytes of the answer; 0 for none, because this is no Binding request, or is damaged.
    package static func answer(
        _ datagram: UnsafeRawBufferPointer, from remote: TransportAddress,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard let first = datagram.uint8(at: 0), STUNMessage.mayBegin(with: first),
            let request = try? STUNMessage(parsing: datagram)
        else { return 0 }
        return answer(request, from: remote, into: buffer)
    }

    /// The same for a message that was read already.
    package static func answer(
        _ request: STUNMessage, from remote: TransportAddress, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard request.type == STUNType(.request, .binding) else { return 0 }
        guard !request.hasFingerprint || request.isFingerprintRight else { return 0 }
        let isUnknown = request.hasUnknownAttributes(besides: .base)
        var writer = STUNWriter(isUnknown ? .error : .success, to: request, into: buffer)
        if isUnknown {
            writer.add(.unknownAttribute, hasPhrase: false)
            writer.addUnknownAttributes(of: request, besides: .base, maximum: maximumUnknownAttributes)
        } else {
            writer.add(.xorMappedAddress, xor: remote)
        }
        if request.hasFingerprint { writer.addFingerprint() }
        return writer.finish() ?? 0
    }

    /// The answer as bytes of its own, for edges that send arrays; nil for none.
    package static func answer(_ datagram: [UInt8], from remote: TransportAddress) -> [UInt8]? {
        guard let first = datagram.first, STUNMessage.mayBegin(with: first) else { return nil }
        let made = [UInt8](unsafeUninitializedCapacity: maximumResponse) { buffer, count in
            count = datagram.withUnsafeBytes { answer($0, from: remote, into: UnsafeMutableRawBufferPointer(buffer)) }
        }
        return made.isEmpty ? nil : made
    }
}
