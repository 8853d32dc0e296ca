import Accounts
import Base
import CallControl
import Logging
import SIP
import STUN
import SocketIO
import Store
import Synchronization

/// Drives the `CallController`: on one thread, with nothing between an input and its outputs.
///
///     datagram, message, store's answer, timer ─▶ controller ─▶ outputs: send, store, resolve, connect, close, event
///
/// No rule of SIP lives here; a decision found here belongs in CallControl.
final class ControlPlane: ControlLoopDelegate, @unchecked Sendable {
    private struct Stream {
        var outlet: StreamOutlet
        var session: String?
    }

    private let loop: ControlLoop
    private let store: HouseholdStore
    private let resolver: NextHopResolver
    private let journal: ControlJournal
    /// Set once, before the loop starts: connections need a hub, which needs this object.
    private let connector = Mutex<StreamConnector?>(nil)

    // Only the loop's thread touches these.
    private var controller: CallController
    private var streams: [UInt64: Stream] = [:]
    private var mailer = StreamMailer()

    init(
        loop: ControlLoop, controller: consuming CallController, store: HouseholdStore, resolver: NextHopResolver,
        journal: ControlJournal
    ) {
        self.controller = controller
        (self.loop, self.store) = (loop, store)
        (self.resolver, self.journal) = (resolver, journal)
    }

    func connect(with connector: StreamConnector) { self.connector.withLock { $0 = connector } }

    // MARK: - Inputs, on the loop's thread

    func receive(_ bytes: [UInt8], on flow: Flow, at now: Instant) {
        // Keep-alives over UDP are CRLFs or single zeros, which need no answer, or STUN, which does (RFC 5626 §4.4).
        guard bytes.count > 4 else { return }
        if STUNMessage.mayBegin(with: bytes[0]) {
            if let answer = BindingResponder.answer(bytes, from: flow.remote) { loop.send(answer, to: flow) }
            return
        }
        controller.receive(bytes, on: flow, at: now)
        drain()
    }

    func receive(_ delivery: Delivery, at now: Instant) {
        switch delivery {
        case .opened(let outlet, let signedIn):
            streams[outlet.flow.id] = Stream(outlet: outlet, session: signedIn?.session)
            journal.flowOpened(outlet.flow.transport)
            controller.flowOpened(outlet.flow, user: signedIn?.user, at: now)
        case .messages(let messages, let flow):
            for message in messages { receive(message, on: flow, at: now) }
        case .closed(let flow):
            guard streams.removeValue(forKey: flow.id) != nil else { return }
            journal.flowClosed(flow.transport)
            controller.flowClosed(flow, at: now)
        case .call(let work): work()
        }
        drain()
    }

    private func receive(_ arrival: Arrival, on flow: Flow, at now: Instant) {
        switch arrival {
        case .message(let message):
            controller.receive(message, on: flow, at: now)
        case .malformed(let bytes, let fault):
            controller.refuseMalformed(bytes, fault, on: flow)
            // A WebSocket has frames, so that the next message is found all the same.
            guard flow.transport == .tcp || flow.transport == .tls, let stream = streams[flow.id] else { return }
            drain()
            mailer.close(stream.outlet, reason: "no SIP message")
        }
    }

    func sendFailed(_ message: [UInt8]?, on flow: Flow, at now: Instant) {
        controller.sendFailed(message, on: flow, at: now)
        drain()
    }

    var nextTimeout: Instant? { controller.nextTimeout }

    func handleTimeout(at now: Instant) {
        controller.handleTimeout(at: now)
        drain()
    }

    func endOfBatch() { mailer.handOver() }

    func batchIsOut(after duration: Duration) { controller.endBatch(after: duration) }

    // MARK: - Outputs

    private func drain() {
        while let output = controller.pollOutput() {
            switch output {
            case .send(let bytes, let flow): send(bytes, flow)
            case .store(let change, let ticket): save(change, ticket)
            case .resolve(let query, let question): resolve(query, question)
            case .connect(let request, let target): connect(request, target)
            case .close(let flow, let reason): close(flow, reason)
            case .event(let event): journal.note(event)
            }
        }
    }

