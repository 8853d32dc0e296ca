internal import COpenSSL

/// Media packets (RFC 3711 §3.3, RFC 7714 §8).
///
///     header | payload, encrypted | tag
extension SRTPContext {
    mutating func protect(_ buffer: UnsafeMutableRawBufferPointer, count: Int, isRepeat: Bool) -> SRTPOutcome {
        let tagCount = media.suite.mediaTagCount
        guard let base = buffer.baseAddress, count <= buffer.count,
            let header = MediaHeader(UnsafeRawBufferPointer(start: base, count: count))
        else { return .malformed }
        guard count + tagCount <= buffer.count else { return .noRoom }
        guard let source = source(header.ssrc) else { return .tooManySources }
        guard let index = Self.estimate(header.number, near: sources[source].pointee.reference) else {
            return .keyExpired
        }
        switch sources[source].pointee.media.judge(index) {
        case .fresh: break
        case .replayed: guard isRepeat else { return .replayed }
        case .tooOld: return .tooOld
        }
        guard encrypt(base, header, count: count, index: index) else { return .keyExpired }
        note(index, of: source)
        return .done(count + tagCount)
    }

    private func encrypt(_ base: UnsafeMutableRawPointer, _ header: MediaHeader, count: Int, index: UInt64) -> Bool {
        let (text, textCount) = (base + header.count, count - header.count)
        guard media.suite != .aes128GCM else {
            return media.seal(
                ssrc: header.ssrc, index: index, associated: header.associated(base), text: text, count: textCount,
                tag: base + count)
        }
        guard media.apply(ssrc: header.ssrc, index: index, text: text, count: textCount) else { return false }
        media.sum(base, count: count, word: UInt32(truncatingIfNeeded: index >> 16))
            .write(to: base + count, count: media.suite.mediaTagCount)
        return true
    }

    mutating func unprotect(_ buffer: UnsafeMutableRawBufferPointer, count: Int) -> SRTPOutcome {
        let clear = count - media.suite.mediaTagCount
        guard let base = buffer.baseAddress, count <= buffer.count, clear >= 0,
            let header = MediaHeader(UnsafeRawBufferPointer(start: base, count: clear))
        else { return .malformed }
        let known = sources.find(header.ssrc)
        guard known != nil || sources.count < Self.maximumSources else { return .tooManySources }
        guard let index = Self.estimate(header.number, near: known.flatMap { sources[$0].pointee.reference }) else {
            return .keyExpired
        }
        if let known {
            switch sources[known].pointee.media.judge(index) {
            case .fresh: break
            case .replayed: return .replayed
            case .tooOld: return .tooOld
            }
        }
        guard decrypt(base, header, count: clear, index: index) else { return .notAuthentic }
        note(index, of: known ?? sources.add(header.ssrc))
        return .done(clear)
    }

    private func decrypt(_ base: UnsafeMutableRawPointer, _ header: MediaHeader, count: Int, index: UInt64) -> Bool {
        let (text, textCount) = (base + header.count, count - header.count)
        guard media.suite != .aes128GCM else {
            return media.open(
                ssrc: header.ssrc, index: index, associated: header.associated(base), text: text, count: textCount,
                tag: base + count)
        }
        return media.sum(base, count: count, word: UInt32(truncatingIfNeeded: index >> 16))
            .matches(base + count, count: media.suite.mediaTagCount)
            && media.apply(ssrc: header.ssrc, index: index, text: text, count: textCount)
    }

    /// The state changes only here, after a packet proved good.
    private mutating func note(_ index: UInt64, of source: Int) {
        let source = sources[source]
        source.pointee.media.mark(index)
        if index > source.pointee.reference ?? 0 || source.pointee.reference == nil { source.pointee.reference = index }
    }
}

extension MediaHeader {
    fileprivate func associated(_ base: UnsafeMutableRawPointer) -> hearth_associated {
        hearth_associated(first: base, first_count: CInt(truncatingIfNeeded: count), second: nil, second_count: 0)
    }
}
