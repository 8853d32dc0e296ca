import Base
import CallControl
import Foundation
import SocketIO

/// What this build is called.
package enum HearthVersion {
    package static let text = "0.1.0"
}

/// Numbers that are looked up when somebody asks `/metrics`.
enum ProcessNumbers {
    static func text(_ plane: ControlPlane, _ hub: StreamHub, _ registry: PrometheusRegistry) async -> String {
        let asked = MonotonicClock.now
        let (statistics, latency, bindings, transactions) = await plane.ask { controller in
            (controller.statistics, controller.latency, controller.bindingCount, controller.transactionCount)
        }
        let answered = MonotonicClock.now
        let dropped = await plane.droppedDatagrams()
        let memory = memory()
        var lines: [String] = []
        func add(_ name: String, _ type: String, _ help: String, _ value: some BinaryInteger) {
            lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(type)", "\(name) \(value)"]
        }
        add("hearth_bindings", "gauge", "Devices registered.", bindings)
        add("hearth_transactions", "gauge", "SIP transactions in memory.", transactions)
        add("hearth_connections", "gauge", "Open TCP connections of all kinds.", hub.counter.open)
        add("hearth_sip_requests_total", "counter", "SIP requests received.", statistics.requests)
        add("hearth_sip_responses_total", "counter", "SIP responses received.", statistics.responses)
        add("hearth_sip_malformed_total", "counter", "Messages that were no SIP.", statistics.malformed)
        add("hearth_sip_challenges_total", "counter", "Digest challenges sent.", statistics.challenges)
        add("hearth_sip_retransmissions_total", "counter", "Messages sent again.", statistics.retransmissions)
        add("hearth_datagrams_unsent_total", "counter", "Datagrams the kernel did not take.", dropped)
        add(
            "hearth_control_delay_microseconds", "gauge", "How long the control plane took to answer this question.",
            (answered - asked).wholeNanoseconds / 1_000)
        if let memory {
            add("process_resident_memory_bytes", "gauge", "Resident memory.", memory)
        }
        append(latency, to: &lines)
        return lines.joined(separator: "\n") + "\n" + registry.exposition()
    }

    private static func append(_ latency: RequestLatency, to lines: inout [String]) {
        let name = "hearth_sip_request_seconds"
        lines.append("# HELP \(name) From the receipt of a SIP request to its final response; a call rings meanwhile.")
        lines.append("# TYPE \(name) histogram")
        for kind in RequestLatency.Kind.allCases {
            let method = "method=\"\(kind)\""
            var sum: UInt64 = 0
            for (bound, count) in zip(
                RequestLatency.bounds.map { "\(Double($0) / 1e6)" } + ["+Inf"], latency.buckets(kind))
            {
                sum += count
                lines.append("\(name)_bucket{\(method),le=\"\(bound)\"} \(sum)")
            }
            lines.append("\(name)_sum{\(method)} \(Double(latency.sum(kind)) / 1e6)")
            lines.append("\(name)_count{\(method)} \(sum)")
        }
    }

    /// Resident bytes (proc(5), statm).
    static func memory() -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? Int(fields[1]).map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) } : nil
    }
}
