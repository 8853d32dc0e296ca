import CoreMetrics
import Logging
import Testing

@testable import Server

@Suite struct PrometheusRegistryTests {
    @Test func `writes counters, gauges and histograms`() {
        let registry = PrometheusRegistry()
        let refused = registry.makeCounter(label: "hearth_refusals_total", dimensions: [("reason", "a \"b\"\n")])
        refused.increment(by: 2)
        registry.makeCounter(label: "hearth_refusals_total", dimensions: [("reason", "a \"b\"\n")]).increment(by: 1)
        registry.makeRecorder(label: "hearth.flows", dimensions: [], aggregate: false).record(Int64(7))
        let timer = registry.makeTimer(label: "hearth_delay_seconds", dimensions: [])
        timer.recordNanoseconds(200_000)
        timer.recordNanoseconds(20_000_000_000)
        let lines = registry.exposition().split(separator: "\n")
        #expect(lines.contains("# TYPE hearth_refusals_total counter"))
        #expect(lines.contains(#"hearth_refusals_total{reason="a \"b\"\n"} 3"#))
        #expect(lines.contains("hearth_flows 7"))
        #expect(lines.contains(#"hearth_delay_seconds_bucket{le="0.00025"} 1"#))
        #expect(lines.contains(#"hearth_delay_seconds_bucket{le="10"} 1"#))
        #expect(lines.contains(#"hearth_delay_seconds_bucket{le="+Inf"} 2"#))
        #expect(lines.contains("hearth_delay_seconds_count 2"))
    }

    @Test func `keeps a bound on the number of series`() {
        let registry = PrometheusRegistry()
        for number in 0..<3_000 {
            registry.makeCounter(label: "many", dimensions: [("n", "\(number)")]).increment(by: 1)
        }
        #expect(registry.exposition().split(separator: "\n").count <= 2_001)
    }

    @Test func `log lines stay lines`() {
        let line = LineLogHandler.plain("T", .info, "a\nb", [("user", "x\u{1b}[31m\r\n")])
        #expect(line == "T info     a\\u{a}b user=x\\u{1b}[31m\\u{d}\\u{a}\n")
        let json = LineLogHandler.json("T", .notice, "a\n", [("user", "\"")])
        #expect(json == #"{"time":"T","level":"notice","message":"a\n","user":"\""}"# + "\n")
    }
}
