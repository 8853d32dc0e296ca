import ArgumentParser
import Server

@main
struct Hearth: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hearth", abstract: "Calls and messages for a family, on a box at home.",
        version: HearthVersion.text,
        subcommands: [Serve.self, User.self, Phone.self, DoctorCommand.self, Backup.self])
}
