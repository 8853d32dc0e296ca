import Base
import Logging
import NIOCore
import SocketIO

/// By when a peer must have done something; otherwise its connection is closed, over HTTP/2 its stream alone.
struct Deadline {
    private let logger: Logger
    private var task: Scheduled<Void>?

    init(logger: Logger) { self.logger = logger }

    /// In place of what was expected until now. Only on the channel's event loop.
    mutating func expect(_ what: StaticString, within time: Duration, on channel: any Channel) {
        task?.cancel()
        task = channel.eventLoop.scheduleTask(in: TimeAmount(time)) { [logger] in
            let address = channel.remoteAddress.flatMap(TransportAddress.init)
            logger.debug(
                "closed, because it took too long",
                metadata: [
                    "expected": "\(what)", "within": "\(time)", "address": "\(address?.description ?? "none")",
                ])
            channel.close(promise: nil)
        }
    }

    mutating func cancel() { task?.cancel() }
}
