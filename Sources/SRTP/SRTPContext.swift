internal import COpenSSL

/// The cryptographic context of one direction (RFC 3711 §3.2): a master key, and what is known of each source under it.
///
/// Any SSRC may begin: on the way out because the caller chose it, on the way in once a packet of it proved authentic.
struct SRTPContext: ~Copyable {
    /// Sources under one key. A browser's video has three (media, retransmissions, FEC) for each of its layers.
    static let maximumSources = 64
    /// The highest index of media packets, 48 bits, and of reports, 31 bits (RFC 3711 §9.2).
    static let maximumIndex: UInt64 = 1 << 48 - 1, maximumReportIndex: UInt64 = 1 << 31 - 1

    var media: PacketCipher
    var reports: PacketCipher
    var sources = SourceTable()

    init(_ key: SRTPMasterKey) throws(SRTPError) {
        let keys = KeyDerivation(key)
        self.init(media: try keys.mediaCipher(), reports: try keys.reportCipher())
    }

    /// From session keys, as RFC 7714's vectors have them.
    init(media: consuming PacketCipher, reports: consuming PacketCipher) {
        self.media = media
        self.reports = reports
    }

    /// Another master key; sources and their counters stay (RFC 3711 §8.1 keeps the rollover counter over a re-key).
    mutating func replaceKey(_ key: SRTPMasterKey) throws(SRTPError) {
        let keys = KeyDerivation(key)
        let fresh = try keys.mediaCipher()
        reports = try keys.reportCipher()
        media = fresh
        // Reports count from the start under a new key; those of the old one can no longer be authentic.
        for index in 0..<sources.count {
            let source = sources[index]
            source.pointee.reports.reset()
            source.pointee.nextReport = 0
        }
    }

    // MARK: - Sources

    /// The source, new or known; nil when there are too many.
    mutating func source(_ ssrc: UInt32) -> Int? {
        if let known = sources.find(ssrc) { return known }
        return sources.count < Self.maximumSources ? sources.add(ssrc) : nil
    }

    /// The index of a packet from its 16 bits, nearest to the highest so far (RFC 3711 §3.3.1, appendix A).
    ///
    /// Nil when it would lie before the first or behind the last there can be.
    static func estimate(_ number: UInt16, near reference: UInt64?) -> UInt64? {
        guard let reference else { return UInt64(number) }
        // Nothing can come before the first turn: a number from the other half of the circle is far ahead.
        guard reference >= 0x8000 else { return UInt64(number) }
        let distance = Int64(Int16(bitPattern: number &- UInt16(truncatingIfNeeded: reference)))
        let index = Int64(reference) + distance
        return index <= Int64(maximumIndex) ? UInt64(index) : nil
    }

    /// How often a source's sequence numbers wrapped; nil for one not heard of.
    mutating func rolloverCounter(of ssrc: UInt32) -> UInt32? {
        guard let index = sources.find(ssrc) else { return nil }
        return sources[index].pointee.reference.map { UInt32(truncatingIfNeeded: $0 >> 16) }
    }

    /// The next packet of a source is taken to lie in this turn, wherever in it; what was there before is forgotten.
    mutating func setRolloverCounter(_ counter: UInt32, near number: UInt16, of ssrc: UInt32) -> Bool {
        guard let source = source(ssrc).map({ sources[$0] }) else { return false }
        source.pointee.media.reset()
        source.pointee.reference = UInt64(counter) << 16 | UInt64(number)
        return true
    }
}

/// The fields of an RTP header that SRTP needs (RFC 3711 §3.1). Padding is encrypted and not looked at.
struct MediaHeader {
    let number: UInt16
    let ssrc: UInt32
    /// Fixed part, contributors and extension: what stays readable.
    let count: Int

    /// Nil when the packet is not RTP, or ends in its header.
    init?(_ packet: UnsafeRawBufferPointer) {
        guard packet.count >= 12, packet[0] >> 6 == 2 else { return nil }
        var end = 12 + 4 * Int(packet[0] & 0x0f)
        if packet[0] & 0x10 != 0 {
            guard packet.count >= end + 4 else { return nil }
            end += 4 + 4 * (Int(packet[end + 2]) << 8 | Int(packet[end + 3]))
        }
        guard packet.count >= end else { return nil }
        count = end
        number = UInt16(bigEndian: packet.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        ssrc = UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    }
}
