import Synchronization
import TURN

/// A TCP or TLS connection that carries TURN, as the media worker sees it.
package struct MediaStream: Sendable {
    package let client: TURNClient
    /// Takes whole messages, one behind the other, to be written. Called on the worker's thread; it must not wait, and
    /// drops what a slow reader leaves no room for, as a network would.
    package let send: @Sendable ([UInt8]) -> Void

    package init(client: TURNClient, send: @escaping @Sendable ([UInt8]) -> Void) {
        precondition(client.transport.isStream, "UDP needs no stream")
        (self.client, self.send) = (client, send)
    }
}

/// What reaches the media worker from other threads.
enum MediaDelivery: Sendable {
    case opened(MediaStream)
    /// Whole messages, as `StreamFrame` cuts them, padding included.
    case messages([UInt8], TURNClient)
    case closed(TURNClient)
    case stop
}

/// What waits for the media worker's thread.
final class MediaMailbox: Sendable {
    private struct Contents {
        var deliveries: [MediaDelivery] = []
        /// Bytes of messages among them.
        var size = 0
    }

    private let contents = Mutex(Contents())

    /// - Returns: whether it was taken (messages are not while too much waits), and whether the thread must be woken up.
    func put(_ delivery: MediaDelivery) -> (isTaken: Bool, isFirst: Bool) {
        contents.withLock { contents in
            if case .messages(let bytes, _) = delivery {
                guard contents.size + bytes.count <= MediaLimits.streamBacklog else { return (false, false) }
                contents.size += bytes.count
            }
            contents.deliveries.append(delivery)
            return (true, contents.deliveries.count == 1)
        }
    }

    func take() -> [MediaDelivery] {
        contents.withLock { contents in
            defer { contents = Contents() }
            return contents.deliveries
        }
    }
}
