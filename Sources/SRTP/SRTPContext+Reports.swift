internal import COpenSSL

/// Reports: compound RTCP packets as a whole (RFC 3711 §3.4, RFC 7714 §9).
///
///     header of 8 bytes | the rest, encrypted | tag of GCM | E and index of 31 bits | tag of HMAC-SHA1
extension SRTPContext {
    /// The first header word and the sender's SSRC stay readable.
    private static let headerCount = 8
    /// The bit that says "encrypted". Ours always are, and so must theirs be.
    private static let encrypted: UInt32 = 1 << 31

    mutating func protectReport(_ buffer: UnsafeMutableRawBufferPointer, count: Int) -> SRTPOutcome {
        let added = reports.suite.reportTagCount + 4
        guard let base = buffer.baseAddress, count <= buffer.count, Self.isReport(buffer, count: count) else {
            return .malformed
        }
        guard count + added <= buffer.count else { return .noRoom }
        let ssrc = UInt32(bigEndian: base.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard let source = source(ssrc).map({ sources[$0] }) else { return .tooManySources }
        let index = source.pointee.nextReport
        guard index <= Self.maximumReportIndex else { return .keyExpired }
        let word = Self.encrypted | UInt32(truncatingIfNeeded: index)
        guard encryptReport(base, ssrc: ssrc, word: word, count: count) else { return .keyExpired }
        source.pointee.nextReport = index + 1
        return .done(count + added)
    }

    private func encryptReport(_ base: UnsafeMutableRawPointer, ssrc: UInt32, word: UInt32, count: Int) -> Bool {
        let (text, textCount) = (base + Self.headerCount, count - Self.headerCount)
        let index = UInt64(word & ~Self.encrypted)
        guard reports.suite != .aes128GCM else {
            let place = base + count + reports.suite.reportTagCount
            place.storeBytes(of: word.bigEndian, as: UInt32.self)
            return reports.seal(
                ssrc: ssrc, index: index, associated: Self.associated(base, word: place), text: text,
                count: textCount, tag: base + count)
        }
        guard reports.apply(ssrc: ssrc, index: index, text: text, count: textCount) else { return false }
        (base + count).storeBytes(of: word.bigEndian, as: UInt32.self)
        reports.sum(base, count: count + 4, word: nil)
            .write(to: base + count + 4, count: reports.suite.reportTagCount)
        return true
    }

    mutating func unprotectReport(_ buffer: UnsafeMutableRawBufferPointer, count: Int) -> SRTPOutcome {
        let clear = count - reports.suite.reportTagCount - 4
        guard let base = buffer.baseAddress, count <= buffer.count, Self.isReport(buffer, count: clear) else {
            return .malformed
        }
        let place = base + (reports.suite == .aes128GCM ? count - 4 : clear)
        let word = UInt32(bigEndian: place.loadUnaligned(as: UInt32.self))
        guard word & Self.encrypted != 0 else { return .malformed }
        let index = UInt64(word & ~Self.encrypted)
        let ssrc = UInt32(bigEndian: base.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let known = sources.find(ssrc)
        guard known != nil || sources.count < Self.maximumSources else { return .tooManySources }
        switch known.map({ sources[$0].pointee.reports.judge(index) }) ?? .fresh {
        case .fresh: break
        case .replayed: return .replayed
        case .tooOld: return .tooOld
        }
        guard decryptReport(base, ssrc: ssrc, index: index, word: place, count: clear) else { return .notAuthentic }
        let source = sources[known ?? sources.add(ssrc)]
        source.pointee.reports.mark(index)
        return .done(clear)
    }

    private func decryptReport(
        _ base: UnsafeMutableRawPointer, ssrc: UInt32, index: UInt64, word: UnsafeMutableRawPointer, count: Int
    ) -> Bool {
        let (text, textCount) = (base + Self.headerCount, count - Self.headerCount)
        guard reports.suite != .aes128GCM else {
            return reports.open(
                ssrc: ssrc, index: index, associated: Self.associated(base, word: word), text: text,
                count: textCount, tag: base + count)
        }
        return reports.sum(base, count: count + 4, word: nil)
            .matches(base + count + 4, count: reports.suite.reportTagCount)
            && reports.apply(ssrc: ssrc, index: index, text: text, count: textCount)
    }

    /// Version 2, and room for the header.
    private static func isReport(_ buffer: UnsafeMutableRawBufferPointer, count: Int) -> Bool {
        count >= headerCount && buffer[0] >> 6 == 2
    }

    private static func associated(
        _ base: UnsafeMutableRawPointer, word: UnsafeMutableRawPointer
    ) -> hearth_associated {
        hearth_associated(first: base, first_count: CInt(headerCount), second: word, second_count: 4)
    }
}
