import Foundation
import Store

/// `hearth backup`: the data folder as one tar file, with a consistent copy of the database.
package struct BackupFile: Sendable {
    private let path: String

    package init(path: String) { self.path = NSString(string: path).expandingTildeInPath }

    /// Writes beside and renames, so that a failed backup never replaces a good one. The file holds keys: 0600.
    package func write(_ settings: Settings) async throws {
        let files = FileManager.default
        guard files.fileExists(atPath: settings.dataFolder + "/hearth.sqlite") else {
            throw SettingsError("--data \(settings.dataFolder) holds no household. Give the folder the server uses.")
        }
        guard !files.fileExists(atPath: path) else {
            throw SettingsError("\(path) is there already. Choose another name, or remove it first.")
        }
        let staging = settings.dataFolder + "/backup-\(UUID().uuidString)"
        try files.createDirectory(
            atPath: staging, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? files.removeItem(atPath: staging) }
        let store = try await Household.open(settings)
        try await store.backup(to: staging + "/hearth.sqlite")
        await store.close()
        try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: staging + "/hearth.sqlite")
        for folder in ["tls", "files"] where files.fileExists(atPath: settings.dataFolder + "/" + folder) {
            try files.copyItem(atPath: settings.dataFolder + "/" + folder, toPath: staging + "/" + folder)
        }
        let beside = path + ".new"
        guard files.createFile(atPath: beside, contents: nil, attributes: [.posixPermissions: 0o600]) else {
            throw SettingsError("\(path) cannot be written. Choose a place this user can write.")
        }
        try pack(staging, into: beside)
        try files.moveItem(atPath: beside, toPath: path)
    }

    private func pack(_ folder: String, into file: String) throws {
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/bin/tar")
        tar.arguments = ["--create", "--file", file, "--directory", folder, "."]
        try tar.run()
        tar.waitUntilExit()
        guard tar.terminationStatus == 0 else {
            try? FileManager.default.removeItem(atPath: file)
            throw SettingsError("\(file) could not be written (tar failed). Check the free space.")
        }
    }
}
