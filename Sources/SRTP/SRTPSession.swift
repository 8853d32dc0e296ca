import RTP

/// Protects and unprotects the packets of one peer, in place in the caller's buffers (RFC 3711, RFC 7714).
///
/// No call allocates, but for the first packet of a source. One thread at a time. Buffers hold a packet of `count` bytes
/// at their beginning; protection needs `maximumOverhead` bytes of room behind it.
///
///     protect:   RTP  ──> SRTP     protectReport:   compound RTCP ──> SRTCP
///     unprotect: SRTP ──> RTP      unprotectReport: SRTCP ──> compound RTCP
package final class SRTPSession {
    /// What protection adds at most: a report's tag of 16 bytes and its index.
    package static let maximumOverhead = 20

    // One thread owns a session; the dynamic check of it would be paid for each packet.
    @exclusivity(unchecked) private var outbound: SRTPContext
    @exclusivity(unchecked) private var inbound: SRTPContext

    /// - Parameters:
    ///   - local: protects what we send.
    ///   - remote: the peer's; of another suite, when the peer's SDES says so.
    package init(local: SRTPMasterKey, remote: SRTPMasterKey) throws(SRTPError) {
        outbound = try SRTPContext(local)
        inbound = try SRTPContext(remote)
    }

    init(outbound: consuming SRTPContext, inbound: consuming SRTPContext) {
        self.outbound = outbound
        self.inbound = inbound
    }

    // MARK: - Packets

    /// Encrypts and authenticates a media packet.
    ///
    /// - Parameter isRepeat: the packet is, byte for byte, one that was protected before and is sent again for a NACK.
    ///   Other bytes under a number that was used would let an eavesdropper compute both.
    package func protect(
        _ buffer: UnsafeMutableRawBufferPointer, count: Int, isRepeat: Bool = false
    ) -> SRTPOutcome {
        outbound.protect(buffer, count: count, isRepeat: isRepeat)
    }

    /// Checks and decrypts a media packet. Only after `done` has the buffer what a peer meant.
    package func unprotect(_ buffer: UnsafeMutableRawBufferPointer, count: Int) -> SRTPOutcome {
        inbound.unprotect(buffer, count: count)
    }

    /// Encrypts and authenticates a compound RTCP packet.
    package func protectReport(_ buffer: UnsafeMutableRawBufferPointer, count: Int) -> SRTPOutcome {
        outbound.protectReport(buffer, count: count)
    }

    /// Checks and decrypts a compound RTCP packet.
    package func unprotectReport(_ buffer: UnsafeMutableRawBufferPointer, count: Int) -> SRTPOutcome {
        inbound.unprotectReport(buffer, count: count)
    }

    // MARK: - Keys and counters

    /// Sends under another key from now on: rollover counters go on, since sequence numbers do (RFC 3711 §8.1).
    package func replaceLocalKey(_ key: SRTPMasterKey) throws(SRTPError) { try outbound.replaceKey(key) }

    /// Expects another key from now on. Packets under the old one, still on their way, are lost.
    package func replaceRemoteKey(_ key: SRTPMasterKey) throws(SRTPError) { try inbound.replaceKey(key) }

    /// How often the sequence numbers of a source of the peer's have wrapped; nil before its first packet.
    package func remoteRolloverCounter(of ssrc: SSRC) -> UInt32? { inbound.rolloverCounter(of: ssrc.rawValue) }
    /// The same of a source of ours.
    package func localRolloverCounter(of ssrc: SSRC) -> UInt32? { outbound.rolloverCounter(of: ssrc.rawValue) }

    /// The peer's source goes on near this number in this turn: for who joins late, or after the source was moved.
    ///
    /// - Returns: false when there are too many sources.
    package func setRemoteRolloverCounter(_ counter: UInt32, near number: SequenceNumber, of ssrc: SSRC) -> Bool {
        inbound.setRolloverCounter(counter, near: number.rawValue, of: ssrc.rawValue)
    }

    /// The same of a source of ours. A turn that was used before under this key must not be set again.
    package func setLocalRolloverCounter(_ counter: UInt32, near number: SequenceNumber, of ssrc: SSRC) -> Bool {
        outbound.setRolloverCounter(counter, near: number.rawValue, of: ssrc.rawValue)
    }

    /// Forgets all sources of the peer's: a re-INVITE with the old key from a phone that begins its counters anew.
    package func forgetRemoteSources() { inbound.sources.removeAll() }
}
