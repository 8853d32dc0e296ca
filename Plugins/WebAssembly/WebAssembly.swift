import Foundation
import PackagePlugin

/// Makes `hearth.wasm`, the phone for the browser, whenever one of its sources changed.
@main
struct WebAssembly: BuildToolPlugin {
    private static let modules = ["Base", "SIP", "SDP", "UserAgent", "BrowserPhone"]

    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let package = context.package.directoryURL
        let output = context.pluginWorkDirectoryURL.appending(path: "hearth.wasm")
        let work = context.pluginWorkDirectoryURL.deletingLastPathComponent().appending(path: "WebAssemblyObjects")
        let script = package.appending(path: "scripts/build-wasm")
        let toolchain = try context.tool(named: "swiftc").url.deletingLastPathComponent()
        let sources = Self.modules.flatMap { Self.sources(in: package.appending(path: "Sources/\($0)")) }
        return [
            .buildCommand(
                displayName: "Compiling the phone for the browser", executable: script,
                arguments: [output.path, work.path, toolchain.path], inputFiles: [script] + sources,
                outputFiles: [output])
        ]
    }

    private static func sources(in folder: URL) -> [URL] {
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return (files?.compactMap { $0 as? URL } ?? [])
            .filter { ["swift", "c"].contains($0.pathExtension) }
            .sorted { $0.path < $1.path }
    }
}
