internal import COpenSSL

extension DTLSError {
    /// Alerts of the peer's are reasons from here on.
    private static let alerts = Int(SSL_AD_REASON_OFFSET)

    /// From OpenSSL's oldest error.
    init(reason code: UInt) {
        let reason = Int(hearth_error_reason(code))
        switch CInt(truncatingIfNeeded: reason) {
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: self = .noCertificate
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SHARED_GROUPS, SSL_R_NO_SUITABLE_KEY_SHARE: self = .noCommonCipher
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_SSL_VERSION, SSL_R_WRONG_VERSION_NUMBER: self = .wrongVersion
        default:
            if let alert = UInt8(exactly: reason - Self.alerts) {
                self = .alert(DTLSAlert(alert))
            } else {
                self = .badHandshake(ERR_reason_error_string(code).map { String(cString: $0) } ?? "unknown")
            }
        }
    }
}
