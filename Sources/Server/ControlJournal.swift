import Base
import CallControl
import Logging
import Metrics
import SIP
import SocketIO

/// Writes what the control plane did into the log and the numbers.
///
/// Above debug the log has no addresses and no names, with one exception: a failed authentication is told at notice with
/// user name and address, because that is what an operator looks for (and what fail2ban reads), at most ten a second.
final class ControlJournal: @unchecked Sendable {
    /// Lines about failed authentications per second; an attack must not fill the disk.
    private static let noticesPerSecond = 10

    private let logger: Logger
    private let isDebugging: Bool

    private let flows: [SIPTransport: Gauge]
    private var flowCounts: [SIPTransport: Int] = [:]
    private var refusals: [String: Counter] = [:]
    private var drops: [DropReason: Counter] = [:]
    private let registrations = Counter(label: "hearth_registrations_total")
    private let unregistrations = Counter(label: "hearth_unregistrations_total")
    private let failedAuthentications = Counter(label: "hearth_authentication_failures_total")
    private let callsStarted = Counter(label: "hearth_calls_started_total")
    private let callsAnswered = Counter(label: "hearth_calls_answered_total")
    private let callsFailed = Counter(label: "hearth_calls_failed_total")
    private let callsEnded = Counter(label: "hearth_calls_ended_total")
    private let storeFailures = Counter(label: "hearth_store_failures_total")
    private let connectFailures = Counter(label: "hearth_connect_failures_total")

    private var window = Instant.zero
    private var noticesInWindow = 0

    init(logger: Logger) {
        self.logger = logger
        isDebugging = logger.logLevel <= .debug
        var flows: [SIPTransport: Gauge] = [:]
        for transport in SIPTransport.allCases where transport != .udp {
            let name = String(decoding: transport.viaToken, as: UTF8.self).lowercased()
            flows[transport] = Gauge(label: "hearth_flows", dimensions: [("transport", name)])
            flows[transport]?.record(0)
        }
        self.flows = flows
    }

    func flowOpened(_ transport: SIPTransport) { count(transport, 1) }

    func flowClosed(_ transport: SIPTransport) { count(transport, -1) }

    private func count(_ transport: SIPTransport, _ change: Int) {
        flowCounts[transport, default: 0] += change
        flows[transport]?.record(flowCounts[transport, default: 0])
    }

    func storeFailed(_ error: any Error) {
        storeFailures.increment()
        logger.error("a registration could not be stored and was refused", metadata: ["reason": "\(error)"])
    }

    /// A next hop of somebody's could not be reached over TCP or TLS. Safe on any thread.
    func connectFailed(_ target: ConnectionTarget, _ failure: ConnectFailure) {
        connectFailures.increment()
        logger.debug(
            "another server was not reached",
            metadata: [
                "name": text(target.serverName), "address": "\(target.address.description)",
                "transport": text(target.transport.viaToken), "reason": "\(failure.words)",
            ])
    }

    func note(_ event: ControlEvent) {
        switch event {
        case .registered(let user, let contact, let lifetime, let flow):
            registrations.increment()
            debug("registered", ["user": text(user), "contact": text(contact), "seconds": "\(lifetime)"], flow)
        case .unregistered(let user, let contact, let cause):
            unregistrations.increment()
            debug("unregistered", ["user": text(user), "contact": text(contact), "cause": "\(cause)"])
        case .refused(let status, let reason, let flow):
            counter(reason).increment()
            debug("refused", ["status": "\(status)", "reason": "\(reason)"], flow)
        case .authenticationFailed(let user, let flow):
            failedAuthentications.increment()
            noteFailure(user, flow)
        case .callStarted(let from, let to, let branches):
            callsStarted.increment()
            debug("call started", ["from": text(from), "to": text(to), "branches": "\(branches)"])
        case .callAnswered(let from, let to):
            callsAnswered.increment()
            debug("call answered", ["from": text(from), "to": text(to)])
        case .callFailed(let from, let to, let status):
            callsFailed.increment()
            debug("call failed", ["from": text(from), "to": text(to), "status": "\(status)"])
        case .callEnded:
            callsEnded.increment()
        case .dropped(let reason, let flow):
            counter(reason).increment()
            debug("dropped", ["reason": "\(reason)"], flow)
        }
    }

    private func noteFailure(_ user: [UInt8], _ flow: Flow) {
        let now = MonotonicClock.now
        if now - window >= .seconds(1) { (window, noticesInWindow) = (now, 0) }
        noticesInWindow += 1
        guard noticesInWindow <= Self.noticesPerSecond else { return }
        logger.notice(
            "authentication failed",
            metadata: ["user": "\(String(decoding: user, as: UTF8.self))", "address": "\(flow.remote.description)"])
    }

    private func text(_ bytes: [UInt8]) -> Logger.MetadataValue { .string(String(decoding: bytes, as: UTF8.self)) }

    /// The values are made only when somebody reads them: at 20,000 registrations a second words cost more than SIP.
    private func debug(
        _ message: @autoclosure () -> Logger.Message, _ metadata: @autoclosure () -> Logger.Metadata,
        _ flow: Flow? = nil
    ) {
        guard isDebugging else { return }
        var metadata = metadata()
        if let flow {
            metadata["transport"] = text(flow.transport.viaToken)
            metadata["address"] = "\(flow.remote.description)"
        }
        logger.debug(message(), metadata: metadata)
    }

    private func counter(_ reason: RefusalReason) -> Counter {
        let name = "\(reason)"
        if let counter = refusals[name] { return counter }
        let counter = Counter(label: "hearth_refusals_total", dimensions: [("reason", name)])
        refusals[name] = counter
        return counter
    }

    private func counter(_ reason: DropReason) -> Counter {
        if let counter = drops[reason] { return counter }
        let counter = Counter(label: "hearth_dropped_total", dimensions: [("reason", "\(reason)")])
        drops[reason] = counter
        return counter
    }
}
