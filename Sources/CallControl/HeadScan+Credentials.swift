import Base
import SIP

extension HeadScan {
    /// `Digest name="value", name=token …` with the names of RFC 7616 §3.4, each once, nothing escaped.
    ///
    /// - Parameter place: of the header's value in `text`.
    static func credentials(_ text: [UInt8], at place: Range<Int>) -> DigestProof? {
        guard let found = text[place].withUnsafeBufferPointer({ credentialRanges($0) }) else { return nil }
        func part(_ number: Int) -> Range<Int>? {
            found[number].map { ($0.lowerBound + place.lowerBound)..<($0.upperBound + place.lowerBound) }
        }
        guard let user = part(0), let realm = part(1), let nonce = part(2), let uri = part(3), let response = part(4),
            !text[response].contains(where: { $0 &- 0x41 < 26 }), let algorithm = algorithm(part(5).map { text[$0] })
        else { return nil }
        var places = DigestProof.Places()
        (places.userName, places.realm, places.nonce, places.uri) = (user, realm, nonce, uri)
        (places.response, places.cnonce) = (response, part(6) ?? 0..<0)
        guard let token = part(8) else {
            return DigestProof(text, places, algorithm: algorithm, quality: nil, nonceCount: nil)
        }
        guard found[6] != nil, let digits = part(9), digits.count == 8, let count = UInt64(hexadecimal: text[digits]),
            let quality = quality(text[token])
        else { return nil }
        return DigestProof(
            text, places, algorithm: algorithm, quality: quality, nonceCount: UInt32(truncatingIfNeeded: count))
    }

    private static func algorithm(_ token: ArraySlice<UInt8>?) -> DigestAlgorithm? {
        guard let token else { return .md5 }
        if token.equals("MD5") { return .md5 }
        return token.equals("SHA-256") ? .sha256 : nil
    }

    private static func quality(_ token: ArraySlice<UInt8>) -> DigestQuality? {
        if token.equals("auth") { return .auth }
        return token.equals("auth-int") ? .authInt : nil
    }

    /// In the order username, realm, nonce, uri, response, algorithm, cnonce, opaque, qop, nc.
    private static func credentialRanges(_ text: UnsafeBufferPointer<UInt8>) -> [10 of Range<Int>?]? {
        guard text.count > 7, matches(text, 0..<6, "digest"), text[6] == ASCII.space else { return nil }
        var found = [10 of Range<Int>?](repeating: nil)
        var index = 7
        while true {
            while index < text.count, text[index] == ASCII.space { index += 1 }
            let name = skip(text, &index, Class.token)
            guard index + 1 < text.count, text[index] == 0x3d, let place = credentialPlace(text, name),
                found[place] == nil
            else { return nil }
            index += 1
            if text[index] == 0x22 {
                index += 1
                found[place] = skip(text, &index, Class.quotable)
                guard index < text.count, text[index] == 0x22 else { return nil }
                index += 1
            } else {
                let value = skip(text, &index, Class.token)
                guard !value.isEmpty else { return nil }
                found[place] = value
            }
            guard index < text.count else { return found }
            guard text[index] == 0x2c else { return nil }
            index += 1
        }
    }

    private static func credentialPlace(_ text: UnsafeBufferPointer<UInt8>, _ name: Range<Int>) -> Int? {
        switch name.count {
        case 2: matches(text, name, "nc") ? 9 : nil
        case 3: matches(text, name, "uri") ? 3 : matches(text, name, "qop") ? 8 : nil
        case 5: matches(text, name, "nonce") ? 2 : matches(text, name, "realm") ? 1 : nil
        case 6: matches(text, name, "cnonce") ? 6 : matches(text, name, "opaque") ? 7 : nil
        case 8: matches(text, name, "username") ? 0 : matches(text, name, "response") ? 4 : nil
        case 9: matches(text, name, "algorithm") ? 5 : nil
        default: nil
        }
    }
}
