import Base
import SIP

/// A complete SIP phone without sockets (RFC 3261 user agent): messages, commands and time in; messages and events out.
package struct UserAgent: Sendable {
    package enum Output: Equatable, Sendable {
        /// One whole message for the server.
        case send([UInt8])
        case event(Event)
    }
    private var outputs = OutputQueue<Output>()

    package init(configuration: Configuration, random: RandomSource, at now: Instant) throws(CommandError) {}

    /// The flow to the server is up: registers; after a reconnect also tends what was under way.
    package mutating func connected(at now: Instant) {}
    package mutating func disconnected(at now: Instant) {}
    /// One whole message from the server.
    package mutating func receive(_ bytes: [UInt8], at now: Instant) {}
    package mutating func perform(_ command: Command, at now: Instant) throws(CommandError) {}
    package var nextTimeout: Instant? { nil }
    package mutating func handleTimeout(at now: Instant) {}
    package mutating func pollOutput() -> Output? { outputs.popFirst() }
}
