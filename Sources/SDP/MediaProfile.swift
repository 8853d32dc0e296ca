import Base

/// What kind of peer a description was written by, as far as bridging goes.
package enum MediaProfile: Equatable, Sendable {
    /// A live stream over `UDP/TLS/RTP/SAVP(F)` with a certificate fingerprint, or a data channel: a browser can take it.
    case webRTC
    /// RTP without DTLS: a telephone.
    case telephone
    /// No live stream that we know.
    case none

    package var isWebRTC: Bool { self == .webRTC }

    /// Classifies a body in one pass without building a description: the proxy asks this of every INVITE it forks.
    ///
    /// A rejected stream does not count. A body that is no description classifies as `.none`.
    package static func classify(_ body: ArraySlice<UInt8>) -> MediaProfile {
        var scan = Scan()
        var start = body.startIndex
        while start < body.endIndex {
            let end = endOfLine(body, from: start)
            // Of the other lines nothing is asked.
            if body[start] == Letter.media || body[start] == Letter.attribute {
                var line = body[start..<end]
                if line.last == ASCII.carriageReturn { line.removeLast() }
                scan.take(line)
            }
            start = end < body.endIndex ? end + 1 : end
        }
        return scan.result
    }

    private static func endOfLine(_ body: ArraySlice<UInt8>, from start: Int) -> Int {
        body.withUnsafeBufferPointer { bytes in
            var index = start - body.startIndex
            while index < bytes.count, bytes[index] != ASCII.lineFeed { index += 1 }
            return body.startIndex + index
        }
    }

    /// What has been seen so far of the description and of its current media description.
    private struct Scan {
        private var inMedia = false
        private var sessionFingerprint = false
        private var isDTLS = false
        private var isPlain = false
        private var isLive = false
        private var hasFingerprint = false
        private var sawWebRTC = false
        private var sawTelephone = false

        mutating func take(_ line: ArraySlice<UInt8>) {
            guard line.count > 2, line[line.startIndex + 1] == ASCII.equals else { return }
            let value = line[(line.startIndex + 2)...]
            switch line[line.startIndex] {
            case Letter.media: begin(value)
            case Letter.attribute where value.hasPrefix("fingerprint:"):
                if inMedia { hasFingerprint = true } else { sessionFingerprint = true }
            case Letter.attribute where value.equals("bundle-only"): isLive = true
            default: break
            }
        }

        private mutating func begin(_ value: ArraySlice<UInt8>) {
            end()
            inMedia = true
            hasFingerprint = false
            let words = value.split(separator: ASCII.space, maxSplits: 3)
            isLive = words.count == 4 && !words[1].equals("0")
            (isDTLS, isPlain) = (false, false)
            guard words.count == 4 else { return }
            switch RTPProfile(words[2]) {
            case .dtls: isDTLS = true
            case .plain, .secure: isPlain = true
            case nil: isDTLS = words[2].equals("UDP/DTLS/SCTP") || words[2].equals("TCP/DTLS/SCTP")
            }
        }

        private mutating func end() {
            guard inMedia, isLive else { return }
            let fingerprint = hasFingerprint || sessionFingerprint
            sawWebRTC = sawWebRTC || (isDTLS && fingerprint)
            sawTelephone = sawTelephone || isPlain || (isDTLS && !fingerprint)
        }

        var result: MediaProfile {
            var copy = self
            copy.end()
            return copy.sawWebRTC ? .webRTC : copy.sawTelephone ? .telephone : .none
        }
    }
}

extension SessionDescription {
    package var profile: MediaProfile { MediaProfile.classify(bytes[...]) }
    package var isWebRTC: Bool { profile.isWebRTC }
}

extension ArraySlice<UInt8> {
    fileprivate func hasPrefix(_ literal: StaticString) -> Bool {
        literal.withUTF8Buffer { expected in
            guard count >= expected.count else { return false }
            return prefix(expected.count).elementsEqual(expected)
        }
    }
}
