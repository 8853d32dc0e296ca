import Base
import Configuration
import Foundation
import Logging

/// One thing an operator can set: a flag, an environment variable and a key of the configuration file, all of one name.
package enum Option: String, CaseIterable, Sendable {
    case data
    case domain
    case listen
    case httpPort = "http-port"
    case httpsPort = "https-port"
    case sipPort = "sip-port"
    case sipsPort = "sips-port"
    case mediaPort = "media-port"
    case rtpPorts = "rtp-ports"
    case externalAddress = "external-address"
    case publicURL = "public-url"
    case certificate
    case key
    case logLevel = "log-level"
    case logFormat = "log-format"
    case metrics
    case sipDigest = "sip-digest"

    package var flag: String { "--" + rawValue }

    package var environment: String {
        "HEARTH_" + rawValue.uppercased().replacingOccurrences(of: "-", with: "_")
    }
}

/// A setting that cannot be used, in one line: which it is, what is wrong, what to do.
package struct SettingsError: Error, CustomStringConvertible, Equatable {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// What the operator wrote, from the flags, then the environment, then the configuration file.
package struct WrittenSettings: Sendable {
    /// A value and where it was written, for error messages: `--sip-port`, `HEARTH_SIP_PORT`, `sip-port in FILE`.
    private var values: [Option: (text: String, origin: String)] = [:]

    /// - Parameters:
    ///   - flags: what the command line says; it wins.
    ///   - file: a JSON object with the names of the flags as keys; `HEARTH_CONFIG` or `DATA/hearth.json` when nil.
    package init(
        flags: [Option: String], file: String? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws(SettingsError) {
        for (option, text) in flags { values[option] = (text, option.flag) }
        let variables = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment))
            .scoped(to: "hearth")
        for option in Option.allCases where values[option] == nil {
            guard let text = variables.string(forKey: ConfigKey(option.rawValue)) else { continue }
            values[option] = (text, option.environment)
        }
        try await read(file: file ?? variables.string(forKey: "config"))
    }

    private mutating func read(file: String?) async throws(SettingsError) {
        let path = file ?? dataFolder + "/hearth.json"
        let reader: ConfigReader
        do {
            let place = InMemoryProvider(values: [
                "filePath": ConfigValue(stringLiteral: path), "allowMissing": ConfigValue(booleanLiteral: file == nil),
            ])
            reader = ConfigReader(
                provider: try await FileProvider<JSONSnapshot>(config: ConfigReader(provider: place)))
        } catch {
            throw SettingsError(
                "The configuration file \(path) cannot be read (\(error)). Give --config a readable file with one JSON "
                    + "object, such as {\"domain\": \"home.example\"}.")
        }
        for option in Option.allCases where values[option] == nil {
            let key = ConfigKey(option.rawValue)
            let text = reader.string(forKey: key) ?? reader.int(forKey: key).map { String($0) }
            guard let text else { continue }
            values[option] = (text, "“\(option.rawValue)” in \(path)")
        }
    }

    subscript(option: Option) -> String? { values[option]?.text }

    func origin(_ option: Option) -> String { values[option]?.origin ?? option.flag }

    /// `--data`, or the place where a person's programs keep their data (XDG Base Directory Specification).
    package var dataFolder: String {
        if let written = self[.data] { return NSString(string: written).expandingTildeInPath }
        return NSString(string: "~/.local/share/hearth").expandingTildeInPath
    }
}

