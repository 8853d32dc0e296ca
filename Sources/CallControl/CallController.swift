import Base
import SDP
import SIP

/// Registrar, location service and forking proxy (RFC 3261 §10 and §16) without sockets, files or clocks.
///
/// Bytes and time in, `Output` out: call one mutating method, take `pollOutput()` until nil, wait for input or `nextTimeout`.
package struct CallController: Sendable {
    package private(set) var statistics = Statistics()
    private var outputs = OutputQueue<Output>()
    private let configuration: Configuration

    package init(configuration: Configuration, random: RandomSource, at now: Instant) {
        self.configuration = configuration
    }

    /// The people and their devices, as the store kept them. Before the first message.
    package mutating func load(accounts: [SIPAccount], bindings: [Binding], at now: Instant) {}

    /// A person is new, or her phones changed: devices of phones that are gone lose their bindings and flows.
    package mutating func set(account: SIPAccount, at now: Instant) {}

    /// A person is gone, with all her bindings and flows.
    package mutating func remove(user: [UInt8], at now: Instant) {}

    /// A stream is there. `user`: the signed-in person whose page opened it, who then needs no digest.
    package mutating func flowOpened(_ flow: Flow, user: [UInt8]?, at now: Instant) {}

    /// A stream is gone.
    package mutating func flowClosed(_ flow: Flow, at now: Instant) {}

    /// One datagram, one WebSocket message, or one message framed out of a stream.
    package mutating func receive(_ bytes: [UInt8], on flow: Flow, at now: Instant) {}

    /// A `.send` over UDP came back as unreachable, or could not be written.
    package mutating func sendFailed(on flow: Flow, at now: Instant) {}

    /// The change with this ticket is on disk, or could not be written.
    package mutating func stored(_ ticket: UInt64, succeeded: Bool, at now: Instant) {}

    package mutating func resolved(_ query: UInt64, with resolution: Resolution, at now: Instant) {}

    /// `flow` nil: the connection could not be made.
    package mutating func connected(_ request: UInt64, flow: Flow?, at now: Instant) {}

    /// Hands every lifetime that waits to be written to the store; before a graceful stop.
    package mutating func flush(at now: Instant) {}

    package var nextTimeout: Instant? { nil }

    package mutating func handleTimeout(at now: Instant) {}

    package mutating func pollOutput() -> Output? { outputs.popFirst() }

    /// Devices of a person that can be reached at this moment.
    package func reachableDevices(of user: [UInt8]) -> Int { 0 }

    /// Bindings of everybody.
    package var bindingCount: Int { 0 }
    /// Requests being proxied, 32 s after their end included.
    package var transactionCount: Int { 0 }
}
