import Foundation
import HTTPAPI
import WebBundle

/// The browser client's files, as HTTPAPI serves them.
enum WebFiles {
    /// From the build's bundle, or the files of a folder when the page is being changed (HEARTH_WEB).
    static func load(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(SettingsError) -> StaticFiles {
        let folder = environment["HEARTH_WEB"].map { URL(fileURLWithPath: $0, isDirectory: true) }
        do {
            return StaticFiles(
                try PageFiles.load(from: folder).map {
                    StaticFile(path: $0.path, bytes: $0.bytes, contentType: $0.contentType)
                })
        } catch {
            throw SettingsError("\(error). Install Hearth again, or build it with “swift build”.")
        }
    }
}
