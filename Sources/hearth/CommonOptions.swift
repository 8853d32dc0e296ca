import ArgumentParser
import Server

/// What every command needs to find the household.
struct CommonOptions: ParsableArguments {
    @ArgumentParser.Option(help: "Folder of everything Hearth keeps (default: ~/.local/share/hearth).")
    var data: String?

    @ArgumentParser.Option(help: "Configuration file, JSON (default: hearth.json in the data folder).")
    var config: String?

    func written(_ flags: [Server.Option: String?] = [:]) async throws -> WrittenSettings {
        var all = flags.compactMapValues { $0 }
        all[.data] = data
        return try await WrittenSettings(flags: all, file: config)
    }
}

/// Runs a command and turns refusals into one line on standard error and exit status 1.
func reporting(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let code as ExitCode {
        throw code
    } catch {
        printError(ErrorWords.words(for: error))
        throw ExitCode(1)
    }
}
