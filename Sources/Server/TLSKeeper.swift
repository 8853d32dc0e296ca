import Base
import Foundation
import Logging
import NIOSSL
import ServiceLifecycle
import SocketIO
import Synchronization

/// Holds the TLS context that new connections take, and makes a new one when the certificate's files change or the
/// local authority renews.
final class TLSKeeper: Sendable {
    /// How often the files and the machine's addresses are looked at.
    private static let interval = Duration.seconds(60)

    /// TLS 1.2 with AEAD and forward secrecy, and all of TLS 1.3 (RFC 9325 §4.2).
    private static let ciphers: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    /// For connections we open to other servers: the same protocols, and certificates the system trusts.
    static func clientContext(trusting roots: NIOSSLTrustRoots = .default) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = roots
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuiteValues = ciphers
        return try NIOSSLContext(configuration: configuration)
    }

    private struct Contexts {
        var web: NIOSSLContext
        var sip: NIOSSLContext
        var loaded: [String: Date]
    }

    /// The local authority and what its certificate must name; nil with certificate files of the operator's.
    private let local: (authority: LocalAuthority, names: @Sendable () -> LocalAuthority.Names)?
    private let chainFile: String
    private let keyFile: String
    private let contexts: Mutex<Contexts>

    /// Loads or makes the certificate.
    init(
        settings: Settings, names: @escaping @Sendable () -> LocalAuthority.Names
    ) throws(SettingsError) {
        if let files = settings.certificate {
            (local, chainFile, keyFile) = (nil, files.chain, files.key)
        } else {
            let authority = LocalAuthority(folder: settings.dataFolder + "/tls")
            do {
                _ = try authority.prepare(for: names())
            } catch {
                throw SettingsError(
                    "--data: no certificate can be made in \(authority.folder) (\(error.localizedDescription)). Make the "
                        + "folder writable, or give --certificate and --key.")
            }
            (local, chainFile, keyFile) = ((authority, names), authority.chainFile, authority.keyFile)
        }
        contexts = Mutex(try Self.load(chain: chainFile, key: keyFile))
    }

    /// What the next HTTPS connection uses: ALPN h2 and http/1.1.
    var web: TLSContextSource { { [self] in contexts.withLock { $0.web } } }

    /// What the next SIP over TLS connection uses.
    var sip: TLSContextSource { { [self] in contexts.withLock { $0.sip } } }

    /// The authority to import on devices; nil with the operator's own certificate.
    var authorityFile: String? { local?.authority.authorityFile }

    /// Looks at the files until cancelled. What cannot be loaded is logged, and the old certificate stays.
    func watch(logger: Logger) async {
        while (try? await Task.sleep(for: Self.interval)) != nil { refresh(logger: logger) }
    }

    func refresh(logger: Logger) {
        do {
            if let local, try local.authority.prepare(for: local.names()) { logger.notice("certificate renewed") }
            guard Self.dates(chainFile, keyFile) != contexts.withLock({ $0.loaded }) else { return }
            let fresh = try Self.load(chain: chainFile, key: keyFile)
            contexts.withLock { $0 = fresh }
            logger.notice("certificate loaded", metadata: ["file": "\(chainFile)"])
        } catch {
            logger.error(
                "the certificate could not be renewed, the old one stays in use", metadata: ["reason": "\(error)"])
        }
    }

    private static func dates(_ files: String...) -> [String: Date] {
        var dates: [String: Date] = [:]
        for file in files {
            dates[file] = try? FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
        }
        return dates
    }

    private static func load(chain: String, key: String) throws(SettingsError) -> Contexts {
        let loaded = dates(chain, key)
        let certificates: [NIOSSLCertificate]
        do {
            certificates = try NIOSSLCertificate.fromPEMFile(chain)
        } catch {
            throw SettingsError(
                "--certificate \(chain) cannot be read as a PEM certificate chain\(reason(chain)). Give a file this user can "
                    + "read, with the server's certificate first.")
        }
        let privateKey: NIOSSLPrivateKey
        do {
            privateKey = try NIOSSLPrivateKey(file: key, format: .pem)
        } catch {
            throw SettingsError(
                "--key \(key) cannot be read as a PEM private key without a password\(reason(key)). Give a file this user "
                    + "can read.")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuiteValues = ciphers
        do {
            let sip = try NIOSSLContext(configuration: configuration)
            configuration.applicationProtocols = ["h2", "http/1.1"]
            return Contexts(web: try NIOSSLContext(configuration: configuration), sip: sip, loaded: loaded)
        } catch {
            throw SettingsError(
                "--key \(key) does not belong to --certificate \(chain). Give the key that the certificate was made for."
            )
        }
    }

    private static func reason(_ file: String) -> String {
        if !FileManager.default.fileExists(atPath: file) { return " (there is no such file)" }
        return FileManager.default.isReadableFile(atPath: file) ? "" : " (no permission to read it)"
    }
}