    private func send(_ bytes: [UInt8], _ flow: Flow) {
        if flow.transport == .udp {
            loop.send(bytes, to: flow)
        } else if let stream = streams[flow.id] {
            mailer.send(bytes, to: stream.outlet)
        }
    }

    private func save(_ change: BindingChange, _ ticket: UInt64?) {
        guard let ticket else { return store.applyLazily(change) }
        store.apply(change) { error in
            if let error { self.journal.storeFailed(error) }
            self.perform { controller, now in controller.stored(ticket, succeeded: error == nil, at: now) }
        }
    }

    private func resolve(_ query: UInt64, _ question: ResolutionQuestion) {
        Task {
            let resolution: Resolution
            switch question {
            case .addresses(let host):
                let found = await resolver.addresses(of: String(decoding: host, as: UTF8.self))
                resolution = found.map { .addresses($0) } ?? .failed
            case .services(let name):
                let found = await resolver.services(of: String(decoding: name, as: UTF8.self))
                resolution = found.map { .services($0.map(ServiceRecord.init)) } ?? .failed
            }
            perform { controller, now in controller.resolved(query, with: resolution, at: now) }
        }
    }

    private func connect(_ request: UInt64, _ target: ConnectionTarget) {
        guard let connector = connector.withLock({ $0 }) else {
            return perform { controller, now in controller.connected(request, flow: nil, at: now) }
        }
        let name = String(decoding: target.serverName, as: UTF8.self)
        // An address is no name for SNI (RFC 6066 §3).
        let isAddress = IPAddress(parsing: target.serverName) != nil
        connector.connect(to: target.address, transport: target.transport, name: isAddress ? nil : name) {
            outcome in
            if case .failure(let failure) = outcome { self.journal.connectFailed(target, failure) }
            self.perform { controller, now in controller.connected(request, flow: try? outcome.get(), at: now) }
        }
    }

    private func close(_ flow: Flow, _ reason: CloseReason) {
        guard let stream = streams[flow.id] else { return }
        let words =
            switch reason {
            case .personRemoved: "this account was removed or its session ended"
            case .phoneRemoved: "this phone's password was withdrawn"
            }
        mailer.close(stream.outlet, reason: words)
    }

    // MARK: - From other threads

    /// Runs work on the controller, in its thread, and then its outputs.
    func perform(_ work: @escaping @Sendable (inout CallController, Instant) -> Void) {
        loop.deliver(
            .call {
                work(&self.controller, MonotonicClock.now)
                self.drain()
            })
    }

    /// An answer from the controller's thread.
    func ask<Answer: Sendable>(_ question: @escaping @Sendable (borrowing CallController) -> Answer) async -> Answer {
        await withCheckedContinuation { continuation in
            loop.deliver(.call { continuation.resume(returning: question(self.controller)) })
        }
    }

    /// Datagrams the kernel did not take.
    func droppedDatagrams() async -> Int {
        await withCheckedContinuation { continuation in
            loop.deliver(.call { continuation.resume(returning: self.loop.droppedDatagrams) })
        }
    }

    /// Closes the connections that a session's pages opened.
    func endSession(_ session: String) {
        loop.deliver(
            .call {
                for stream in self.streams.values where stream.session == session {
                    self.mailer.close(stream.outlet, reason: "signed out")
                }
            })
    }

    /// Follows people and phones as they change, through the page or on the command line. Ends with the store.
    func follow(_ changes: AsyncStream<StoreChange>, logger: Logger) async {
        for await change in changes {
            switch change {
            case .account(let user):
                do {
                    if let account = try await store.sipAccount(of: user) {
                        perform { controller, now in controller.set(account: account, at: now) }
                    } else {
                        perform { controller, now in controller.remove(user: user.bytes, at: now) }
                    }
                } catch {
                    logger.error("a changed account could not be read", metadata: ["reason": "\(error)"])
                }
            case .sessionEnded(let session, _):
                endSession(session.description)
            }
        }
    }
}

extension ServiceRecord {
    fileprivate init(_ service: DNSService) {
        self.init(priority: service.priority, weight: service.weight, port: service.port, target: service.target)
    }
}
