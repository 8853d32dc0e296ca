import Base
import Synchronization

/// Counts open connections, in all and per address, and says no when there are too many.
package final class ConnectionCounter: Sendable {
    private struct Counts {
        var all = 0
        var perAddress: [IPAddress: Int] = [:]
    }

    private let limits: SocketLimits
    private let counts = Mutex(Counts())

    package init(limits: SocketLimits) { self.limits = limits }

    package var open: Int { counts.withLock { $0.all } }

    /// Takes a place for a connection from `address`; every success needs one `release`.
    package func admit(_ address: IPAddress) -> Bool {
        let owner = Self.owner(address)
        return counts.withLock { counts in
            guard counts.all < limits.connections else { return false }
            if !owner.isLoopback {
                let mine = counts.perAddress[owner, default: 0]
                guard mine < limits.connectionsPerAddress else { return false }
                counts.perAddress[owner] = mine + 1
            }
            counts.all += 1
            return true
        }
    }

    package func release(_ address: IPAddress) {
        let owner = Self.owner(address)
        counts.withLock { counts in
            counts.all -= 1
            guard let mine = counts.perAddress[owner] else { return }
            counts.perAddress[owner] = mine > 1 ? mine - 1 : nil
        }
    }

    /// Who is counted as one: an IPv4 address, or the /64 of an IPv6 address, which is one customer's.
    private static func owner(_ address: IPAddress) -> IPAddress {
        guard !address.isLoopback, case .v6(let high, _) = address.unmapped else { return address.unmapped }
        return .v6(high: high, low: 0)
    }
}
