import Base
import NIOCore
import SIP
import Synchronization

/// What all SIP connections of the program share: limits, numbers, the way to the control plane, and one sweep per
/// event loop instead of a timer per connection.
package final class StreamHub: Sendable {
    package let limits: SocketLimits
    package let counter: ConnectionCounter
    package let group: any EventLoopGroup
    private let deliver: @Sendable (Delivery) -> Bool
    private let sweepers: [ObjectIdentifier: StreamSweeper]
    /// Stream flows are numbered from here; UDP sockets have the numbers below.
    private let nextID = Atomic<UInt64>(1_000)

    package init(
        group: any EventLoopGroup, limits: SocketLimits, deliver: @escaping @Sendable (Delivery) -> Bool
    ) {
        (self.group, self.limits, self.deliver) = (group, limits, deliver)
        counter = ConnectionCounter(limits: limits)
        var sweepers: [ObjectIdentifier: StreamSweeper] = [:]
        for loop in group.makeIterator() { sweepers[ObjectIdentifier(loop)] = StreamSweeper(loop: loop) }
        self.sweepers = sweepers
        for sweeper in sweepers.values { sweeper.start() }
    }

    /// - Returns: false when the control plane does not keep up and did not take these messages.
    @discardableResult func deliver(_ delivery: Delivery) -> Bool { self.deliver(delivery) }

    func newFlow(_ transport: SIPTransport, remote: TransportAddress, local: TransportAddress) -> Flow {
        let id = nextID.add(1, ordering: .relaxed).newValue
        return Flow(transport: transport, id: id, remote: remote, local: local)
    }

    func sweeper(of loop: any EventLoop) -> StreamSweeper? { sweepers[ObjectIdentifier(loop)] }

    /// Closes every connection with a reason the peer is told (WebSocket 1001), and ends the sweeps.
    package func closeAll(reason: String) {
        for sweeper in sweepers.values { sweeper.closeAll(reason: reason) }
    }
}

/// Looks at all SIP connections of one event loop every second: pings, deadlines, idle times.
final class StreamSweeper: @unchecked Sendable {
    /// Deadlines are kept to this precision.
    private static let interval = TimeAmount.seconds(1)

    private let loop: any EventLoop
    // Only the loop's thread touches these.
    private var handlers: [UInt64: StreamHandler] = [:]
    private var task: RepeatedTask?

    init(loop: any EventLoop) { self.loop = loop }

    func start() {
        loop.execute {
            self.task = self.loop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { _ in
                self.sweep()
            }
        }
    }

    func add(_ handler: StreamHandler, id: UInt64) { handlers[id] = handler }

    func remove(id: UInt64) { handlers[id] = nil }

    private func sweep() {
        guard !handlers.isEmpty else { return }
        let now = MonotonicClock.now
        for handler in handlers.values where handler.nextDeadline <= now { handler.deadlineReached(at: now) }
    }

    func closeAll(reason: String) {
        loop.execute {
            self.task?.cancel()
            for handler in self.handlers.values { handler.close(.goingAway, reason: reason) }
        }
    }
}

/// The control plane's hold on a connection: where to send its bytes. Safe to keep on any thread.
package struct StreamOutlet: Sendable {
    package let flow: Flow
    package let loop: any EventLoop
    let handler: StreamHandler

    /// Writes a whole SIP message. Only on `loop`; `flush()` sends what was written.
    package func write(_ message: [UInt8]) { handler.send(message) }

    package func flush() { handler.flush() }

    package func close(reason: String) { handler.close(.refused, reason: reason) }
}

/// Messages for connections, gathered during a batch of the control plane and handed to each event loop at once.
package struct StreamMailer {
    private enum Item: Sendable {
        case message([UInt8])
        case close(reason: String)
    }

    private var perLoop: [ObjectIdentifier: (loop: any EventLoop, items: [(StreamOutlet, Item)])] = [:]

    package init() {}

    package mutating func send(_ message: [UInt8], to outlet: StreamOutlet) { append(.message(message), outlet) }

    package mutating func close(_ outlet: StreamOutlet, reason: String) { append(.close(reason: reason), outlet) }

    private mutating func append(_ item: Item, _ outlet: StreamOutlet) {
        perLoop[ObjectIdentifier(outlet.loop), default: (outlet.loop, [])].items.append((outlet, item))
    }

    /// Hands everything over: one task per event loop that has something to send.
    package mutating func handOver() {
        guard !perLoop.isEmpty else { return }
        for (loop, items) in perLoop.values {
            loop.execute {
                for (outlet, item) in items {
                    switch item {
                    case .message(let bytes): outlet.write(bytes)
                    case .close(let reason): outlet.close(reason: reason)
                    }
                }
                for (outlet, _) in items { outlet.flush() }
            }
        }
        perLoop.removeAll(keepingCapacity: true)
    }
}
