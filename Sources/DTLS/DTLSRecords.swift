/// The records of one datagram, as far as their headers tell (RFC 6347 §4.1).
///
///     type (1) | version (2) | epoch (2) | sequence number (6) | length (2) | fragment
enum DTLSRecords {
    private static let headerCount = 13
    /// Ciphertext is at most 2^14 bytes and 2048 more (RFC 5246 §6.2.3).
    private static let maximumFragment = 1 << 14 + 2048
    /// change_cipher_spec, alert, handshake, application_data.
    private static let types: ClosedRange<UInt8> = 20...23

    /// How many bytes at the beginning are whole records of DTLS. What follows them no implementation would read.
    static func wellFormedCount(of datagram: UnsafeRawBufferPointer) -> Int {
        var start = 0
        while datagram.count - start >= headerCount {
            // The major version is the complement of 1 in every DTLS there is.
            guard types.contains(datagram[start]), datagram[start + 1] == 0xfe else { break }
            let length = Int(datagram[start + 11]) << 8 | Int(datagram[start + 12])
            guard length <= maximumFragment, length <= datagram.count - start - headerCount else { break }
            start += headerCount + length
        }
        return start
    }
}
