import Base
import NIOCore
import SIP

/// Why we close a connection.
enum CloseCause {
    /// The server stops.
    case goingAway
    /// The control plane wants no more of this peer.
    case refused
    /// The peer was silent or slow for too long.
    case timedOut
    /// The peer reads too slowly.
    case backlog
    /// The peer's bytes are no SIP, or above a limit.
    case malformed
    /// The control plane does not keep up.
    case overload

    /// RFC 6455 §7.4.1.
    var webSocketCode: UInt16 {
        switch self {
        case .goingAway: 1001
        case .refused, .timedOut, .backlog: 1008
        case .malformed: 1002
        // Registered by IANA: try again later.
        case .overload: 1013
        }
    }
}

/// One connection that carries SIP: the end of its pipeline, on its event loop.
///
/// Subclasses frame: `FramedStreamHandler` TCP and TLS, `WebSocketHandler` WebSocket. One object per connection and no
/// timer of its own keep ten thousand idle clients small.
package class StreamHandler: ChannelInboundHandler, @unchecked Sendable {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    let hub: StreamHub
    private let transport: SIPTransport
    private let user: FlowOwner?
    /// Told once the connection carries SIP; for outgoing connections.
    private let opened: (@Sendable (StreamOutlet) -> Void)?

    private(set) var context: ChannelHandlerContext?
    private(set) var flow: Flow?
    private(set) var isClosing = false
    /// What the peer still sends is of no interest: it gets its last answer, and the end.
    private var isDeaf = false
    /// Whether a request of the peer was accepted, or one sent to it. Until then it has `introductionTime`.
    private(set) var isIntroduced = false
    private let begun = MonotonicClock.now
    private(set) var lastReceived = MonotonicClock.now
    private var messageBegun: Instant?
    private var arrived: [Arrival] = []
    private var hasUnflushed = false

    init(
        hub: StreamHub, transport: SIPTransport, user: FlowOwner? = nil, isIntroduced: Bool = false,
        opened: (@Sendable (StreamOutlet) -> Void)? = nil
    ) {
        (self.hub, self.transport, self.user, self.opened) = (hub, transport, user, opened)
        self.isIntroduced = isIntroduced
    }

    // MARK: What subclasses say

    /// Takes bytes of the peer: calls `take(_:)` for each message and `close` on an error.
    func receive(_ bytes: UnsafeRawBufferPointer) {}
    var isInsideMessage: Bool { false }
    /// Frames a message for the wire.
    func frame(_ message: [UInt8], allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(bytes: message) }
    /// The last words on the wire before a connection closes.
    func farewell(_ cause: CloseCause, reason: String) -> ByteBuffer? { nil }
    /// The next moment at which silence matters.
    var silenceDeadline: Instant { lastReceived + hub.limits.streamIdleTime }
    func silenceReached(at now: Instant) { close(.timedOut, reason: "idle too long") }

    // MARK: Start and end

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(context) }
    }

    package func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard flow == nil, !isClosing, let remote = context.channel.remoteAddress.flatMap(TransportAddress.init),
            let local = context.channel.localAddress.flatMap(TransportAddress.init)
        else { return }
        let flow = hub.newFlow(transport, remote: remote, local: local)
        self.flow = flow
        hub.sweeper(of: context.eventLoop)?.add(self, id: flow.id)
        let outlet = StreamOutlet(flow: flow, loop: context.eventLoop, handler: self)
        hub.deliver(.opened(outlet, user))
        opened?(outlet)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        end(context)
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        end(context)
        self.context = nil
    }

    private func end(_ context: ChannelHandlerContext) {
        isClosing = true
        guard let flow else { return }
        self.flow = nil
        hub.sweeper(of: context.eventLoop)?.remove(id: flow.id)
        hub.deliver(.closed(flow))
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isClosing = true
        context.close(promise: nil)
    }

    /// Closes after what was written, telling the peer why where its protocol can.
    func close(_ cause: CloseCause, reason: String) {
        guard let context, !isClosing else { return }
        isClosing = true
        let words = cause == .backlog ? nil : farewell(cause, reason: reason)
        if let words { context.write(wrapOutboundOut(words), promise: nil) }
        guard words != nil || hasUnflushed, cause != .backlog else {
            context.close(promise: nil)
            return
        }
        context.flush()
        // The peer is to read it and close; it has `closeTime` for that. Closing at once, with bytes of its unread, would
        // reset the connection and take our words away again (RFC 1122 §4.2.2.13).
        let channel = context.channel
        context.eventLoop.scheduleTask(in: TimeAmount(hub.limits.closeTime)) { channel.close(promise: nil) }
    }

    /// The connection ends by the subclass's own last words.
    func stopTalking() { isClosing = true }

    /// Takes nothing more of the peer: the control plane answers what was taken, and closes. The time limit of the
    /// unfinished message goes on.
    func stopReading() { isDeaf = true }

    // MARK: Bytes

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing, !isDeaf else { return }
        lastReceived = MonotonicClock.now
        unwrapInboundIn(data).withUnsafeReadableBytes { receive($0) }
        messageBegun = isInsideMessage ? messageBegun ?? lastReceived : nil
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        if !arrived.isEmpty, let flow {
            let isTaken = hub.deliver(.messages(arrived, flow))
            arrived = []
            if !isTaken { close(.overload, reason: "the server has too much to do") }
        }
        flush()
        context.fireChannelReadComplete()
    }

    func take(_ arrival: Arrival) { arrived.append(arrival) }

    /// Writes one SIP message of ours.
    func send(_ message: [UInt8]) {
        guard let context, !isClosing else { return }
        guard context.channel.isWritable else { return close(.backlog, reason: "reads too slowly") }
        if !isIntroduced { isIntroduced = Self.introduces(message) }
        write(frame(message, allocator: context.channel.allocator))
    }

    func write(_ bytes: ByteBuffer) {
        context?.write(wrapOutboundOut(bytes), promise: nil)
        hasUnflushed = true
    }

    func flush() {
        guard hasUnflushed else { return }
        hasUnflushed = false
        context?.flush()
    }

    /// A 2xx accepts the peer's request; a request of ours means that somebody knows the peer. OPTIONS is answered to
    /// anybody and introduces nobody.
    private static func introduces(_ bytes: [UInt8]) -> Bool {
        guard let message = try? SIPMessage(parsing: bytes) else { return false }
        guard let status = message.status else { return true }
        return (200...299).contains(status) && message.cseqMethod != .options
    }

    // MARK: Deadlines

    /// When the sweeper must look again. Computed: nothing is stored per connection for it.
    var nextDeadline: Instant {
        var next = silenceDeadline
        if let messageBegun { next = min(next, messageBegun + hub.limits.messageTime) }
        if !isIntroduced { next = min(next, begun + hub.limits.introductionTime) }
        return next
    }

    func deadlineReached(at now: Instant) {
        if !isIntroduced, now >= begun + hub.limits.introductionTime {
            return close(.timedOut, reason: "no request was accepted in time")
        }
        if let messageBegun, now >= messageBegun + hub.limits.messageTime {
            return close(.timedOut, reason: "a message was not finished in time")
        }
        if now >= silenceDeadline { silenceReached(at: now) }
    }
}
