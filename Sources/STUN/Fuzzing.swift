import Base

/// Drives everything that reads a peer's bytes: for the fuzzer and the tests of damage.
///
/// What was read must be found again in a copy that was written from it.
package func fuzzSTUN(_ bytes: [UInt8]) {
    let remote = TransportAddress(ip: .v6(high: 1, low: 2), port: 3)
    let answer = BindingResponder.answer(bytes, from: remote)
    precondition(answer == nil || answer?.first == 1, "a response is a response")
    bytes.withUnsafeBytes { buffer in
        guard let message = try? STUNMessage(parsing: buffer) else { return }
        read(message)
        var copy = [UInt8](repeating: 0xff, count: buffer.count)
        copy.withUnsafeMutableBytes { target in
            guard let count = write(message, into: target) else {
                preconditionFailure("a copy is longer than its original")
            }
            let rewritten = try? STUNMessage(parsing: UnsafeRawBufferPointer(rebasing: target[..<count]))
            guard let rewritten else { preconditionFailure("a copy cannot be read") }
            precondition(rewritten.type == message.type && rewritten.transactionID == message.transactionID)
            for (old, new) in zip(message.attributes, rewritten.attributes) {
                precondition(old.type == new.type && old.value.elementsEqual(new.value), "an attribute changed")
            }
        }
    }
}

/// Every accessor once.
private func read(_ message: STUNMessage) {
    for type in [AttributeType.xorMappedAddress, .xorPeerAddress, .xorRelayedAddress] {
        _ = message.xorAddress(type)
    }
    _ = (message.address(.mappedAddress), message.address(.alternateServer))
    _ = (message.username, message.userhash, message.realm, message.software, message.passwordAlgorithm)
    _ = (message.errorCode, message.priority, message.iceControlled, message.iceControlling)
    _ = message.nonce.flatMap { SecurityFeatures(nonce: $0) }
    _ = message.hasUnknownAttributes(besides: .ice)
    _ = message.isFingerprintRight
    _ = IntegrityKey(sha1: [1]).protects(message)
    _ = IntegrityKey(sha256: [1]).protects(message)
}

/// The message again, without what protects it and what follows that.
private func write(_ message: STUNMessage, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    var writer = STUNWriter(message.type, message.transactionID, into: buffer)
    for attribute in message.attributes { writer.add(attribute.type, attribute.value) }
    return writer.finish()
}
