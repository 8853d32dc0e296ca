/// Why a call is over, in the words a person would use.
package enum EndCause: UInt8, Sendable {
    /// We hung up an established call.
    case hungUp = 0
    case remoteHungUp = 1
    /// The callee refused (603, 403), or we did.
    case declined = 2
    case busy = 3
    /// Nobody took it in time: 408, 480, our own patience, or the ringing was given up by the network.
    case noAnswer = 4
    /// The caller gave up before an answer, whichever side that is.
    case cancelled = 5
    /// Another device of ours took or refused it (RFC 3326).
    case answeredElsewhere = 6
    case notFound = 7
    /// 488 and kin: the two ends have no media in common.
    case notAcceptable = 8
    /// The callee's server or device could not be reached (430, 502–504).
    case unreachable = 9
    /// An established call whose peer does not answer any more.
    case networkLost = 10
    case failed = 11
    /// Replaced by another call (RFC 3891), or its peer was transferred away.
    case replaced = 12
}

package enum SubscriptionPhase: UInt8, Sendable {
    case active = 0, pending = 1, terminated = 2
}

package enum LogLevel: UInt8, Sendable {
    case debug = 0, info = 1, warning = 2, error = 3
}

/// What the phone tells the page. Names and addresses come from peers and are unchecked text.
///
/// `indirect`: an event is handed from place to place several times, and a copy is then one reference.
package indirect enum Event: Equatable, Sendable {
    /// `expires` is what the registrar granted, in seconds.
    case registered(expires: Int)
    /// `retryAfter` is when we try again by ourselves, in seconds; 0: not before `register` or a reconnect.
    case registrationFailed(status: Int, reason: [UInt8], retryAfter: Int)
    case unregistered
    /// A call comes in, and 180 has been sent. `sdp` is empty when the caller wants our offer. `replaces`: answering it ends that call of ours.
    case incoming(CallID, fromName: [UInt8], fromURI: [UInt8], sdp: [UInt8], replaces: CallID?)
    /// A provisional response. `sdp` is empty, or an early answer of this branch; another branch may bring another one.
    case progress(CallID, status: Int, reason: [UInt8], sdp: [UInt8])
    /// The call is established. `sdp` is the remote answer to the offer of `call` or to an offer made in `answer`; empty for a call we
    /// answered with an answer.
    case answered(CallID, sdp: [UInt8])
    /// The peer makes a new offer: `answerOffer` or `rejectOffer`. An empty `sdp` asks for an offer of ours, given by `answerOffer`.
    case offered(CallID, sdp: [UInt8])
    /// The answer to our `offer`, or to the offer we gave when the peer asked for one.
    case offerAnswered(CallID, sdp: [UInt8])
    /// Our offer was refused, lost a glare (491), or got no answer; or the peer's offer is off the table: withdrawn (487), or not
    /// answered in time (504).
    case offerFailed(CallID, status: Int, reason: [UInt8])
    /// The peer's candidates, a trickle-ice-sdpfrag that may repeat earlier ones.
    case candidates(CallID, fragment: [UInt8])
    /// `status` is 0 when no response ended it.
    case ended(CallID, cause: EndCause, status: Int, reason: [UInt8])
    case transferRequested(CallID, to: [UInt8])
    /// How far the transfer we asked for has come: a status from the transfer target.
    case transferProgress(CallID, status: Int)
    case dtmf(CallID, signal: UInt8, milliseconds: Int)
    case info(CallID, contentType: [UInt8], body: [UInt8])
    /// `call` is set when it came inside of a call.
    case message(fromURI: [UInt8], contentType: [UInt8], body: [UInt8], sipCallID: [UInt8], call: CallID?)
    case messageResult(id: UInt32, status: Int, reason: [UInt8])
    case notified(id: UInt32, state: SubscriptionPhase, contentType: [UInt8], body: [UInt8])
    /// The subscription is over and is not renewed by us.
    case subscriptionEnded(id: UInt32, status: Int, reason: [UInt8])
    case published(id: UInt32, expires: Int)
    case publishFailed(id: UInt32, status: Int, reason: [UInt8])
    case optionsResult(id: UInt32, status: Int, reason: [UInt8])
    case log(LogLevel, text: [UInt8])
}
