import Base
import Glibc
import SocketIO

/// The machine's own names and addresses, for certificates, links and Via headers.
enum LocalAddresses {
    /// Addresses of all interfaces that are up: without loopback, IPv4 first, no IPv6 link-local ones.
    static func all() -> [IPAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: [IPAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard entry.pointee.ifa_flags & UInt32(IFF_UP) != 0, let name = entry.pointee.ifa_addr,
                let address = TransportAddress(system: name)?.ip, !address.isLoopback, !isLinkLocal(address),
                !found.contains(address)
            else { continue }
            found.append(address)
        }
        return found.filter(\.isV4) + found.filter { !$0.isV4 }
    }

    private static func isLinkLocal(_ address: IPAddress) -> Bool {
        guard case .v6(let high, _) = address else { return false }
        return high >> 54 == 0x3fa
    }

    /// The machine's host name, lower case; nil when it has none but `localhost`.
    static var hostName: String? {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return nil }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).lowercased()
        return name.isEmpty || name == "localhost" ? nil : name
    }
}

extension IPAddress {
    /// The address as text, IPv6 without brackets.
    var string: String { String(decoding: text, as: UTF8.self) }

    /// The address as the host of a URL: IPv6 in brackets.
    var urlHost: String { isV4 ? string : "[\(string)]" }
}
