import Base
import Hummingbird
import NIOCore

/// What a handler knows of the connection a request came on.
package struct HearthContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The peer; nil where there is no socket (tests without one).
    package let remote: IPAddress?

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remote = source.channel.remoteAddress.flatMap { IPAddress($0) }
    }
}

extension IPAddress {
    /// The address of a socket; nil for a UNIX domain socket.
    init?(_ address: SocketAddress) {
        guard let text = address.ipAddress else { return nil }
        // A zone (`fe80::1%eth0`) says which link, not who.
        self.init(parsing: text.utf8.prefix { $0 != 0x25 })
    }
}
