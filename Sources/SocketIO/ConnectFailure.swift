import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Why a connection of ours did not come about, in words for the log.
package struct ConnectFailure: Error, Sendable, Equatable {
    package let words: String

    init(_ words: String) { self.words = words }

    static let tooMany = ConnectFailure("too many connections are being made")
    static let wrongName = ConnectFailure("its certificate is for another name")
    static let ended = ConnectFailure("it ended the connection, or did not answer in time")

    init(_ error: any Error) {
        words =
            switch error {
            case let failure as ConnectFailure: failure.words
            case let error as NIOSSLExtraError where error == .failedToValidateHostname: Self.wrongName.words
            case NIOSSLError.handshakeFailed(let reason):
                // BoringSSL's reason has no case of its own.
                "\(reason)".contains("CERTIFICATE_VERIFY_FAILED")
                    ? "its certificate is not trusted" : "the TLS handshake failed"
            case ChannelError.connectTimeout: "it does not answer"
            case let error as IOError: Self.words(errno: error.errnoCode)
            case let error as NIOConnectionError:
                error.connectionErrors.first.map { Self($0.error).words } ?? "it has no address"
            default: "it cannot be reached"
            }
    }

    private static func words(errno code: CInt) -> String { String(cString: strerror(code)).lowercased() }
}