/// Everything `hearth serve` was told, checked.
package struct Settings: Sendable {
    /// Who may read `/metrics`.
    package enum MetricsAudience: String, CaseIterable, Sendable {
        case loopback
        case everyone
        case off
    }

    /// What native phones are asked for (RFC 8760).
    package enum SIPDigest: String, CaseIterable, Sendable {
        /// MD5 alone, which every phone knows.
        case md5
        /// SHA-256, and MD5 for those that do not know it; some old phones give up when they read of SHA-256.
        case both
    }

    package enum LogFormat: String, CaseIterable, Sendable {
        case plain
        case json
    }

    package var dataFolder: String
    /// The part after @, lower case.
    package var domain: String
    /// The address to listen on; nil is all of them, IPv4 and IPv6.
    package var listen: IPAddress?
    /// Ports; nil is off.
    package var httpPort: UInt16?
    package var httpsPort: UInt16?
    package var sipPort: UInt16?
    package var sipsPort: UInt16?
    package var mediaPort: UInt16?
    package var rtpPorts: ClosedRange<UInt16>?
    /// The address others see when a router translates ours.
    package var externalAddress: IPAddress?
    /// What links start with, without a final slash.
    package var publicURL: String?
    /// Files in PEM: the chain, leaf first, and its key. Nil: the local authority's.
    package var certificate: (chain: String, key: String)?
    package var logLevel: Logger.Level
    package var logFormat: LogFormat
    package var metrics: MetricsAudience
    package var sipDigest: SIPDigest

    package init(_ written: WrittenSettings) throws(SettingsError) {
        dataFolder = written.dataFolder
        domain = try Self.domain(written)
        listen = try Self.address(written, .listen)
        httpPort = try Self.port(written, .httpPort, default: 8080)
        httpsPort = try Self.port(written, .httpsPort, default: 8443)
        sipPort = try Self.port(written, .sipPort, default: 5060)
        sipsPort = try Self.port(written, .sipsPort, default: 5061)
        mediaPort = try Self.port(written, .mediaPort, default: 3478)
        rtpPorts = try Self.range(written, .rtpPorts)
        externalAddress = try Self.address(written, .externalAddress)
        publicURL = try Self.url(written)
        certificate = try Self.certificate(written)
        logLevel = try Self.choice(written, .logLevel, of: Logger.Level.allCases, default: .info)
        logFormat = try Self.choice(written, .logFormat, of: LogFormat.allCases, default: .plain)
        metrics = try Self.choice(written, .metrics, of: MetricsAudience.allCases, default: .loopback)
        sipDigest = try Self.choice(written, .sipDigest, of: SIPDigest.allCases, default: .md5)
        try checkPorts(written)
    }

    // MARK: - Reading one value

    private static func domain(_ written: WrittenSettings) throws(SettingsError) -> String {
        guard let text = written[.domain]?.lowercased() else { return "localhost" }
        let bytes = Array(text.utf8)
        let isName =
            (1...253).contains(bytes.count)
            && bytes.split(separator: 0x2e, omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.count) && label.first != 0x2d && label.last != 0x2d
                    && label.allSatisfy { ASCII.isAlphanumeric($0) || $0 == 0x2d }
            }
        guard isName || IPAddress(parsing: bytes) != nil else {
            throw SettingsError(
                "\(written.origin(.domain)): “\(text)” is no domain name. Write the part after @ of your addresses, such "
                    + "as home.example.")
        }
        return text
    }

    private static func address(_ written: WrittenSettings, _ option: Option) throws(SettingsError) -> IPAddress? {
        guard let text = written[option], !text.isEmpty else { return nil }
        guard let address = IPAddress(parsing: Array(text.utf8)) else {
            throw SettingsError(
                "\(written.origin(option)): “\(text)” is no IP address. Write one such as 192.168.1.5 or 2001:db8::5.")
        }
        return address
    }

    private static func port(
        _ written: WrittenSettings, _ option: Option, default standard: UInt16
    ) throws(SettingsError) -> UInt16? {
        guard let text = written[option] else { return standard }
        guard let number = UInt16(text) else {
            throw SettingsError(
                "\(written.origin(option)): “\(text)” is no port. Write a number from 1 to 65535, or 0 to switch it off."
            )
        }
        return number == 0 ? nil : number
    }

    private static func range(
        _ written: WrittenSettings, _ option: Option
    ) throws(SettingsError) -> ClosedRange<UInt16>? {
        guard let text = written[option] else { return 10_000...10_999 }
        guard text != "0" else { return nil }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first > 0, first < last else {
            throw SettingsError(
                "\(written.origin(option)): “\(text)” is no range of ports. Write two numbers such as 10000-10999, or 0 "
                    + "to switch it off.")
        }
        return first...last
    }

    private static func url(_ written: WrittenSettings) throws(SettingsError) -> String? {
        guard let text = written[.publicURL], !text.isEmpty else { return nil }
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme),
            let host = url.host(), !host.isEmpty, url.query() == nil, url.fragment() == nil,
            url.path().isEmpty || url.path() == "/"
        else {
            throw SettingsError(
                "\(written.origin(.publicURL)): “\(text)” is no address links can start with. Write one such as "
                    + "https://home.example, without a path.")
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    private static func certificate(
        _ written: WrittenSettings
    ) throws(SettingsError) -> (chain: String, key: String)? {
        switch (written[.certificate], written[.key]) {
        case (nil, nil): return nil
        case (let chain?, let key?):
            return (NSString(string: chain).expandingTildeInPath, NSString(string: key).expandingTildeInPath)
        case (_?, nil):
            throw SettingsError(
                "--key is missing: \(written.origin(.certificate)) was given, and a certificate needs its key. Add --key FILE."
            )
        case (nil, _?):
            throw SettingsError(
                "--certificate is missing: \(written.origin(.key)) was given, and a key needs its certificate. Add "
                    + "--certificate FILE.")
        }
    }

    private static func choice<Choice: RawRepresentable<String>>(
        _ written: WrittenSettings, _ option: Option, of choices: [Choice], default standard: Choice
    ) throws(SettingsError) -> Choice {
        guard let text = written[option]?.lowercased() else { return standard }
        guard let choice = choices.first(where: { $0.rawValue == text }) else {
            throw SettingsError(
                "\(written.origin(option)): “\(text)” is not known. Write one of "
                    + choices.map(\.rawValue).joined(separator: ", ") + ".")
        }
        return choice
    }

    private func checkPorts(_ written: WrittenSettings) throws(SettingsError) {
        let streams: [(Option, UInt16?)] = [
            (.httpPort, httpPort), (.httpsPort, httpsPort), (.sipPort, sipPort), (.sipsPort, sipsPort),
        ]
        for (index, first) in streams.enumerated() {
            for second in streams[..<index] where first.1 != nil && first.1 == second.1 {
                throw SettingsError(
                    "\(written.origin(first.0)) and \(second.0.flag) are both \(first.1 ?? 0). Give each a port of its own."
                )
            }
        }
    }
}
