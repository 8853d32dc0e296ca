import Foundation
import Logging
import Synchronization

/// Log lines on standard error, for people or for programs.
///
///     2026-11-22T12:00:00.000Z info  listening: sip 5060
///     {"time":"2026-11-22T12:00:00.000Z","level":"info","message":"listening","sip":"5060"}
struct LineLogHandler: LogHandler {
    let format: Settings.LogFormat
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(Date())
        let fields = all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        let line =
            switch format {
            case .plain: Self.plain(time, event.level, "\(event.message)", fields)
            case .json: Self.json(time, event.level, "\(event.message)", fields)
            }
        // A log nobody reads any more must not end the server.
        try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
    }

    static func plain(
        _ time: String, _ level: Logger.Level, _ message: String, _ fields: [(String, String)]
    ) -> String {
        let name = level.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
        let tail = fields.map { " \($0)=\(oneLine($1))" }.joined()
        return "\(time) \(name) \(oneLine(message))\(tail)\n"
    }

    static func json(
        _ time: String, _ level: Logger.Level, _ message: String, _ fields: [(String, String)]
    ) -> String {
        var parts = [("time", time), ("level", level.rawValue), ("message", message)]
        parts += fields.filter { field in !["time", "level", "message"].contains(field.0) }
        return "{" + parts.map { "\(quoted($0)):\(quoted($1))" }.joined(separator: ",") + "}\n"
    }

    /// A peer's bytes never start a line of their own, nor colour a terminal.
    private static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) }) else {
            return text
        }
        return text.unicodeScalars.map {
            $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "\\u{\(String($0.value, radix: 16))}" : String($0)
        }.joined()
    }

    private static func quoted(_ text: String) -> String {
        guard let data = try? JSONEncoder().encode(text) else { return "\"\"" }
        return String(decoding: data, as: UTF8.self)
    }
}
