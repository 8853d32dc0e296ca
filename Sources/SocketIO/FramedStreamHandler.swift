import Base
import NIOCore
import SIP

/// SIP over TCP or TLS: messages are found by Content-Length, CRLF pairs keep the connection alive (RFC 5626 §3.5.1).
package final class FramedStreamHandler: StreamHandler, @unchecked Sendable {
    private var framer = StreamFramer()

    override var isInsideMessage: Bool { framer.isInsideMessage }

    override func receive(_ bytes: UnsafeRawBufferPointer) {
        framer.receive(Array(bytes))
        do {
            while let event = try framer.next() {
                switch event {
                case .message(let message): take(.message(message))
                case .ping: write(ByteBuffer(string: "\r\n"))
                case .pong: break
                }
            }
        } catch {
            // Nothing after broken framing can be read. The control plane says what was wrong, then closes.
            guard !framer.rejected.isEmpty else { return close(.malformed, reason: "no SIP message") }
            take(.malformed(framer.rejected, error))
            stopReading()
        }
    }
}
