import Accounts
import Base
import CallControl
import Foundation
import HTTPAPI
import SIP
import SocketIO
import Store

/// The folder everything is kept in.
enum DataFolder {
    /// Makes the folder, for its owner's eyes only.
    static func prepare(_ path: String) throws(SettingsError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw SettingsError(
                "--data \(path) cannot be made (\(error.localizedDescription)). Choose a folder this user can write.")
        }
        guard FileManager.default.isWritableFile(atPath: path) else {
            throw SettingsError(
                "--data \(path) cannot be written by this user. Choose another folder, or mend its owner.")
        }
    }
}

/// The database in the data folder, and what the server leaves there for the command line.
enum Household {
    private static let domainSetting = "domain", publicURLSetting = "public-url", sipSetting = "sip-endpoints"

    static func open(_ settings: Settings) async throws -> HouseholdStore {
        try HouseholdStore.open(path: settings.dataFolder + "/hearth.sqlite")
    }

    /// What `hearth serve` last ran with: so that `hearth user add` makes links for the server that really runs.
    struct Served: Sendable {
        var domain: String?
        var publicURL: String?
        /// `udp 5060`, `tls 5061` …
        var transports: [String]
    }

    static func served(_ store: HouseholdStore) async throws -> Served {
        func text(_ name: String) async throws -> String? {
            try await store.setting(name).map { String(decoding: $0, as: UTF8.self) }
        }
        return Served(
            domain: try await text(domainSetting), publicURL: try await text(publicURLSetting),
            transports: try await text(sipSetting)?.split(separator: "\n").map(String.init) ?? [])
    }

    static func remember(_ site: Site, _ settings: Settings, _ store: HouseholdStore) async throws {
        try await store.set(domainSetting, to: Array(site.domain.utf8))
        try await store.set(publicURLSetting, to: Array(site.publicURL.utf8))
        try await store.set(sipSetting, to: Array(site.transports(settings).joined(separator: "\n").utf8))
    }
}

/// What this server is called and where it is reached.
struct Site: Sendable {
    let domain: String
    /// What links start with.
    let publicURL: String
    private let settings: Settings

    /// For the command line: what is already decided.
    init(_ settings: Settings, domain: String, publicURL: String) {
        (self.settings, self.domain, self.publicURL) = (settings, domain, publicURL)
    }

    init(_ settings: Settings, _ store: HouseholdStore) async throws {
        self.settings = settings
        domain = settings.domain
        publicURL = settings.publicURL ?? Self.defaultURL(settings)
        let served = try await Household.served(store)
        if let before = served.domain, before != settings.domain, try await !Self.mayRename(store) {
            throw SettingsError(
                "--domain \(settings.domain) is not the \(before) that this household's phones have passwords for. Give "
                    + "--domain \(before), or remove the phones first (hearth phone remove).")
        }
        try await Household.remember(self, settings, store)
    }

    /// Phones' password hashes hold the domain (RFC 7616 §3.4.2): they would all stop working.
    private static func mayRename(_ store: HouseholdStore) async throws -> Bool {
        try await store.sipAccounts().allSatisfy(\.phones.isEmpty)
    }

    static func defaultURL(_ settings: Settings) -> String {
        if settings.domain == "localhost" {
            if let port = settings.httpPort { return "http://localhost:\(port)" }
            return "https://localhost:\(settings.httpsPort ?? 8443)"
        }
        if let port = settings.httpsPort {
            return port == 443 ? "https://\(settings.domain)" : "https://\(settings.domain):\(port)"
        }
        return "http://\(settings.domain):\(settings.httpPort ?? 8080)"
    }

    // MARK: - Names

    private var publicHost: String? { settings.publicURL.flatMap { URL(string: $0)?.host()?.lowercased() } }

    /// Addresses the server is reached at: the external one first, then what it listens on.
    private var addresses: [IPAddress] {
        let own = settings.listen.map { [$0] } ?? LocalAddresses.all()
        return (settings.externalAddress.map { [$0] } ?? []) + own
    }

    private var names: [String] {
        var names = [domain, "localhost"]
        if let host = LocalAddresses.hostName { names += host.contains(".") ? [host] : [host, host + ".local"] }
        if let host = publicHost { names.append(host) }
        var seen: Set<String> = []
        return names.filter { IPAddress(parsing: Array($0.utf8)) == nil && seen.insert($0).inserted }
    }

