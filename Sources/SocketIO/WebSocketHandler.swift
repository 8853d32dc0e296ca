import Base
import NIOCore
import SIP

/// SIP over one WebSocket (RFC 7118): a message per frame, pings against silence, closing with a code and a reason.
package final class WebSocketHandler: StreamHandler, @unchecked Sendable {
    private var framer: WebSocketFramer
    private var pinged: Instant?

    package init(hub: StreamHub, transport: SIPTransport, user: FlowOwner?) {
        framer = WebSocketFramer(limit: hub.limits.messageSize)
        super.init(hub: hub, transport: transport, user: user)
    }

    override var isInsideMessage: Bool { framer.isInsideMessage }

    override func receive(_ bytes: UnsafeRawBufferPointer) {
        pinged = nil
        framer.receive(bytes)
        do {
            while !isClosing, let event = try framer.next() { take(event) }
        } catch {
            closeWith(error.code, error.reason)
        }
    }

    private func take(_ event: WebSocketFramer.Event) {
        switch event {
        case .message(let bytes):
            do throws(SIPParseError) {
                take(.message(try SIPMessage(parsing: bytes)))
            } catch { take(.malformed(bytes, error)) }
        case .ping(let payload): write(control(.pong, payload))
        case .pong: break
        case .close(let code): closeWith(code ?? 1000, "")
        }
    }

    override func frame(_ message: [UInt8], allocator: ByteBufferAllocator) -> ByteBuffer {
        // RFC 7118 §4.2: text when it is UTF-8. SIP of ours is, unless a peer's body was not.
        let isText = message.allSatisfy { $0 < 0x80 } || String(validating: message, as: UTF8.self) != nil
        let header = WebSocketFramer.header(isText ? .text : .binary, length: message.count)
        var buffer = allocator.buffer(capacity: header.count + message.count)
        buffer.writeBytes(header)
        buffer.writeBytes(message)
        return buffer
    }

    private func control(_ kind: WebSocketFramer.Kind, _ payload: [UInt8]) -> ByteBuffer {
        ByteBuffer(bytes: WebSocketFramer.header(kind, length: payload.count) + payload)
    }

    override func farewell(_ cause: CloseCause, reason: String) -> ByteBuffer? {
        control(.close, WebSocketFramer.closePayload(code: cause.webSocketCode, reason: reason))
    }

    /// Answers a close, or closes for a broken rule: the frame goes, then the connection.
    private func closeWith(_ code: UInt16, _ reason: String) {
        guard let context, !isClosing else { return }
        let bytes = control(.close, WebSocketFramer.closePayload(code: code, reason: reason))
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(bytes)).whenComplete { _ in channel.close(promise: nil) }
        stopTalking()
    }

    override var silenceDeadline: Instant {
        if let pinged { pinged + hub.limits.pongTime } else { lastReceived + hub.limits.pingAfter }
    }

    override func silenceReached(at now: Instant) {
        guard pinged == nil else { return close(.timedOut, reason: "no answer to a ping") }
        pinged = now
        write(control(.ping, []))
        flush()
    }
}
