import ArgumentParser
import Server

struct User: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "People: invite, list, remove, and new links for lost passwords.",
        subcommands: [UserAdd.self, UserList.self, UserRemove.self, UserReset.self])
}

/// Opens the household for one command and closes it, so that everything is on disk when the command ends.
func administering(
    _ common: CommonOptions, _ flags: [Server.Option: String?] = [:], _ body: (Administration) async throws -> Void
) async throws {
    try await reporting {
        let administration = try await Administration(common.written(flags))
        do {
            try await body(administration)
        } catch {
            await administration.close()
            throw error
        }
        await administration.close()
    }
}

struct UserAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Invite somebody: prints a join link, good for one use within 7 days.")

    @OptionGroup var common: CommonOptions
    @Argument(help: "User name: the part before @, such as anna.") var name: String
    @ArgumentParser.Option(help: "What the family calls her.") var fullName: String?
    @Flag(help: "May invite and remove people.") var owner = false
    @ArgumentParser.Option(name: .customLong("public-url"), help: "What the link starts with.") var publicURL: String?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await administering(common, [.publicURL: publicURL]) { household in
            let link = try await household.invite(name, fullName: fullName, isOwner: owner)
            if json { try printJSON(link) } else { print(link.url) }
        }
    }
}

struct UserList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Everybody, and who is invited.")

    @OptionGroup var common: CommonOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await administering(common) { household in
            let people = try await household.people()
            if json { return try printJSON(people) }
            printTable(
                ["USER", "NAME", "ROLE", "ADDRESS", "PHONES", "REACHABLE"],
                people.map {
                    [$0.userName, $0.fullName, $0.role, $0.address, String($0.phones), $0.reachable ? "yes" : "no"]
                })
        }
    }
}

struct UserRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a person with her phones and sessions, or an open invitation.")

    @OptionGroup var common: CommonOptions
    @Argument(help: "User name.") var name: String

    func run() async throws {
        try await administering(common) { household in
            try await household.remove(name)
            print("removed \(name)")
        }
    }
}

struct UserReset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "A new link for somebody who lost password and recovery code.")

    @OptionGroup var common: CommonOptions
    @Argument(help: "User name.") var name: String
    @ArgumentParser.Option(name: .customLong("public-url"), help: "What the link starts with.") var publicURL: String?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await administering(common, [.publicURL: publicURL]) { household in
            let link = try await household.reset(name)
            if json { try printJSON(link) } else { print(link.url) }
        }
    }
}