    var certificateNames: LocalAuthority.Names {
        var addresses = [IPAddress.loopback, .v6(high: 0, low: 1)]
        for candidate in self.addresses + [domain, publicHost ?? ""].compactMap({ IPAddress(parsing: Array($0.utf8)) })
        where !addresses.contains(candidate) {
            addresses.append(candidate)
        }
        return LocalAuthority.Names(names: names, addresses: addresses)
    }

    // MARK: - SIP

    func controllerConfiguration(
        _ settings: Settings, _ sockets: [DatagramSocket], _ store: HouseholdStore
    ) async throws -> CallController.Configuration {
        var configuration = CallController.Configuration(
            domain: Array(domain.utf8), secret: try await store.serverSecret(random: .system))
        configuration.aliases =
            names.filter { $0 != domain }.map { Array($0.utf8) }
            + (addresses + [.loopback, .v6(high: 0, low: 1)]).map(\.text)
        if settings.sipDigest == .both { configuration.digestAlgorithms = [.sha256, .md5] }
        configuration.listeners = sockets.map { socket in
            listener(.udp, id: socket.id, port: socket.address.port, ip: socket.address.ip)
        }
        for ip in settings.listenAddresses {
            if let port = settings.sipPort { configuration.listeners.append(listener(.tcp, port: port, ip: ip)) }
            if let port = settings.sipsPort { configuration.listeners.append(listener(.tls, port: port, ip: ip)) }
            if let port = settings.httpPort { configuration.listeners.append(listener(.ws, port: port, ip: ip)) }
            if let port = settings.httpsPort { configuration.listeners.append(listener(.wss, port: port, ip: ip)) }
        }
        return configuration
    }

    private func listener(
        _ transport: SIPTransport, id: UInt64 = 0, port: UInt16, ip: IPAddress
    ) -> CallController.Configuration.Listener {
        CallController.Configuration.Listener(
            transport: transport, id: id, host: host(like: ip), port: port, local: TransportAddress(ip: ip, port: port))
    }

    /// What peers write to come back: the address itself, or for all addresses the first of that family.
    private func host(like ip: IPAddress) -> [UInt8] {
        if let external = settings.externalAddress, external.isV4 == ip.isV4 { return external.text }
        guard ip.isUnspecified else { return ip.text }
        let first = addresses.first { $0.isV4 == ip.isV4 }
        return (first ?? (ip.isV4 ? .loopback : .v6(high: 0, low: 1))).text
    }

    // MARK: - For people

    /// `udp 5060`, `tcp 5060`, `tls 5061`.
    func transports(_ settings: Settings) -> [String] {
        (settings.sipPort.map { ["udp \($0)", "tcp \($0)"] } ?? []) + (settings.sipsPort.map { ["tls \($0)"] } ?? [])
    }

    /// What a native phone is told to register at.
    func phoneServer(_ settings: Settings) -> HTTPInterface.PhoneServer {
        var transports: [(transport: HTTPInterface.PhoneServer.Transport, port: Int)] = []
        if let port = settings.sipPort { transports += [(.udp, Int(port)), (.tcp, Int(port))] }
        if let port = settings.sipsPort { transports.append((.tls, Int(port))) }
        return HTTPInterface.PhoneServer(host: phoneHost, transports: transports)
    }

    /// The domain when it is a name others can find, else the address they can.
    var phoneHost: String {
        guard domain == "localhost" else { return domain }
        return addresses.first?.string ?? "127.0.0.1"
    }

    /// The addresses of the ready line.
    func places(_ settings: Settings) -> [String] {
        let host = settings.listen?.urlHost ?? (domain == "localhost" ? "localhost" : domain)
        let reached = settings.listen?.isLoopback == false ? host : domain == "localhost" ? "localhost" : host
        var places: [String] = []
        if let port = settings.httpsPort { places.append("https://\(host):\(port)") }
        if let port = settings.httpPort {
            places.append("http://\(settings.listen.map(\.urlHost) ?? "localhost"):\(port)")
        }
        if let port = settings.sipPort { places.append("sip:\(reached):\(port)") }
        if let port = settings.sipsPort { places.append("sips:\(reached):\(port)") }
        return places
    }
}
