import CoreMetrics
import Synchronization

/// Keeps swift-metrics' numbers and writes them in Prometheus' text format, version 0.0.4.
///
/// Small on purpose: counters, gauges, and timers as histograms of seconds.
package final class PrometheusRegistry: MetricsFactory, Sendable {
    /// Label sets of one process; more are a bug, and are kept out of the exposition instead of filling memory.
    private static let maximumSeries = 2_000

    struct Series: Hashable, Sendable {
        var name: String
        /// `{reason="overload"}`, or nothing.
        var labels: String
    }

    private struct State {
        var counters: [Series: NumberCell] = [:]
        var gauges: [Series: NumberCell] = [:]
        var histograms: [Series: HistogramCell] = [:]
        var help: [String: String] = [:]

        var count: Int { counters.count + gauges.count + histograms.count }
    }

    private let state = Mutex(State())

    package init() {}

    // MARK: - MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(label, dimensions, \.counters, NumberCell())
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        cell(label, dimensions, \.counters, NumberCell())
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(label, dimensions, \.gauges, NumberCell())
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        cell(label, dimensions, \.gauges, NumberCell())
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        cell(label, dimensions, \.histograms, HistogramCell())
    }

    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    private func cell<Cell: Sendable>(
        _ label: String, _ dimensions: [(String, String)], _ kind: WritableKeyPath<State, [Series: Cell]>, _ new: Cell
    ) -> Cell {
        let series = Series(name: Self.name(label), labels: Self.labels(dimensions))
        // Key paths are not Sendable; this one never leaves the lock.
        nonisolated(unsafe) let kind = kind
        return state.withLock { state in
            if let known = state[keyPath: kind][series] { return known }
            if state.count < Self.maximumSeries { state[keyPath: kind][series] = new }
            return new
        }
    }

    private static func name(_ label: String) -> String {
        String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") ? $0 : "_" })
    }

    private static func labels(_ dimensions: [(String, String)]) -> String {
        guard !dimensions.isEmpty else { return "" }
        let pairs = dimensions.sorted { $0.0 < $1.0 }.map { key, value in
            let escaped = value.map { character -> String in
                switch character {
                case "\\": "\\\\"
                case "\"": "\\\""
                case "\n": "\\n"
                default: String(character)
                }
            }
            return "\(name(key))=\"\(escaped.joined())\""
        }
        return "{" + pairs.joined(separator: ",") + "}"
    }

    // MARK: - Exposition

    /// The numbers at this moment.
    package func exposition() -> String {
        let state = self.state.withLock { $0 }
        var lines: [String] = []
        Self.append(state.counters.mapValues { $0.value }, "counter", to: &lines)
        Self.append(state.gauges.mapValues { $0.value }, "gauge", to: &lines)
        let histograms = Dictionary(grouping: state.histograms.keys, by: \.name)
        for name in histograms.keys.sorted() {
            lines.append("# TYPE \(name) histogram")
            for series in (histograms[name] ?? []).sorted(by: { $0.labels < $1.labels }) {
                if let cell = state.histograms[series] { lines += cell.lines(series) }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func append(_ values: [Series: Double], _ type: String, to lines: inout [String]) {
        let names = Dictionary(grouping: values.keys, by: \.name)
        for name in names.keys.sorted() {
            lines.append("# TYPE \(name) \(type)")
            for series in (names[name] ?? []).sorted(by: { $0.labels < $1.labels }) {
                lines.append("\(name)\(series.labels) \(number(values[series] ?? 0))")
            }
        }
    }

    fileprivate static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }
}

/// One number that threads add to or set.
private final class NumberCell: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, Sendable {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func increment(by amount: Int64) { add(Double(amount)) }
    func increment(by amount: Double) { add(amount) }
    func decrement(by amount: Double) { add(-amount) }
    func reset() { set(0.0) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }

    private func add(_ amount: Double) {
        var seen = bits.load(ordering: .relaxed)
        while true {
            let sum = (Double(bitPattern: seen) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(expected: seen, desired: sum, ordering: .relaxed)
            if exchanged { return }
            seen = original
        }
    }
}

/// Times, counted in buckets from 50 µs to 10 s.
private final class HistogramCell: TimerHandler, Sendable {
    private static let bounds = [
        0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    private struct Counts {
        var buckets = [Int](repeating: 0, count: bounds.count)
        var all = 0
        var sum = 0.0
    }

    private let counts = Mutex(Counts())

    func recordNanoseconds(_ duration: Int64) {
        let seconds = Double(duration) / 1e9
        counts.withLock { counts in
            if let index = Self.bounds.firstIndex(where: { seconds <= $0 }) { counts.buckets[index] += 1 }
            counts.all += 1
            counts.sum += seconds
        }
    }

    func lines(_ series: PrometheusRegistry.Series) -> [String] {
        let counts = self.counts.withLock { $0 }
        let inner = series.labels.isEmpty ? "" : series.labels.dropFirst().dropLast() + ","
        var lines: [String] = []
        var sum = 0
        for (bound, count) in zip(Self.bounds, counts.buckets) {
            sum += count
            lines.append("\(series.name)_bucket{\(inner)le=\"\(PrometheusRegistry.number(bound))\"} \(sum)")
        }
        lines.append("\(series.name)_bucket{\(inner)le=\"+Inf\"} \(counts.all)")
        lines.append("\(series.name)_sum\(series.labels) \(counts.sum)")
        lines.append("\(series.name)_count\(series.labels) \(counts.all)")
        return lines
    }
}
