import Foundation

/// One file of the browser client, as the server hands it out.
package struct PageFile: Sendable {
    /// The path of its URL, such as `/phone/agent.js`; the page itself is `/index.html`.
    package let path: String
    package let bytes: [UInt8]
    /// The value of Content-Type.
    package let contentType: String
}

/// Why there is no page to hand out.
package enum PageError: Error, Equatable, CustomStringConvertible {
    /// None of the places has it.
    case notFound(places: [String])
    /// The folder has a file whose kind we cannot name to a browser.
    case unknownKind(String)

    package var description: String {
        switch self {
        case .notFound(let places):
            "the page's files are missing: put the folder hearth_WebBundle.resources of the build beside the program "
                + "(looked in \(places.joined(separator: ", ")))"
        case .unknownKind(let path): "the page has a file of unknown kind: \(path)"
        }
    }
}

/// The browser client: the folder `Web` of the source and `hearth.wasm`, which the plugin `WebAssembly` makes.
///
/// A build puts both into `hearth_WebBundle.resources` beside the program; to install Hearth, copy the program and that
/// folder into one place, or the folder's contents to `share/hearth` next to the program's `bin`.
package enum PageFiles {
    /// Every file, in the order of their paths.
    ///
    /// - Parameter folder: where to read the folder `Web` from instead of the bundle, so that who changes the page need not
    ///   build the program.
    package static func load(from folder: URL? = nil) throws -> [PageFile] {
        let bundle = try bundleFolder()
        var files = try read(folder ?? bundle.appending(path: "Web"))
        files.append(try file(at: bundle.appending(path: "hearth.wasm"), path: "/phone/hearth.wasm"))
        return files.sorted { $0.path < $1.path }
    }

    private static func bundleFolder() throws -> URL {
        let executable = (Bundle.main.executableURL ?? Bundle.main.bundleURL).resolvingSymlinksInPath()
        let beside = executable.deletingLastPathComponent()
        let places = [
            beside.appending(path: "hearth_WebBundle.resources"),
            Bundle.main.bundleURL.appending(path: "hearth_WebBundle.resources"),
            beside.deletingLastPathComponent().appending(path: "share/hearth"),
        ]
        let found = places.first { FileManager.default.fileExists(atPath: $0.appending(path: "hearth.wasm").path) }
        guard let found else { throw PageError.notFound(places: places.map(\.path)) }
        return found
    }

    private static func read(_ folder: URL) throws -> [PageFile] {
        let root = folder.resolvingSymlinksInPath()
        guard let names = FileManager.default.enumerator(atPath: root.path) else {
            throw PageError.notFound(places: [root.path])
        }
        var files: [PageFile] = []
        for case let name as String in names where !isForDevelopersAlone(name) {
            let url = root.appending(path: name)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), !isFolder.boolValue else {
                continue
            }
            files.append(try file(at: url, path: "/" + name))
        }
        return files
    }

    /// Tests, types and notes are no business of a browser.
    private static func isForDevelopersAlone(_ name: String) -> Bool {
        let parts = name.split(separator: "/")
        return parts.first == "tests" || parts.contains { $0.hasPrefix(".") } || name == "jsconfig.json"
            || name.hasSuffix(".d.ts") || name.hasSuffix(".md")
    }

    private static func file(at url: URL, path: String) throws -> PageFile {
        guard let contentType = contentTypes[url.pathExtension] else { throw PageError.unknownKind(path) }
        return PageFile(path: path, bytes: Array(try Data(contentsOf: url)), contentType: contentType)
    }

    /// By the end of the name. Browsers insist on these for modules and WebAssembly.
    private static let contentTypes = [
        "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
        "json": "application/json", "webmanifest": "application/manifest+json", "svg": "image/svg+xml",
        "png": "image/png", "ico": "image/x-icon", "woff2": "font/woff2", "wasm": "application/wasm",
        "txt": "text/plain; charset=utf-8", "mp3": "audio/mpeg", "ogg": "audio/ogg", "wav": "audio/wav",
    ]
}
