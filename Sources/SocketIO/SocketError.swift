import Base
import Glibc

/// Why a socket could not be made or used.
package enum SocketError: Error, Equatable {
    /// Another program, or another Hearth, has this port.
    case portInUse(TransportAddress)
    /// Ports below 1024 need a right that this user does not have.
    case notPermitted(TransportAddress)
    /// The address is not one of this machine's.
    case noSuchAddress(TransportAddress)
    /// Anything else the system says, with its number (`errno`).
    case system(Int32)

    package init(errno code: Int32, binding address: TransportAddress) {
        self =
            switch code {
            case EADDRINUSE: .portInUse(address)
            case EACCES, EPERM: .notPermitted(address)
            case EADDRNOTAVAIL: .noSuchAddress(address)
            default: .system(code)
            }
    }

    /// The system lacks this kind of address altogether (IPv6 switched off).
    package var isUnsupportedFamily: Bool {
        guard case .system(let code) = self else { return false }
        return code == EAFNOSUPPORT || code == EPROTONOSUPPORT
    }
}
