import Base
import CSockets
import Glibc
import Synchronization
import TURN

/// The thread that relays media: STUN and TURN over UDP on the media port, with an epoll and sockets of its own.
///
/// Datagrams are read and sent in batches, joined where the kernel can (UDP GRO and GSO), and edited in between where
/// they lie. One thread for all clients, so that two allocations here reach each other without a lock; it relays several
/// hundred thousand packets a second.
package final class MediaWorker: Sendable {
    package let counters = MediaCounters()
    /// Where clients reach it.
    package let addresses: [TransportAddress]

    private enum State {
        case idle
        case running(pthread_t)
        case stopped
    }

    private let poll: Int32
    private let wakeUp: Int32
    private let ports: [MediaSocket]
    private let configuration: TURNConfiguration
    private let report: @Sendable (MediaEvent) -> Void
    private let state = Mutex(State.idle)
    private let mailbox = MediaMailbox()

    /// Binds the media port. Nobody is answered before `start()`.
    ///
    /// - Parameters:
    ///   - addresses: one of each family at most. Port 0 takes any free port, told by `addresses`.
    ///   - report: called on the worker's thread; it must not wait.
    package init(
        binding addresses: [TransportAddress], _ configuration: TURNConfiguration,
        report: @escaping @Sendable (MediaEvent) -> Void
    ) throws(SocketError) {
        let (poll, wakeUp) = (hearth_poll_create(), hearth_wake_create())
        var ports: [MediaSocket] = []
        do throws(SocketError) {
            guard poll >= 0, wakeUp >= 0 else { throw .system(-min(poll, wakeUp)) }
            for address in addresses { ports.append(try MediaSocket(binding: address, relay: nil)) }
        } catch {
            Self.close(ports, [poll, wakeUp])
            throw error
        }
        (self.poll, self.wakeUp, self.ports) = (poll, wakeUp, ports)
        (self.configuration, self.report, self.addresses) = (configuration, report, ports.map(\.address))
    }

    /// The thread keeps the worker alive: whoever started it stops it.
    deinit { stop() }

    package func start() {
        state.withLock { state in
            guard case .idle = state else { return }
            var thread = pthread_t()
            let context = Unmanaged.passRetained(self).toOpaque()
            let failure = pthread_create(&thread, nil, runMediaWorker, context)
            precondition(failure == 0, "the system gives no thread")
            state = .running(thread)
        }
    }

    /// Ends the thread and closes its sockets. What was allocated is gone.
    package func stop() {
        state.withLock { state in
            if case .stopped = state { return }
            if case .running(let thread) = state {
                _ = mailbox.put(.stop)
                hearth_wake(wakeUp)
                pthread_join(thread, nil)
            }
            Self.close(ports, [poll, wakeUp])
            state = .stopped
        }
    }

    // MARK: Connections

    /// A connection may carry TURN from now on. Its messages come by `receive`, answers leave by `stream.send`.
    package func opened(_ stream: MediaStream) { deliver(.opened(stream)) }

    /// Whole messages of a connection, as `StreamFrame` cuts them, padding included.
    ///
    /// - Returns: false when the worker does not keep up and they were dropped.
    @discardableResult
    package func receive(_ messages: [UInt8], from client: TURNClient) -> Bool { deliver(.messages(messages, client)) }

    /// The connection ended, and with it what was allocated over it.
    package func closed(_ client: TURNClient) { deliver(.closed(client)) }

    /// After `stop()` nobody is woken up, because the descriptor may be another's by then.
    @discardableResult
    private func deliver(_ delivery: MediaDelivery) -> Bool {
        state.withLock { state in
            guard case .running = state else { return false }
            let (isTaken, isFirst) = mailbox.put(delivery)
            if isFirst { hearth_wake(wakeUp) }
            return isTaken
        }
    }

    private static func close(_ ports: [MediaSocket], _ descriptors: [Int32]) {
        for descriptor in ports.map(\.descriptor) + descriptors where descriptor >= 0 { Glibc.close(descriptor) }
    }

    fileprivate func run() {
        var loop = MediaLoop(
            ports: ports, poll: poll, wakeUp: wakeUp, configuration, counters: counters, report: report)
        loop.run(mailbox)
    }
}

private func runMediaWorker(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    hearth_name_thread("media")
    if let context { Unmanaged<MediaWorker>.fromOpaque(context).takeRetainedValue().run() }
    return nil
}
