import Base
import Foundation
import Logging
import Testing

@testable import Server

@Suite struct SettingsTests {
    /// Settings from flags alone, in a folder without a configuration file.
    private func settings(
        _ flags: [Server.Option: String] = [:], environment: [String: String] = [:], file: String? = nil
    ) async throws -> Settings {
        var flags = flags
        flags[.data] = flags[.data] ?? "/nonexistent"
        return try Settings(try await WrittenSettings(flags: flags, file: file, environment: environment))
    }

    @Test func `nothing written gives the defaults of the handbook`() async throws {
        let settings = try await settings()
        #expect(settings.domain == "localhost")
        #expect(settings.listen == nil)
        #expect(settings.httpPort == 8080 && settings.httpsPort == 8443)
        #expect(settings.sipPort == 5060 && settings.sipsPort == 5061 && settings.mediaPort == 3478)
        #expect(settings.rtpPorts == 10_000...10_999)
        #expect(settings.logLevel == .info && settings.logFormat == .plain && settings.metrics == .loopback)
    }

    @Test func `a flag wins over the environment, and that over the file`() async throws {
        let file = NSTemporaryDirectory() + "hearth-settings-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let text = #"{"http-port": 1111, "https-port": 2222, "sip-port": "3333", "domain": "Home.Example"}"#
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let settings = try await settings(
            [.httpPort: "4444"], environment: ["HEARTH_HTTP_PORT": "5555", "HEARTH_HTTPS_PORT": "0"], file: file)
        #expect(settings.httpPort == 4444)
        #expect(settings.httpsPort == nil)
        #expect(settings.sipPort == 3333)
        #expect(settings.domain == "home.example")
    }

    @Test(arguments: [
        (Server.Option.sipPort, "abc", "--sip-port"), (.httpPort, "70000", "--http-port"),
        (.domain, "-x.example", "--domain"), (.domain, "a b", "--domain"), (.listen, "localhost", "--listen"),
        (.rtpPorts, "2000-1000", "--rtp-ports"), (.rtpPorts, "5", "--rtp-ports"),
        (.publicURL, "home.example", "--public-url"), (.publicURL, "https://home.example/path", "--public-url"),
        (.externalAddress, "1.2.3", "--external-address"), (.logLevel, "loud", "--log-level"),
        (.logFormat, "xml", "--log-format"), (.metrics, "yes", "--metrics"), (.certificate, "/c.pem", "--key"),
        (.key, "/k.pem", "--certificate"), (.httpsPort, "8080", "--https-port"),
    ]) func `a bad value is refused in one line that names the flag`(
        option: Server.Option, text: String, names flag: String
    ) async throws {
        let error = await #expect(throws: SettingsError.self) { try await settings([option: text]) }
        let line = try #require(error?.description)
        #expect(line.contains(flag))
        #expect(!line.contains("\n"))
    }

    @Test func `an environment variable is named when its value is bad`() async {
        let error = await #expect(throws: SettingsError.self) {
            try await settings(environment: ["HEARTH_SIP_PORT": "x"])
        }
        #expect(error?.description.contains("HEARTH_SIP_PORT") == true)
    }

    @Test func `a missing or broken file is refused`() async throws {
        await #expect(throws: SettingsError.self) { try await settings(file: "/nonexistent/hearth.json") }
        let file = NSTemporaryDirectory() + "hearth-broken-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "{".write(toFile: file, atomically: true, encoding: .utf8)
        await #expect(throws: SettingsError.self) { try await settings(file: file) }
    }
}
