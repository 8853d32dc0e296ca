import Base
import CSockets
import Glibc
import SIP
import Synchronization

/// Who signed in on the page that opened a WebSocket.
package struct FlowOwner: Sendable, Equatable {
    package var user: [UInt8]
    /// The session's identifier: when it ends, so do its connections.
    package var session: String

    package init(user: [UInt8], session: String) { (self.user, self.session) = (user, session) }
}

/// What came over a connection, read already by the thread that owns it.
package enum Arrival: Sendable {
    case message(SIPMessage)
    /// Bytes in a message's place that are none. Over TCP and TLS nothing follows: close after answering.
    case malformed([UInt8], SIPParseError)
}

/// What reaches the control plane from the threads that own connections.
package enum Delivery: Sendable {
    /// A connection that can carry SIP is there.
    case opened(StreamOutlet, FlowOwner?)
    /// Whole messages in the order they came.
    case messages([Arrival], Flow)
    /// The connection has ended; its outlet is of no use any more.
    case closed(Flow)
    /// Work for the control plane's thread: a store's answer, an operator's change.
    case call(@Sendable () -> Void)
}

/// What runs on a `ControlLoop`. All calls come on the loop's own thread.
package protocol ControlLoopDelegate: AnyObject {
    /// One datagram.
    func receive(_ bytes: [UInt8], on flow: Flow, at now: Instant)
    /// One delivery of another thread, except `.call`, which the loop runs itself.
    func receive(_ delivery: Delivery, at now: Instant)
    /// A datagram did not arrive for certain: `message` as it was sent, or nil when all that is known is the peer.
    func sendFailed(_ message: [UInt8]?, on flow: Flow, at now: Instant)
    var nextTimeout: Instant? { get }
    func handleTimeout(at now: Instant)
    /// A batch of inputs is over: hand on whatever was collected for other threads.
    func endOfBatch()
    /// What came of the batch was sent, so long after the first of it was read.
    func batchIsOut(after duration: Duration)
}

