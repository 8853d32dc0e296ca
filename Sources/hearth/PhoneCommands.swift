import ArgumentParser
import Server

struct Phone: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Native SIP phones of a person.",
        subcommands: [PhoneAdd.self, PhoneList.self, PhoneRemove.self])
}

struct PhoneAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Make a phone's account: prints what to type into the phone, once.")

    @OptionGroup var common: CommonOptions
    @Argument(help: "User name of the person.") var name: String
    @Argument(help: "What she calls the phone, such as Kitchen.") var label: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await administering(common) { household in
            let account = try await household.addPhone(name, label: label)
            if json { return try printJSON(account) }
            print("server:     \(account.server)")
            print("domain:     \(account.domain)")
            print("user:       \(account.user)")
            print("password:   \(account.password)")
            print("transports: \(account.transports.joined(separator: ", "))")
        }
    }
}

struct PhoneList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Phones of a person, or of everybody.")

    @OptionGroup var common: CommonOptions
    @Argument(help: "User name of the person.") var name: String?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await administering(common) { household in
            let phones = try await household.phones(of: name)
            if json { return try printJSON(phones) }
            printTable(["USER", "LABEL", "CREATED"], phones.map { [$0.userName, $0.label, $0.created] })
        }
    }
}

struct PhoneRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Take a phone's password away; it stops ringing at once.")

    @OptionGroup var common: CommonOptions
    @Argument(help: "User name of the person.") var name: String
    @Argument(help: "The phone's label.") var label: String

    func run() async throws {
        try await administering(common) { household in
            try await household.removePhone(name, label: label)
            print("removed \(label) of \(name)")
        }
    }
}
