import ArgumentParser
import Server

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check the set-up and say what to mend.",
        discussion: "Give it what you give hearth serve.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var options: ServeOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reporting {
            let findings = await Doctor(try await common.written(options.flags)).examine()
            if json {
                try printJSON(findings)
            } else {
                for finding in findings {
                    let mark =
                        switch finding.grade {
                        case .good: "ok  "
                        case .advice: "note"
                        case .bad: "BAD "
                        }
                    print("\(mark)  \(finding.subject): \(finding.text)")
                }
            }
            if findings.contains(where: { $0.grade == .bad }) { throw ExitCode(1) }
        }
    }
}
