import Base
import RTP

@testable import SRTP

/// Bytes from hexadecimal text; white space does not count.
func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { ASCII.hexValue($0) }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

func masterKey(_ suite: SRTPSuite, seed: UInt64 = 1) -> SRTPMasterKey {
    var random = RandomSource(seed: seed)
    return SRTPMasterKey(suite: suite, using: &random)
}

/// Two ends of a call: what one protects, the other unprotects.
func pair(_ suite: SRTPSuite) throws -> (SRTPSession, SRTPSession) {
    let (here, there) = (masterKey(suite, seed: 1), masterKey(suite, seed: 2))
    return (try SRTPSession(local: here, remote: there), try SRTPSession(local: there, remote: here))
}

/// A session whose both directions have these session keys.
func session(
    _ suite: SRTPSuite, key: [UInt8], salt: [UInt8], authentication: [UInt8] = Array(repeating: 0, count: 20)
) throws -> SRTPSession {
    func cipher() throws -> PacketCipher {
        try PacketCipher(suite: suite, key: key, salt: salt, authenticationKey: authentication)
    }
    return SRTPSession(
        outbound: SRTPContext(media: try cipher(), reports: try cipher()),
        inbound: SRTPContext(media: try cipher(), reports: try cipher()))
}

/// What a call makes of a packet: its bytes, or why not.
enum Made: Equatable {
    case packet([UInt8])
    case refused(SRTPOutcome)

    var bytes: [UInt8] { if case .packet(let bytes) = self { bytes } else { [] } }
}

extension SRTPSession {
    private func make(
        _ bytes: [UInt8], room: Int, _ body: (UnsafeMutableRawBufferPointer, Int) -> SRTPOutcome
    ) -> Made {
        var buffer = bytes + [UInt8](repeating: 0, count: room)
        let outcome = buffer.withUnsafeMutableBytes { body($0, bytes.count) }
        guard case .done(let count) = outcome else { return .refused(outcome) }
        return .packet(Array(buffer[..<count]))
    }

    func protecting(_ packet: [UInt8], isRepeat: Bool = false, room: Int = maximumOverhead) -> Made {
        make(packet, room: room) { protect($0, count: $1, isRepeat: isRepeat) }
    }
    func unprotecting(_ packet: [UInt8]) -> Made { make(packet, room: 0) { unprotect($0, count: $1) } }
    func protectingReport(_ packet: [UInt8], room: Int = maximumOverhead) -> Made {
        make(packet, room: room) { protectReport($0, count: $1) }
    }
    func unprotectingReport(_ packet: [UInt8]) -> Made { make(packet, room: 0) { unprotectReport($0, count: $1) } }
}

/// A media packet; the payload says which it is.
func media(_ number: Int, ssrc: UInt32 = 0x0102_0304, payload: Int = 40) -> [UInt8] {
    let low = UInt16(truncatingIfNeeded: number)
    var bytes: [UInt8] = [0x80, 96, UInt8(low >> 8), UInt8(low & 0xff), 0, 0, 0, 1]
    bytes += (0..<4).map { UInt8(truncatingIfNeeded: ssrc >> (24 - 8 * $0)) }
    return bytes + (0..<payload).map { UInt8(truncatingIfNeeded: number &+ $0 &+ number >> 8) }
}

func report(ssrc: UInt32 = 0x0102_0304, words: Int = 6) -> [UInt8] {
    [0x81, 201, 0, UInt8(words + 1)] + (0..<4).map { UInt8(truncatingIfNeeded: ssrc >> (24 - 8 * $0)) }
        + (0..<words * 4).map { UInt8($0) }
}
