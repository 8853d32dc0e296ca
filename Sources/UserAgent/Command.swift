/// A call, by a number: the page numbers those it makes below 2³¹, the phone numbers incoming ones from 2³¹ up.
package struct CallID: Hashable, Sendable {
    package var number: UInt32

    package init(_ number: UInt32) { self.number = number }

    /// Whether the number lies in the range of incoming calls.
    package var isIncoming: Bool { number >= Self.firstIncoming }

    static let firstIncoming = UInt32(0x8000_0000)
}

/// What the page (or a test) asks of the phone. `id` is a number of the asker's, given back in the result's event.
package enum Command: Equatable, Sendable {
    case register
    case unregister
    /// Rings somebody. `replaces`: an established call of ours the new one takes the place of at the other end (attended transfer by INVITE).
    case call(CallID, to: [UInt8], offer: [UInt8], replaces: CallID?)
    /// Takes an incoming call. With an offer from the caller `sdp` is the answer, without one it is our offer.
    case answer(CallID, sdp: [UInt8])
    case reject(CallID, status: Int)
    /// Ends a call in any state: CANCEL, BYE, or 603 to a ringing one.
    case hangUp(CallID)
    /// A new offer in a call: re-INVITE, or UPDATE before it is answered.
    case offer(CallID, sdp: [UInt8])
    case answerOffer(CallID, sdp: [UInt8])
    case rejectOffer(CallID, status: Int)
    /// Our trickled candidates as `application/trickle-ice-sdpfrag`: all of this ICE generation so far, the new ones last
    /// (RFC 8840 §4.4). Each fragment replaces the one before it while that waits to be sent.
    case candidates(CallID, fragment: [UInt8])
    /// Asks the peer to call `to` instead of us (REFER).
    case transfer(CallID, to: [UInt8])
    /// Joins the peers of two calls of ours: REFER to the first with Replaces of the second.
    case transferTo(CallID, other: CallID)
    /// Follows a `transferRequested`: calls the target as call `new` with this offer and reports its progress to the transferor.
    case acceptTransfer(CallID, new: CallID, offer: [UInt8])
    case rejectTransfer(CallID, status: Int)
    /// One key of the telephone keypad (`0`–`9 * # A`–`D`), as INFO with application/dtmf-relay.
    case dtmf(CallID, signal: UInt8, milliseconds: Int)
    case info(CallID, contentType: [UInt8], body: [UInt8])
    case message(id: UInt32, to: [UInt8], contentType: [UInt8], body: [UInt8])
    /// A MESSAGE inside of a call's dialog.
    case callMessage(id: UInt32, CallID, contentType: [UInt8], body: [UInt8])
    case subscribe(id: UInt32, to: [UInt8], event: [UInt8], accept: [UInt8], expires: Int)
    case unsubscribe(id: UInt32)
    /// Publishes state of one event package, replacing what was published for it; `expires` 0 withdraws it.
    case publish(id: UInt32, event: [UInt8], contentType: [UInt8], body: [UInt8], expires: Int)
    case options(id: UInt32, to: [UInt8])
}

/// Why a command was not carried out. Nothing has changed then.
package enum CommandError: UInt8, Error, Equatable, Sendable {
    case unknownCall = 1
    /// The call, subscription or registration is not in a state in which this makes sense.
    case wrongState = 2
    case badURI = 3
    /// The number is already in use, or not one the page may give.
    case badID = 4
    /// A limit of `Limits` is reached.
    case tooMany = 5
    case tooLarge = 6
    /// A status that cannot be used here, an unusable event name, content type or key.
    case badValue = 7
    case notConnected = 8
}
