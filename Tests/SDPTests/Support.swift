import Foundation
import SDP
import Testing

/// A description made by a real peer: Chromium 156, Firefox ESR 153 or baresip 1.0.0.
struct Sample: CustomTestStringConvertible, Sendable {
    let name: String
    let bytes: [UInt8]
    var testDescription: String { name }

    static let all: [Sample] = {
        guard let folder = Bundle.module.url(forResource: "Descriptions", withExtension: nil),
            let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        else { return [] }
        return files.sorted { $0.path < $1.path }.compactMap { file in
            (try? Data(contentsOf: file)).map {
                Sample(name: file.deletingPathExtension().lastPathComponent, bytes: Array($0))
            }
        }
    }()

    static func named(_ name: String) throws -> SessionDescription {
        let sample = try #require(all.first { $0.name == name })
        return try SessionDescription(parsing: sample.bytes)
    }
}

/// Lines as a description's bytes.
func lines(_ text: String...) -> [UInt8] { text.flatMap { Array($0.utf8) + [13, 10] } }

func string(_ bytes: (some Sequence<UInt8>)?) -> String? { bytes.map { String(decoding: Array($0), as: UTF8.self) } }

/// A small description around the given lines.
func description(_ more: String...) throws -> SessionDescription {
    let head = lines("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0")
    return try SessionDescription(parsing: head + more.flatMap { lines($0) })
}
