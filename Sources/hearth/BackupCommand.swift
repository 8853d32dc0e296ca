import ArgumentParser
import Server

struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write everything into one file, also while the server runs.",
        discussion: "On the new machine: mkdir -m 700 DATA && tar -xf FILE -C DATA, then hearth serve --data DATA.")

    @OptionGroup var common: CommonOptions
    @Argument(help: "The file to write (tar).") var file: String

    func run() async throws {
        try await reporting {
            let settings = try Settings(try await common.written())
            try await BackupFile(path: file).write(settings)
            print("backup written: \(file)")
        }
    }
}
