import Base

/// The credentials of a request as a server checks them: places in the text they came in, so that nothing is copied to
/// be compared and hashed.
package struct DigestProof: Sendable {
    private let text: [UInt8]
    private let places: Places
    package let algorithm: DigestAlgorithm
    /// Nil for a response by RFC 2069.
    package let quality: DigestQuality?
    package let nonceCount: UInt32?

    /// Where the values stand, without quotes; `cnonce` is empty when absent.
    package struct Places: Sendable {
        package var userName = 0..<0
        package var realm = 0..<0
        package var nonce = 0..<0
        package var uri = 0..<0
        /// In lower case.
        package var response = 0..<0
        package var cnonce = 0..<0

        package init() {}
    }

    package init(
        _ text: [UInt8], _ places: Places, algorithm: DigestAlgorithm, quality: DigestQuality?, nonceCount: UInt32?
    ) {
        (self.text, self.places, self.algorithm) = (text, places, algorithm)
        (self.quality, self.nonceCount) = (quality, nonceCount)
    }

    /// - Returns: nil for an algorithm we do not have.
    package init?(_ credentials: DigestCredentials) {
        guard let algorithm = credentials.algorithm else { return nil }
        var text: [UInt8] = []
        func place(_ part: [UInt8]) -> Range<Int> {
            text += part
            return (text.count - part.count)..<text.count
        }
        var places = Places()
        (places.userName, places.realm) = (place(credentials.userName), place(credentials.realm))
        (places.nonce, places.uri) = (place(credentials.nonce), place(credentials.uri))
        (places.response, places.cnonce) = (place(credentials.response), place(credentials.cnonce ?? []))
        self.init(
            text, places, algorithm: algorithm, quality: credentials.quality, nonceCount: credentials.nonceCount)
    }

    package var userName: ArraySlice<UInt8> { text[places.userName] }
    package var realm: ArraySlice<UInt8> { text[places.realm] }
    package var nonce: ArraySlice<UInt8> { text[places.nonce] }
    package var uri: ArraySlice<UInt8> { text[places.uri] }
    package var response: ArraySlice<UInt8> { text[places.response] }
    package var cnonce: ArraySlice<UInt8> { text[places.cnonce] }

    func expectedResponse(ha1: [UInt8], method: SIPMethod, body: ArraySlice<UInt8>) -> [UInt8] {
        DigestCredentials.expectedResponse(
            ha1: ha1, algorithm: algorithm, method: method, uri: uri, nonce: nonce, cnonce: cnonce,
            quality: quality, nonceCount: nonceCount, body: body)
    }
}
