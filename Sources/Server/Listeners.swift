import Base
import Glibc
import NIOCore
import SIP
import SocketIO

/// One place the server listens at, for the ready line and error messages.
struct ListeningPlace: Sendable {
    var option: Option
    var scheme: String
    var port: UInt16
}

extension Settings {
    /// The addresses every port is opened on: one, or all of IPv4 and all of IPv6.
    var listenAddresses: [IPAddress] { listen.map { [$0] } ?? [.v4(0), .v6(high: 0, low: 0)] }

    /// Turns a failed bind into one line with the flag and the remedy.
    static func explain(_ error: SocketError, _ option: Option, _ address: TransportAddress) -> SettingsError {
        switch error {
        case .portInUse:
            SettingsError(
                "\(option.flag) \(address.port) is in use by another program (or another Hearth). Stop it, or choose "
                    + "another port with \(option.flag); 0 switches this one off.")
        case .notPermitted:
            SettingsError(
                "\(option.flag) \(address.port) needs a right this user does not have: ports below 1024 are the system's. "
                    + "Choose a higher port, or give the program the right (setcap cap_net_bind_service=+ep).")
        case .noSuchAddress:
            SettingsError(
                "--listen \(address.ip.string) is no address of this machine. Give one of its own, or leave it out to listen "
                    + "on all.")
        case .system(let code):
            SettingsError(
                "\(option.flag) \(address.port) cannot be opened (\(String(cString: strerror(code)))). Choose another port "
                    + "with \(option.flag).")
        }
    }

    /// Opens one port on all addresses to listen on; a family the machine does not have is left out.
    func open<Opened>(
        _ option: Option, _ port: UInt16, isolation: isolated (any Actor)? = #isolation,
        _ bind: (TransportAddress) async throws -> Opened
    ) async throws -> [Opened] {
        var opened: [Opened] = []
        for ip in listenAddresses {
            let address = TransportAddress(ip: ip, port: port)
            do {
                opened.append(try await bind(address))
            } catch let error as SocketError {
                if listen == nil, !ip.isV4, error.isUnsupportedFamily || error == .noSuchAddress(address) { continue }
                throw Self.explain(error, option, address)
            }
        }
        return opened
    }
}

/// How many files and connections this process may have open.
enum DescriptorLimit {
    /// Listeners, database, log, event loops, and outgoing connections.
    private static let reserved = 256
    /// As many connections as the design is measured with, and some.
    private static let enough = 20_000

    /// Raises the soft limit to the hard one.
    ///
    /// - Returns: connections that may be accepted.
    static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 512 }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return min(enough, max(64, Int(clamping: limit.rlim_cur) - reserved))
    }
}
