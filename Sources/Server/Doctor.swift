import Accounts
import Base
import CallControl
import Foundation
import Glibc
import SocketIO
import Store
import X509

/// `hearth doctor`: looks at the set-up as the server would, and says what to mend.
package struct Doctor: Sendable {
    package struct Finding: Encodable, Sendable {
        package enum Grade: String, Encodable, Sendable {
            case good
            case advice
            case bad
        }

        package var grade: Grade
        package var subject: String
        package var text: String
    }

    private let written: WrittenSettings

    package init(_ written: WrittenSettings) { self.written = written }

    /// All findings, in the order an operator would mend them.
    package func examine() async -> [Finding] {
        let settings: Settings
        do {
            settings = try Settings(written)
        } catch {
            return [Finding(grade: .bad, subject: "configuration", text: error.description)]
        }
        var findings = [Finding(grade: .good, subject: "configuration", text: "readable, every value makes sense")]
        findings.append(dataFolder(settings))
        findings += await household(settings)
        findings += ports(settings)
        findings += certificate(settings)
        findings.append(descriptors())
        findings.append(clock())
        return findings
    }

    private func dataFolder(_ settings: Settings) -> Finding {
        do {
            try DataFolder.prepare(settings.dataFolder)
        } catch {
            return Finding(grade: .bad, subject: "data folder", text: error.description)
        }
        var space = statvfs()
        guard statvfs(settings.dataFolder, &space) == 0 else {
            return Finding(grade: .good, subject: "data folder", text: settings.dataFolder)
        }
        let free = (UInt64(space.f_bavail) * UInt64(space.f_frsize)) >> 20
        guard free > 200 else {
            return Finding(
                grade: .bad, subject: "data folder",
                text: "only \(free) MiB are free under \(settings.dataFolder). Make room: nothing can be stored soon.")
        }
        let permissions =
            (try? FileManager.default.attributesOfItem(atPath: settings.dataFolder)[.posixPermissions] as? Int) ?? 0
        guard permissions & 0o077 == 0 else {
            return Finding(
                grade: .advice, subject: "data folder",
                text: "other users can look into \(settings.dataFolder). Run: chmod 700 \(settings.dataFolder)")
        }
        return Finding(grade: .good, subject: "data folder", text: "\(settings.dataFolder), \(free) MiB free")
    }

    private func household(_ settings: Settings) async -> [Finding] {
        do {
            let store = try await Household.open(settings)
            let people = try await store.people().count
            let served = try await Household.served(store)
            let hasOwner = try await store.hasOwner()
            let hasPhones = try await store.sipAccounts().contains { !$0.phones.isEmpty }
            await store.close()
            var findings = [Finding(grade: .good, subject: "people", text: "\(people) joined")]
            if !hasOwner {
                findings = [
                    Finding(
                        grade: .advice, subject: "people",
                        text: "nobody has joined yet. Start the server and open the link it prints.")
                ]
            }
            if let domain = served.domain, domain != settings.domain, hasPhones {
                findings.append(
                    Finding(
                        grade: .bad, subject: "domain",
                        text: "--domain is \(settings.domain), but phones have passwords for \(domain). Give --domain "
                            + "\(domain)."))
            }
            return findings
        } catch {
            return [Finding(grade: .bad, subject: "database", text: ErrorWords.words(for: error))]
        }
    }

    // MARK: - Ports

    private func ports(_ settings: Settings) -> [Finding] {
        let streams: [(Option, UInt16?)] = [
            (.httpPort, settings.httpPort), (.httpsPort, settings.httpsPort), (.sipPort, settings.sipPort),
            (.sipsPort, settings.sipsPort),
        ]
        let running = isRunning(settings)
        return streams.map { option, port in
            guard let port else { return Finding(grade: .good, subject: option.flag, text: "off") }
            if running { return Finding(grade: .good, subject: option.flag, text: "\(port), Hearth listens") }
            let address = TransportAddress(ip: settings.listenAddresses[0], port: port)
            guard let error = tryBinding(address, alsoUDP: option == .sipPort) else {
                return Finding(grade: .good, subject: option.flag, text: "\(port) is free")
            }
            return Finding(
                grade: .bad, subject: option.flag, text: Settings.explain(error, option, address).description)
        }
    }

    /// Whether a Hearth with these settings answers on this machine.
    private func isRunning(_ settings: Settings) -> Bool {
        guard let port = settings.httpPort else { return false }
        var request = [UInt8]("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        guard let socket = PlainSocket(to: TransportAddress(ip: settings.listen ?? .loopback, port: port)) else {
            return false
        }
        guard socket.write(&request) else { return false }
        return socket.read(upTo: 64)?.starts(with: Array("HTTP/1.1".utf8)) == true
    }

    private func tryBinding(_ address: TransportAddress, alsoUDP: Bool) -> SocketError? {
        if alsoUDP {
            do throws(SocketError) { _ = try DatagramSocket(binding: address, id: 0) } catch { return error }
        }
        return PlainSocket.bindingError(address)
    }

    // MARK: - Certificate

    private func certificate(_ settings: Settings) -> [Finding] {
        guard settings.httpsPort != nil || settings.sipsPort != nil else { return [] }
        let file = settings.certificate?.chain ?? LocalAuthority(folder: settings.dataFolder + "/tls").chainFile
        guard settings.certificate != nil || FileManager.default.fileExists(atPath: file) else {
            return [
                Finding(
                    grade: .good, subject: "certificate", text: "will be made by a local authority at the first start")
            ]
        }
        guard let text = try? String(contentsOfFile: file, encoding: .utf8),
            let leaf = try? Certificate.leaf(ofChain: text)
        else {
            return [
                Finding(
                    grade: .bad, subject: "certificate",
                    text: "\(file) cannot be read as PEM. Give --certificate a readable certificate chain.")
            ]
        }
        var findings: [Finding] = []
        let days = Int(leaf.notValidAfter.timeIntervalSinceNow / 86_400)
        if days < 0 {
            findings.append(
                Finding(grade: .bad, subject: "certificate", text: "\(file) ended \(-days) days ago. Renew it."))
        } else if days < 14, settings.certificate != nil {
            findings.append(
                Finding(grade: .advice, subject: "certificate", text: "\(file) ends in \(days) days. Renew it soon."))
        } else {
            findings.append(Finding(grade: .good, subject: "certificate", text: "\(file), valid for \(days) days"))
        }
        if settings.certificate == nil {
            findings.append(
                Finding(
                    grade: .advice, subject: "certificate",
                    text: "made by this household's own authority: import \(settings.dataFolder)/tls/ca.pem on each "
                        + "device, or give --certificate and --key."))
        } else if let key = settings.certificate?.key, !FileManager.default.isReadableFile(atPath: key) {
            findings.append(
                Finding(grade: .bad, subject: "key", text: "\(key) cannot be read by this user. Mend its permissions."))
        }
        return findings
    }

    // MARK: - System

    private func descriptors() -> Finding {
        let connections = DescriptorLimit.raise()
        guard connections >= 1_000 else {
            return Finding(
                grade: .advice, subject: "open files",
                text:
                    "the system allows \(connections) connections only. Raise it (LimitNOFILE= in systemd, ulimit -n).")
        }
        return Finding(grade: .good, subject: "open files", text: "room for \(connections) connections")
    }

    /// A clock before this program was made cannot be right; certificates and links would be refused.
    private func clock() -> Finding {
        let madeAfter = Date(timeIntervalSince1970: 1_767_225_600)
        guard Date() > madeAfter else {
            return Finding(
                grade: .bad, subject: "clock", text: "it is not \(Date().formatted(.iso8601)). Set it, best by NTP.")
        }
        return Finding(grade: .good, subject: "clock", text: Date().formatted(.iso8601))
    }
}
