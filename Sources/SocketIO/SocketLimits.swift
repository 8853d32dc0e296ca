import Base

/// Every bound of the edge: what a peer can make grow, or keep waiting, and why the number is what it is.
package struct SocketLimits: Sendable {
    /// Connections of all kinds at once. Two file descriptors short of nothing: set from `ulimit -n` at start, less the
    /// descriptors of the listeners, the database and outgoing connections.
    package var connections = 16_000
    /// Connections of one IPv4 address or one IPv6 /64, which one household or one attacker owns. A family behind one
    /// router with ten devices of four tabs each stays far below. Loopback is exempt: reverse proxies live there.
    package var connectionsPerAddress = 256
    /// From accepted connection to finished TLS handshake. Two round trips take 1.2 s by satellite.
    package var handshakeTime = Duration.seconds(10)
    /// From first to last byte of an HTTP request's head, and from the connection's start to its first head.
    package var headerTime = Duration.seconds(10)
    /// An HTTP connection between two requests.
    package var httpIdleTime = Duration.seconds(60)
    /// From a SIP connection's start until a request of it was accepted (a 2xx went out, not to OPTIONS) or one was sent
    /// to it.
    /// A phone registers at once; a person typing a password has no SIP connection yet.
    package var introductionTime = Duration.seconds(20)
    /// A WebSocket on which nothing arrived for this long is asked by a ping.
    package var pingAfter = Duration.seconds(30)
    /// A WebSocket that leaves a ping unanswered for this long is gone: a laptop that went to sleep.
    package var pongTime = Duration.seconds(20)
    /// A TCP or TLS connection without a byte for longer than any registration lasts (an hour) and an answer's wait.
    /// Dead peers are found earlier by TCP's own keep-alive.
    package var streamIdleTime = Duration.seconds(2 * 3600 + 600)
    /// An unfinished message, WebSocket or TCP, or request body must be whole within this time of its first byte.
    package var messageTime = Duration.seconds(20)
    /// The largest SIP message and the largest WebSocket message: what UDP could carry as well (RFC 3261 §18.1.1).
    package var messageSize = 65_535
    /// Bytes waiting for a peer that reads slowly: four of the largest messages. More closes that one connection.
    package var writeBacklog = 4 * 65_536
    /// From our closing WebSocket frame to the end of the TCP connection, whether or not the peer answers.
    package var closeTime = Duration.seconds(2)
    /// An outgoing TCP or TLS connection, with its handshake. RFC 3261 §17.1.2.2 gives up after 32 s; a person sooner.
    package var connectTime = Duration.seconds(8)
    /// Outgoing connections being made at once.
    package var pendingConnects = 64

    package init() {}

    package static let standard = SocketLimits()
}
