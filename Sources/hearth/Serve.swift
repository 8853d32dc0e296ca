import ArgumentParser
import Foundation
import Server

/// Every setting of the server as a flag; `hearth doctor` takes the same ones.
struct ServeOptions: ParsableArguments {
    @ArgumentParser.Option(help: "The part after @ in everybody's address (default: localhost).")
    var domain: String?
    @ArgumentParser.Option(help: "Address to listen on (default: all, IPv4 and IPv6).")
    var listen: String?
    @ArgumentParser.Option(help: "HTTP: redirects to HTTPS, except on localhost (default: 8080).")
    var httpPort: String?
    @ArgumentParser.Option(help: "HTTPS and SIP over secure WebSocket (default: 8443).")
    var httpsPort: String?
    @ArgumentParser.Option(help: "SIP over UDP and TCP (default: 5060).")
    var sipPort: String?
    @ArgumentParser.Option(help: "SIP over TLS (default: 5061).")
    var sipsPort: String?
    @ArgumentParser.Option(help: "STUN and TURN, UDP and TCP (default: 3478).")
    var mediaPort: String?
    @ArgumentParser.Option(help: "Media ports for native phones (default: 10000-10999).")
    var rtpPorts: String?
    @ArgumentParser.Option(help: "The address others see when a router translates ours.")
    var externalAddress: String?
    @ArgumentParser.Option(
        name: .customLong("public-url"), help: "What links start with, such as https://home.example.")
    var publicURL: String?
    @ArgumentParser.Option(help: "Certificate chain in PEM (default: a local authority makes one).")
    var certificate: String?
    @ArgumentParser.Option(help: "Key of the certificate, in PEM.")
    var key: String?
    @ArgumentParser.Option(help: "trace, debug, info, notice, warning, error or critical (default: info).")
    var logLevel: String?
    @ArgumentParser.Option(help: "plain or json (default: plain).")
    var logFormat: String?
    @ArgumentParser.Option(help: "Who may read /metrics: loopback, everyone or off (default: loopback).")
    var metrics: String?
    @ArgumentParser.Option(
        help: "How phones prove their password: md5, or both for SHA-256 as well (default: md5, for old phones' sake).")
    var sipDigest: String?

    var flags: [Server.Option: String?] {
        [
            .domain: domain, .listen: listen, .httpPort: httpPort, .httpsPort: httpsPort, .sipPort: sipPort,
            .sipsPort: sipsPort, .mediaPort: mediaPort, .rtpPorts: rtpPorts, .externalAddress: externalAddress,
            .publicURL: publicURL, .certificate: certificate, .key: key, .logLevel: logLevel,
            .logFormat: logFormat, .metrics: metrics, .sipDigest: sipDigest,
        ]
    }
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server.",
        discussion: """
            Every option can also be given as an environment variable (HEARTH_HTTP_PORT=8080) or in a JSON file \
            ({"http-port": 8080}). Port 0 switches a port off.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var options: ServeOptions

    func run() async throws {
        try await reporting {
            try await HearthServer.serve(Settings(try await common.written(options.flags)))
        }
    }
}
