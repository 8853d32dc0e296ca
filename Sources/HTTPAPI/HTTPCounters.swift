import Synchronization

/// Totals since the start, for `/metrics`. No names, no addresses.
final class HTTPCounters: Sendable {
    enum Event: Int, CaseIterable {
        case provedRight
        case provedWrong
        case slowedDown
        case joined

        var label: String {
            switch self {
            case .provedRight: "accepted"
            case .provedWrong: "wrong"
            case .slowedDown: "slowed_down"
            case .joined: "joined"
            }
        }
    }

    private struct Totals {
        /// By the first digit of the status.
        var responses = [UInt64](repeating: 0, count: 6)
        var events = [UInt64](repeating: 0, count: Event.allCases.count)
    }

    private let totals = Mutex(Totals())

    func count(status: Int) {
        totals.withLock { totals in
            guard (1...5).contains(status / 100) else { return }
            totals.responses[status / 100] &+= 1
        }
    }

    func count(_ event: Event) { totals.withLock { $0.events[event.rawValue] &+= 1 } }

    /// Prometheus' text format.
    var text: String {
        let totals = totals.withLock { $0 }
        var text =
            "# HELP hearth_http_responses_total Answers to HTTP requests.\n# TYPE hearth_http_responses_total counter\n"
        for hundred in 1...5 {
            text += "hearth_http_responses_total{status=\"\(hundred)xx\"} \(totals.responses[hundred])\n"
        }
        text +=
            "# HELP hearth_sign_ins_total Tries to join, sign in or recover.\n# TYPE hearth_sign_ins_total counter\n"
        for event in Event.allCases {
            text += "hearth_sign_ins_total{result=\"\(event.label)\"} \(totals.events[event.rawValue])\n"
        }
        return text
    }
}
