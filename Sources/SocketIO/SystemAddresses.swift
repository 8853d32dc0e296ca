import Base
import CSockets
import Glibc

extension IPAddress {
    init(_ address: hearth_address) {
        self =
            address.family == 4
            ? .v4(UInt32(truncatingIfNeeded: address.low)) : .v6(high: address.high, low: address.low)
    }

    /// All addresses of the machine: 0.0.0.0 or ::.
    package var isUnspecified: Bool {
        switch self {
        case .v4(let bits): bits == 0
        case .v6(let high, let low): high == 0 && low == 0
        }
    }

    package var isV4: Bool { if case .v4 = self { true } else { false } }
}

extension TransportAddress {
    init(_ address: hearth_address) { self.init(ip: IPAddress(address), port: address.port) }

    /// The address of the system's form, for `getaddrinfo` and `getifaddrs`; nil for other families.
    package init?(system name: UnsafePointer<sockaddr>) {
        var read = hearth_address()
        guard hearth_address_read(name, &read) == 0 else { return nil }
        self.init(ip: IPAddress(read).unmapped, port: read.port)
    }

    var cAddress: hearth_address {
        switch ip {
        case .v4(let bits): hearth_address(high: 0, low: UInt64(bits), port: port, family: 4)
        case .v6(let high, let low): hearth_address(high: high, low: low, port: port, family: 6)
        }
    }

    /// `192.0.2.1:5060` or `[2001:db8::1]:5060`.
    package var description: String {
        let host = String(decoding: ip.text, as: UTF8.self)
        return ip.isV4 ? "\(host):\(port)" : "[\(host)]:\(port)"
    }
}