/// The thread of the control plane: its UDP sockets, its timer and a mailbox, in one epoll.
///
/// Datagrams are read, decided upon and answered without changing threads, 64 to a system call. SwiftNIO's datagram
/// channel costs 5.9 to 7.9 µs per forwarded packet where this costs 4.6 to 5.0 µs, most of it in the kernel;
/// a registration is four packets and Kamailio's whole bill for it is 21 µs.
package final class ControlLoop: @unchecked Sendable {
    /// Batches read from one socket before others and the mailbox have their turn.
    private static let batchesPerTurn = 4

    /// Deliveries waiting for the thread: half a second of its work at 20,000 messages a second. Beyond, answers would
    /// come after the peers' patience (RFC 3261 timer F, 32 s) has begun to run out for nothing.
    private static let maximumWaiting = 10_000

    /// Timers that are due within the same so many ms share one wake-up. SIP's shortest is 100 ms, its T1 500.
    private static let timerGrid = Int64(10)

    /// Rounds of telling the delegate of datagrams that failed and sending what it answers, before others have their
    /// turn. An answer that fails ends its transaction, so the second is hardly ever needed.
    private static let failureRounds = 4

    /// How long a busy loop lets datagrams gather before it looks again, in µs; the kernel adds up to 50. Waking and asking
    /// for each of them costs more than answering it.
    private static let gatheringTime = UInt32(50)

    /// A loop that found so many at once has no need to wait for more.
    private static let gatheringBatch = 8

    /// The mailbox's number among watched descriptors; sockets have their index.
    private static let wakeNumber = UInt64(1) << 32

    private struct Mailbox {
        var deliveries: [Delivery] = []
        var isStopping = false
    }

    private let mailbox = Mutex(Mailbox())
    private let wakeUp: Int32
    private let poll: Int32
    private var thread = pthread_t()

    // Only the loop's thread touches these once it runs.
    private var sockets: [DatagramSocket] = []
    private var delegate: (any ControlLoopDelegate)?
    private let incoming = DatagramBatch()
    private var pace = ArrivalPace()
    /// Datagrams read in this turn.
    private var taken = 0
    /// When the first input was read whose answers are not out.
    private var batchBegun: Instant?

    package init() throws(SocketError) {
        poll = hearth_poll_create()
        guard poll >= 0 else { throw .system(-poll) }
        wakeUp = hearth_wake_create()
        guard wakeUp >= 0 else { throw .system(-wakeUp) }
        watch(wakeUp, as: Self.wakeNumber)
    }

    deinit {
        Glibc.close(poll)
        Glibc.close(wakeUp)
    }

    /// Starts the thread. Sockets must have been bound before; the delegate is the loop's until `stop()` returned.
    package func start(sockets: [DatagramSocket], delegate: any ControlLoopDelegate) {
        (self.sockets, self.delegate) = (sockets, delegate)
        for (index, socket) in sockets.enumerated() { watch(socket.descriptor, as: UInt64(index)) }
        let context = Unmanaged.passRetained(self).toOpaque()
        let failure = pthread_create(&thread, nil, runControlLoop, context)
        precondition(failure == 0, "the system gives no thread")
    }

    /// Ends the thread after what is in the mailbox was done, and waits for that.
    package func stop() {
        mailbox.withLock { $0.isStopping = true }
        wake()
        pthread_join(thread, nil)
    }

    /// Hands something to the loop's thread. Safe on any thread.
    ///
    /// - Returns: false when the loop does not keep up and these messages were not taken. All else is always taken:
    ///   there is one opening and one closing per connection, and calls are our own.
    @discardableResult
    package func deliver(_ delivery: Delivery) -> Bool {
        let (isTaken, wasEmpty) = mailbox.withLock { box in
            if case .messages = delivery, box.deliveries.count >= Self.maximumWaiting { return (false, false) }
            box.deliveries.append(delivery)
            return (true, box.deliveries.count == 1)
        }
        if wasEmpty { wake() }
        return isTaken
    }

    /// Sends a datagram. Only on the loop's thread.
    package func send(_ bytes: [UInt8], to flow: Flow) {
        for socket in sockets where socket.id == flow.id { return socket.send(bytes, to: flow) }
    }

    /// Datagrams lost at sending since the start. Only on the loop's thread.
    package var droppedDatagrams: Int { sockets.reduce(0) { $0 + $1.dropped } }

    private func wake() { hearth_wake(wakeUp) }

    private func watch(_ descriptor: Int32, as number: UInt64) { _ = hearth_poll_watch(poll, descriptor, number) }

    fileprivate func run() {
        guard let delegate else { return }
        var readable = [UInt64](repeating: 0, count: 16)
        var unfinished = false
        while true {
            let timeout = unfinished ? 0 : milliseconds(until: delegate.nextTimeout)
            let count = hearth_poll_wait(poll, &readable, Int32(readable.count), timeout)
            (unfinished, taken) = (false, 0)
            for number in readable.prefix(Int(count)) {
                let place = number & ~HEARTH_POLL_ERROR
                if place == Self.wakeNumber {
                    hearth_wake_clear(wakeUp)
                } else if place < sockets.count {
                    if number != place { sockets[Int(place)].noteUnreachablePeers() }
                    unfinished = drain(sockets[Int(place)], delegate) || unfinished
                }
            }
            guard emptyMailbox(delegate) else { break }
            let now = MonotonicClock.now
            if let due = delegate.nextTimeout, due <= now { delegate.handleTimeout(at: now) }
            finishBatch(delegate)
            pace.note(taken, at: now)
            if pace.isFast, (1..<Self.gatheringBatch).contains(taken) { usleep(Self.gatheringTime) }
        }
        self.delegate = nil
        sockets = []
    }

    /// - Returns: whether more may be waiting.
    private func drain(_ socket: DatagramSocket, _ delegate: any ControlLoopDelegate) -> Bool {
        for _ in 0..<Self.batchesPerTurn {
            let now = MonotonicClock.now
            batchBegun = batchBegun ?? now
            let received = socket.receive(into: incoming) { delegate.receive($0, on: $1, at: now) }
            taken += received
            guard received == DatagramBatch.count else { return false }
            finishBatch(delegate)
        }
        return true
    }

    /// - Returns: false when the loop is to stop.
    private func emptyMailbox(_ delegate: any ControlLoopDelegate) -> Bool {
        let (deliveries, isStopping) = mailbox.withLock { box in
            defer { box.deliveries = [] }
            return (box.deliveries, box.isStopping)
        }
        guard !deliveries.isEmpty else { return !isStopping }
        let now = MonotonicClock.now
        batchBegun = batchBegun ?? now
        for delivery in deliveries {
            if case .call(let work) = delivery { work() } else { delegate.receive(delivery, at: now) }
        }
        if isStopping { finishBatch(delegate) }
        return !isStopping
    }

    private func finishBatch(_ delegate: any ControlLoopDelegate) {
        delegate.endOfBatch()
        for socket in sockets { socket.flush() }
        for _ in 0..<Self.failureRounds where reportFailures(delegate) {
            delegate.endOfBatch()
            for socket in sockets { socket.flush() }
        }
        if let begun = batchBegun.take() { delegate.batchIsOut(after: MonotonicClock.now - begun) }
    }

    /// - Returns: whether there were any.
    private func reportFailures(_ delegate: any ControlLoopDelegate) -> Bool {
        var hadAny = false
        for socket in sockets {
            for failure in socket.takeFailures() {
                hadAny = true
                delegate.sendFailed(failure.message, on: failure.flow, at: MonotonicClock.now)
            }
        }
        return hadAny
    }

    /// Until the first moment of the timer grid at which a timer is due.
    private func milliseconds(until due: Instant?) -> Int32 {
        guard let due else { return -1 }
        let now = MonotonicClock.now
        guard due > now else { return 0 }
        let grid = Self.timerGrid &* 1_000_000
        let moment = (due.nanoseconds &+ grid &- 1) / grid &* grid
        return Int32(clamping: (moment &- now.nanoseconds &+ 999_999) / 1_000_000)
    }
}

private func runControlLoop(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    hearth_name_thread("control")
    if let context { Unmanaged<ControlLoop>.fromOpaque(context).takeRetainedValue().run() }
    return nil
}
