import Base
import SIP

extension CallController {
    /// What the controller asks of its driver.
    package enum Output: Sendable {
        /// One whole message (WebSocket: one frame) on a flow.
        case send([UInt8], Flow)
        /// A change of bindings. With a ticket, `stored(_:succeeded:at:)` is awaited; without, at leisure.
        case store(BindingChange, ticket: UInt64?)
        /// A question to the name servers; `resolved(_:with:at:)` answers it.
        case resolve(UInt64, ResolutionQuestion)
        /// A connection to make; `connected(_:flow:at:)` answers it. The flow lives on as one that came in.
        case connect(UInt64, ConnectionTarget)
        /// A flow nobody may use any more: its user was removed or its phone disabled.
        case close(Flow, CloseReason)
        case event(ControlEvent)
    }
}

package enum ResolutionQuestion: Sendable, Equatable {
    /// A and AAAA of a host name.
    case addresses(host: [UInt8])
    /// SRV of a service name such as `_sip._udp.example.org`.
    case services(name: [UInt8])
}

/// A name server's answer.
package enum Resolution: Sendable, Equatable {
    case addresses([IPAddress])
    case services([ServiceRecord])
    /// No such name, no answer, or none that could be read.
    case failed
}

/// One SRV record (RFC 2782).
package struct ServiceRecord: Sendable, Equatable {
    package var priority: UInt16
    package var weight: UInt16
    package var port: UInt16
    package var target: [UInt8]

    package init(priority: UInt16, weight: UInt16, port: UInt16, target: [UInt8]) {
        (self.priority, self.weight, self.port, self.target) = (priority, weight, port, target)
    }
}

package struct ConnectionTarget: Sendable, Equatable {
    /// `.tcp` or `.tls`.
    package var transport: SIPTransport
    package var address: TransportAddress
    /// The name a TLS certificate must show.
    package var serverName: [UInt8]
}

package enum CloseReason: UInt8, Sendable, Equatable {
    /// The person was removed, or her session ended.
    case personRemoved
    /// The phone's password was withdrawn.
    case phoneRemoved
}

/// What happened, for the log and the numbers. Names appear here; whoever logs decides the level.
package enum ControlEvent: Sendable, Equatable {
    case registered(user: [UInt8], contact: [UInt8], lifetime: Int, flow: Flow)
    case unregistered(user: [UInt8], contact: [UInt8], cause: UnregisterCause)
    /// A request was answered with an error of ours.
    case refused(status: Int, reason: RefusalReason, flow: Flow)
    /// A digest did not match. `user` as claimed.
    case authenticationFailed(user: [UInt8], flow: Flow)
    case callStarted(from: [UInt8], to: [UInt8], branches: Int)
    case callAnswered(from: [UInt8], to: [UInt8])
    /// A call ended before it was answered.
    case callFailed(from: [UInt8], to: [UInt8], status: Int)
    /// Somebody hung up an answered call.
    case callEnded
    /// Bytes that are no SIP, or a response nobody waits for.
    case dropped(DropReason, flow: Flow)
}

package enum UnregisterCause: UInt8, Sendable, Equatable {
    case asked, expired, replaced, phoneRemoved, personRemoved
    /// Its stream closed and it did not come back.
    case gone
}

package enum RefusalReason: UInt8, Sendable, Equatable {
    case malformed, notAuthenticated, slowedDown, wrongFrom, unknownPerson, offline, mediaMismatch, loop, tooManyHops,
        unsupportedExtension, unsupportedMethod, tooManyBindings, tooBrief, outOfOrder, overload, tooManyCalls,
        notRouted,
        unknownTransaction, storeFailed, flowFailed
}

package enum DropReason: UInt8, Sendable, Equatable { case notSIP, strayResponse, strayAcknowledgement, unroutable }

extension CallController {
    /// Totals since the start, for `/metrics`.
    package struct Statistics: Sendable, Equatable {
        package var requests: UInt64 = 0
        package var responses: UInt64 = 0
        package var malformed: UInt64 = 0
        package var registrations: UInt64 = 0
        package var challenges: UInt64 = 0
        package var authenticationFailures: UInt64 = 0
        package var refusals: UInt64 = 0
        package var callsStarted: UInt64 = 0
        package var callsAnswered: UInt64 = 0
        package var callsFailed: UInt64 = 0
        package var retransmissions: UInt64 = 0
        package var dropped: UInt64 = 0
        /// Datagrams that could not be sent, or came back.
        package var sendFailures: UInt64 = 0
    }
}
